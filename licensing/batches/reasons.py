"""Why an item gets nothing, in sentences: ours for what we skip, and what Apple's numbers mean."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a plan skips a holder. The value is what programs read, `sentence` what people do."""

    ALREADY_HELD = "alreadyHeld"
    NOT_HELD = "notHeld"
    IN_PROGRESS = "inProgress"
    NOT_FOR_DEVICES = "notDeviceAssignable"
    IRREVOCABLE = "irrevocable"
    TITLE_GONE = "titleGone"
    NO_SERIAL = "noSerialNumber"
    BAD_SERIAL = "invalidSerialNumber"
    UNKNOWN_DEVICE = "unknownDevice"
    NETWORK = "networkNotAssignable"
    NOT_YOUR_NETWORK = "networkNotYours"
    PLATFORM = "wrongPlatform"
    UNKNOWN_USER = "unknownUser"
    RETIRED = "userRetired"
    REGISTRATION_FAILED = "registrationFailed"
    RETIRED_ALREADY = "alreadyRetired"
    BEING_RETIRED = "beingRetired"
    ACCEPTED = "alreadyAccepted"
    BEING_INVITED = "beingInvited"
    NO_ADDRESS = "noEmailAddress"

    @property
    def sentence(self) -> str:
        return SENTENCES[self]

    @property
    def in_short(self) -> str:
        """Beside the row of a device, where the sentence is too long."""
        return IN_SHORT.get(self, self.sentence)


SENTENCES = {
    Reason.ALREADY_HELD: "Holds a license of this title already.",
    Reason.NOT_HELD: "Holds no license of this title, so there is nothing to take back.",
    Reason.IN_PROGRESS: "Another batch is changing this license just now; ask again when it is done.",
    Reason.NOT_FOR_DEVICES: "This title cannot be assigned to devices; grant it to a person.",
    Reason.IRREVOCABLE: "This license is permanent and cannot be taken back.",
    Reason.TITLE_GONE: "Apple no longer lists this title in this account.",
    Reason.NO_SERIAL: "The device has no serial number (User Enrollment); grant to its owner instead.",
    Reason.BAD_SERIAL: "This is not a serial number: letters and digits only, at most 32.",
    Reason.UNKNOWN_DEVICE: (
        "No device here has this serial number, and this account serves certain networks only."
        " Import the device first."
    ),
    Reason.NETWORK: "The device's network is not among this account's assignable networks.",
    Reason.NOT_YOUR_NETWORK: "The device is in none of the networks that you may write in.",
    Reason.PLATFORM: "The title does not run on this device's platform.",
    Reason.UNKNOWN_USER: "This account has no such person.",
    Reason.RETIRED: "This person has been retired; add them again first.",
    Reason.REGISTRATION_FAILED: "Apple refused to register this person; see the person's page.",
    Reason.RETIRED_ALREADY: "This person has been retired already.",
    Reason.BEING_RETIRED: "Another batch is retiring this person just now.",
    Reason.ACCEPTED: "This person has accepted already and needs no invitation.",
    Reason.BEING_INVITED: "Another batch is inviting this person just now.",
    Reason.NO_ADDRESS: (
        "No e-mail address is known of this person. Add one, or copy the invitation link and hand it"
        " over yourself."
    ),
}

IN_SHORT = {
    Reason.NOT_YOUR_NETWORK: "Not one of your networks",
    Reason.NETWORK: "This network is not assignable for the account",
    Reason.UNKNOWN_DEVICE: "In no network that is assignable for the account",
}


def sentence_of(reason: Reason | None) -> str:
    return reason.sentence if reason else ""


RETIRED_MEANWHILE = "Retired meanwhile."

# Apple's numbers as its events and refusals give them (protocol reference 2.13).
APPLE_SAYS = {
    9602: "Apple did not understand the request for this item.",
    9603: "Apple had a problem of its own.",
    9609: "Apple does not know this person any more. Register them again.",
    9635: "The Managed Apple Account is unknown, or belongs to another organization than the token.",
    9641: "This Managed Apple Account belongs to another person of this location already.",
    9644: "Apple's service was in maintenance.",
    9706: "This license is permanent and cannot be taken back.",
    9707: "Apple does not allow this title on devices.",
    9709: "Apple had no license left for it.",
    9716: "Apple knows this person already.",
    9717: "Apple does not accept this e-mail address.",
}
LOST = "Apple's answer got lost several times, and what is true could not be found out. Try again."


def sentence_for(number: int | None, text: str = "") -> str:
    """What a number of Apple's means here; Apple's own words for a number nobody knows."""
    if number in APPLE_SAYS:
        return APPLE_SAYS[number]
    return f"Apple refused it: {text}"[:300] if text else "Apple refused it without a reason."
