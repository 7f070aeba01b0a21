"""Configure > Owners > Import: the upload, the verdicts, the confirmation, the result."""

from __future__ import annotations

import csv
import io
import re
import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections
from django.db.models.signals import post_save
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from organizations.models import Admin, Organization, Owner
from organizations.uploads import LARGEST
from tests.conftest import signed_in
from tests.factories import (
    BatchFactory,
    MembershipFactory,
    NetworkAccessFactory,
    OwnerFactory,
    VppAccountFactory,
)
from tests.reading import errors_of, text_of, words
from tests.test_batches_races import somebody_waits
from users import imports
from users.models import ImportRow, PeopleImport, VppUser
from vpp_accounts.models import VppAccount

MIXED = """name,email,username,tags,managedAppleAccount
Ann Lee,ann@example.org,alee,grade-4,
Bo Diaz,bo@example.org,,,
Cy Fox,not an address,,,
Di Ray,ann@example.org,,,
Ed Moe,ed@example.org,,,
"""


def add_url(organization: Organization, account: object = "") -> str:
    address = reverse("users:import_add", args=[organization.pk])
    return f"{address}?account={account}" if account else address


def url(name: str, people_import: PeopleImport) -> str:
    return reverse(f"users:{name}", args=[people_import.organization_id, people_import.pk])


def upload(
    client: Client, organization: Organization, content: str | bytes, **fields: Any
) -> HttpResponse:
    name = fields.pop("name", "people.csv")
    content = content.encode() if isinstance(content, str) else content
    data = {"file": SimpleUploadedFile(name, content)} | fields
    return client.post(add_url(organization), data)


def uploaded(
    client: Client, organization: Organization, content: str | bytes, **fields: Any
) -> PeopleImport:
    """Uploaded, and not looked at by a worker yet."""
    response = upload(client, organization, content, **fields)
    assert response.status_code == 302, errors_of(response)
    return PeopleImport.objects.latest("created_at")


def checked(
    client: Client, organization: Organization, content: str | bytes, **fields: Any
) -> PeopleImport:
    people_import = uploaded(client, organization, content, **fields)
    imports.check(people_import.pk)
    people_import.refresh_from_db()
    return people_import


def imported(client: Client, people_import: PeopleImport, **fields: Any) -> PeopleImport:
    client.post(url("import_confirm", people_import), fields)
    imports.apply(people_import.pk)
    people_import.refresh_from_db()
    return people_import


def poll(client: Client, people_import: PeopleImport, stand: str) -> HttpResponse:
    headers = {"HX-Request": "true"}
    return client.get(url("import_detail", people_import), {"stand": stand}, headers=headers)


def csv_of(response: HttpResponse) -> list[dict[str, str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text)))


def rows_of(response: HttpResponse) -> list[str]:
    body = response.content.decode().partition("<tbody>")[2].partition("</tbody>")[0]
    return [words(row) for row in body.split("<tr>")[1:]]


def figures_of(response: HttpResponse) -> dict[str, int]:
    found = re.findall(r"<dt>(\w+)</dt>\s*<dd>(.*?)</dd>", response.content.decode(), re.DOTALL)
    return {label: int(words(number).split()[0]) for label, number in found}


def button_of(response: HttpResponse) -> str:
    html = response.content.decode()
    form = html[html.index("import-confirm") :].partition("</form>")[0]
    found = re.search(r'<button type="submit" class="btn btn-primary">([^<]*)<', form)
    return found[1] if found else ""


# --- Uploading ---------------------------------------------------------------------------------------


def test_import_add_explains_the_file(owner_client: Client, organization: Organization) -> None:
    page = owner_client.get(add_url(organization))

    text = text_of(page)
    assert "name How the person is called. Ann Lee" in text
    assert "email or managedAppleAccount is needed" in text
    assert "Nothing is written before you confirm." in text
    assert reverse("users:import_template", args=[organization.pk]) in page.content.decode()
    owners = reverse("users:owner_list", args=[organization.pk])
    assert f'href="{owners}?format=csv"' in page.content.decode()
    assert "Invite the new ones" not in text  # nobody could be invited by: there is no account


