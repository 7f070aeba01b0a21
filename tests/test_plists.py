"""Commands as devices take them, and what their answers mean here."""

from __future__ import annotations

import plistlib
from typing import Any
from uuid import UUID

import pytest

from apps_catalog.channels import plists
from apps_catalog.channels.plists import AppFacts, AppReport, InstallOptions, Reaction, read_result
from apps_catalog.channels.results import Unreadable, read_plist
from apps_catalog.models import InstallationState
from apps_catalog.reasons import Reason

S, R = InstallationState, Reason
KEYNOTE = AppFacts("361285480", "iOS", bundle_id="com.apple.Keynote")
ON_A_MAC = AppFacts("409183694", "macOS", is_macos=True, bundle_id="com.apple.iWork.Keynote")
UUID_ = UUID("12345678-1234-5678-1234-567812345678")


@pytest.mark.parametrize(
    ("app", "options", "body"),
    [
        (
            KEYNOTE,
            InstallOptions(),
            {
                "iTunesStoreID": 361285480,
                "Options": {"PurchaseMethod": 1},
                "ManagementFlags": 1,
            },
        ),
        (
            KEYNOTE,
            InstallOptions(
                prevents_backup=True,
                takes_over=True,
                is_removable=False,
                configuration={"site": "Oakmont"},
            ),
            {
                "iTunesStoreID": 361285480,
                "Options": {"PurchaseMethod": 1},
                "ManagementFlags": 5,
                "ChangeManagementState": "Managed",
                "Attributes": {"Removable": False},
                "Configuration": {"site": "Oakmont"},
            },
        ),
        (  # Apple forbids to take over there
            KEYNOTE,
            InstallOptions(
                is_licensed=False,
                removes_with_mdm=False,
                prevents_backup=True,
                takes_over=True,
                is_user_enrollment=True,
            ),
            {
                "iTunesStoreID": 361285480,
                "Options": {"PurchaseMethod": 0},
                "ManagementFlags": 4,
            },
        ),
        (  # a Mac knows no purchase without an assignment, and nothing of removing
            ON_A_MAC,
            InstallOptions(is_licensed=False, is_removable=False),
            {
                "iTunesStoreID": 409183694,
                "Options": {"PurchaseMethod": 1},
                "ManagementFlags": 1,
                "InstallAsManaged": True,
            },
        ),
        (
            AppFacts("361285480", "iOS", is_macos=True),
            InstallOptions(removes_with_mdm=False),
            {
                "iTunesStoreID": 361285480,
                "Options": {"PurchaseMethod": 1},
                "ManagementFlags": 0,
                "InstallAsManaged": True,
                "iOSApp": True,
            },
        ),
    ],
)
def test_an_install(app: AppFacts, options: InstallOptions, body: dict[str, Any]) -> None:
    assert plists.install(app, options) == ("InstallApplication", body)


def test_the_other_commands() -> None:
    ids = ("com.apple.Pages", "com.apple.Keynote")

    assert plists.remove("com.apple.Keynote") == (
        "RemoveApplication",
        {"Identifier": "com.apple.Keynote"},
    )
    assert plists.list_managed(ids) == ("ManagedApplicationList", {"Identifiers": sorted(ids)})
    assert plists.list_installed(ids).body["Identifiers"] == sorted(ids)
    assert "SerialNumber" in plists.device_information().body["Queries"]
    assert plists.invite("https://buy.itunes.apple.com/x").body == {
        "ProgramID": "com.apple.cloudvpp",
        "InvitationURL": "https://buy.itunes.apple.com/x",
    }


def test_the_document_that_is_queued() -> None:
    document = plists.wire(UUID_, *plists.install(KEYNOTE, InstallOptions()))

    assert b"<integer>361285480</integer>" in document
    assert plistlib.loads(document) == {
        "CommandUUID": "12345678-1234-5678-1234-567812345678",
        "Command": {
            "RequestType": "InstallApplication",
            "iTunesStoreID": 361285480,
            "Options": {"PurchaseMethod": 1},
            "ManagementFlags": 1,
        },
    }


