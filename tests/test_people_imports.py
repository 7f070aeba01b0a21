"""People out of files: what each row would do, and what is written once somebody confirms."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from licensing.models import Batch, BatchItem
from organizations.audit import Actor
from organizations.models import AuditEvent, Organization, Owner, Tag
from organizations.refusals import Refusal
from tests.draining import drain, synced
from tests.factories import OrganizationFactory, OwnerFactory, TagFactory, VppAccountFactory
from tests.factories import VppUserFactory as UserFactory
from users import hooks, imports
from users.models import ImportRow, PeopleImport, VppUser
from users.tasks import forget_old_imports, ring_waiting_imports, work_on_import
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount

HEADER = "name,email,username,tags,managedAppleAccount"


@pytest.fixture
def start(by: Actor, organization: Organization) -> Callable[..., PeopleImport]:
    def start(*rows: str, header: str = HEADER, **options: Any) -> PeopleImport:
        return imports.start_import(
            by=by,
            organization=organization,
            file_name="people.csv",
            content="\n".join([header, *rows]).encode(),
            **options,
        )

    return start


@pytest.fixture
def check(start: Callable[..., PeopleImport]) -> Callable[..., PeopleImport]:
    """The import as it is after the check."""

    def check(*rows: str, **options: Any) -> PeopleImport:
        checked = imports.check(start(*rows, **options).pk)
        assert checked
        return checked

    return check


@pytest.fixture
def run(check: Callable[..., PeopleImport], by: Actor) -> Callable[..., PeopleImport]:
    """The import as it is at its end."""

    def run(*rows: str, **options: Any) -> PeopleImport:
        people_import = check(*rows, **options)
        imports.confirm(by=by, people_import=people_import, confirm_missing=True)
        applied = imports.apply(people_import.pk)
        assert applied
        return applied

    return run


def told(people_import: PeopleImport) -> list[tuple[int, str, str]]:
    rows = ImportRow.objects.filter(people_import=people_import).order_by("number")
    return list(rows.values_list("number", "verdict", "message"))


def figures(people_import: PeopleImport) -> dict[str, int]:
    return {name: n for name, n in people_import.counts.items() if isinstance(n, int) and n}


def owners() -> list[tuple[str, str]]:
    return list(Owner.objects.order_by("name", "pk").values_list("name", "email"))


def people(account: VppAccount) -> list[tuple[str, str, str]]:
    users = VppUser.objects.filter(account=account).order_by("name", "pk")
    return list(users.values_list("name", "email", "apple_status"))


# --- Verdicts -------------------------------------------------------------------------------------


def test_each_row_has_a_verdict_and_nothing_is_written(
    check: Callable[..., PeopleImport], organization: Organization
) -> None:
    staff = TagFactory(organization=organization, name="staff", kind="owner")
    OwnerFactory(organization=organization, name="Ada", email="ada@example.org")
    OwnerFactory(organization=organization, name="Bo", email="BO@example.org", tag_ids=[staff.pk])
    before = owners()

    checked = check(
        "Ada Lovelace,ADA@example.org,ada,staff grade-4,ada@school.example",
        "Bo,bo@example.org,,STAFF,",
        "Cy,cy@example.org,,,",
        "Dee,dee,,,",
    )

    assert told(checked) == [
        (2, "update", "name, username, tags, Managed Apple Account"),
        (3, "unchanged", ""),
        (4, "new", ""),
        (5, "error", "“dee” is no e-mail address. Give one like ann@example.org."),
    ]
    assert (checked.state, figures(checked)) == (
        "checked",
        {"new": 1, "update": 1, "unchanged": 1, "error": 1},
    )
    assert (owners(), Tag.objects.count(), AuditEvent.objects.count()) == (before, 1, 0)
    assert PeopleImport.objects.get().file is None


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        ("Ada L,,,,ADA@school.example", ("update", "name")),
        ("Ada L,,ADA,,", ("update", "name, username")),
        ("Ada L,new@example.org,,,ada@school.example", ("update", "name, e-mail address")),
        ("Ada L,new@example.org,ada,,", ("new", "")),
        ("Ada L,,,,new@school.example", ("new", "")),
        (
            "Ada L,,twin,,",
            ("error", "2 owners could be meant. Give the e-mail address of the one who is."),
        ),
        ("Ada L,,,,", ("error", "Nobody can tell whom this row is about. Give an e-mail address.")),
        (
            "Ada,ada@example.org,,,bo@school.example",
            ("error", "This Managed Apple Account is that of “Bo”. Correct it here or there."),
        ),
        (
            "Ada,ada@example.org,,staff IOS,",
            (
                "error",
                "“iOS” is an automatic tag, which devices get by themselves. Choose another word.",
            ),
        ),
    ],
)
def test_whom_a_row_is_about(
    check: Callable[..., PeopleImport],
    organization: Organization,
    row: str,
    verdict: tuple[str, str],
) -> None:
    TagFactory(organization=organization, name="iOS", kind="automatic")
    OwnerFactory(
        organization=organization,
        name="Ada",
        email="ada@example.org",
        username="ada",
        managed_apple_account="ada@school.example",
    )
    OwnerFactory(
        organization=organization,
        name="Bo",
        username="twin",
        managed_apple_account="bo@school.example",
    )
    OwnerFactory(organization=organization, name="Cy", username="Twin")
    OwnerFactory(name="Ada", email="new@example.org", username="new")  # of somebody else

    assert told(check(row)) == [(2, *verdict)]


def test_a_person_stands_in_a_file_once(
    check: Callable[..., PeopleImport], organization: Organization
) -> None:
    OwnerFactory(organization=organization, name="Ada", email="ada@example.org", username="ada")

    checked = check(
        "Ada,ada@example.org,,,",
        "Ada,ADA@example.org,,,",
        "Ada,,ada,,",
        "Bo,bo@example.org,,,bo@school.example",
        "Bo,b@example.org,,,BO@school.example",
        "Cy,,cy,,",
        "Cy,,CY,,",
    )

    assert told(checked) == [
        (2, "unchanged", ""),
        (3, "error", "Row 2 has this e-mail address already. Leave one of them out."),
        (4, "error", "Row 2 is about this person already. Leave one of them out."),
        (5, "new", ""),
        (6, "error", "Row 5 has this Managed Apple Account already. Leave one of them out."),
        (7, "new", ""),
        (8, "error", "Row 7 has this username already. Leave one of them out."),
    ]


def test_an_account_says_who_joins_it(
    check: Callable[..., PeopleImport], account: VppAccount, organization: Organization
) -> None:
    def known(name: str, **fields: Any) -> Owner:
        email = f"{name.lower()}@example.org"
        return OwnerFactory(organization=organization, name=name, email=email, **fields)

    UserFactory(account=account, owner=known("Ada"), name="Ada")
    UserFactory(account=account, owner=known("Bo"), apple_status="Retired")
    UserFactory(account=account, email="GUS@example.org", apple_status="Retired")
    UserFactory(account=account, email="CY@example.org", apple_status="Registered")
    UserFactory(account=VppAccountFactory(organization=organization), owner=known("Dee"))
    OwnerFactory(organization=organization, name="Flo", email="", username="flo")
    rows = [f"{name},{name}@example.org,,," for name in ("Ada", "Bo", "Cy", "Dee", "Eve", "Gus")]

    checked = check(*rows, "Flo,,flo,,", account=account)

    assert told(checked) == [
        (2, "unchanged", ""),
        (3, "new", "joins Example Schools North again"),
        (4, "new", "found at Apple in Example Schools North"),
        (5, "new", "joins Example Schools North"),
        (6, "new", ""),
        (7, "new", "joins Example Schools North again"),
        (
            8,
            "error",
            "A person of “Example Schools North” needs an e-mail address, or a Managed Apple Account."
            " Give one.",
        ),
    ]


def test_a_file_that_cannot_be_read_says_why(check: Callable[..., PeopleImport]) -> None:
    failed = check("Ada", header="first")

    assert (failed.state, failed.problem.split(",")[0]) == (
        "failed",
        "A column “email” or “managedAppleAccount” is needed",
    )
    assert (ImportRow.objects.count(), failed.file) == (0, None)


def test_columns_that_are_not_read_are_told(check: Callable[..., PeopleImport]) -> None:
    checked = check("ada@example.org,1", header="email,Room")

    assert checked.counts["notices"] == ["“Room” is no column that we read."]


@pytest.mark.parametrize(
    ("content", "word"), [(b"", "empty"), (b"%PDF-", "PDF"), (b"x" * (20 * 1024**2 + 1), "21 MB")]
)
def test_what_is_no_table_is_refused_at_once(
    by: Actor, organization: Organization, content: bytes, word: str
) -> None:
    with pytest.raises(imports.FileWrong, match=word):
        imports.start_import(by=by, organization=organization, file_name="x", content=content)

    assert PeopleImport.objects.count() == 0


# --- Writing --------------------------------------------------------------------------------------


def test_owners_are_added_and_brought_up_to_date(
    run: Callable[..., PeopleImport], organization: Organization
) -> None:
    old = TagFactory(organization=organization, name="old", kind="owner")
    device = TagFactory(organization=organization, name="Cart", kind="device")
    ada = OwnerFactory(
        organization=organization,
        name="Ada",
        email="ada@example.org",
        username="ada",
        tag_ids=[old.pk],
    )
    bo = OwnerFactory(
        organization=organization, name="Bo", email="bo@example.org", tag_ids=[old.pk]
    )

    done = run(
        "Ada Lovelace,,ada,Staff cart,",
        "Bo B,bo@example.org,,,",
        ",cy@example.org,,STAFF,",
        ",dee,,,",
    )

    staff = Tag.objects.get(name="Staff")
    facts = ("name", "email", "username", "tag_ids", "source")
    assert list(Owner.objects.order_by("pk").values_list("pk", *facts)) == [
        (ada.pk, "Ada Lovelace", "ada@example.org", "ada", [staff.pk, device.pk], "page"),
        (bo.pk, "Bo B", "bo@example.org", "", [old.pk], "page"),
        (Owner.objects.latest("pk").pk, "cy@example.org", "cy@example.org", "", [staff.pk], "csv"),
    ]
    assert (staff.kind, done.state) == ("owner", "finished")
    assert VppUser.objects.count() == 0
    events = AuditEvent.objects.exclude(action="tag.added")
    assert list(events.values_list("action", "actor_name", "target_name", "after")) == [
        (
            "people.imported",
            "owner@example.org",
            "people.csv",
            {"import": str(done.pk), "new": 1, "update": 2, "error": 1},
        )
    ]


def test_who_has_no_name_is_called_by_as_much_of_the_address_as_names_hold(
    run: Callable[..., PeopleImport],
) -> None:
    address = f"{'a' * 240}@example.org"

    run(f",{address},,,")

    assert list(Owner.objects.values_list("name", "email")) == [("a" * 200, address)]


def test_the_same_file_again_changes_nothing(run: Callable[..., PeopleImport]) -> None:
    rows = ["Ada,ada@example.org,ada,staff grade-4,ada@school.example", "Bo,,bo,staff,"]
    run(*rows)
    before = list(Owner.objects.order_by("pk").values())

    again = run(*rows)

    assert figures(again) == {"unchanged": 2}
    assert list(Owner.objects.order_by("pk").values()) == before


def test_people_of_an_account_are_registered_and_invited(
    run: Callable[..., PeopleImport], fake: FakeApple, account: VppAccount
) -> None:
    synced(account)

    done = run(
        "Ada,ada@example.org,,,", "Bo,bo@example.org,,,bo@school.example",
        account=account, invites=True,
    )  # fmt: skip
    drain(account, fake)

    assert people(account) == [
        ("Ada", "ada@example.org", "Registered"),
        ("Bo", "bo@example.org", "Associated"),
    ]
    register = Batch.objects.get(pk=done.register_batch_id)
    invite = Batch.objects.get(pk=done.invite_batch_id)
    assert (register.kind, register.total, invite.kind, invite.total) == (
        "register",
        2,
        "invite",
        1,
    )
    assert (
        BatchItem.objects.get(batch=invite).holder == VppUser.objects.get(name="Ada").client_user_id
    )
    assert {user.client_user_id for user in fake.location(account.uid).users} == {
        str(uuid.UUID(each.client_user_id)) for each in VppUser.objects.all()
    }


def test_whom_apple_knows_already_is_tied_and_whom_it_knew_joins_again(
    run: Callable[..., PeopleImport], account: VppAccount, organization: Organization
) -> None:
    found = UserFactory(account=account, email="ada@example.org", apple_status="Associated")
    bo = OwnerFactory(organization=organization, name="Bo", email="bo@example.org")
    retired = UserFactory(
        account=account, owner=bo, apple_status="Retired", retired_at=timezone.now(), id_hash="x"
    )

    gus = UserFactory(account=account, email="gus@example.org", apple_status="Deleted")

    done = run(
        "Ada,ada@example.org,,,", "Robert,bo@example.org,,,", "Gus,gus@example.org,,,",
        account=account,
    )  # fmt: skip

    assert people(account) == [
        ("Ada", "ada@example.org", "Associated"),
        ("Gus", "gus@example.org", ""),
        ("Robert", "bo@example.org", ""),
    ]
    found.refresh_from_db()
    retired.refresh_from_db()
    assert (found.owner, retired.owner) == (Owner.objects.get(name="Ada"), bo)
    assert (retired.retired_at, retired.id_hash) == (None, "")
    registering = BatchItem.objects.filter(batch=done.register_batch_id).order_by("pk")
    assert list(registering.values_list("holder", flat=True)) == [
        retired.client_user_id,
        gus.client_user_id,
    ]


def test_what_changes_is_carried_to_every_account_and_to_apple(
    run: Callable[..., PeopleImport], organization: Organization
) -> None:
    def user_of(owner: Owner, status: str) -> VppUser:
        account = VppAccountFactory(organization=organization)
        return UserFactory(
            account=account, owner=owner, name=owner.name, email=owner.email, apple_status=status
        )

    ada = OwnerFactory(
        organization=organization, name="Ada", email="old@example.org", username="ada"
    )
    bo = OwnerFactory(organization=organization, name="Bo", email="bo@example.org", username="bo")
    users = [user_of(ada, status) for status in ("", "Registered", "Retired")]
    users += [user_of(bo, "Registered")]
    announced: list[tuple[int, list[int]]] = []

    def hear(sender: Any, *, account: VppAccount, user_ids: list[int], **kwargs: Any) -> None:
        announced.append((account.pk, user_ids))

    Owner.objects.filter(pk=ada.pk).update(managed_apple_account="ada@school.example")
    with heard(hooks.people_changed, hear):
        run("Ada L,new@example.org,,,ada@school.example", "Robert,bo@example.org,,,")

    facts = VppUser.objects.order_by("pk").values_list("name", "email")
    assert list(facts) == [
        ("Ada L", "new@example.org"),  # Apple will hear of it in time
        ("Ada L", "old@example.org"),
        ("Ada L", "old@example.org"),
        ("Robert", "bo@example.org"),
    ]
    assert announced == [(users[1].account_id, [users[1].pk])]


@contextmanager
def heard(signal: Any, receiver: Callable[..., Any]) -> Iterator[None]:
    signal.connect(receiver)
    try:
        yield
    finally:
        signal.disconnect(receiver)


# --- Who is missing -------------------------------------------------------------------------------


@pytest.fixture
def eight(organization: Organization) -> list[Owner]:
    """Eight people who came with an earlier file, and one who did not."""
    OwnerFactory(organization=organization, name="Page", email="page@example.org")
    OwnerFactory(source="csv")  # of another organization
    return [
        OwnerFactory(organization=organization, email=f"p{n}@example.org", source="csv")
        for n in range(8)
    ]


def test_who_is_missing_is_flagged_and_who_comes_back_is_not(
    run: Callable[..., PeopleImport], eight: list[Owner]
) -> None:
    rows = [f",p{n}@example.org,,," for n in range(8)]
    first = run(*rows[:7], "x,bad,,,", is_complete=True)
    missing = list(Owner.objects.exclude(missing_since=None).values_list("email", flat=True))

    second = run(*rows, is_complete=True)

    assert (figures(first), missing) == (
        {"unchanged": 7, "error": 1, "missing": 1},
        ["p7@example.org"],
    )
    assert told(second)[-1] == (9, "update", "no longer missing")
    assert not Owner.objects.exclude(missing_since=None).exists()


def test_a_file_that_is_not_the_whole_list_flags_nobody(
    run: Callable[..., PeopleImport], eight: list[Owner]
) -> None:
    done = run(",p0@example.org,,,")

    assert figures(done) == {"unchanged": 1}
    assert not Owner.objects.exclude(missing_since=None).exists()


def test_where_many_are_missing_it_takes_a_second_word(
    check: Callable[..., PeopleImport], by: Actor, eight: list[Owner]
) -> None:
    checked = check(",p0@example.org,,,", ",p1@example.org,,,", is_complete=True)

    with pytest.raises(imports.ManyMissing, match="6 people who came with an earlier file"):
        imports.confirm(by=by, people_import=checked)
    state = PeopleImport.objects.get().state
    imports.confirm(by=by, people_import=checked, confirm_missing=True)
    imports.apply(checked.pk)

    assert (state, checked.counts["misses_many"]) == ("checked", True)
    assert Owner.objects.exclude(missing_since=None).count() == 6


def test_a_row_with_an_error_still_shows_that_somebody_is_there(
    check: Callable[..., PeopleImport], eight: list[Owner]
) -> None:
    rows = [f",p{n}@example.org,,," for n in range(7)]

    checked = check(*rows, ',p7@example.org,,"a, b",', is_complete=True)

    assert figures(checked) == {"unchanged": 7, "error": 1}


def test_a_file_with_errors_only_flags_nobody_and_imports_nothing(
    check: Callable[..., PeopleImport], by: Actor, eight: list[Owner]
) -> None:
    checked = check("x,bad,,,", is_complete=True)

    with pytest.raises(imports.NothingToImport):
        imports.confirm(by=by, people_import=checked)

    assert figures(checked) == {"error": 1}


# --- Its way --------------------------------------------------------------------------------------


def test_to_confirm_twice_is_to_confirm_once(check: Callable[..., PeopleImport], by: Actor) -> None:
    checked = check("Ada,ada@example.org,,,")

    for _ in range(2):
        imports.confirm(by=by, people_import=checked)
        imports.apply(checked.pk)

    assert owners() == [("Ada", "ada@example.org")]
    assert AuditEvent.objects.count() == 1


def test_who_confirms_answers_for_it(check: Callable[..., PeopleImport]) -> None:
    checked = check("Ada,ada@example.org,,,")

    imports.confirm(by=Actor.system("Second pair of eyes"), people_import=checked)
    imports.apply(checked.pk)

    assert AuditEvent.objects.get().actor_name == "Second pair of eyes"


def test_nothing_is_written_once_it_is_cancelled(
    check: Callable[..., PeopleImport], by: Actor
) -> None:
    checked = check("Ada,ada@example.org,,,")

    imports.cancel(by=by, people_import=checked)
    with pytest.raises(imports.NotWaiting, match="its state is “Cancelled”"):
        imports.confirm(by=by, people_import=checked)
    imports.apply(checked.pk)

    assert (owners(), PeopleImport.objects.get().state) == ([], "cancelled")


def test_what_is_written_is_not_cancelled(run: Callable[..., PeopleImport], by: Actor) -> None:
    done = run("Ada,ada@example.org,,,")

    with pytest.raises(imports.NotWaiting, match="its state is “Finished”"):
        imports.cancel(by=by, people_import=done)


@pytest.mark.parametrize("state", ["expired", "read_only"])
def test_an_account_that_takes_no_changes_takes_no_people(
    check: Callable[..., PeopleImport],
    start: Callable[..., PeopleImport],
    by: Actor,
    account: VppAccount,
    state: str,
) -> None:
    checked = check("Ada,ada@example.org,,,", account=account)
    VppAccount.objects.update(state=state, state_reason="Renew it.")
    account.refresh_from_db()

    for refused in (
        lambda: start("Ada,ada@example.org,,,", account=account),
        lambda: imports.confirm(by=by, people_import=checked),
    ):
        with pytest.raises(Refusal, match="Renew it"):
            refused()


def test_who_was_added_meanwhile_is_not_added_twice(
    check: Callable[..., PeopleImport], by: Actor, account: VppAccount, organization: Organization
) -> None:
    checked = check("Ada L,ada@example.org,,,", "Bo,bo@example.org,,,", account=account)
    ada = OwnerFactory(organization=organization, name="Ada", email="Ada@example.org")
    user = UserFactory(account=account, owner=ada, name="Ada", email=ada.email)

    imports.confirm(by=by, people_import=checked)
    done = imports.apply(checked.pk)

    assert done
    assert told(done) == [(2, "update", "name"), (3, "new", "")]
    assert figures(done) == {"new": 1, "update": 1}
    assert owners() == [("Ada L", "Ada@example.org"), ("Bo", "bo@example.org")]
    user.refresh_from_db()
    assert (user.name, VppUser.objects.filter(account=account).count()) == ("Ada L", 2)


def test_who_is_added_in_the_same_moment_is_not_added_twice(
    check: Callable[..., PeopleImport], by: Actor, account: VppAccount, organization: Organization
) -> None:
    """Between the verdict and the writing."""
    checked = check("Ada L,ada@example.org,,,", account=account)

    def add_first(execute: Any, sql: str, *rest: Any) -> Any:
        if "INSERT INTO organizations_owner (id" in sql and not Owner.objects.exists():
            OwnerFactory(organization=organization, name="Ada", email="ADA@example.org")
        return execute(sql, *rest)

    imports.confirm(by=by, people_import=checked)
    with connection.execute_wrapper(add_first):
        imports.apply(checked.pk)

    assert owners() == [("Ada L", "ADA@example.org")]
    assert people(account) == [("Ada L", "ADA@example.org", "")]
    assert ImportRow.objects.get().owner_id == Owner.objects.get().pk


def test_what_was_wrong_at_the_check_stays_left_out(
    check: Callable[..., PeopleImport], by: Actor, organization: Organization
) -> None:
    bo = OwnerFactory(organization=organization, managed_apple_account="b@school.example")
    OwnerFactory(organization=organization, name="Ada", email="ada@example.org")
    checked = check("Ada L,ada@example.org,,,b@school.example", "Cy,cy@example.org,,,")
    bo.delete()

    imports.confirm(by=by, people_import=checked)
    done = imports.apply(checked.pk)

    assert done
    assert [verdict for _, verdict, _ in told(done)] == ["error", "new"]
    assert owners() == [("Ada", "ada@example.org"), ("Cy", "cy@example.org")]


def test_a_stage_that_breaks_has_not_happened(
    check: Callable[..., PeopleImport], by: Actor, account: VppAccount
) -> None:
    checked = check("Ada,ada@example.org,,staff,", account=account)
    imports.confirm(by=by, people_import=checked)

    def break_down(sender: Any, **kwargs: Any) -> None:
        raise ConnectionAbortedError

    with heard(hooks.people_added, break_down), pytest.raises(ConnectionAbortedError):
        imports.apply(checked.pk)
    before = (owners(), Tag.objects.count(), VppUser.objects.count(), list(imports.waiting()))
    imports.apply(checked.pk)

    assert before == ([], 0, 0, [checked.pk])
    assert people(account) == [("Ada", "ada@example.org", "")]


def test_a_worker_does_whichever_stage_is_next(
    start: Callable[..., PeopleImport], by: Actor
) -> None:
    begun = start("Ada,ada@example.org,,,")

    work_on_import(import_id=str(begun.pk))
    begun.refresh_from_db()
    imports.confirm(by=by, people_import=begun)
    work_on_import(import_id=str(begun.pk))
    work_on_import(import_id=str(uuid.uuid4()))

    assert owners() == [("Ada", "ada@example.org")]


def test_the_sweep_rings_for_imports_that_nobody_works_on(
    start: Callable[..., PeopleImport], check: Callable[..., PeopleImport], by: Actor
) -> None:
    checking, confirmed = start("Ada,ada@example.org,,,"), check("Bo,bo@example.org,,,")
    imports.confirm(by=by, people_import=confirmed)
    check("Cy,cy@example.org,,,")
    given_up = start("Dee,dee@example.org,,,")
    PeopleImport.objects.filter(pk=given_up.pk).update(
        created_at=timezone.now() - timedelta(days=2)
    )

    ring_waiting_imports()

    assert list(imports.waiting()) == [checking.pk, confirmed.pk]


def test_the_sweep_rings_for_what_was_confirmed_days_after_the_upload(
    check: Callable[..., PeopleImport], by: Actor
) -> None:
    late = check("Ada,ada@example.org,,,")
    PeopleImport.objects.update(created_at=timezone.now() - timedelta(days=2))

    imports.confirm(by=by, people_import=late)

    assert list(imports.waiting()) == [late.pk]


def test_imports_are_forgotten_after_a_week(
    run: Callable[..., PeopleImport], account: VppAccount
) -> None:
    old, young = run("Ada,ada@example.org,,,"), run("Bo,bo@example.org,,,")
    orphaned = run("Cy,cy@example.org,,,", account=VppAccountFactory(organization=old.organization))
    PeopleImport.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=8))
    VppAccount.objects.filter(pk=orphaned.account_id).delete()

    forget_old_imports()

    assert list(PeopleImport.objects.values_list("pk", flat=True)) == [young.pk]
    assert list(ImportRow.objects.values_list("people_import", flat=True)) == [young.pk]
    assert len(owners()) == 3


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_writes(transactional_db: None) -> None:
    organization = OrganizationFactory()
    by = Actor.system("Test")
    begun = imports.start_import(
        by=by, organization=organization, file_name="a.csv", content=b"email\nada@example.org\n"
    )

    def work(_: int) -> None:
        try:
            work_on_import(import_id=str(begun.pk))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
        imports.confirm(by=by, people_import=begun)
        list(pool.map(work, range(4)))

    assert (Owner.objects.count(), ImportRow.objects.count(), AuditEvent.objects.count()) == (
        1,
        1,
        1,
    )


@pytest.mark.parametrize("count", [1, 300])
def test_every_row_costs_no_statement_of_its_own(
    start: Callable[..., PeopleImport],
    by: Actor,
    account: VppAccount,
    django_assert_max_num_queries: Any,
    count: int,
) -> None:
    begun = start(*(f"P {n},p{n}@example.org,,staff," for n in range(count)), account=account)

    with django_assert_max_num_queries(20):
        checked = imports.check(begun.pk)
    assert checked
    imports.confirm(by=by, people_import=checked)
    with django_assert_max_num_queries(75):
        imports.apply(begun.pk)

    assert VppUser.objects.count() == count


def test_another_organization_is_not_touched(
    run: Callable[..., PeopleImport], organization: Organization
) -> None:
    theirs = OwnerFactory(name="Theirs", email="ada@example.org", source="csv")
    TagFactory(organization=theirs.organization, name="staff", kind="owner")

    done = run("Ours,ada@example.org,,staff,", is_complete=True)

    theirs.refresh_from_db()
    assert (theirs.name, theirs.missing_since, figures(done)) == ("Theirs", None, {"new": 1})
    ours = Owner.objects.get(organization=organization)
    assert Tag.objects.get(pk=ours.tag_ids[0]).organization == organization
