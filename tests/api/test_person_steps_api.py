"""What is done for one person of an account over REST: the invitation link, registering again."""

from typing import Any

import pytest
from django.utils import timezone

from licensing.models import Batch
from organizations.models import Admin, AuditEvent, IdempotentAnswer, Organization, OutgoingMail
from tests import factories
from tests.api.conftest import ApiClient, client_of, key_of
from tests.draining import drain
from users.invitations import links
from users.models import Invitation, VppUser
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount


@pytest.fixture
def path(account: VppAccount) -> str:
    return f"/organizations/{account.organization_id}/sm/vppAccounts/{account.pk}/users"


@pytest.fixture
def ada(account: VppAccount) -> VppUser:
    """Apple knows her; she has not been invited yet."""
    owner = factories.OwnerFactory(
        organization=account.organization, name="Ada", email="ada@example.org"
    )
    return factories.VppUserFactory(
        account=account, owner=owner, email=owner.email, apple_status="Registered"
    )


def leads_to_newest(url: str) -> bool:
    return links.find(url.rsplit("/", 1)[1])[1]


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


# --- The link ---------------------------------------------------------------------------------------


def test_the_link_is_given_and_nothing_is_mailed(
    owner_api: ApiClient, path: str, ada: VppUser
) -> None:
    first, again = (owner_api.send("POST", f"{path}/{ada.pk}/invitationLink") for _ in range(2))
    user = owner_api.get(f"{path}/{ada.pk}")

    invitation = Invitation.objects.get(user=ada)
    expected = {
        "url": links.url_of(invitation),
        "expiresAt": f"{invitation.expires_at:%Y-%m-%dT%H:%M:%SZ}",
    }
    assert (first.status_code, first.json(), again.json()) == (200, expected, expected)
    assert user.json()["status"] == "Invited"
    assert not OutgoingMail.objects.exists()
    assert actions() == ["invitation.link_made"] * 2


def test_another_link_makes_the_earlier_one_void(
    owner_api: ApiClient, path: str, ada: VppUser
) -> None:
    first = owner_api.send("POST", f"{path}/{ada.pk}/invitationLink").json()["url"]

    second = owner_api.send("POST", f"{path}/{ada.pk}/invitationLink", {"renew": True}).json()[
        "url"
    ]

    assert [leads_to_newest(url) for url in (first, second)] == [False, True]
    assert actions() == ["invitation.link_made", "invitation.link_renewed"]


def test_the_link_is_stored_nowhere(owner: Admin, path: str, ada: VppUser) -> None:
    """Neither in the audit log, nor with the answers that are kept for repeated requests."""
    api = ApiClient(headers={"Authorization": f"Bearer {key_of(owner)}", "Idempotency-Key": "k"})

    first = api.send("POST", f"{path}/{ada.pk}/invitationLink")
    again = api.send("POST", f"{path}/{ada.pk}/invitationLink")

    token = first.json()["url"].rsplit("/", 1)[1]
    kept = [bytes(row.body).decode() for row in IdempotentAnswer.objects.all()]
    told = [repr(row) for row in AuditEvent.objects.values()]
    assert (again.status_code, again.json()) == (200, first.json() | {"url": None})
    assert len(kept) == len(told) == 1
    assert [text for text in (*kept, *told) if token in text] == []


def test_an_invitation_is_withdrawn(owner_api: ApiClient, path: str, ada: VppUser) -> None:
    owner_api.send("POST", f"{path}/{ada.pk}/invitationLink")

    withdrawn = owner_api.send("DELETE", f"{path}/{ada.pk}/invitationLink")
    again = owner_api.send("DELETE", f"{path}/{ada.pk}/invitationLink")

    assert (withdrawn.status_code, Invitation.objects.get().ending) == (204, "withdrawn")
    assert (again.status_code, again.json()) == (
        400,
        {
            "errors": ["Ada has no open invitation. It was accepted or withdrawn."],
            "code": "cannot_do",
        },
    )


@pytest.mark.parametrize("status", ["", "Associated", "Retired"])
def test_who_cannot_accept_has_no_link(
    owner_api: ApiClient, path: str, ada: VppUser, status: str
) -> None:
    VppUser.objects.update(apple_status=status)

    answer = owner_api.send("POST", f"{path}/{ada.pk}/invitationLink")

    assert (answer.status_code, answer.json()["code"]) == (400, "cannot_do")
    assert answer.json()["errors"][0].startswith("Ada has no invitation link.")
    assert not Invitation.objects.exists()


# --- Registering again ------------------------------------------------------------------------------