# --- Answers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "report"),
    [
        ("Queued", AppReport(S.ACKNOWLEDGED)),
        ("NeedsRedemption", AppReport(S.ACKNOWLEDGED)),
        ("Redeeming", AppReport(S.ACKNOWLEDGED)),
        ("ValidatingPurchase", AppReport(S.ACKNOWLEDGED)),
        ("Installing", AppReport(S.ACKNOWLEDGED)),
        ("Prompting", AppReport(S.WAITING_USER, R.NEEDS_CONSENT)),
        ("PromptingForLogin", AppReport(S.WAITING_USER, R.NEEDS_STORE_SIGN_IN)),
        ("PromptingForManagement", AppReport(S.WAITING_USER, R.NEEDS_CONSENT, is_managed=False)),
        ("Managed", AppReport(S.INSTALLED, is_managed=True)),
        ("Updating", AppReport(S.INSTALLED, is_managed=True)),
        ("UpdateRejected", AppReport(S.INSTALLED, is_managed=True)),
        ("ManagedButUninstalled", AppReport(S.REMOVED_BY_USER, R.REMOVED_BY_USER, is_managed=True)),
        ("UserInstalledApp", AppReport(S.INSTALLED, R.UNMANAGED_COPY, is_managed=False)),
        ("ManagementRejected", AppReport(S.INSTALLED, R.USER_REFUSED, is_managed=False)),
        ("UserRejected", AppReport(S.FAILED, R.USER_REFUSED)),
        ("Failed", AppReport(S.FAILED, R.UNKNOWN_ERROR)),
        ("Unknown", AppReport(None)),
        ("SomethingNew", AppReport(None)),
    ],
)
def test_states_of_apps(status: str, report: AppReport) -> None:
    told = {"com.apple.Keynote": {"Status": status, "ManagementFlags": 1}}
    answer = {"Status": "Acknowledged", "ManagedApplicationList": told}

    result = read_result("ManagedApplicationList", answer)

    assert result.apps == {"com.apple.Keynote": report}


def test_installed_apps_tell_versions_and_updates() -> None:
    apps = [
        {"Identifier": "a", "ShortVersion": "13.2", "HasUpdateAvailable": True},
        {"Identifier": "b", "Version": "4501", "Installing": True},
        {"Identifier": "c", "DownloadFailed": True},
        {"Name": "nobody's"},
        "rubbish",
    ]
    answer = {"Status": "Acknowledged", "InstalledApplicationList": apps}

    result = read_result("InstalledApplicationList", answer)

    assert result.apps == {
        "a": AppReport(S.INSTALLED, version="13.2", has_update=True),
        "b": AppReport(S.ACKNOWLEDGED, version="4501"),
        "c": AppReport(S.FAILED, R.UNKNOWN_ERROR),
    }


def test_an_iphone_tells_the_state_with_the_answer_and_a_mac_does_not() -> None:
    on_iphone = {"Status": "Acknowledged", "Identifier": "a", "State": "Prompting"}

    told = read_result("InstallApplication", on_iphone)
    silent = read_result("InstallApplication", {"Status": "Acknowledged"})

    asks = AppReport(S.WAITING_USER, R.NEEDS_CONSENT)
    assert (told.apps, told.app) == ({"a": asks}, asks)
    assert (silent.apps, silent.app, silent.has_failed) == ({}, None, False)


def error(domain: str, code: int, **more: Any) -> dict[str, Any]:
    return {"ErrorDomain": domain, "ErrorCode": code, **more}


