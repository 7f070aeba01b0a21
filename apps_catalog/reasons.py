"""Why an app is not on a device: codes for programs, sentences for people, and what to do."""

from __future__ import annotations

from enum import StrEnum


class Stage(StrEnum):
    """Where it is held up, in the order in which things happen."""

    SCOPE = "scope"
    LICENSE = "license"
    APPLE = "apple"
    CHANNEL = "channel"
    DEVICE = "device"
    NOTHING = "nothing"  # it is as it should be


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
