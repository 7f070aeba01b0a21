"""What devices answer to commands, as our own states and reasons: pure functions of plain values.

Apple warns that its numbers of errors may change. So the known ones get a reason and a way on, and
every other one is worth another try; the whole chain is kept.
"""

from __future__ import annotations

import plistlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from xml.parsers.expat import ExpatError

from apps_catalog.models import InstallationState
from apps_catalog.reasons import Reason

ACKNOWLEDGED, ERROR, NOT_NOW, IDLE, MALFORMED = (
    *("Acknowledged", "Error", "NotNow", "Idle"),
    "CommandFormatError",
)
LONGEST_WORDS = 200


class Unreadable(Exception):
    """Not a property list that holds a dictionary."""


class Reaction(StrEnum):
    """What an error asks for."""

    NOTHING = "nothing"  # there is no error
    RETRY = "retry"
    CHECK_LICENSE = "check_license"  # there still: try again; gone: back to licensing
    VERIFY = "verify"  # it is there, or on its way: look, and send nothing
    WAIT_FOR_USER = "wait_for_user"
    GIVE_UP = "give_up"  # until somebody asks again
    GONE = "gone"  # what was to be removed is not there, or is not ours to remove


@dataclass(frozen=True, slots=True)
class AppReport:
    """One app on one device. `state` None: it said nothing that decides; `is_managed` likewise."""

    state: InstallationState | None
    reason: Reason | None = None
    version: str = ""
    is_managed: bool | None = None
    has_update: bool = False


@dataclass(frozen=True, slots=True)
class CommandResult:
    """`apps` by bundle id; of an install, `app` is what was said of it where no id came along."""

    status: str
    apps: dict[str, AppReport] = field(default_factory=dict)
    error_chain: list[dict[str, Any]] = field(default_factory=list)
    device_info: dict[str, Any] = field(default_factory=dict)
    app: AppReport | None = None
    reason: Reason | None = None
    reaction: Reaction = Reaction.NOTHING
    words: str = ""  # the device's own, of the outermost error

    @property
    def has_failed(self) -> bool:
        return self.status in (ERROR, MALFORMED)


# --- States of apps -------------------------------------------------------------------------------

S, R = InstallationState, Reason
_ON_ITS_WAY = AppReport(S.ACKNOWLEDGED)
_HERE = AppReport(S.INSTALLED, is_managed=True)
APP_STATES: dict[str, AppReport] = {
    **dict.fromkeys(
        ("Queued", "NeedsRedemption", "Redeeming", "ValidatingPurchase", "Installing"), _ON_ITS_WAY
    ),
    "Prompting": AppReport(S.WAITING_USER, R.NEEDS_CONSENT),
    "PromptingForLogin": AppReport(S.WAITING_USER, R.NEEDS_STORE_SIGN_IN),
    # The app is there, a user's own; whether it becomes managed is asked.
    "PromptingForManagement": AppReport(S.WAITING_USER, R.NEEDS_CONSENT, is_managed=False),
    "Managed": _HERE,
    # Of an update; the version before it stays.
    **dict.fromkeys(
        (
            *("Updating", "ValidatingUpdate", "PromptingForUpdate"),
            *("PromptingForUpdateLogin", "UpdateRejected"),
        ),
        _HERE,
    ),
    "ManagedButUninstalled": AppReport(S.REMOVED_BY_USER, R.REMOVED_BY_USER, is_managed=True),
    "UserInstalledApp": AppReport(S.INSTALLED, R.UNMANAGED_COPY, is_managed=False),
    "ManagementRejected": AppReport(S.INSTALLED, R.USER_REFUSED, is_managed=False),
    "UserRejected": AppReport(S.FAILED, R.USER_REFUSED),
    "Failed": AppReport(S.FAILED, R.UNKNOWN_ERROR),
}
SAYS_NOTHING = AppReport(None)


def managed_app(state: object) -> AppReport:
    return APP_STATES.get(str(state), SAYS_NOTHING)


def installed_app(told: Mapping[str, Any]) -> AppReport:
    if told.get("DownloadFailed"):
        return AppReport(S.FAILED, R.UNKNOWN_ERROR)
    return AppReport(
        S.ACKNOWLEDGED if told.get("Installing") else S.INSTALLED,
        version=str(told.get("ShortVersion") or told.get("Version") or "")[:50],
        has_update=bool(told.get("HasUpdateAvailable")),
    )


# --- Errors ---------------------------------------------------------------------------------------