@pytest.mark.parametrize(
    ("chain", "rejection", "way"),
    [
        ([error("MCMDMErrorDomain", 12064)], "", (R.LICENSE_NOT_FOUND, Reaction.CHECK_LICENSE)),
        ([error("MDMErrorDomain", 12026)], "", (R.LICENSE_NOT_FOUND, Reaction.CHECK_LICENSE)),
        ([error("MDMErrorDomain", 12047)], "", (R.LICENSE_NOT_FOUND, Reaction.CHECK_LICENSE)),
        ([error("ASDServerErrorDomain", 9610)], "", (R.LICENSE_NOT_FOUND, Reaction.CHECK_LICENSE)),
        (  # what lies below an error that says nothing
            [error("Unknown", 1), error("Any", 2605)],
            "",
            (R.LICENSE_NOT_FOUND, Reaction.CHECK_LICENSE),
        ),
        ([error("ASDErrorDomain", 506)], "", (R.NO_VERDICT, Reaction.VERIFY)),
        ([error("MCMDMErrorDomain", 12025)], "", (R.UNMANAGED_COPY, Reaction.VERIFY)),
        ([error("MCMDMErrorDomain", 12023)], "", (R.NOT_SUPPORTED, Reaction.GIVE_UP)),
        ([error("MCMDMErrorDomain", 12035)], "", (R.NOT_SUPPORTED, Reaction.GIVE_UP)),
        ([error("MCMDMErrorDomain", 12031)], "", (R.STORE_DISABLED, Reaction.GIVE_UP)),
        ([error("MCMDMErrorDomain", 12040)], "", (R.NEEDS_STORE_SIGN_IN, Reaction.WAIT_FOR_USER)),
        ([error("MCMDMErrorDomain", 12063)], "", (R.USER_REFUSED, Reaction.GIVE_UP)),
        ([error("MCMDMErrorDomain", 12029)], "", (R.UNMANAGED_COPY, Reaction.GONE)),
        ([error("MCMDMErrorDomain", 12036)], "", (R.UNKNOWN_ERROR, Reaction.RETRY)),
        ([error("MCMDMErrorDomain", 12065)], "", (R.NOT_SUPPORTED, Reaction.GIVE_UP)),
        # The same number elsewhere is another error; unknown ones are worth another try.
        ([error("NSURLErrorDomain", 12064)], "", (R.UNKNOWN_ERROR, Reaction.RETRY)),
        ([], "", (R.UNKNOWN_ERROR, Reaction.RETRY)),
        ([], "AppAlreadyInstalled", (R.UNMANAGED_COPY, Reaction.VERIFY)),
        ([], "AppAlreadyQueued", (R.NO_VERDICT, Reaction.VERIFY)),
        ([], "AppStoreDisabled", (R.STORE_DISABLED, Reaction.GIVE_UP)),
        ([], "PurchaseMethodNotSupportedInMultiUser", (R.NOT_SUPPORTED, Reaction.GIVE_UP)),
        ([], "Other", (R.UNKNOWN_ERROR, Reaction.RETRY)),
        ("rubbish", "", (R.UNKNOWN_ERROR, Reaction.RETRY)),
    ],
)
def test_errors(chain: Any, rejection: str, way: tuple[R, Reaction]) -> None:
    answer = {"Status": "Error", "ErrorChain": chain, "RejectionReason": rejection}

    result = read_result("InstallApplication", answer)

    assert ((result.reason, result.reaction), result.has_failed) == (way, True)


def test_the_chain_is_kept_as_json_can_hold_it() -> None:
    outer = error("MCMDMErrorDomain", 12064, USEnglishDescription="No license", When=object())
    inner = error("ASDServerErrorDomain", 9610, LocalizedDescription="Unhandled exception")

    result = read_result("InstallApplication", {"Status": "Error", "ErrorChain": [outer, inner]})

    assert (result.error_chain, result.words) == (
        [
            error("MCMDMErrorDomain", 12064, USEnglishDescription="No license"),
            error("ASDServerErrorDomain", 9610, LocalizedDescription="Unhandled exception"),
        ],
        "MCMDMErrorDomain 12064: No license",
    )


def test_a_command_that_a_device_cannot_read_is_given_up() -> None:
    result = read_result("InstallApplication", {"Status": "CommandFormatError"})

    assert (result.reason, result.reaction) == (R.NOT_SUPPORTED, Reaction.GIVE_UP)


ENTITY = b"""<?xml version="1.0"?><!DOCTYPE plist [<!ENTITY a "aaaaaaaaaa">]>
<plist version="1.0"><dict><key>Status</key><string>&a;</string></dict></plist>"""


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<html>",
        b"<plist><array/></plist>",
        b"<plist><dict><key>a</key></dict></plist>",
        b"<plist><dict><key>a</key><integer>ten</integer></dict></plist>",
        b"<plist><dict><key>a</key><date>soon</date></dict></plist>",
        b"<plist>" + b"<array>" * 20_000,
        b"bplist00\x00",
        ENTITY,
    ],
)
def test_what_is_no_dictionary_is_not_read(text: bytes) -> None:
    with pytest.raises(Unreadable):
        read_plist(text)
