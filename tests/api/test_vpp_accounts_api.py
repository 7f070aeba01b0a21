"""VPP accounts over REST: Meraki's reads, and adding, editing, renewing, syncing, removing."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from organizations.models import Admin, AuditEvent, Organization
from tests import factories
from tests.api.conftest import ApiClient
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import SyncRun, VppAccount

OTHER_MDM = {"id": "1f0b", "name": "Other MDM", "metadata": "mdm.example.net"}


@pytest.fixture
def path(organization: Organization) -> str:
    return f"/organizations/{organization.pk}/sm/vppAccounts"


@pytest.fixture
def token(fake: FakeApple) -> str:
    """The token of a location that no account uses yet."""
    return fake.create_location(name="South", org_name="Example Schools").issue_token()


def body(token: str, **more: object) -> dict[str, object]:
    return {"name": "South", "email": "vpp@example.org", "contentToken": token, **more}


def one(path: str, account: VppAccount) -> str:
    return f"{path}/{account.pk}"


def wire(moment: object) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def test_an_account_has_meraki_s_fields_and_ours(
    owner_api: ApiClient, account: VppAccount, path: str
) -> None:
    answer = owner_api.get(one(path, account))
    listed = owner_api.get(path)

    assert answer.json() == {
        "id": str(account.pk),
        "vppAccountId": str(account.pk),
        "name": "Example Schools North",
        "email": "vpp@example.org",
        "allowedAdmins": "All organization admins",
        "networkIdAdmins": "",
        "assignableNetworks": "All networks",
        "assignableNetworkIds": [],
        "vppLocationId": account.uid,
        "vppLocationName": "North",
        "lastSyncedAt": "",
        "lastForceSyncedAt": "",
        "contentToken": "",
        "vppServiceToken": "",
        "parsedToken": {
            "orgName": "Example Schools",
            "hashedToken": account.token_hash,
            "expiresAt": wire(account.token_expires_at),
        },
        "state": "not_verified",
        "stateReason": "",
        "stateSince": wire(account.state_since),
        "notificationsMode": "",
        "notificationsReason": "",
        "daysLeft": 299,
        "uId": account.uid,
        "country": "US",
        "allowedAdminIds": [],
        "allowedNetworkIds": [],
    }
    assert listed.json() == [answer.json()]


def test_an_account_is_added_with_the_text_of_its_token(
    owner_api: ApiClient, path: str, token: str
) -> None:
    answer = owner_api.send("POST", path, body(token))

    account, run = VppAccount.objects.get(), SyncRun.objects.get()
    assert (answer.status_code, answer.json()["id"]) == (201, str(account.pk))
    assert (answer.json()["state"], answer.json()["vppLocationName"]) == ("syncing", "South")
    assert (account.stoken, run.trigger) == (token, "added")
    assert token.encode() not in answer.content


def test_an_account_is_added_with_a_file_whatever_its_name(
    owner_api: ApiClient, organization: Organization, path: str, token: str
) -> None:
    first, second = factories.NetworkFactory.create_batch(2, organization=organization)
    form = {
        "name": "South",
        "email": "vpp@example.org",
        "assignableNetworks": "some",
        "assignableNetworkIds[]": [str(second.pk), str(first.pk)],
        "file": SimpleUploadedFile("Holiday picture.JPG", token.encode()),
    }

    answer = owner_api.post(path, form)

    assert (answer.status_code, VppAccount.objects.get().stoken) == (201, token)
    assert answer.json()["assignableNetworkIds"] == [str(first.pk), str(second.pk)]


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        ({}, "token_refused", "VPP service token can't be blank"),
        ({"contentToken": ""}, "token_refused", "VPP service token can't be blank"),
        ({"contentToken": "%%%"}, "token_refused", "This is not a service token"),
        ({"contentToken": 7}, "invalid", "“contentToken”: must be a text or a file."),
        ({"email": "nobody"}, "invalid", "“email”: Enter a valid email address."),
        ({"email": None}, "invalid", "“email” can't be blank."),
        ({"takeOver": "perhaps"}, "invalid", "“takeOver”: Must be a valid boolean."),
        (
            {"allowedAdmins": "most"},
            "invalid",
            "“allowedAdmins”: must be one of all, networks, named.",
        ),
        ({"allowedAdmins": 3}, "invalid", "“allowedAdmins”: must be one of all, networks, named."),
        (
            {"allowedAdmins": "named"},
            "rights_wrong",
            "“allowedAdminIds” must name at least one when allowedAdmins is “named”.",
        ),
        (
            {"assignableNetworks": "some", "assignableNetworkIds": ["999999"]},
            "rights_wrong",
            "“assignableNetworkIds” has an id that is not in this organization: 999999.",
        ),
        (
            {"allowedNetworkIds": ["N_1"]},
            "invalid",
            "“allowedNetworkIds[0]”: must be an id: digits only.",
        ),
        ({"allowedNetworkIds": 12}, "invalid", "“allowedNetworkIds”: Expected a list of items"),
    ],
)
def test_bad_input_stores_nothing(
    owner_api: ApiClient,
    fake: FakeApple,
    path: str,
    content: dict[str, object],
    code: str,
    words: str,
) -> None:
    given = {"name": "South", "email": "vpp@example.org"} | content

    answer = owner_api.send("POST", path, given)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["errors"][0].startswith(words)
    assert (VppAccount.objects.count(), AuditEvent.objects.count()) == (0, 0)


def test_a_wrong_kind_of_file_is_named(owner_api: ApiClient, fake: FakeApple, path: str) -> None:
    form = {
        "name": "South",
        "email": "vpp@example.org",
        "file": SimpleUploadedFile("token.vpptoken", b"\x30\x82\x0a\x00binary"),
    }

    answer = owner_api.post(path, form)

    assert (answer.status_code, answer.json()["code"]) == (400, "token_refused")
    assert answer.json()["errors"][0].startswith("This is a push certificate or key file")


def test_the_same_location_twice_is_a_conflict(
    owner_api: ApiClient, account: VppAccount, path: str
) -> None:
    answer = owner_api.send("POST", path, body(account.stoken))

    assert (answer.status_code, answer.json()["code"]) == (409, "account_exists")
    assert "“Example Schools North”" in answer.json()["errors"][0]


def test_a_location_of_another_organization_is_not_named(
    outsider_api: ApiClient, account: VppAccount
) -> None:
    elsewhere = Organization.objects.get(name="Elsewhere")

    answer = outsider_api.send(
        "POST", f"/organizations/{elsewhere.pk}/sm/vppAccounts", body(account.stoken)
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "location_in_use")
    assert "Example Schools" not in answer.content.decode()


def test_a_location_of_another_mdm_is_taken_over_on_purpose_only(
    owner_api: ApiClient, fake: FakeApple, path: str
) -> None:
    location = fake.create_location(name="South")
    fake.claim(location.uid, OTHER_MDM)
    token = location.issue_token()

    refused = owner_api.send("POST", path, body(token))
    taken = owner_api.send("POST", path, body(token, takeOver=True))

    assert (refused.status_code, refused.json()["code"]) == (409, "claimed_by_another_mdm")
    assert "“Other MDM”" in refused.json()["errors"][0]
    assert taken.status_code == 201


def test_what_was_read_can_be_sent_back(
    owner_api: ApiClient, organization: Organization, account: VppAccount, path: str
) -> None:
    network = factories.NetworkFactory(organization=organization)
    account.allowed_admins, account.assignable_networks = "networks", "some"
    account.save()
    account.allowed_networks.set([network])
    account.assignable_network_list.set([network])

    read = owner_api.get(one(path, account)).json()
    written = owner_api.send("PUT", one(path, account), read)

    assert (written.status_code, written.json()) == (200, read)
    assert read["networkIdAdmins"] == str(network.pk)
    assert AuditEvent.objects.count() == 0


def test_fields_that_are_not_sent_stay(
    owner_api: ApiClient, owner: Admin, account: VppAccount, path: str
) -> None:
    own = str(owner.memberships.get().pk)
    limited = {"allowedAdmins": "named", "allowedAdminIds": [own]}

    first = owner_api.send("PUT", one(path, account), limited)
    second = owner_api.send("PUT", one(path, account), {"name": "Renamed"})
    third = owner_api.send("PUT", one(path, account), {"allowedAdmins": "All organization admins"})

    seen = [
        (answer.json()["name"], answer.json()["allowedAdmins"], answer.json()["allowedAdminIds"])
        for answer in (first, second, third)
    ]
    assert seen == [
        ("Example Schools North", "These admins", [own]),
        ("Renamed", "These admins", [own]),
        ("Renamed", "All organization admins", []),
    ]


def test_editing_does_not_take_a_token(
    owner_api: ApiClient, account: VppAccount, path: str, token: str
) -> None:
    answer = owner_api.send("PUT", one(path, account), {"contentToken": token})

    assert (answer.status_code, answer.json()["code"]) == (400, "renew_instead")


def test_ids_of_another_organization_are_refused(
    owner_api: ApiClient, outsider: Admin, account: VppAccount, path: str
) -> None:
    change = {"allowedAdmins": "named", "allowedAdminIds": [str(outsider.memberships.get().pk)]}

    answer = owner_api.send("PUT", one(path, account), change)

    assert (answer.status_code, answer.json()["code"]) == (400, "rights_wrong")


def test_a_newer_token_of_the_same_location_renews(
    owner_api: ApiClient, fake: FakeApple, account: VppAccount, path: str
) -> None:
    newer = fake.issue_token(account.uid)

    answer = owner_api.send("POST", f"{one(path, account)}/renew", {"contentToken": newer})

    account.refresh_from_db()
    assert (answer.status_code, account.stoken) == (200, newer)
    assert answer.json()["parsedToken"]["hashedToken"] == account.token_hash
    assert SyncRun.objects.get().trigger == "renewed"


def test_a_token_of_another_location_does_not_renew(
    owner_api: ApiClient, account: VppAccount, path: str, token: str
) -> None:
    answer = owner_api.send("POST", f"{one(path, account)}/renew", {"contentToken": token})

    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_location")
    assert "“South”" in answer.json()["errors"][0]


def test_taking_over_starts_a_sync(
    owner_api: ApiClient, fake: FakeApple, account: VppAccount, path: str
) -> None:
    fake.claim(account.uid, OTHER_MDM)
    VppAccount.objects.update(state="claimed")

    answer = owner_api.send("POST", f"{one(path, account)}/takeOver", {"mdmId": OTHER_MDM["id"]})

    assert (answer.status_code, answer.json()["state"]) == (202, "syncing")
    assert SyncRun.objects.get().is_open


def test_removing_leaves_no_account_and_no_token(
    owner_api: ApiClient, account: VppAccount, path: str
) -> None:
    answer = owner_api.send("DELETE", one(path, account))

    assert (answer.status_code, answer.content) == (204, b"")
    assert owner_api.get(path).json() == []
    assert AuditEvent.objects.get().action == "vpp_account.removed"


def test_days_left_turn_negative(owner_api: ApiClient, account: VppAccount, path: str) -> None:
    VppAccount.objects.update(token_expires_at=timezone.now() - timedelta(days=2, hours=1))

    answer = owner_api.get(one(path, account))

    assert answer.json()["daysLeft"] == -3


@pytest.mark.parametrize("count", [1, 3])
def test_listing_costs_the_same_for_one_and_three(
    owner_api: ApiClient,
    organization: Organization,
    path: str,
    django_assert_num_queries: object,
    count: int,
) -> None:
    network = factories.NetworkFactory(organization=organization)
    for _ in range(count):
        made = factories.VppAccountFactory(organization=organization)
        made.allowed_networks.set([network])
    owner_api.get("/organizations")

    with django_assert_num_queries(6):
        answer = owner_api.get(path)

    assert len(answer.json()) == count
