"""The codes, and what is known of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """Where it is held up, in the order in which things happen."""

    SCOPE = "scope"
    LICENSE = "license"
    APPLE = "apple"
    CHANNEL = "channel"
    DEVICE = "device"
    NOTHING = "nothing"  # it is as it should be


class Where(StrEnum):
    """The page on which it is put right."""

    NOWHERE = ""
    DEVICE = "device"
    APP = "app"
    ACCOUNTS = "accounts"  # Organization > MDM
    TITLE = "title"  # the licenses of the app in an account
    PEOPLE = "people"  # VPP > User management
    CHANNEL = "channel"  # the way to devices


class Reason(StrEnum):
    """The value is what programs read (`Installation.reason`)."""

    OUT_OF_SCOPE = "outOfScope"
    NO_SERIAL = "noSerialNumber"
    PLATFORM = "wrongPlatform"
    OS_TOO_OLD = "osTooOld"  # for the app itself
    OS_WITHOUT_DEVICE_LICENSES = "osWithoutDeviceLicenses"
    OS_WITHOUT_USER_LICENSES = "osWithoutUserLicenses"
    STORE_GONE = "goneFromStore"
    NO_OWNER = "noOwner"
    OWNER_NOT_IN_ACCOUNT = "ownerNotInAccount"
    OWNER_RETIRED = "ownerRetired"
    OWNER_NOT_ASSOCIATED = "ownerHasNotAccepted"
    NO_ACCOUNT = "noAccount"
    NOT_BOUGHT = "notBought"
    NOT_FOR_DEVICES = "notDeviceAssignable"
    BOOK = "isABook"
    NETWORK = "networkNotAssignable"
    ACCOUNT_STOPPED = "accountStopped"
    PAUSED = "paused"
    NO_LICENSE = "noLicenseLeft"
    NOT_ASKED = "licenseNotAskedFor"
    LICENSE_FAILED = "licenseFailed"
    NO_CODE = "noCodeLeft"
    OTHER_MDM = "installedByAnotherMdm"
    NOT_ENROLLED = "notEnrolled"
    NOT_AUTOMATIC = "notInstalledAutomatically"
    SERVER_UNREACHABLE = "serverUnreachable"
    SERVER_REFUSED = "serverRefused"
    NOT_SEEN = "notSeen"
    BUSY = "deviceBusy"
    NEEDS_STORE_SIGN_IN = "needsStoreSignIn"
    NEEDS_CONSENT = "needsConsent"
    USER_REFUSED = "userRefused"
    REMOVED_BY_USER = "removedByUser"
    UNMANAGED_COPY = "unmanagedCopy"
    STORE_DISABLED = "storeDisabled"
    LICENSE_NOT_FOUND = "licenseNotFound"
    NOT_SUPPORTED = "notSupported"
    NO_VERDICT = "noVerdict"
    UNKNOWN_ERROR = "unknownError"
    HELD = "waitsForDecision"  # a rule would take back many licenses at once

    @property
    def stage(self) -> Stage:
        return WORDS[self].stage

    @property
    def sentence(self) -> str:
        """Of any app and device."""
        return self.told()

    @property
    def fix(self) -> str:
        """What to do about it; empty where it passes by itself."""
        return WORDS[self].fix

    @property
    def where(self) -> Where:
        return WORDS[self].where

    @property
    def passes(self) -> bool:
        """By itself, though the fix may be quicker."""
        return WORDS[self].by_itself

    def told(self, **names: str) -> str:
        """With the names of this app, device, owner or account, as far as they are given."""
        return told(WORDS[self].sentence, names)


@dataclass(frozen=True, slots=True)
class Words:
    """`sentence`: what is so, then why. Braces take the names of `UNNAMED`."""

    stage: Stage
    sentence: str
    fix: str = ""
    where: Where = Where.NOWHERE
    by_itself: bool = False


WORDS: dict[Reason, Words] = {}  # words.py fills it

# What stands in a sentence where nobody knows of which app or device it speaks.
UNNAMED: Mapping[str, str] = {
    "app": "the app",
    "device": "the device",
    "owner": "the device's owner",
    "accounts": "the VPP accounts of this app",
    "needs": "a later system version",
    "has": "an earlier one",
}


def told(sentence: str, names: Mapping[str, str]) -> str:
    """The sentence with these names in it, and general words where one is not given."""
    known = {name: value for name, value in names.items() if value}
    text = sentence.format_map({**UNNAMED, **known})
    return text[:1].upper() + text[1:]
