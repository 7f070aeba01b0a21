"""The people of an account over REST."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from licensing.models import Batch, BatchItem, events_visible_to
from organizations.models import Admin, AuditEvent, Membership, Organization, Owner
from tests import factories
from tests.api.conftest import ApiClient, client_of
from tests.draining import at_apple, drain, synced
from tests.test_sync import KEYNOTE
from users.models import VppUser
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture
def path(account: VppAccount) -> str:
    return f"/organizations/{account.organization_id}/sm/vppAccounts/{account.pk}/users"


@pytest.fixture
def grace(account: VppAccount) -> VppUser:
    """Somebody of the account who has accepted."""
    owner = factories.OwnerFactory(
        organization=account.organization, name="Grace Hopper", email="grace@example.org"
    )
    return factories.VppUserFactory(account=account, owner=owner, email="grace@example.org")


def events(action: str) -> list[tuple[Any, Any]]:
    return list(AuditEvent.objects.filter(action=action).values_list("before", "after"))


# --- adding ---------------------------------------------------------------------------------------


def test_a_person_is_added_and_registered_at_apple(
    owner_api: ApiClient, fake: FakeApple, account: VppAccount, path: str
) -> None:
    added = owner_api.send(
        "POST",
        path,
        {"email": "ada@example.org", "name": "Ada Lovelace", "username": "ada"},
    )
    drain(account, fake)
    registered = owner_api.get(f"{path}/{added.json()['id']}")

    user, owner = VppUser.objects.get(), Owner.objects.get()
    expected = {
        "id": str(user.pk),
        "email": "ada@example.org",
        "name": "Ada Lovelace",
        "username": "ada",
        "managedAppleAccount": "",
        "clientUserId": user.client_user_id,
        "status": "New",
        "appleStatus": "",
        "ownerId": str(owner.pk),
        "failure": "",
        "registeredAt": None,
        "invitedAt": None,
        "associatedAt": None,
        "retiredAt": None,
    }
    assert (added.status_code, added.json()) == (201, expected)
    assert UUID.fullmatch(user.client_user_id)
    registered_at = f"{user.registered_at:%Y-%m-%dT%H:%M:%SZ}"
    assert registered.json() == expected | {
        "appleStatus": "Registered",
        "registeredAt": registered_at,
    }
    [at_the_location] = fake.location(account.uid).users
    assert (at_the_location.client_user_id, at_the_location.email) == (
        user.client_user_id,
        "ada@example.org",
    )
    assert Batch.objects.get().actor_name.startswith("owner@example.org (")


def test_a_license_is_granted_to_somebody_just_added(
    owner_api: ApiClient, fake: FakeApple, account: VppAccount, path: str
) -> None:
    fake.purchase(account.uid, KEYNOTE, quantity=1)
    synced(account)
    ada = owner_api.send("POST", path, {"email": "ada@example.org"}).json()
    body = {"kind": "grant", "assets": [{"adamId": KEYNOTE}], "userIds": [ada["id"]]}
    batches = path.removesuffix("users") + "batches"

    plan = owner_api.send("POST", batches, body | {"dryRun": True}).json()
    owner_api.send("POST", batches, body | {"planId": plan["planId"]})
    drain(account, fake)

    assert (plan["grant"], plan["notAccepted"], plan["notRegistered"]) == (1, 1, 1)
    assert at_apple(fake, account) == {(KEYNOTE, ada["clientUserId"])}


@pytest.mark.parametrize("email", ["ada@example.org", None])
def test_a_managed_apple_account_is_associated_at_once(
    owner_api: ApiClient, fake: FakeApple, account: VppAccount, path: str, email: str | None
) -> None:
    body = {"managedAppleAccount": "ada@school.example"} | ({"email": email} if email else {})

    one = owner_api.send("POST", path, body).json()["id"]
    drain(account, fake)

    told = owner_api.get(f"{path}/{one}").json()
    assert (told["status"], told["appleStatus"]) == ("Associated", "Associated")
    assert told["managedAppleAccount"] == "ada@school.example"


def test_whom_apple_refuses_has_failed_with_the_reason(
    owner_api: ApiClient, fake: FakeApple, account: VppAccount, path: str
) -> None:
    fake.accept_invitation(
        fake.register(fake.location(account.uid), "other", "x@example.org").invite_code,
        "ada@school.example",
    )
    body = {"email": "ada@example.org", "managedAppleAccount": "ada@school.example"}

    one = owner_api.send("POST", path, body).json()["id"]
    drain(account, fake)

    told = owner_api.get(f"{path}/{one}").json()
    assert (told["status"], told["appleStatus"], told["failure"]) == (
        "Failed",
        "",
        "This Managed Apple Account belongs to another person of this location already.",
    )


def test_the_owner_with_the_address_becomes_a_user(
    owner_api: ApiClient, account: VppAccount, path: str
) -> None:
    owner = factories.OwnerFactory(
        organization=account.organization, name="Ada", email="ADA@example.org", username="ada"
    )

    added = owner_api.send("POST", path, {"email": "ada@example.org", "name": "Ada Lovelace"})

    told = added.json()
    assert (added.status_code, told["ownerId"]) == (201, str(owner.pk))
    assert (told["email"], told["name"], told["username"]) == (
        "ada@example.org",
        "Ada Lovelace",
        "ada",
    )
    assert events("vpp_user.added") == [
        (
            {"name": "Ada", "email": "ADA@example.org"},
            {
                "account": "Example Schools North",
                "name": "Ada Lovelace",
                "email": "ada@example.org",
            },
        )
    ]


def test_an_owner_is_chosen_by_id(owner_api: ApiClient, account: VppAccount, path: str) -> None:
    owner = factories.OwnerFactory(organization=account.organization, email="ada@example.org")

    added = owner_api.send("POST", path, {"ownerId": str(owner.pk)})

    assert (added.status_code, added.json()["email"]) == (201, "ada@example.org")
    assert VppUser.objects.get().owner == owner


def test_who_was_retired_is_added_again_under_the_same_id(
    owner_api: ApiClient, grace: VppUser, path: str
) -> None:
    VppUser.objects.update(apple_status="Retired", retired_at=timezone.now(), id_hash="hash")

    added = owner_api.send("POST", path, {"email": "grace@example.org"})

    told = added.json()
    assert (added.status_code, told["id"], told["clientUserId"]) == (
        201,
        str(grace.pk),
        grace.client_user_id,
    )
    assert (told["status"], told["appleStatus"], told["retiredAt"]) == ("New", "", None)
    assert [row["id"] for row in owner_api.get(path).json()] == [str(grace.pk)]
    assert len(events("vpp_user.added")) == 1
    assert BatchItem.objects.get().holder == grace.client_user_id


def test_a_retired_record_that_nobody_owns_is_that_of_who_has_its_address(
    owner_api: ApiClient, account: VppAccount, path: str
) -> None:
    found = factories.VppUserFactory(
        account=account, email="Ada@example.org", apple_status="Retired"
    )

    told = owner_api.send("POST", path, {"email": "ada@example.org"}).json()

    assert (told["id"], told["email"]) == (str(found.pk), "ada@example.org")
    assert told["ownerId"] == str(Owner.objects.get().pk)


def test_a_person_is_not_added_twice(owner_api: ApiClient, grace: VppUser, path: str) -> None:
    answer = owner_api.send("POST", path, {"email": " Grace@Example.org "})

    assert (answer.status_code, answer.json()) == (
        409,
        {
            "errors": [
                f"“grace@example.org” is in “Example Schools North” already, with the id {grace.pk}."
                " Change that person instead of adding them again."
            ],
            "code": "person_exists",
        },
    )
    assert (VppUser.objects.count(), Batch.objects.count()) == (1, 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("known", ["nobody", "owner", "retired"])
def test_of_many_at_once_one_adds_the_person(
    transactional_db: None, owner: Admin, organization: Organization, known: str
) -> None:
    account = factories.VppAccountFactory(organization=organization)
    if known != "nobody":
        ada = factories.OwnerFactory(organization=organization, email="ada@example.org")
    if known == "retired":
        factories.VppUserFactory(account=account, owner=ada, apple_status="Retired")
    path = f"/organizations/{organization.pk}/sm/vppAccounts/{account.pk}/users"
    api = client_of(owner)

    def send(_: int) -> int:
        try:
            return api.send("POST", path, {"email": "ada@example.org"}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(send, range(8)))

    assert statuses == [201, *[409] * 7]
    assert (VppUser.objects.count(), Owner.objects.count(), BatchItem.objects.count()) == (1, 1, 1)


def test_somebody_found_at_apple_is_there_already(
    owner_api: ApiClient, account: VppAccount, path: str
) -> None:
    factories.VppUserFactory(account=account, email="Ada@example.org", apple_status="Registered")

    answer = owner_api.send("POST", path, {"email": "ada@example.org"})

    assert (answer.status_code, answer.json()["code"]) == (409, "person_exists")
    assert Owner.objects.count() == 0


def test_a_person_may_be_in_two_accounts(
    owner_api: ApiClient, account: VppAccount, grace: VppUser, path: str
) -> None:
    south = factories.VppAccountFactory(organization=account.organization)
    its_path = path.replace(f"Accounts/{account.pk}/", f"Accounts/{south.pk}/")

    answer = owner_api.send("POST", its_path, {"email": "grace@example.org"})

    assert (answer.status_code, answer.json()["ownerId"]) == (201, str(grace.owner_id))


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (
            {},
            400,
            "A person needs an e-mail address, or a Managed Apple Account. Give one like"
            " ann@example.org.",
        ),
        (
            {"email": "not an address"},
            400,
            "“not an address” is no e-mail address. Give one like ann@example.org.",
        ),
        (
            {"email": "a@example.org", "managedAppleAccount": "a"},
            400,
            "“a” is no Managed Apple Account. Give one like ann@example.org.",
        ),
        ({"email": ""}, 400, "“email” can't be blank."),
        ({"email": "a@example.org", "ownerId": "x"}, 400, "“ownerId”: must be an id: digits only."),
        ({"ownerId": "999999"}, 400, "“ownerId” is no owner of this organization."),
        (
            {"email": "a@example.org", "name": "n" * 201},
            400,
            "“name”: Ensure this field has no more than 200 characters.",
        ),
    ],
)
def test_people_who_make_no_sense_are_refused(
    owner_api: ApiClient, path: str, body: object, status: int, error: str
) -> None:
    answer = owner_api.send("POST", path, body)

    assert (answer.status_code, answer.json()["errors"]) == (status, [error])
    assert (VppUser.objects.count(), Owner.objects.count()) == (0, 0)


def test_the_owner_of_another_organization_is_unknown(owner_api: ApiClient, path: str) -> None:
    stranger = factories.OwnerFactory()

    answer = owner_api.send("POST", path, {"ownerId": str(stranger.pk)})

    assert (answer.status_code, answer.json()["errors"]) == (
        400,
        ["“ownerId” is no owner of this organization."],
    )


def test_an_owner_keeps_their_address_when_chosen_by_id(
    owner_api: ApiClient, account: VppAccount, path: str
) -> None:
    owner = factories.OwnerFactory(
        organization=account.organization, name="Ada", email="ada@example.org"
    )

    answer = owner_api.send("POST", path, {"ownerId": str(owner.pk), "email": "b@example.org"})

    assert (answer.status_code, answer.json()) == (
        409,
        {
            "errors": [
                "The e-mail address of “Ada” is ada@example.org. Leave the address out, or change"
                " it at the person first."
            ],
            "code": "another_email",
        },
    )


def test_an_account_that_stopped_takes_nobody(owner_api: ApiClient, path: str) -> None:
    VppAccount.objects.update(state="expired", state_reason="Renew the token.")

    answer = owner_api.send("POST", path, {"email": "ada@example.org"})

    assert (answer.status_code, answer.json()) == (
        409,
        {"errors": ["Expired: Renew the token."], "code": "account_stopped"},
    )
    assert VppUser.objects.count() == 0


# --- editing --------------------------------------------------------------------------------------


def test_a_person_is_edited_and_apple_is_told(
    owner_api: ApiClient, fake: FakeApple, account: VppAccount, path: str
) -> None:
    one = owner_api.send("POST", path, {"email": "grace@example.org"}).json()["id"]
    drain(account, fake)

    answer = owner_api.send(
        "PUT", f"{path}/{one}", {"name": "Rear Admiral", "email": "admiral@example.org"}
    )
    before = VppUser.objects.get().email
    drain(account, fake)

    assert (answer.status_code, answer.json()["name"], answer.json()["email"]) == (
        200,
        "Rear Admiral",
        "admiral@example.org",
    )
    [at_the_location] = fake.location(account.uid).users
    after = VppUser.objects.get()
    assert (before, after.email, after.name, at_the_location.email) == (
        "grace@example.org",
        "admiral@example.org",
        "Rear Admiral",
        "admiral@example.org",
    )
    assert events("vpp_user.edited") == [
        (
            {"name": "grace@example.org", "email": "grace@example.org"},
            {"name": "Rear Admiral", "email": "admiral@example.org"},
        )
    ]


def test_a_wrong_address_is_put_right_before_apple_takes_it(
    owner_api: ApiClient, fake: FakeApple, account: VppAccount, path: str
) -> None:
    one = owner_api.send("POST", path, {"email": "aad@example.org"}).json()["id"]

    owner_api.send("PUT", f"{path}/{one}", {"email": "ada@example.org"})
    drain(account, fake)

    [at_the_location] = fake.location(account.uid).users
    assert at_the_location.email == "ada@example.org"


def test_saying_nothing_new_changes_nothing(
    owner_api: ApiClient, grace: VppUser, path: str
) -> None:
    before = owner_api.get(f"{path}/{grace.pk}").json()

    nothing = owner_api.send("PUT", f"{path}/{grace.pk}", {})
    the_same = owner_api.send("PUT", f"{path}/{grace.pk}", {"name": "Grace Hopper"})

    assert nothing.json() == the_same.json() == before
    assert events("vpp_user.edited") == []


def test_somebody_found_at_apple_gets_a_name(
    owner_api: ApiClient, account: VppAccount, path: str
) -> None:
    found = factories.VppUserFactory(account=account, email="ada@example.org")

    before = owner_api.get(f"{path}/{found.pk}").json()
    after = owner_api.send("PUT", f"{path}/{found.pk}", {"name": "Ada"}).json()

    assert (before["name"], before["ownerId"]) == ("", None)
    assert after == before | {"name": "Ada", "ownerId": str(Owner.objects.get().pk)}


def test_an_address_of_somebody_else_is_refused(
    owner_api: ApiClient, account: VppAccount, grace: VppUser, path: str
) -> None:
    factories.OwnerFactory(organization=account.organization, email="ada@example.org")

    answer = owner_api.send("PUT", f"{path}/{grace.pk}", {"email": "Ada@example.org"})

    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
    assert Owner.objects.filter(email="grace@example.org").count() == 1


def test_two_records_are_not_made_one_person(
    owner_api: ApiClient, account: VppAccount, grace: VppUser, path: str
) -> None:
    found = factories.VppUserFactory(account=account, email="grace@example.org")

    answer = owner_api.send("PUT", f"{path}/{found.pk}", {"name": "Grace"})

    assert (answer.status_code, answer.json()["code"]) == (409, "person_exists")


# --- reading --------------------------------------------------------------------------------------


@pytest.fixture
def people(account: VppAccount) -> dict[str, str]:
    """One of each kind: what it is → its id on the wire."""
    made = {}
    for name, fields in {
        "unknown": {"apple_status": ""},
        "registered": {"apple_status": "Registered"},
        "associated": {"apple_status": "Associated"},
        "retired": {"apple_status": "Retired", "failure": "Once."},
        "deleted": {"apple_status": "Deleted"},
        "failed": {"apple_status": "", "failure": "Apple refused it."},
        "invited": {"apple_status": "Registered", "invited_at": timezone.now()},
    }.items():
        owner = factories.OwnerFactory(
            organization=account.organization, name=name.title(), username=f"user-{name}"
        )
        user = factories.VppUserFactory(account=account, owner=owner, **fields)
        made[name] = str(user.pk)
    factories.VppUserFactory(account__organization=account.organization, client_user_id="foreign")
    return made


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("New", ["unknown", "registered"]),
        ("Invited", ["invited"]),
        ("Associated", ["associated"]),
        ("Retired", ["retired", "deleted"]),
        ("Failed", ["failed"]),
    ],
)
def test_users_are_listed_by_status(
    owner_api: ApiClient, people: dict[str, str], path: str, status: str, expected: list[str]
) -> None:
    every = owner_api.get(path).json()
    some = owner_api.get(path, {"status": status}).json()

    assert [row["id"] for row in every] == list(people.values())
    assert [row["id"] for row in some] == [people[name] for name in expected]
    assert some == [row for row in every if row["status"] == status]


@pytest.mark.parametrize("words", ["SSOCIAT", "user-associated", "own-address", "5f1a-key"])
def test_users_are_found_by_what_is_known_of_them(
    owner_api: ApiClient, people: dict[str, str], path: str, words: str
) -> None:
    VppUser.objects.filter(pk=people["associated"]).update(
        email="own-address@example.org", client_user_id="5f1a-key"
    )

    answer = owner_api.get(path, {"search": words})

    assert [row["id"] for row in answer.json()] == [people["associated"]]


def test_a_status_nobody_has_is_refused(owner_api: ApiClient, path: str) -> None:
    answer = owner_api.get(path, {"status": "Lost"})

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_parameter")


@pytest.mark.parametrize("count", [1, 3])
def test_listing_costs_the_same_for_one_and_three(
    owner_api: ApiClient,
    account: VppAccount,
    path: str,
    django_assert_num_queries: Any,
    count: int,
) -> None:
    for _ in range(count):
        owner = factories.OwnerFactory(organization=account.organization)
        factories.VppUserFactory(account=account, owner=owner)
    owner_api.get("/organizations")

    with django_assert_num_queries(5):
        answer = owner_api.get(path)

    assert len(answer.json()) == count


def test_what_is_done_to_people_is_told_to_those_who_may_see_them(
    owner_api: ApiClient, account: VppAccount, owner: Admin, reader: Admin, path: str
) -> None:
    owner_api.send("POST", path, {"email": "ada@example.org"})
    VppAccount.objects.update(allowed_admins="named")
    account.named_admins.add(owner)

    told = [
        events_visible_to(Membership.objects.get(admin=admin)).filter(action="vpp_user.added")
        for admin in (owner, reader)
    ]

    assert [events.count() for events in told] == [1, 0]
    assert BatchItem.objects.count() == 1


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_managed_apple_account_is_one_persons(
    owner_api: ApiClient, account: VppAccount, path: str, method: str
) -> None:
    factories.OwnerFactory(
        organization=account.organization, name="Ann", managed_apple_account="ann@school.example"
    )
    user = factories.VppUserFactory(
        account=account, owner=factories.OwnerFactory(organization=account.organization)
    )
    said = {"email": user.owner.email, "managedAppleAccount": "Ann@school.example"}
    if method == "POST":
        said["email"] = "bo@example.org"

    answer = owner_api.send(method, path if method == "POST" else f"{path}/{user.pk}", said)

    assert (answer.status_code, answer.json()["code"]) == (409, "managed_apple_account_taken")
    assert "“Ann” of this organization has the Managed Apple Account" in answer.json()["errors"][0]
