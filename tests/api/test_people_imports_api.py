"""People out of a file over REST."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from licensing.models import Batch
from organizations.models import Admin, Organization, Owner
from tests import factories
from tests.api.conftest import BASE, key_of
from tests.workbooks import workbook
from users.imports import LARGEST_FILE
from users.models import PeopleImport, VppUser
from vpp_accounts.models import VppAccount

CSV = "name,email,Room\nAda,ada@example.org,1\nBo,bo@example.org,2\n"
NOTICE = "“Room” is no column that we read."


class Uploader:
    """Sends a file as `multipart/form-data`."""

    def __init__(self, admin: Admin, account: VppAccount, **key: Any) -> None:
        self.client = Client(headers={"Authorization": f"Bearer {key_of(admin, **key)}"})
        self.path = (
            f"{BASE}/organizations/{account.organization_id}/sm/vppAccounts/{account.pk}"
            "/users/import"
        )

    def send(self, content: bytes | str = CSV, *, headers: Any = None, **fields: Any) -> Any:
        file = SimpleUploadedFile(
            "people.csv", content.encode() if isinstance(content, str) else content
        )
        return self.client.post(self.path, {"file": file, **fields}, headers=headers)


@pytest.fixture
def uploader(owner: Admin, account: VppAccount) -> Uploader:
    return Uploader(owner, account)


def row(number: int, verdict: str, email: str, message: str = "", user: Any = None) -> dict:
    user_id = str(user.pk) if user else None
    return {
        "row": number,
        "verdict": verdict,
        "message": message,
        "email": email,
        "userId": user_id,
    }


def counts(**some: int) -> dict[str, int]:
    return {"new": 0, "update": 0, "unchanged": 0, "error": 0} | some


def test_a_dry_run_answers_a_verdict_per_row_and_writes_nothing(
    uploader: Uploader, account: VppAccount
) -> None:
    ada = factories.OwnerFactory(organization=account.organization, email="ada@example.org")
    user = factories.VppUserFactory(account=account, owner=ada)

    answer = uploader.send(CSV + "x,bad,\n", dryRun="true")

    assert (answer.status_code, answer.json()) == (
        200,
        {
            "importId": str(PeopleImport.objects.get().pk),
            "counts": counts(new=1, update=1, error=1),
            "notices": [NOTICE],
            "registerBatchId": None,
            "inviteBatchId": None,
            "rows": [
                row(2, "update", "ada@example.org", "name", user),
                row(3, "new", "bo@example.org"),
                row(
                    4, "error", "bad", "“bad” is no e-mail address. Give one like ann@example.org."
                ),
            ],
        },
    )
    assert (Owner.objects.count(), Batch.objects.count()) == (1, 0)


def test_people_are_imported_registered_and_invited(uploader: Uploader) -> None:
    answer = uploader.send(invite="true")

    ada, bo = VppUser.objects.order_by("name")
    told = answer.json()
    assert (answer.status_code, told["counts"], told["rows"]) == (
        202,
        counts(new=2),
        [row(2, "new", "ada@example.org", "", ada), row(3, "new", "bo@example.org", "", bo)],
    )
    kinds = [Batch.objects.get(pk=told[name]).kind for name in ("registerBatchId", "inviteBatchId")]
    assert kinds == ["register", "invite"]
    assert {owner.source for owner in Owner.objects.all()} == {"api"}


def test_rows_with_errors_are_refused_with_their_verdicts(uploader: Uploader) -> None:
    answer = uploader.send(CSV + "x,bad,\n")

    told = answer.json()
    assert (answer.status_code, told["errors"], told["code"]) == (
        400,
        [
            "1 row has an error, so nobody was imported. Mend the file, or leave them out with"
            " skipErrors."
        ],
        "rows_wrong",
    )
    assert [each["verdict"] for each in told["rows"]] == ["new", "new", "error"]
    assert (Owner.objects.count(), PeopleImport.objects.get().state) == (0, "cancelled")


def test_rows_with_errors_may_be_left_out(uploader: Uploader) -> None:
    answer = uploader.send(CSV + "x,bad,\n", skipErrors="true")

    assert (answer.status_code, answer.json()["counts"]) == (202, counts(new=2, error=1))
    assert VppUser.objects.count() == 2


def test_a_workbook_is_read_as_well(uploader: Uploader) -> None:
    answer = uploader.send(workbook([["email"], ["ada@example.org"]]))

    assert (answer.status_code, answer.json()["counts"]) == (202, counts(new=1))


@pytest.mark.parametrize(
    ("content", "code", "sentence"),
    [
        (b"", "file_wrong", "This file is empty."),
        (b"%PDF-1.7", "file_wrong", "This is a PDF document and no table."),
        ("first\nAda", "file_wrong", "A column “email” or “managedAppleAccount” is needed"),
        ("email\nbad", "rows_wrong", "1 row has an error"),
        (b"email\n\xff", "file_wrong", "Row 2 is not UTF-8."),
    ],
)
def test_files_that_make_no_sense_are_refused(
    uploader: Uploader, content: bytes | str, code: str, sentence: str
) -> None:
    answer = uploader.send(content)

    told = answer.json()
    assert (answer.status_code, told["code"]) == (400, code)
    assert told["errors"][0].startswith(sentence)


def test_a_file_is_needed(uploader: Uploader) -> None:
    none = uploader.client.post(uploader.path, {"dryRun": "true"})
    text = uploader.client.post(uploader.path, {"file": "x"}, content_type="application/json")

    assert (none.status_code, none.json()) == (
        400,
        {"errors": ["“file” is missing."], "code": "invalid"},
    )
    assert text.status_code == 400


def test_files_up_to_20_mb_are_taken_here_and_only_here(
    uploader: Uploader, account: VppAccount
) -> None:
    def of_size(size: int) -> bytes:
        start = b"email,Room\na@example.org,"
        return start + b"x" * 100 + b"\n" * (size - len(start) - 100)

    keyed = {"Idempotency-Key": "k"}
    large, again = (uploader.send(of_size(LARGEST_FILE), headers=keyed) for _ in range(2))
    too_large = uploader.send(of_size(LARGEST_FILE + 1))
    far_too_large = uploader.send(of_size(LARGEST_FILE + 100_000))
    elsewhere = uploader.client.post(
        uploader.path.replace("users/import", "users"), {"file": "x" * (6 * 1024**2)}
    )

    assert (large.status_code, again.content, VppUser.objects.count()) == (202, large.content, 1)
    assert too_large.json()["errors"][0].startswith("This file has 21 MB; at most 20 MB are read.")
    assert (far_too_large.status_code, far_too_large.json()["errors"]) == (
        413,
        ["The body is larger than 20 MB. Send it in parts."],
    )
    assert (elsewhere.status_code, elsewhere.json()["errors"]) == (
        413,
        ["The body is larger than 5 MB. Send it in parts."],
    )


def test_an_account_that_stopped_takes_nobody(uploader: Uploader) -> None:
    VppAccount.objects.update(state="expired", state_reason="Renew the token.")

    answer = uploader.send()

    assert (answer.status_code, answer.json()) == (
        409,
        {"errors": ["Expired: Renew the token."], "code": "account_stopped"},
    )


def test_only_who_may_write_imports(
    owner: Admin, reader: Admin, outsider: Admin, account: VppAccount
) -> None:
    """And whom the account is open to."""
    answers = [
        Uploader(reader, account).send(dryRun="true"),
        Uploader(owner, account, read_only=True).send(),
        Uploader(outsider, account).send(),
        Client().post(Uploader(owner, account).path),
    ]
    VppAccount.objects.update(allowed_admins="named")
    answers.append(Uploader(owner, account).send())

    assert [answer.status_code for answer in answers] == [403, 403, 404, 401, 403]
    assert PeopleImport.objects.count() == 0


def test_people_of_another_organization_are_not_seen(
    uploader: Uploader, organization: Organization
) -> None:
    theirs = factories.OwnerFactory(name="Theirs", email="ada@example.org")

    answer = uploader.send(dryRun="true")

    assert theirs.organization != organization
    assert answer.json()["rows"][0] == row(2, "new", "ada@example.org")
