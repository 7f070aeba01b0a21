"""A person's data: given out whole, and erased without a trace of who they were."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client, TestCase
from django.urls import reverse

from licensing.batches import starting
from licensing.models import Batch, LicensedApp
from licensing.personal_data import erase, erasing
from organizations import walls
from organizations.audit import Actor
from organizations.models import (
    Admin,
    ApiKey,
    AuditEvent,
    EventKind,
    Membership,
    Organization,
    Owner,
)
from organizations.tasks import send_mail
from tests.api.conftest import client_of
from tests.draining import begin, drain, synced
from tests.factories import (
    DeviceFactory,
    ImportRowFactory,
    NetworkAccessFactory,
    OwnerFactory,
    PeopleImportFactory,
    VppAccountFactory,
    VppUserFactory,
    WebhookFactory,
)
from tests.notifying import subscribe, told
from tests.reading import errors_of, text_of
from tests.test_sync import KEYNOTE, PAGES, holders
from users.imports import apply
from users.models import Invitation, VppUser
from users.services import PersonDetails, add_person
from users.services.owners import OwnerDetails, add_owner
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import AccountState, Notification, VppAccount

BOOK = "1801147365"
EMAIL = "ada@lovelace.example"
WORDS = ("Lovelace", "lovelace", "ada.l", "icloud.test", "difference-engine")


@pytest.fixture
def titles(fake: FakeApple, account: VppAccount) -> dict[str, LicensedApp]:
    fake.purchase(account.uid, KEYNOTE, quantity=5)
    fake.purchase(account.uid, PAGES, quantity=1)
    fake.purchase(account.uid, BOOK, quantity=5, product_type="Book")
    return synced(account)


@pytest.fixture
def ada(
    fake: FakeApple,
    account: VppAccount,
    titles: dict[str, LicensedApp],
    by: Actor,
    owner: Admin,
) -> Owner:
    """She has been everywhere: invited by mail, associated, in files, with licenses and a device;
    and a program was told of all that."""
    WebhookFactory(organization=account.organization, events=list(EventKind.values))
    person = add_owner(
        by=by,
        organization=account.organization,
        details=OwnerDetails(
            name="Ada Lovelace", email=EMAIL, username="ada.l", tags=("staff",), language="de"
        ),
    )
    subscribe(fake, account)
    add_person(by=by, account=account, details=PersonDetails(email=EMAIL), owner=person)
    drain(account, fake)
    user = VppUser.objects.get(owner=person)
    with TestCase.captureOnCommitCallbacks(execute=True):
        starting.invite(by=by, account=account, user_ids=[user.pk], why="Ada Lovelace asked")
    drain(account, fake)
    send_mail()
    user.refresh_from_db()
    fake.accept_invitation(user.invite_code, "ada@icloud.test")
    told(fake, account)
    begin("grant", [titles[KEYNOTE], titles[BOOK]], users=[user])
    drain(account, fake)
    Batch.objects.filter(kind="grant").update(why="From the page of Ada Lovelace.")
    DeviceFactory(
        organization=account.organization, owner=person, name="iPad 7", serial_number="A7"
    )
    row = ImportRowFactory(
        people_import=PeopleImportFactory(organization=account.organization, account=account),
        name="Ada Lovelace",
        email=EMAIL,
        username="ada.l",
        tags="difference-engine",
    )
    assert row.organization == account.organization
    return person


def page_of(owner: Owner, name: str = "licensing:owner_data") -> str:
    return reverse(name, args=[owner.organization_id, owner.pk])


def user_of(owner: Owner) -> VppUser:
    user: VppUser = owner.vpp_users.get()
    return user


def erase_on_page(client: Client, owner: Owner, typed: str = EMAIL) -> Any:
    with TestCase.captureOnCommitCallbacks(execute=True):
        return client.post(page_of(owner), {"typed": typed})


def tables_that_say(*words: str, since: int = 0) -> list[str]:
    """Every table of a tenant is read, and of the activity log what came after the event `since`."""
    found = []
    with connection.cursor() as cursor:
        for model in apps.get_models():
            if not walls.organization_column(model):
                continue
            table = model._meta.db_table
            where = f"id > {since}" if model is AuditEvent else "true"
            cursor.execute(
                f"SELECT count(*) FROM {table} AS line WHERE {where} AND line::text ~ %s",
                ["|".join(words)],
            )
            found += [table] if cursor.fetchone()[0] else []
    return sorted(found)


# --- Export -----------------------------------------------------------------------------------------


def exported(client: Client, owner: Owner) -> dict[str, Any]:
    answer = client.post(page_of(owner, "licensing:owner_data_export"))
    assert answer["Content-Disposition"] == f'attachment; filename="personal-data-{owner.pk}.json"'
    data: dict[str, Any] = answer.json()
    return data


def test_everything_that_is_stored_about_a_person_is_in_the_file(
    owner_client: Client, ada: Owner, account: VppAccount
) -> None:
    data = exported(owner_client, ada)

    [record] = data.pop("accounts")
    [invitation] = record.pop("invitations")
    assert {name: data["owner"][name] for name in ("name", "email", "username", "tags")} == {
        "name": "Ada Lovelace",
        "email": EMAIL,
        "username": "ada.l",
        "tags": ["staff"],
    }
    assert [(each["serialNumber"], each["name"]) for each in data["devices"]] == [("A7", "iPad 7")]
    assert [(row["name"], row["tags"]) for row in data["importRows"]] == [
        ("Ada Lovelace", "difference-engine")
    ]
    assert {event["action"] for event in data["events"]} == {"owner.added", "vpp_user.added"}
    assert (record["vppAccount"], record["status"], record["email"]) == (
        account.name,
        "Associated",
        EMAIL,
    )
    assert {each["adamId"] for each in record["licenses"]} == {KEYNOTE, BOOK}
    assert [(each["kind"], each["state"]) for each in record["history"]] == [
        *(("register", "succeeded"), ("invite", "succeeded")),
        *(("grant", "succeeded"), ("grant", "succeeded")),
    ]
    assert (invitation["ending"], [mail["to"] for mail in invitation["mails"]]) == (
        "accepted",
        [EMAIL],
    )
    assert data["recordsInClosedAccounts"] == 0


def test_the_file_names_nobody_else_and_opens_nothing(
    owner_client: Client, owner: Admin, ada: Owner, account: VppAccount
) -> None:
    other = OwnerFactory(organization=ada.organization, name="Charles Babbage")
    VppUserFactory(account=account, owner=other, name="Charles Babbage")
    code = "C0DE" * 8
    user = user_of(ada)
    user.invite_code = code
    user.save()
    Invitation.objects.update(actor_name=owner.email)

    text = json.dumps(exported(owner_client, ada))

    assert [
        word for word in ("Babbage", owner.email, code, "/i/", account.stoken) if word in text
    ] == []
    assert EMAIL in text


def test_records_in_accounts_that_are_closed_to_the_admin_are_only_counted(
    owner_client: Client, ada: Owner, account: VppAccount
) -> None:
    close(account)

    data = exported(owner_client, ada)

    assert (data["accounts"], data["recordsInClosedAccounts"]) == ([], 1)
    assert account.name not in json.dumps(data)


def close(account: VppAccount) -> None:
    """To everybody but one admin."""
    VppAccount.objects.filter(pk=account.pk).update(allowed_admins="named")


def test_an_export_is_written_down(owner_client: Client, ada: Owner, owner: Admin) -> None:
    exported(owner_client, ada)

    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.actor_name, event.target_id, event.before, event.after) == (
        *("owner.data_exported", owner.email, ada.pk),
        *(None, None),
    )


# --- Erasing ----------------------------------------------------------------------------------------


def test_the_page_says_what_will_happen_and_what_must_remain(
    owner_client: Client, ada: Owner, account: VppAccount, titles: dict[str, LicensedApp]
) -> None:
    text = text_of(owner_client.get(page_of(ada)))

    assert f"{account.name}: retired, 1 license returns." in text
    assert "1 device loses its owner." in text
    assert (
        f"1 license with the person's Apple Account: {titles[BOOK].app}. Apple gives books" in text
    )
    assert "for as long as the organization exists" in text


def test_nothing_here_tells_any_more_who_the_person_was(
    owner_client: Client, fake: FakeApple, ada: Owner, account: VppAccount
) -> None:
    client_user_id = user_of(ada).client_user_id
    before = tables_that_say(*WORDS)
    last = AuditEvent.objects.latest("pk").pk

    answer = erase_on_page(owner_client, ada)
    at_once = tables_that_say(*WORDS, since=last)
    drain(account, fake)
    told(fake, account)
    synced(account)

    assert (answer.status_code, at_once) == (302, [])
    assert tables_that_say(*WORDS, since=last) == []
    assert {"organizations_owner", "users_vppuser", "users_importrow", "licensing_batch"} < set(
        before
    )
    assert fake.location(account.uid).users[-1].email == EMAIL  # Apple keeps its own record
    user = VppUser.objects.get(client_user_id=client_user_id)
    assert (str(user), user.apple_status, user.owner) == (client_user_id, "Retired", None)


def test_licenses_return_and_books_stay(
    owner_client: Client, fake: FakeApple, ada: Owner, account: VppAccount
) -> None:
    holder = user_of(ada).client_user_id

    erase_on_page(owner_client, ada)
    drain(account, fake)

    assert holders(account) == {(BOOK, holder)}
    free = {title.adam_id: title.available_count for title in synced(account).values()}
    assert free == {KEYNOTE: 5, PAGES: 1, BOOK: 4}


def test_devices_keep_everything_but_their_owner(owner_client: Client, ada: Owner) -> None:
    device = ada.devices.get()

    erase_on_page(owner_client, ada)

    device.refresh_from_db()
    assert (device.owner, device.name, device.serial_number) == (None, "iPad 7", "A7")


def test_the_erasure_is_written_down_without_what_was_erased(
    owner_client: Client, owner: Admin, ada: Owner
) -> None:
    user, last = user_of(ada), AuditEvent.objects.latest("pk").pk

    erase_on_page(owner_client, ada)

    events = AuditEvent.objects.filter(pk__gt=last).order_by("pk")
    assert list(events.values_list("action", "actor_name", "target_id", "target_name")) == [
        ("vpp_user.erased", owner.email, user.pk, user.client_user_id),
        (
            "batch.started",
            owner.email,
            Batch.objects.latest("pk").pk,
            str(Batch.objects.latest("pk")),
        ),
        ("owner.erased", owner.email, ada.pk, f"Owner {ada.pk}"),
    ]


@pytest.mark.parametrize("typed", ["", "Ada Lovelace", "bob@lovelace.example"])
def test_erasing_wants_the_address_typed(owner_client: Client, ada: Owner, typed: str) -> None:
    answer = erase_on_page(owner_client, ada, typed)

    assert errors_of(answer) == [f"Type “{EMAIL}” exactly; nothing was erased."]
    assert Owner.objects.filter(pk=ada.pk).exists()


@pytest.mark.parametrize("state", [AccountState.EXPIRED, AccountState.READ_ONLY])
def test_whom_apple_cannot_be_told_to_retire_is_not_erased(
    owner_client: Client, ada: Owner, account: VppAccount, state: AccountState
) -> None:
    VppAccount.objects.update(state=state)

    page = text_of(owner_client.get(page_of(ada)))
    answer = erase_on_page(owner_client, ada)

    sentence = f"to retire this person now: {account.name} is “{state.label}”."
    assert sentence in page
    assert sentence in errors_of(answer)[0]
    assert user_of(ada).email == EMAIL


def test_a_person_of_somebody_elses_account_is_not_erased(
    owner_client: Client, ada: Owner, account: VppAccount
) -> None:
    close(account)

    answer = erase_on_page(owner_client, ada)

    assert errors_of(answer)[0].startswith(f"This person is also in {account.name}, whose people")
    assert user_of(ada).email == EMAIL


def test_somebody_who_is_in_no_account_is_just_gone(
    owner_client: Client, organization: Organization
) -> None:
    person = OwnerFactory(organization=organization, name="Grace Hopper", email="")

    answer = erase_on_page(owner_client, person, "grace hopper")

    assert answer.status_code == 302
    assert (Owner.objects.count(), Batch.objects.count()) == (0, 0)


def test_somebody_found_at_apple_under_the_same_address_is_erased_too(
    owner_client: Client, fake: FakeApple, ada: Owner, account: VppAccount
) -> None:
    found = VppUserFactory(account=account, email=EMAIL.upper(), apple_status="Retired")

    erase_on_page(owner_client, ada)

    found.refresh_from_db()
    assert (found.email, found.erased_at is None) == ("", False)


def test_an_interrupted_erasure_goes_on_where_it_stopped(
    ada: Owner, fake: FakeApple, account: VppAccount, by: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = fake.create_location(name="South", org_name="Example Schools", country="US")
    south = VppAccountFactory(
        organization=account.organization, uid=location.uid, token=location.issue_token()
    )
    VppUserFactory(account=south, owner=ada, apple_status="Registered", email=EMAIL)
    membership = Membership.objects.get(admin=by.admin)
    dies_in(monkeypatch, south)

    with pytest.raises(KeyboardInterrupt):
        erase(by=by, membership=membership, owner=ada)
    left = list(ada.vpp_users.values_list("account", flat=True))
    monkeypatch.undo()
    begun = erase(by=by, membership=membership, owner=ada)

    assert left == [south.pk]
    assert [batch.account for batch in begun] == [south]
    assert Batch.objects.filter(kind="retire").count() == 2
    assert not Owner.objects.filter(pk=ada.pk).exists()


def dies_in(patch: pytest.MonkeyPatch, account: VppAccount) -> None:
    retire = erasing._retire

    def killed(here: VppAccount, *args: Any) -> Batch | None:
        if here == account:
            raise KeyboardInterrupt
        return retire(here, *args)

    patch.setattr(erasing, "_retire", killed)


def test_whoever_is_registered_anew_at_apple_is_known_again(
    owner_client: Client, fake: FakeApple, ada: Owner, account: VppAccount
) -> None:
    user = user_of(ada)
    erase_on_page(owner_client, ada)
    drain(account, fake)
    synced(account)

    fake.add_users(account.uid, [{"clientUserId": user.client_user_id, "email": "new@example.org"}])
    synced(account)

    user.refresh_from_db()
    assert (user.email, user.apple_status, user.erased_at) == (
        "new@example.org",
        "Registered",
        None,
    )


def test_adding_the_person_again_begins_a_new_record(
    owner_client: Client, fake: FakeApple, ada: Owner, account: VppAccount, by: Actor
) -> None:
    user = user_of(ada)
    erase_on_page(owner_client, ada)
    drain(account, fake)

    again = add_person(by=by, account=account, details=PersonDetails(email=EMAIL))

    assert (again.pk == user.pk, again.client_user_id == user.client_user_id) == (False, False)


def test_a_file_that_waits_to_be_confirmed_does_not_bring_them_back(
    owner_client: Client, ada: Owner
) -> None:
    row = ada.organization_id and ImportRowFactory._meta.model.objects.get()
    erase_on_page(owner_client, ada)

    row.people_import.__class__.objects.update(state="applying")
    apply(row.people_import_id)

    assert Owner.objects.count() == 0


def test_who_people_are_is_not_kept_in_what_apple_told_of_them(ada: Owner) -> None:
    """Handled, a notification has nothing that its own record of the person has better."""
    user = user_of(ada)

    payloads = [str(each.payload) for each in Notification.objects.filter(kind__startswith="USER")]

    about_her = [text for text in payloads if user.client_user_id in text]
    assert len(about_her) >= 2  # registered, and associated
    assert [text for text in payloads if EMAIL in text or "inviteCode" in text] == []


def test_what_nobody_understood_loses_them_too(
    owner_client: Client, ada: Owner, account: VppAccount
) -> None:
    user = {"clientUserId": user_of(ada).client_user_id, "email": EMAIL, "status": "Associated"}
    given_up = Notification.objects.create(
        organization=ada.organization,
        account=account,
        notification_id="given up",
        kind="USER_NEWS",
        payload={"users": [user]},
        attempts=10,
        error="Unclear",
    )

    erase_on_page(owner_client, ada)

    given_up.refresh_from_db()
    del user["email"]
    assert given_up.payload == {"users": [user]}


# --- Who may ----------------------------------------------------------------------------------------


def test_only_full_admins_see_the_page(
    owner_client: Client, reader_client: Client, outsider_client: Client, ada: Owner
) -> None:
    network_admin = NetworkAccessFactory(membership__organization=ada.organization).membership
    clients = [owner_client, reader_client, outsider_client, signed_in(network_admin.admin)]

    answers = [
        (client.get(page_of(ada)).status_code, erase_on_page(client, ada, "no").status_code)
        for client in clients
    ]
    exports = [
        client.post(page_of(ada, "licensing:owner_data_export")).status_code for client in clients
    ]

    assert answers == [(200, 200), (403, 403), (404, 404), (403, 403)]
    assert exports == [200, 403, 404, 403]
    assert user_of(ada).email == EMAIL


def signed_in(admin: Admin) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def test_an_owner_of_another_organization_is_not_there(
    outsider_client: Client, outsider: Admin, ada: Owner
) -> None:
    theirs = outsider.memberships.get().organization_id

    answers = [
        outsider_client.get(reverse("licensing:owner_data", args=[theirs, ada.pk])),
        outsider_client.post(reverse("licensing:owner_data_export", args=[theirs, ada.pk])),
    ]

    assert [answer.status_code for answer in answers] == [404, 404]


# --- REST -------------------------------------------------------------------------------------------


def wire_path(owner: Owner) -> str:
    return f"/organizations/{owner.organization_id}/sm/owners/{owner.pk}/data"


def test_a_program_exports_the_same(owner_client: Client, owner: Admin, ada: Owner) -> None:
    told_by_page = exported(owner_client, ada)

    answer = client_of(owner, read_only=True).get(wire_path(ada)).json()

    newest = answer["events"].pop(0)
    assert newest["action"] == "owner.data_exported"
    assert answer | {"exportedAt": ""} == told_by_page | {"exportedAt": ""}


def test_a_program_erases_and_asks_before(owner: Admin, ada: Owner, fake: FakeApple) -> None:
    api = client_of(owner)

    asked = api.send("DELETE", f"{wire_path(ada)}?dryRun=true")
    still_there = Owner.objects.filter(pk=ada.pk).exists()
    done = api.send("DELETE", wire_path(ada))
    again = api.send("DELETE", wire_path(ada))

    would = {
        "batchIds": [],
        "accounts": 1,
        "licensesReturning": 1,
        "licensesStaying": 1,
        "devices": 1,
        "obstacle": None,
    }
    assert (asked.status_code, asked.json(), still_there) == (200, would, True)
    batch = Batch.objects.get(kind="retire")
    assert (done.status_code, done.json()) == (200, would | {"batchIds": [str(batch.pk)]})
    assert again.status_code == 404


def test_programs_of_others_get_nothing(
    owner: Admin, reader: Admin, outsider: Admin, ada: Owner
) -> None:
    keys = [client_of(owner, read_only=True), client_of(reader), client_of(outsider)]

    reads = [key.get(wire_path(ada)).status_code for key in keys]
    writes = [key.send("DELETE", wire_path(ada)).status_code for key in keys]

    assert (reads, writes) == ([200, 403, 404], [403, 403, 404])
    assert user_of(ada).email == EMAIL


# --- Admins themselves ------------------------------------------------------------------------------


def test_admins_get_what_is_kept_of_themselves(
    owner: Admin, owner_client: Client, organization: Organization, reader: Admin
) -> None:
    key, text = ApiKey.objects.issue(admin=owner, name="Reports")
    ApiKey.objects.issue(admin=reader, name="Somebody else's")
    Client().post("/accounts/login/", {"login": owner.email, "password": "wrong"})

    answer = owner_client.post(reverse("organizations:my_data"))

    data = answer.json()
    assert data["profile"]["email"] == owner.email
    assert [(m["organization"], m["access"]) for m in data["memberships"]] == [
        (organization.name, "full")
    ]
    assert [(k["name"], k["prefix"]) for k in data["apiKeys"]] == [("Reports", key.prefix)]
    assert [each["address"] for each in data["failedSignIns"]] == ["127.0.0.1"]
    written = answer.content.decode()
    assert [
        word for word in (text, key.digest, owner.password, reader.email) if word in written
    ] == []


def test_ones_own_data_need_a_sign_in(client: Client, owner_client: Client) -> None:
    url = reverse("organizations:my_data")

    answers = [client.get(url), client.post(url), owner_client.get(url)]

    assert [answer.status_code for answer in answers] == [302, 302, 200]
    assert {answer["Location"] for answer in answers[:2]} == {f"/accounts/login/?next={url}"}
