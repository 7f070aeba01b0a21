"""Owners out of files over REST: uploaded, checked by a worker, confirmed, applied."""

import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.test.utils import CaptureQueriesContext

from licensing.models import Batch
from organizations.models import Admin, AuditEvent, Organization, Owner
from organizations.uploads import LARGEST
from tests import factories
from tests.api.conftest import ApiClient, client_of, key_of
from tests.workbooks import workbook
from users import imports
from users.models import PeopleImport, VppUser
from vpp_accounts.models import VppAccount

CSV = "name,email,tags,Room\nAda,ada@example.org,staff art,1\nBo,bo@example.org,,2\nCy,bad,,3\n"
BAD = "“bad” is no e-mail address. Give one like ann@example.org."


@pytest.fixture
def path(organization: Organization) -> str:
    return f"/organizations/{organization.pk}/sm/owners/imports"


def upload(api: ApiClient, path: str, content: bytes | str = CSV, **fields: Any) -> Any:
    data = content.encode() if isinstance(content, str) else content
    sent = {"file": SimpleUploadedFile("people.csv", data), **fields}
    return api.generic("POST", path, encode_multipart(BOUNDARY, sent), MULTIPART_CONTENT)


def checked(api: ApiClient, path: str, content: bytes | str = CSV, **fields: Any) -> str:
    """Uploaded, and looked at by a worker: the import's address."""
    answer = upload(api, path, content, **fields)
    assert answer.status_code == 202, answer.content
    imports.check(answer.json()["id"])
    return f"{path}/{answer.json()['id']}"


def applied(one: str) -> None:
    """A worker has written it."""
    imports.apply(one.rsplit("/", 1)[1])


def moment(value: Any) -> str:
    return f"{value:%Y-%m-%dT%H:%M:%SZ}"


def row(number: int, verdict: str, name: str, email: str, **fields: Any) -> dict[str, Any]:
    return {
        "row": number,
        "verdict": verdict,
        "message": "",
        "name": name,
        "email": email,
        "username": "",
        "tags": [],
        "managedAppleAccount": "",
        "ownerId": None,
    } | fields


# --- The way of a file ------------------------------------------------------------------------------


def test_a_file_is_uploaded_checked_confirmed_and_applied(
    owner_api: ApiClient, path: str, organization: Organization
) -> None:
    begun = upload(owner_api, path)
    one = f"{path}/{begun.json()['id']}"
    imports.check(begun.json()["id"])
    looked_at = owner_api.get(one)
    rows = owner_api.get(f"{one}/rows")
    nobody_yet = Owner.objects.exists()
    confirmed = owner_api.send("POST", f"{one}/confirm")
    applied(one)
    finished = owner_api.get(one)

    stored = PeopleImport.objects.get()
    as_begun = {
        "id": str(stored.pk),
        "fileName": "people.csv",
        "state": "checking",
        "problem": None,
        "counts": None,
        "wholeList": False,
        "missing": None,
        "needsConfirmMissing": False,
        "notices": [],
        "createdBy": stored.actor_name,
        "createdAt": moment(stored.created_at),
        "checkedAt": None,
        "finishedAt": None,
        "vppAccountId": None,
        "invite": False,
        "registerBatchId": None,
        "inviteBatchId": None,
    }
    as_checked = as_begun | {
        "state": "checked",
        "counts": {"new": 2, "update": 0, "unchanged": 0, "error": 1},
        "missing": 0,
        "notices": ["“Room” is no column that we read."],
        "checkedAt": moment(stored.checked_at),
    }
    assert (begun.status_code, begun.json()) == (202, as_begun)
    assert (looked_at.status_code, looked_at.json()) == (200, as_checked)
    assert rows.json() == [
        row(2, "new", "Ada", "ada@example.org", tags=["staff", "art"]),
        row(3, "new", "Bo", "bo@example.org"),
        row(4, "error", "Cy", "bad", message=BAD),
    ]
    assert not nobody_yet
    assert (confirmed.status_code, confirmed.json()) == (202, as_checked | {"state": "applying"})
    assert finished.json() == as_checked | {
        "state": "finished",
        "finishedAt": moment(stored.finished_at),
    }
    owners = Owner.objects.filter(organization=organization).order_by("name")
    assert list(owners.values_list("name", "source")) == [("Ada", "csv"), ("Bo", "csv")]
    assert stored.actor_name.startswith("owner@example.org (Tests")
    assert AuditEvent.objects.filter(action="people.imported").count() == 1


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("verdict=error", [4]),
        ("verdict=update", []),
        ("search=bo@", [3]),
        ("search=is+no+e-mail", [4]),
        ("perPage=3", [2, 3, 4]),
    ],
)
def test_rows_are_found(owner_api: ApiClient, path: str, query: str, expected: list[int]) -> None:
    one = checked(owner_api, path)

    found = owner_api.get(f"{one}/rows?{query}")

    assert [each["row"] for each in found.json()] == expected