Way = tuple[Reason, Reaction]
_LICENSE: Way = (R.LICENSE_NOT_FOUND, Reaction.CHECK_LICENSE)
_NEVER: Way = (R.NOT_SUPPORTED, Reaction.GIVE_UP)
UNKNOWN: Way = (R.UNKNOWN_ERROR, Reaction.RETRY)
# The older domain and the one of recent systems have the same numbers.
_MDM: dict[int, Way] = {
    12023: _NEVER,  # the store does not know the id: another storefront or platform
    12025: (R.UNMANAGED_COPY, Reaction.VERIFY),  # installed already
    12026: _LICENSE,
    12029: (R.UNMANAGED_COPY, Reaction.GONE),  # not managed
    12031: (R.STORE_DISABLED, Reaction.GIVE_UP),
    12035: _NEVER,  # cannot be bought
    12036: UNKNOWN,  # cannot be removed now
    12038: (R.UNMANAGED_COPY, Reaction.GONE),
    12040: (R.NEEDS_STORE_SIGN_IN, Reaction.WAIT_FOR_USER),
    12047: _LICENSE,
    12063: (R.USER_REFUSED, Reaction.GIVE_UP),
    12064: _LICENSE,
    12065: _NEVER,  # comes with the system
}
ERRORS: dict[str, dict[int, Way]] = {
    "MCMDMErrorDomain": _MDM,
    "MDMErrorDomain": _MDM,
    "ASDServerErrorDomain": {9610: _LICENSE},
    "ASDErrorDomain": {506: (R.NO_VERDICT, Reaction.VERIFY)},  # such an install is running
}
ANY_DOMAIN: dict[int, Way] = {2605: _LICENSE}  # below an error of any kind
REJECTIONS: dict[str, Way] = {
    "AppAlreadyInstalled": (R.UNMANAGED_COPY, Reaction.VERIFY),
    "AppAlreadyQueued": (R.NO_VERDICT, Reaction.VERIFY),
    "AppStoreDisabled": (R.STORE_DISABLED, Reaction.GIVE_UP),
    **dict.fromkeys(
        (
            *("CouldNotVerifyAppID", "ManagementChangeNotSupported", "NotAnApp", "NotSupported"),
            *("PurchaseMethodNotSupported", "PurchaseMethodNotSupportedInMultiUser"),
        ),
        _NEVER,
    ),
}


def way_of(chain: Iterable[Mapping[str, Any]], rejection: str = "") -> Way:
    """The first that is known decides, from the outermost error inwards; then the rejection."""
    for error in chain:
        code = error.get("ErrorCode")
        known = ERRORS.get(str(error.get("ErrorDomain")), {}) | ANY_DOMAIN
        if isinstance(code, int) and code in known:
            return known[code]
    return REJECTIONS.get(rejection, UNKNOWN)


# --- Answers --------------------------------------------------------------------------------------


def read_plist(text: bytes) -> dict[str, Any]:
    """Defensively: it comes from a device. Apple's own are XML; no other format is opened."""
    try:
        told = plistlib.loads(text, fmt=plistlib.FMT_XML)
    except (ExpatError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise Unreadable(f"no property list: {error}"[:LONGEST_WORDS]) from None
    except (AttributeError, IndexError, KeyError, plistlib.InvalidFileException):
        raise Unreadable("no property list") from None
    if not isinstance(told, dict):
        raise Unreadable("the property list is no dictionary")
    return told


def read_result(request_type: str, plist: Mapping[str, Any]) -> CommandResult:
    status = str(plist.get("Status", ""))
    chain = _rows(plist.get("ErrorChain"))
    rejection = str(plist.get("RejectionReason") or "")
    reason, reaction = None, Reaction.NOTHING
    if status == MALFORMED:
        reason, reaction = _NEVER
    elif status == ERROR:
        reason, reaction = way_of(chain, rejection)
    return CommandResult(
        status=status,
        apps=_apps(request_type, plist),
        error_chain=[_plain(error) for error in chain],
        device_info=_dictionary(plist.get("QueryResponses")),
        app=_installed(request_type, plist),
        reason=reason,
        reaction=reaction,
        words=_words(chain, rejection),
    )


def _apps(request_type: str, plist: Mapping[str, Any]) -> dict[str, AppReport]:
    if request_type == "ManagedApplicationList":
        told = _dictionary(plist.get("ManagedApplicationList"))
        return {name: managed_app(_dictionary(app).get("Status")) for name, app in told.items()}
    if request_type == "InstalledApplicationList":
        rows = _rows(plist.get("InstalledApplicationList"))
        return {str(app["Identifier"]): installed_app(app) for app in rows if "Identifier" in app}
    report = _installed(request_type, plist)
    name = plist.get("Identifier")
    return {name: report} if report and isinstance(name, str) else {}


def _installed(request_type: str, plist: Mapping[str, Any]) -> AppReport | None:
    """iOS tells the state with the answer, a Mac only that it has understood."""
    says = request_type == "InstallApplication" and "State" in plist
    return managed_app(plist["State"]) if says else None


def _words(chain: list[Mapping[str, Any]], rejection: str) -> str:
    for error in chain:
        words = error.get("USEnglishDescription") or error.get("LocalizedDescription")
        code = f"{error.get('ErrorDomain', '')} {error.get('ErrorCode', '')}".strip()
        return ": ".join(str(part) for part in (code, words) if part)[:LONGEST_WORDS]
    return rejection[:LONGEST_WORDS]


def _plain(error: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of an error: no dates or data, which JSON does not know."""
    kept = ("ErrorDomain", "ErrorCode", "USEnglishDescription", "LocalizedDescription")
    return {
        key: value if isinstance(value, int) else str(value)[:LONGEST_WORDS]
        for key in kept
        if (value := error.get(key)) is not None
    }


def _rows(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _dictionary(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