def test_import_template_is_a_file_that_can_be_imported(
    owner_client: Client, organization: Organization
) -> None:
    template = owner_client.get(reverse("users:import_template", args=[organization.pk]))

    header, example = template.content.decode().splitlines()
    assert header == "\ufeffname,email,username,tags,managedAppleAccount"
    assert "ann.lee@example.org" in example
    assert template["Content-Disposition"] == 'attachment; filename="owners-template.csv"'
    people_import = checked(owner_client, organization, template.content)
    assert people_import.counts["new"] == 1


def test_import_add_is_for_the_account_of_its_address(
    owner_client: Client, account: VppAccount, organization: Organization
) -> None:
    page = owner_client.get(add_url(organization, account.pk))

    text = text_of(page)
    assert f'<option value="{account.pk}" selected>' in page.content.decode()
    assert "Owners, and users of Example Schools North" in text
    assert "Invite the new ones" in text


@pytest.mark.parametrize("wanted", ["999999", "x", "-1", "1e3", "\x00"])
def test_import_add_does_not_know_every_account(
    owner_client: Client, account: VppAccount, organization: Organization, wanted: str
) -> None:
    assert owner_client.get(add_url(organization), {"account": wanted}).status_code == 404


def test_an_account_for_others_is_not_found(
    owner_client: Client, organization: Organization
) -> None:
    """Only its allowed admins see an account's people."""
    theirs = VppAccountFactory(organization=organization, name="Theirs", allowed_admins="named")

    page = owner_client.get(add_url(organization, theirs.pk))
    answer = upload(owner_client, organization, MIXED, account=theirs.pk)

    assert page.status_code == 404
    assert errors_of(answer) == [
        "This VPP account is not open to you any more. Choose another one."
    ]
    assert not PeopleImport.objects.exists()


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"file": ""}, "Choose the file with the people: a CSV or an .xlsx workbook."),
        (
            {"file": SimpleUploadedFile("people.csv", bytes(20 * 1024 * 1024 + 1))},
            "This file has more than 20 MB. Split it, each part with the header row.",
        ),
        (
            {"file": SimpleUploadedFile("people.csv", b"email\na@b.org\n"), "invites": "on"},
            "Invitations come from a VPP account. Choose one above, or do not invite.",
        ),
    ],
    ids=["no file", "large", "invites for owners only"],
)
def test_a_wrong_upload_is_told_beside_its_field(
    owner_client: Client,
    account: VppAccount,
    organization: Organization,
    fields: dict[str, Any],
    error: str,
) -> None:
    answer = owner_client.post(add_url(organization), fields)

    assert answer.status_code == 200
    assert errors_of(answer) == [error]
    assert not PeopleImport.objects.exists()


def test_an_account_that_takes_no_changes_is_told_before_anything_is_read(
    owner_client: Client, account: VppAccount, organization: Organization
) -> None:
    VppAccount.objects.update(state="revoked", state_reason="The password was changed.")

    answer = upload(owner_client, organization, MIXED, account=account.pk)

    assert len(errors_of(answer)) == 1
    assert "The password was changed." in errors_of(answer)[0]
    assert not PeopleImport.objects.exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [("empty.csv", b""), ("photo.csv", b"\x89PNG\r\n\x1a\n" + bytes(40)), ("a.pdf", b"%PDF-1.7")],
    ids=["empty", "picture", "pdf"],
)
def test_what_is_no_list_of_people_is_told_with_the_way_out(
    owner_client: Client, organization: Organization, name: str, content: bytes
) -> None:
    """At the field or on the import's page: never an error of ours, never a verdict."""
    answer = upload(owner_client, organization, content, name=name)

    if answer.status_code == 302:
        people_import = PeopleImport.objects.get()
        imports.check(people_import.pk)
        told = text_of(owner_client.get(answer["Location"]))
        assert "Nobody was written. Mend the file and upload it again." in told
    else:
        assert len(errors_of(answer)) == 1
    assert not ImportRow.objects.exists()