def test_rows_come_in_pages(owner_api: ApiClient, path: str) -> None:
    lines = "".join(f"p{number}@example.org\n" for number in range(5))
    one = checked(owner_api, path, f"email\n{lines}")

    first = owner_api.get(f"{one}/rows?perPage=3")
    after = first.headers["Link"].split("startingAfter=")[1].split(">")[0]
    second = owner_api.get(f"{one}/rows?perPage=3&startingAfter={after}")

    told = [[each["row"] for each in page.json()] for page in (first, second)]
    assert told == [[2, 3, 4], [5, 6]]


def test_the_newest_import_is_listed_first(owner_api: ApiClient, path: str) -> None:
    ids = [upload(owner_api, path).json()["id"] for _ in range(3)]

    listed = owner_api.get(path)

    assert [each["id"] for each in listed.json()] == ids[::-1]


def test_imports_and_rows_cost_the_same_however_many_there_are(
    owner_api: ApiClient, path: str, organization: Organization
) -> None:
    def cost(address: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert owner_api.get(address).status_code == 200
        return len(asked)

    first = factories.ImportRowFactory(people_import__organization=organization).people_import
    addresses = (path, f"{path}/{first.pk}/rows")
    cost(path)  # the key's first use is noted
    for_one = [cost(address) for address in addresses]
    factories.ImportRowFactory.create_batch(2, people_import=first)
    factories.PeopleImportFactory.create_batch(2, organization=organization)

    assert [cost(address) for address in addresses] == for_one


def test_people_become_users_of_an_account_and_are_invited(
    owner_api: ApiClient, path: str, account: VppAccount
) -> None:
    one = checked(owner_api, path, vppAccountId=str(account.pk), invite="true")
    owner_api.send("POST", f"{one}/confirm")
    applied(one)

    told = owner_api.get(one).json()

    kinds = [Batch.objects.get(pk=told[name]).kind for name in ("registerBatchId", "inviteBatchId")]
    assert (told["vppAccountId"], told["invite"]) == (str(account.pk), True)
    assert kinds == ["register", "invite"]
    assert VppUser.objects.filter(account=account).count() == 2


def test_a_whole_list_that_lacks_many_has_to_be_confirmed(
    owner_api: ApiClient, path: str, organization: Organization
) -> None:
    factories.OwnerFactory.create_batch(7, organization=organization, source="csv")
    one = checked(owner_api, path, wholeList="true")

    told = owner_api.get(one).json()
    refused = owner_api.send("POST", f"{one}/confirm")
    confirmed = owner_api.send("POST", f"{one}/confirm", {"confirmMissing": True})
    applied(one)

    assert (told["wholeList"], told["missing"], told["needsConfirmMissing"]) == (True, 7, True)
    assert (refused.status_code, refused.json()["code"]) == (409, "many_missing")
    assert confirmed.status_code == 202
    assert Owner.objects.exclude(missing_since=None).count() == 7


def test_a_cancelled_import_writes_nothing(owner_api: ApiClient, path: str) -> None:
    one = checked(owner_api, path)

    cancelled = owner_api.send("POST", f"{one}/cancel")
    confirmed = owner_api.send("POST", f"{one}/confirm")

    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert (confirmed.status_code, confirmed.json()["code"]) == (409, "import_not_waiting")
    assert not Owner.objects.exists()


def test_what_is_written_is_not_cancelled(owner_api: ApiClient, path: str) -> None:
    one = checked(owner_api, path)
    owner_api.send("POST", f"{one}/confirm")
    applied(one)

    answer = owner_api.send("POST", f"{one}/cancel")

    assert (answer.status_code, answer.json()["code"]) == (409, "import_not_waiting")
    assert Owner.objects.count() == 2


# --- What is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "This file is empty."),
        (b"%PDF-1.7", "This is a PDF document and no table."),
        (b"email\n" + b"\n" * LARGEST + b"a@example.org", "This file has 21 MB; at most 20 MB"),
    ],
)
def test_what_is_no_table_is_refused_at_once(
    owner_api: ApiClient, path: str, content: bytes, sentence: str
) -> None:
    answer = upload(owner_api, path, content)

    assert (answer.status_code, answer.json()["code"]) == (400, "file_wrong")
    assert answer.json()["errors"][0].startswith(sentence)
    assert not PeopleImport.objects.exists()


