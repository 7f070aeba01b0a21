"""The one table of what each reason says to people, and what they can do about it."""

from __future__ import annotations

from apps_catalog.reasons.codes import WORDS, Reason, Stage, Where, Words

SCOPE, LICENSE, APPLE = Stage.SCOPE, Stage.LICENSE, Stage.APPLE
CHANNEL, DEVICE = Stage.CHANNEL, Stage.DEVICE
_LATER = "Update the device, or take it out of the scope."
_TO_A_PERSON = "Choose VPP app assignment as the purchase method, and give the device an owner."

WORDS |= {
    Reason.OUT_OF_SCOPE: Words(
        SCOPE,
        "{device} is not in the scope of {app}.",
        "Give it a tag of the scope, or change the scope.",
        Where.APP,
    ),
    Reason.PLATFORM: Words(
        SCOPE,
        "{app} does not run on the platform of {device}.",
        "Add the app for that platform, where there is one.",
        Where.APP,
    ),
    Reason.NO_SERIAL: Words(
        LICENSE,
        "{device} has no serial number (User Enrollment), so Apple can give it no device license.",
        _TO_A_PERSON,
        Where.APP,
    ),
    Reason.OS_TOO_OLD: Words(
        LICENSE, "{app} needs {needs}, and {device} has {has}.", _LATER, Where.DEVICE
    ),
    Reason.OS_WITHOUT_DEVICE_LICENSES: Words(
        LICENSE,
        "{device} takes no device licenses: they need iOS 9, macOS 10.11 or tvOS 9, and it has {has}.",
        _LATER,
        Where.DEVICE,
    ),
    Reason.OS_WITHOUT_USER_LICENSES: Words(
        LICENSE,
        "{device} takes no user licenses: they need iOS 7 or macOS 10.9, and it has {has}.",
        _LATER,
        Where.DEVICE,
    ),
    Reason.STORE_GONE: Words(
        LICENSE,
        "{app} is no longer in the App Store, so no device can get it any more; where it is, it stays.",
        "Choose another app in its place.",
        Where.APP,
    ),
    Reason.NO_OWNER: Words(
        LICENSE,
        "{device} has no owner who could hold the license.",
        "Assign an owner, or choose VPP Device Assignment as the purchase method.",
        Where.DEVICE,
    ),
    Reason.OWNER_NOT_IN_ACCOUNT: Words(
        LICENSE,
        "{owner} is no person of {accounts} yet, so there is nobody to hold the license.",
        "Add and invite them.",
        Where.PEOPLE,
    ),
    Reason.OWNER_RETIRED: Words(
        LICENSE,
        "{owner} has been retired in {accounts}, and retired people hold no licenses.",
        "Add them again, or assign another owner.",
        Where.PEOPLE,
    ),
    Reason.OWNER_NOT_ASSOCIATED: Words(
        LICENSE,
        "{owner} holds the license but has not accepted the invitation, so {device} cannot use it yet.",
        "Send the invitation again, or hand over its link.",
        Where.PEOPLE,
    ),
    Reason.NO_ACCOUNT: Words(
        LICENSE,
        "{app} has no VPP account to draw licenses from.",
        "Choose one or several for it.",
        Where.APP,
    ),
    Reason.NOT_BOUGHT: Words(
        LICENSE,
        "No license of {app} was ever bought in {accounts}.",
        "Buy licenses in Apple Business or Apple School Manager, or choose another VPP account;"
        " Apple tells us of a purchase by itself.",
        Where.APP,
    ),
    Reason.NOT_FOR_DEVICES: Words(
        LICENSE,
        "The developer of {app} has not allowed licenses for devices.",
        _TO_A_PERSON,
        Where.APP,
    ),
    Reason.BOOK: Words(
        LICENSE,
        "{app} is a book, which only people can hold.",
        "Grant it to people on its page under VPP.",
        Where.TITLE,
    ),
    Reason.NETWORK: Words(
        LICENSE,
        "The device's network is not among the assignable networks of {accounts}.",
        "Make the network assignable, or choose another VPP account.",
        Where.ACCOUNTS,
    ),
    Reason.ACCOUNT_STOPPED: Words(
        LICENSE,
        "{accounts}: no license can be given at present, because Apple accepts no changes.",
        "See what the account needs, mostly a new token.",
        Where.ACCOUNTS,
    ),
    Reason.PAUSED: Words(
        LICENSE,
        "Automatic licensing is paused, so {device} gets no license.",
        "Resume it.",
        Where.APP,
    ),
    Reason.NO_LICENSE: Words(
        LICENSE,
        "No license is left in {accounts}; {device} gets one by itself as soon as one is free.",
        "Buy more, or take back some that are not needed.",
        Where.TITLE,
    ),
    Reason.NOT_ASKED: Words(
        LICENSE,
        "Licenses of {app} are not granted automatically; {device} gets one when an install is"
        " asked for.",
        "Install the app from the device's page, or switch on automatic licensing.",
        Where.DEVICE,
    ),
    Reason.NO_CODE: Words(
        LICENSE,
        "No unused redemption code of {app} is left.",
        "Import more codes, or move to managed distribution.",
        Where.APP,
    ),
    Reason.HELD: Words(
        LICENSE,
        "A rule would take back many licenses of {app} at once, so it waits until somebody decides.",
        "Decide on the app's page.",
        Where.APP,
    ),
    Reason.LICENSE_FAILED: Words(
        APPLE, "Apple refused the license of {app} for {device}.", "See what Apple said.", Where.APP
    ),
    Reason.OTHER_MDM: Words(
        CHANNEL,
        "The license is there, and another MDM installs {app}; what it does is not known here.",
        "Take it from there: the list of what to install where is on Manage > Apps.",
        Where.APP,
    ),
    Reason.NOT_ENROLLED: Words(
        CHANNEL,
        "{device} is not enrolled here, so nothing can be sent to it.",
        "Enroll the device.",
        Where.CHANNEL,
    ),
    Reason.NOT_AUTOMATIC: Words(
        CHANNEL,
        "The license is there, but {app} does not install automatically.",
        "Install it from the device's page, or switch on Install automatically.",
        Where.DEVICE,
    ),
    Reason.SERVER_UNREACHABLE: Words(
        CHANNEL,
        "The MDM server cannot be reached; sending is repeated by itself every few minutes.",
        "Check the connection.",
        Where.CHANNEL,
        by_itself=True,
    ),
    Reason.SERVER_REFUSED: Words(
        CHANNEL,
        "The MDM server refused the command for {device}.",
        "Look at what the server said, and check the connection.",
        Where.CHANNEL,
    ),
    Reason.NOT_SEEN: Words(
        CHANNEL,
        "{device} has not connected since the command was sent; it is woken again by itself.",
        "Switch it on and connect it to a network.",
        Where.DEVICE,
        by_itself=True,
    ),
    Reason.BUSY: Words(
        DEVICE,
        "{device} is busy or locked, and takes the command later by itself.",
        by_itself=True,
    ),
    Reason.NEEDS_STORE_SIGN_IN: Words(
        DEVICE,
        "{device} asks for a sign-in to the App Store before it installs {app}.",
        "Sign in on the device with the owner's Apple Account, or choose VPP Device Assignment.",
        Where.APP,
    ),
    Reason.NEEDS_CONSENT: Words(
        DEVICE,
        "{device} asks its user whether {app} may be installed, because it is not supervised.",
        "Agree on the device.",
        Where.DEVICE,
    ),
    Reason.USER_REFUSED: Words(
        DEVICE,
        "The user of {device} declined {app}; it is not sent again by itself.",
        "Talk to the user, then send it again.",
        Where.DEVICE,
    ),
    Reason.REMOVED_BY_USER: Words(
        DEVICE,
        "The user of {device} has deleted {app}; it is not sent again by itself.",
        "Send it again from the device's page.",
        Where.DEVICE,
    ),
    Reason.UNMANAGED_COPY: Words(
        DEVICE,
        "{app} is there, but the user installed it, so it is not managed.",
        "Switch on Attempt to manage unmanaged, or delete it on the device.",
        Where.APP,
    ),
    Reason.STORE_DISABLED: Words(
        DEVICE,
        "Installing apps is switched off on {device} by a restriction.",
        "Lift the restriction, then send it again.",
        Where.DEVICE,
    ),
    Reason.LICENSE_NOT_FOUND: Words(
        DEVICE,
        "{device} could not find its license at Apple. Apple is asked whether it is there, and"
        " the install is repeated by itself.",
        by_itself=True,
    ),
    Reason.NOT_SUPPORTED: Words(
        DEVICE,
        "{device} says that {app} cannot be installed on it, so it is not sent again by itself.",
        "Check platform, country of the store and system version, or take it out of the scope.",
        Where.DEVICE,
    ),
    Reason.NO_VERDICT: Words(
        DEVICE,
        "{device} has said neither yes nor no to {app} for a day; it is asked again by itself.",
        "Look at the device: a large app may still be loading.",
        Where.DEVICE,
        by_itself=True,
    ),
    Reason.UNKNOWN_ERROR: Words(
        DEVICE,
        "{device} could not install {app}.",
        "Look at what the device said, then send it again from its page.",
        Where.DEVICE,
    ),
}