def test_of_a_huge_file_little_more_than_the_limit_is_taken_in(rf: RequestFactory) -> None:
    huge = SimpleUploadedFile("people.csv", bytes(2 * LARGEST))

    request = rf.post("/", {"file": huge, "small": SimpleUploadedFile("logo.png", b"PNG")})

    taken, small = request.FILES["file"].size, request.FILES["small"].read()
    request.close()
    assert LARGEST < taken < 1.01 * LARGEST
    assert small == b"PNG"


def test_the_same_file_sent_twice_is_one_import(
    owner_client: Client, organization: Organization
) -> None:
    first = upload(owner_client, organization, MIXED)
    again = upload(owner_client, organization, MIXED)
    other = upload(owner_client, organization, MIXED + "Flo,flo@example.org,,,\n")

    assert again["Location"] == first["Location"]
    assert other["Location"] != first["Location"]
    assert PeopleImport.objects.count() == 2


@pytest.mark.django_db(transaction=True, databases=["default", "system", "owner"])
def test_a_double_click_is_one_import(owner: Admin, organization: Organization) -> None:
    """The second request comes while the first has written its import and not committed it."""
    begun, over = threading.Event(), threading.Event()
    led_to: list[str] = []

    def hold(**_: object) -> None:
        post_save.disconnect(hold, sender=PeopleImport)
        begun.set()
        while not over.is_set() and not somebody_waits():
            over.wait(0.01)

    def click(client: Client, ready: threading.Event) -> None:
        ready.wait(10)
        try:
            led_to.append(upload(client, organization, MIXED)["Location"])
        finally:
            connections.close_all()
            over.set()

    post_save.connect(hold, sender=PeopleImport)
    at_once = threading.Event()
    at_once.set()
    clicks = [(signed_in(owner), at_once), (signed_in(owner), begun)]
    threads = [threading.Thread(target=click, args=arguments) for arguments in clicks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert led_to == [url("import_detail", PeopleImport.objects.get())] * 2


def test_the_same_file_may_come_again_later(
    owner_client: Client, organization: Organization
) -> None:
    first = checked(owner_client, organization, MIXED)
    owner_client.post(url("import_cancel", first))

    again = upload(owner_client, organization, MIXED)

    assert again["Location"] != url("import_detail", first)


def test_import_add_lists_the_last_imports(
    owner_client: Client, organization: Organization
) -> None:
    for number in range(12):
        checked(owner_client, organization, f"email\np{number}@example.org\n", name=f"{number}.csv")
    owner_client.post(url("import_cancel", PeopleImport.objects.latest("created_at")))

    listed = rows_of(owner_client.get(add_url(organization)))

    assert len(listed) == 10
    assert re.fullmatch(r"11\.csv Cancelled 1 new — owner@example\.org today \d\d:\d\d", listed[0])
    assert listed[1].startswith("10.csv Checked 1 new")


# --- Looking at it -----------------------------------------------------------------------------------


def test_import_detail_waits_for_the_check_and_loads_itself_again(
    owner_client: Client, organization: Organization
) -> None:
    people_import = uploaded(owner_client, organization, MIXED)
    waiting = owner_client.get(url("import_detail", people_import))
    silence = poll(owner_client, people_import, "checking0")
    imports.check(people_import.pk)

    news = poll(owner_client, people_import, "checking0")

    assert "Nothing is written before you confirm." in text_of(waiting)
    assert 'hx-trigger="every 1s"' in waiting.content.decode()
    assert (silence.status_code, silence.content) == (204, b"")
    assert news["HX-Refresh"] == "true"
    page = owner_client.get(url("import_detail", people_import))
    assert 'hx-trigger="every 1s"' not in page.content.decode()
    assert figures_of(page) == {"New": 3, "Update": 0, "Unchanged": 0, "Error": 2}


def test_import_detail_says_when_nobody_works(
    owner_client: Client, organization: Organization
) -> None:
    people_import = uploaded(owner_client, organization, MIXED)
    soon = poll(owner_client, people_import, "checking0")

    with time_machine.travel(people_import.created_at + timedelta(minutes=2), tick=False):
        later = poll(owner_client, people_import, "checking0")
        page = owner_client.get(url("import_detail", people_import))

    assert soon.status_code == 204
    assert later["HX-Refresh"] == "true"
    assert "check that the worker process runs" in text_of(page)


def test_import_detail_shows_each_row_with_its_verdict(
    owner_client: Client, organization: Organization
) -> None:
    OwnerFactory(organization=organization, name="Ann", email="ann@example.org")
    OwnerFactory(organization=organization, name="Bo Diaz", email="BO@example.org")
    people_import = checked(owner_client, organization, MIXED.replace("Di Ray,ann", "Di Ray,di"))

    page = owner_client.get(url("import_detail", people_import))

    shown = rows_of(page)
    assert figures_of(page) == {"New": 2, "Update": 1, "Unchanged": 1, "Error": 1}
    assert [row.split()[0] for row in shown] == ["2", "3", "4", "5", "6"]
    assert shown[0].startswith("2 Ann Lee alee · grade-4 ann@example.org Update")
    assert shown[1] == "3 Bo Diaz bo@example.org Unchanged"
    assert shown[2].startswith("4 Cy Fox not an address Error")
    assert button_of(page) == "Import 3 people"
    assert "1 row with an error is left out." in text_of(page)
    assert set(Owner.objects.values_list("name", flat=True)) == {"Ann", "Bo Diaz"}


def test_import_detail_is_filtered_and_searched(
    owner_client: Client, organization: Organization
) -> None:
    people_import = checked(owner_client, organization, MIXED)
    address = url("import_detail", people_import)

    errors = rows_of(owner_client.get(address, {"verdict": "error"}))
    found = rows_of(owner_client.get(address, {"q": "moe"}))
    backwards = rows_of(owner_client.get(address, {"sort": "-row"}))

    assert [row.split()[0] for row in errors] == ["4", "5"]
    assert [row.split()[0] for row in found] == ["6"]
    assert [row.split()[0] for row in backwards] == ["6", "5", "4", "3", "2"]


def test_rows_with_errors_are_downloaded_mended_and_uploaded_again(
    owner_client: Client, organization: Organization
) -> None:
    people_import = checked(owner_client, organization, MIXED)
    page = owner_client.get(url("import_detail", people_import))
    address = re.search(r'href="([^"]*verdict=error&amp;format=csv)"', page.content.decode())

    response = owner_client.get(address[1].replace("&amp;", "&"))  # type: ignore[index]
    content = b"".join(response.streaming_content)

    table = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert [(row["row"], row["name"], row["verdict"]) for row in table] == [
        ("4", "Cy Fox", "Error"),
        ("5", "Di Ray", "Error"),
    ]
    assert all(row["message"] for row in table)
    mended = content.replace(b"not an address", b"cy@example.org").replace(b"ann@", b"di@", 1)
    again = checked(owner_client, organization, mended)
    assert {name: again.counts[name] for name in ("new", "error")} == {"new": 2, "error": 0}


def test_columns_that_are_left_out_are_named(
    owner_client: Client, organization: Organization
) -> None:
    people_import = checked(
        owner_client, organization, "email,Shoe size\nann@example.org,38\nbo@example.org,41\n"
    )

    page = owner_client.get(url("import_detail", people_import))

    notes = re.search(r'import-notes">(.*?)</ul>', page.content.decode(), re.DOTALL)
    assert notes is not None
    assert "Shoe size" in words(notes[1])


def test_a_page_of_rows_costs_the_same_for_one_and_for_many(
    owner_client: Client, organization: Organization
) -> None:
    def cost(content: str) -> int:
        people_import = checked(owner_client, organization, content)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            owner_client.get(url("import_detail", people_import))
        assert not [each["sql"] for each in queries if '"users_peopleimport"."file"' in each["sql"]]
        return len(queries)

    one = cost("email\nann@example.org\n")
    many = cost("email\n" + "".join(f"p{number}@example.org\n" for number in range(60)))

    assert one == many <= 12


# --- Confirming --------------------------------------------------------------------------------------


def test_confirming_imports_once_and_shows_what_was_done(
    owner_client: Client, organization: Organization
) -> None:
    people_import = checked(owner_client, organization, MIXED)
    answer = owner_client.post(url("import_confirm", people_import))
    applying = owner_client.get(answer["Location"])
    imports.apply(people_import.pk)

    page = owner_client.get(answer["Location"])

    assert "All of the people are written or, should anything go wrong, nobody." in text_of(
        applying
    )
    assert set(Owner.objects.values_list("email", flat=True)) == {
        "ann@example.org",
        "bo@example.org",
        "ed@example.org",
    }
    text = text_of(page)
    assert "Finished today" in text
    assert "2 rows with errors are left out." in text
    assert "Result as CSV" in text
    assert button_is_gone(page)
    result = csv_of(owner_client.get(url("import_detail", people_import), {"format": "csv"}))
    assert [(row["row"], row["verdict"]) for row in result] == [
        ("2", "New"),
        ("3", "New"),
        ("4", "Error"),
        ("5", "Error"),
        ("6", "New"),
    ]


def button_is_gone(page: HttpResponse) -> bool:
    return "import-confirm" not in page.content.decode()


def test_confirming_twice_imports_once(owner_client: Client, organization: Organization) -> None:
    people_import = checked(owner_client, organization, MIXED)

    imported(owner_client, people_import)
    answer = owner_client.post(url("import_confirm", people_import), follow=True)
    imports.apply(people_import.pk)

    assert "Finished" in text_of(answer)
    assert Owner.objects.count() == 3


def test_an_import_into_an_account_leads_on_to_its_batches(
    owner_client: Client, account: VppAccount, organization: Organization
) -> None:
    people_import = checked(owner_client, organization, MIXED, account=account.pk, invites="on")
    subtitle = text_of(owner_client.get(url("import_detail", people_import)))
    imported(owner_client, people_import)
    register, invite = BatchFactory.create_batch(2, account=account)
    PeopleImport.objects.update(register_batch_id=register.pk, invite_batch_id=invite.pk)

    page = owner_client.get(url("import_detail", people_import))

    assert (
        "Its people also become users of Example Schools North, and the new ones are invited."
        in subtitle
    )
    assert VppUser.objects.filter(account=account).count() == 3
    for batch in (register, invite):
        address = reverse("licensing:batch_detail", args=[organization.pk, batch.pk])
        assert f'href="{address}"' in page.content.decode()


def test_there_may_be_nothing_to_import(owner_client: Client, organization: Organization) -> None:
    OwnerFactory(organization=organization, name="Ann", email="ann@example.org")
    known = checked(owner_client, organization, "name,email\nAnn,ann@example.org\nBo,bo@\n")
    wrong = checked(owner_client, organization, "name,email\nBo,bo@\n")

    pages = [owner_client.get(url("import_detail", each)) for each in (known, wrong)]

    assert [button_of(page) for page in pages] == ["", ""]
    assert "everybody without an error is known already, as the file says." in text_of(pages[0])
    assert "There is nothing to import: every row has an error." in text_of(pages[1])


def test_cancelling_writes_nobody(owner_client: Client, organization: Organization) -> None:
    people_import = checked(owner_client, organization, MIXED)

    answer = owner_client.post(url("import_cancel", people_import), follow=True)
    too_late = owner_client.post(url("import_confirm", people_import), follow=True)

    assert "Cancelled Nobody was written." in text_of(answer)
    assert button_is_gone(answer)
    assert "Cancelled Nobody was written." in text_of(too_late)
    assert not Owner.objects.exists()


# --- A file that is the whole list -------------------------------------------------------------------


@pytest.fixture
def pupils(organization: Organization) -> list[Owner]:
    """Ten who came with an earlier file, and one whom an admin added."""
    OwnerFactory(organization=organization, name="By hand", email="hand@example.org")
    return [
        OwnerFactory(
            organization=organization,
            name=f"Pupil {n}",
            email=f"pupil{n}@example.org",
            source="csv",
        )
        for n in range(10)
    ]


def without(pupils: list[Owner], number: int) -> str:
    """A file that lacks the last ones."""
    rows = [f"{pupil.name},{pupil.email}\n" for pupil in pupils[: len(pupils) - number]]
    return "name,email\n" + "".join(rows)


def test_the_missing_are_counted_and_proposed_for_retirement(
    owner_client: Client, organization: Organization, pupils: list[Owner]
) -> None:
    people_import = checked(owner_client, organization, without(pupils, 1), is_complete="on")
    page = owner_client.get(url("import_detail", people_import))

    imported(owner_client, people_import)

    after = owner_client.get(url("import_detail", people_import))
    assert figures_of(page)["Missing"] == 1
    assert "importing proposes this person for retirement." in text_of(page)
    assert button_of(page) == "Propose 1 person for retirement"
    assert 'name="confirm_missing"' not in page.content.decode()
    missing = Owner.objects.exclude(missing_since=None)
    assert list(missing.values_list("name", flat=True)) == ["Pupil 9"]
    assert "and is proposed for retirement." in text_of(after)


def test_many_missing_need_a_second_look(
    owner_client: Client, organization: Organization, pupils: list[Owner]
) -> None:
    people_import = checked(owner_client, organization, without(pupils, 7), is_complete="on")
    page = owner_client.get(url("import_detail", people_import))

    refused = owner_client.post(url("import_confirm", people_import), follow=True)
    still = PeopleImport.objects.get().state
    imported(owner_client, people_import, confirm_missing="1")

    assert "7 people are not in this file" in text_of(page)
    assert 'name="confirm_missing"' in page.content.decode()
    assert "7" in text_of(refused).partition("Nothing is written")[0]
    assert still == "checked"
    assert Owner.objects.exclude(missing_since=None).count() == 7


# --- Who may -----------------------------------------------------------------------------------------


def test_a_reader_looks_and_is_told_why_no_more(
    owner_client: Client, reader_client: Client, organization: Organization
) -> None:
    people_import = checked(owner_client, organization, MIXED)

    form = reader_client.get(add_url(organization))
    page = reader_client.get(url("import_detail", people_import))
    refused = [
        upload(reader_client, organization, MIXED),
        reader_client.post(url("import_confirm", people_import)),
        reader_client.post(url("import_cancel", people_import)),
    ]

    assert "A full admin of the organization can do it." in form.content.decode()
    assert re.search(r'<input type="file"[^>]* disabled', form.content.decode())
    assert button_of(page) == ""
    assert "A full admin of the organization can do it." in page.content.decode()
    assert [answer.status_code for answer in refused] == [403, 403, 403]
    assert PeopleImport.objects.get().state == "checked"


def test_an_outsider_and_a_network_admin_find_nothing(
    owner_client: Client, outsider_client: Client, organization: Organization
) -> None:
    people_import = checked(owner_client, organization, MIXED)
    membership = MembershipFactory(organization=organization, access="none")
    NetworkAccessFactory(membership=membership)
    addresses = [
        add_url(organization),
        reverse("users:import_template", args=[organization.pk]),
        url("import_detail", people_import),
    ]

    for client in (outsider_client, signed_in(membership.admin)):
        answers = [client.get(address) for address in addresses]
        answers.append(poll(client, people_import, "checking0"))
        assert [answer.status_code for answer in answers] == [404] * 4


def test_an_import_into_an_account_for_others_is_not_found(
    owner: Admin, owner_client: Client, account: VppAccount, organization: Organization
) -> None:
    people_import = checked(owner_client, organization, MIXED, account=account.pk)
    VppAccount.objects.update(allowed_admins="named")

    answers = [
        owner_client.get(url("import_detail", people_import)),
        owner_client.get(url("import_detail", people_import), {"format": "csv"}),
        owner_client.post(url("import_confirm", people_import)),
        owner_client.post(url("import_cancel", people_import)),
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert "people.csv" not in text_of(owner_client.get(add_url(organization)))
    assert PeopleImport.objects.get().state == "checked"