def test_a_file_without_a_column_that_we_need_fails_with_the_reason(
    owner_api: ApiClient, path: str
) -> None:
    one = checked(owner_api, path, "first\nAda")

    told = owner_api.get(one).json()

    assert (told["state"], told["counts"]) == ("failed", None)
    assert told["problem"].startswith("A column “email” or “managedAppleAccount” is needed")


def test_a_workbook_is_read_as_well(owner_api: ApiClient, path: str) -> None:
    one = checked(owner_api, path, workbook([["email"], ["ada@example.org"]]))

    assert owner_api.get(one).json()["counts"]["new"] == 1


def test_fields_that_make_no_sense_are_refused(
    owner_api: ApiClient, path: str, organization: Organization, account: VppAccount
) -> None:
    closed = factories.VppAccountFactory(organization=organization, allowed_admins="named")
    elsewhere = factories.VppAccountFactory()

    answers = [
        owner_api.send("POST", path),
        owner_api.send("POST", path, {"file": "text"}),
        upload(owner_api, path, invite="true"),
        upload(owner_api, path, vppAccountId="x"),
        upload(owner_api, path, vppAccountId=str(closed.pk)),
        upload(owner_api, path, vppAccountId=str(elsewhere.pk)),
    ]

    nobody = "“vppAccountId” must be the id of a VPP account whose users are open to you."
    assert {answer.status_code for answer in answers} == {400}
    assert [answer.json()["errors"] for answer in answers] == [
        ["“file” is missing."],
        [
            "“file”: The submitted data was not a file. Check the encoding type on the form.",
        ],
        ["“invite” needs “vppAccountId”: invitations come from a VPP account."],
        ["“vppAccountId”: must be an id: digits only."],
        [nobody],
        [nobody],
    ]
    assert not PeopleImport.objects.exists()


# --- Who may ----------------------------------------------------------------------------------------


def test_imports_are_for_who_sees_the_organization_and_begun_by_full_admins(
    owner: Admin,
    reader_api: ApiClient,
    network_admin_api: ApiClient,
    outsider_api: ApiClient,
    owner_api: ApiClient,
    path: str,
) -> None:
    one = checked(owner_api, path)
    clients = (reader_api, network_admin_api, outsider_api, client_of(owner, read_only=True))

    read = [[api.get(each).status_code for each in (path, one, f"{one}/rows")] for api in clients]
    wrote = [
        {
            upload(api, path).status_code,
            api.send("POST", f"{one}/confirm").status_code,
            api.send("POST", f"{one}/cancel").status_code,
        }
        for api in clients
    ]

    assert read == [[200] * 3, [403] * 3, [404] * 3, [200] * 3]
    assert wrote == [{403}, {403}, {404}, {403}]
    assert PeopleImport.objects.get().state == "checked"


def test_an_import_into_an_account_is_for_its_allowed_admins(
    owner_api: ApiClient, path: str, account: VppAccount
) -> None:
    one = checked(owner_api, path, vppAccountId=str(account.pk))
    VppAccount.objects.update(allowed_admins="named")

    answers = [owner_api.get(one), owner_api.send("POST", f"{one}/confirm")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert owner_api.get(path).json() == []


def test_an_import_elsewhere_is_not_found(owner_api: ApiClient, path: str) -> None:
    elsewhere = factories.PeopleImportFactory()

    answers = [owner_api.get(f"{path}/{pk}") for pk in (elsewhere.pk, uuid.uuid4(), "17")]

    assert [answer.status_code for answer in answers] == [404, 404, 404]


def test_the_same_upload_with_the_same_key_begins_one_import(owner: Admin, path: str) -> None:
    api = ApiClient(headers={"Authorization": f"Bearer {key_of(owner)}", "Idempotency-Key": "k"})

    first, again = upload(api, path), upload(api, path)

    assert (first.status_code, again.content) == (202, first.content)
    assert PeopleImport.objects.count() == 1