def test_who_was_retired_is_registered_again(
    owner_api: ApiClient, fake: FakeApple, account: VppAccount, path: str, ada: VppUser
) -> None:
    VppUser.objects.update(apple_status="Retired", retired_at=timezone.now())

    begun = owner_api.send("POST", f"{path}/{ada.pk}/register")
    drain(account, fake)
    ended = owner_api.get(f"{path}/{ada.pk}").json()

    assert (begun.status_code, begun.json()["appleStatus"], begun.json()["retiredAt"]) == (
        202,
        "",
        None,
    )
    assert (ended["appleStatus"], ended["clientUserId"]) == ("Registered", ada.client_user_id)
    [at_the_location] = fake.location(account.uid).users
    assert at_the_location.email == "ada@example.org"


def test_apple_is_asked_again_about_who_was_refused(
    owner_api: ApiClient, fake: FakeApple, account: VppAccount, path: str, ada: VppUser
) -> None:
    VppUser.objects.update(apple_status="", failure="Apple says 9635.")

    begun = owner_api.send("POST", f"{path}/{ada.pk}/register")
    drain(account, fake)
    ended = owner_api.get(f"{path}/{ada.pk}").json()

    assert (begun.status_code, Batch.objects.get().kind) == (202, "register")
    assert (ended["appleStatus"], ended["failure"]) == ("Registered", "")


def test_where_there_is_nothing_to_repeat_it_is_refused(
    owner_api: ApiClient, path: str, ada: VppUser
) -> None:
    answer = owner_api.send("POST", f"{path}/{ada.pk}/register")

    assert (answer.status_code, answer.json()) == (
        400,
        {
            "errors": ["Ada is registered at Apple already: there is nothing to repeat."],
            "code": "cannot_do",
        },
    )
    assert not Batch.objects.exists()


# --- Adding somebody with what belongs to it --------------------------------------------------------


def test_a_new_user_gets_tags_and_is_invited_once_apple_knows_them(
    owner_api: ApiClient, fake: FakeApple, account: VppAccount, path: str
) -> None:
    body = {"email": "bo@example.org", "name": "Bo", "tags": ["staff"], "invite": True}

    added = owner_api.send("POST", path, body)
    drain(account, fake)

    user = VppUser.objects.get(pk=added.json()["id"])
    owner = owner_api.get(
        f"/organizations/{account.organization_id}/sm/owners/{user.owner_id}"
    ).json()
    assert (added.status_code, owner["tags"]) == (201, ["staff"])
    assert sorted(Batch.objects.values_list("kind", flat=True)) == ["invite", "register"]
    assert Invitation.objects.get().user == user


# --- Who may ----------------------------------------------------------------------------------------


def test_only_who_manages_the_account_does_this(
    owner: Admin,
    owner_api: ApiClient,
    reader_api: ApiClient,
    network_admin_api: ApiClient,
    outsider_api: ApiClient,
    path: str,
    ada: VppUser,
) -> None:
    writes = [
        ("POST", f"{path}/{ada.pk}/invitationLink"),
        ("DELETE", f"{path}/{ada.pk}/invitationLink"),
        ("POST", f"{path}/{ada.pk}/register"),
    ]
    clients = (reader_api, network_admin_api, outsider_api, client_of(owner, read_only=True))

    told = [{api.send(*each).status_code for each in writes} for api in clients]
    VppAccount.objects.update(allowed_admins="named")
    shut_out = {owner_api.send(*each).status_code for each in writes}

    assert (told, shut_out) == ([{403}, {404}, {404}, {403}], {403})
    assert not Invitation.objects.exists()


def test_an_admin_of_a_network_may_where_the_account_is_theirs(
    organization: Organization, account: VppAccount, path: str, ada: VppUser
) -> None:
    network = factories.NetworkFactory(organization=organization)
    access = factories.NetworkAccessFactory(
        membership__organization=organization, network=network, can_write=True
    )
    account.allowed_admins = "networks"
    account.save()
    account.allowed_networks.add(network)

    answer: Any = client_of(access.membership.admin).send("POST", f"{path}/{ada.pk}/invitationLink")

    assert (answer.status_code, leads_to_newest(answer.json()["url"])) == (200, True)


def test_a_stopped_account_changes_nobody(
    owner_api: ApiClient, path: str, ada: VppUser, account: VppAccount
) -> None:
    VppAccount.objects.update(state="expired")

    answers = [
        owner_api.send("POST", f"{path}/{ada.pk}/invitationLink"),
        owner_api.send("DELETE", f"{path}/{ada.pk}/invitationLink"),
        owner_api.send("POST", f"{path}/{ada.pk}/register"),
    ]

    assert {(each.status_code, each.json()["code"]) for each in answers} == {(400, "cannot_do")}
    assert {each.json()["errors"][0].startswith(account.name) for each in answers} == {True}
