"""REST: redemption codes, which no list shows."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps_catalog.models import CodeImport, ManagedApp, RedemptionCode
from organizations.models import AuditEvent, IdempotentAnswer, Organization, OutgoingMail
from tests import factories
from tests.api.conftest import ApiClient, client_of
from tests.codes import CODES, imported, sheet_of

pytestmark = pytest.mark.django_db
ADAM_ID = "1187400216"
State = RedemptionCode.State


@pytest.fixture
def app(organization: Organization) -> ManagedApp:
    network = factories.NetworkFactory(organization=organization, name="Oakmont")
    app = factories.AppFactory(adam_id=ADAM_ID, name="Tidepool Math", price="4.99")
    return factories.ManagedAppFactory(network=network, app=app)


def codes(app: ManagedApp, path: str = "") -> str:
    return f"/networks/{app.network_id}/sm/apps/{app.pk}/codes{path}"


def person(app: ManagedApp, name: str = "Ann", **fields: Any) -> Any:
    fields = {"email": f"{name.lower()}@example.org", **fields}
    return factories.OwnerFactory(organization=app.organization, name=name, **fields)


def uploaded(api: ApiClient, app: ManagedApp, content: bytes) -> Any:
    file = SimpleUploadedFile("codes.csv", content)
    return api.post(codes(app, "/imports"), {"file": file})


def states(app: ManagedApp) -> list[str]:
    return list(app.codes.order_by("pk").values_list("state", flat=True))


def without(told: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in names}


# --- The list -------------------------------------------------------------------------------------


def test_codes_are_listed_without_the_codes(app: ManagedApp, owner_api: ApiClient) -> None:
    imported(app, *CODES[:2])
    ann = person(app)
    owner_api.send("POST", codes(app, "/handOut"), {"ownerIds": [str(ann.pk)]})

    answer = owner_api.get(codes(app))
    given, unused = answer.json()

    assert without(given, "handedOutAt", "importedAt", "changedBy") == {
        "id": given["id"],
        "appId": str(app.pk),
        "state": "handed_out",
        "lastLetters": "GHIJ",
        "order": "M77",
        "ownerId": str(ann.pk),
        "ownerName": "Ann",
        "email": "ann@example.org",
        "redeemedAt": None,
        "mailProblem": None,
    }
    assert (unused["state"], unused["ownerId"], unused["handedOutAt"]) == ("unused", None, None)
    assert not any(code.encode() in answer.content for code in CODES)


@pytest.mark.parametrize(
    ("query", "letters"),
    [
        ("state=unused", ["QRST", "ZABC"]),
        ("state=handed_out", ["GHIJ"]),
        ("state=not_sent", ["GHIJ"]),
        ("search=zabc", ["ZABC"]),
        ("search=ann@", ["GHIJ"]),
        ("perPage=3&state=redeemed", []),
    ],
)
def test_the_list_is_filtered(
    app: ManagedApp, owner_api: ApiClient, query: str, letters: list[str]
) -> None:
    first, *_ = imported(app, *CODES)
    RedemptionCode.objects.filter(pk=first.pk).update(
        state="handed_out", email="ann@example.org", mail_problem="No such mailbox."
    )

    found = owner_api.get(codes(app, f"?{query}")).json()

    assert [code["lastLetters"] for code in found] == letters


def test_codes_are_counted(app: ManagedApp, owner_api: ApiClient) -> None:
    first, second, _ = imported(app, *CODES)
    ManagedApp.objects.update(purchase_method="codes")
    RedemptionCode.objects.filter(pk=first.pk).update(state="redeemed")
    RedemptionCode.objects.filter(pk=second.pk).update(state="handed_out", mail_problem="Gone.")
    device = factories.DeviceFactory(organization=app.organization, network=app.network)
    factories.InstallationFactory(managed_app=app, device=device)

    told = owner_api.get(codes(app, "/overview")).json()

    assert without(told, "importedAt", "asOf") == {
        "total": 3,
        "unused": 1,
        "handedOut": 1,
        "redeemed": 1,
        "notSent": 1,
        "lacking": 1,
    }


def test_the_list_costs_the_same_for_one_and_for_many(
    app: ManagedApp, owner_api: ApiClient
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            owner_api.get(codes(app))
        return len(asked)

    imported(app, CODES[0])
    count()
    one = count()
    imported(app, *CODES[1:])
    for code in RedemptionCode.objects.all():
        RedemptionCode.objects.filter(pk=code.pk).update(owner=person(app, f"P{code.pk}"))

    assert count() == one


# --- Showing --------------------------------------------------------------------------------------


def test_a_code_is_shown_once_and_that_is_noted(app: ManagedApp, owner_api: ApiClient) -> None:
    (code,) = imported(app, CODES[0])
    path, key = codes(app, f"/{code.pk}/show"), {"Idempotency-Key": "show it"}

    first = owner_api.send("POST", path, headers=key)
    again = owner_api.send("POST", path, headers=key)

    assert (first.status_code, first.json()["code"]) == (200, CODES[0])
    assert again.json() == first.json() | {"code": None}
    stored = IdempotentAnswer.objects.get()
    assert CODES[0].encode() not in bytes(stored.body)
    event = AuditEvent.objects.get(action="redemption_code.shown")
    assert (event.actor_kind, CODES[0] in str(event.after)) == ("api_key", False)
    assert states(app) == ["unused"]


def test_a_code_whose_key_is_lost_is_a_sentence(app: ManagedApp, owner_api: ApiClient) -> None:
    (code,) = imported(app, CODES[0])
    RedemptionCode.objects.update(code_ciphertext="1:nothing")

    response = owner_api.send("POST", codes(app, f"/{code.pk}/show"))

    assert (response.status_code, response.json()["code"]) == (409, "codes_unreadable")


def test_a_code_of_another_app_is_not_found(app: ManagedApp, owner_api: ApiClient) -> None:
    other = factories.ManagedAppFactory(network=app.network)
    (code,) = imported(other, CODES[0])

    assert owner_api.send("POST", codes(app, f"/{code.pk}/show")).status_code == 404


# --- Handing out ----------------------------------------------------------------------------------


def test_recipients_are_listed(app: ManagedApp, owner_api: ApiClient) -> None:
    ann, bob = person(app), person(app, "Bob")
    person(app, "Nomail", email="")
    (code,) = imported(app, CODES[0])
    RedemptionCode.objects.filter(pk=code.pk).update(state="handed_out", owner=bob)
    device = factories.DeviceFactory(organization=app.organization, network=app.network, owner=ann)
    factories.InstallationFactory(managed_app=app, device=device)

    def names(query: str) -> list[str]:
        return [row["name"] for row in owner_api.get(codes(app, f"/recipients?{query}")).json()]

    assert owner_api.get(codes(app, "/recipients")).json() == [
        {"id": str(ann.pk), "name": "Ann", "email": "ann@example.org", "hasCode": False},
        {"id": str(bob.pk), "name": "Bob", "email": "bob@example.org", "hasCode": True},
    ]
    assert (names("hasCode=false"), names("hasCode=true")) == (["Ann"], ["Bob"])
    assert (names("inScope=true"), names("search=bob@")) == (["Ann"], ["Bob"])


def test_codes_go_out_by_mail_one_each(app: ManagedApp, owner_api: ApiClient) -> None:
    ann, bob = person(app), person(app, "Bob")
    nomail = person(app, "Nomail", email="")
    first, *_ = imported(app, *CODES)
    RedemptionCode.objects.filter(pk=first.pk).update(state="handed_out", owner=bob)
    sent = {"ownerIds": [str(each.pk) for each in (ann, bob, nomail)]}

    response = owner_api.send("POST", codes(app, "/handOut"), sent)

    told = response.json()
    assert [(code["ownerId"], code["lastLetters"]) for code in told["codes"]] == [
        (str(ann.pk), "QRST")
    ]
    assert [(each["ownerId"], each["reason"]) for each in told["skipped"]] == [
        (str(bob.pk), "hasCode"),
        (str(nomail.pk), "noRecipient"),
    ]
    assert OutgoingMail.objects.get().to == "ann@example.org"
    assert b"XK3LMNOPQRST" not in response.content


def test_too_few_codes_hand_out_none(app: ManagedApp, owner_api: ApiClient) -> None:
    imported(app, CODES[0])
    sent = {"ownerIds": [str(person(app, name).pk) for name in ("Ann", "Bob")]}

    response = owner_api.send("POST", codes(app, "/handOut"), sent)

    assert (response.status_code, response.json()["code"]) == (409, "not_enough_codes")
    assert (states(app), OutgoingMail.objects.count()) == (["unused"], 0)


@pytest.mark.parametrize(
    ("sent", "code"),
    [({"ownerIds": []}, "nobody_chosen"), ({"ownerIds": ["999999"]}, "nobody_left")],
)
def test_nobody_to_hand_out_to_is_refused(
    app: ManagedApp, owner_api: ApiClient, sent: dict[str, Any], code: str
) -> None:
    imported(app, CODES[0])

    response = owner_api.send("POST", codes(app, "/handOut"), sent)

    assert (response.status_code, response.json()["code"]) == (400, code)


# --- Changing -------------------------------------------------------------------------------------


def test_codes_are_taken_back_redeemed_and_deleted(app: ManagedApp, owner_api: ApiClient) -> None:
    first, second, third = imported(app, *CODES)
    RedemptionCode.objects.filter(pk=first.pk).update(state="handed_out")

    def act(name: str, *chosen: RedemptionCode) -> Any:
        sent = {"codeIds": [str(code.pk) for code in chosen]}
        return owner_api.send("POST", codes(app, f"/{name}"), sent).json()

    assert act("takeBack", first, second) == {"changed": 1}
    assert act("redeemed", second) == {"changed": 1}
    assert act("delete", second, third) == {"changed": 1}
    assert states(app) == ["unused", "redeemed"]
    assert act("delete", second)["code"] == "none_chosen"


# --- Importing ------------------------------------------------------------------------------------


def test_a_sheet_is_uploaded_looked_at_and_confirmed(app: ManagedApp, owner_api: ApiClient) -> None:
    imported(app, CODES[0])
    sheet = sheet_of(*CODES, "short", adam_id=ADAM_ID, redeemed=(CODES[0],))

    response = uploaded(owner_api, app, sheet)
    begun = response.json()
    path = codes(app, f"/imports/{begun['id']}")
    listed = owner_api.get(codes(app, "/imports")).json()
    looked = owner_api.get(path).json()
    confirmed = owner_api.send("POST", f"{path}/confirm").json()
    again = owner_api.send("POST", f"{path}/confirm").json()

    assert (response.status_code, begun) == (201, looked)
    assert begun["preview"] == {
        "column": 0,
        "columns": [0, 1],
        "order": "M77",
        "adamId": ADAM_ID,
        "isForAnotherApp": False,
        "codes": 3,
        "new": 2,
        "unused": 2,
        "known": 1,
        "redeemed": 1,
        "newlyRedeemed": 1,
        "examples": ["••••••••QRST", "••••••••ZABC"],
        "malformedCount": 1,
        "malformed": [{"row": 7, "reason": "5 characters, and a code has 12"}],
    }
    assert listed == [without(begun, "preview", "counts")]
    assert confirmed["counts"] == {"added": 2, "known": 1, "redeemed": 1, "malformed": 1}
    assert (confirmed["preview"], again) == (None, confirmed)
    assert states(app) == ["redeemed", "unused", "unused"]
    assert owner_api.get(codes(app, "/imports")).json() == []


def test_whose_column_nobody_can_tell_is_asked_for(app: ManagedApp, owner_api: ApiClient) -> None:
    begun = uploaded(owner_api, app, b"a,b\nc,d\n" + f"e,{CODES[0]}\n".encode()).json()
    path = codes(app, f"/imports/{begun['id']}")

    nothing = owner_api.send("PUT", path, {"column": 0}).json()["preview"]
    found = owner_api.send("PUT", path, {"column": 1}).json()["preview"]
    wrong = owner_api.send("PUT", path, {"column": 9})

    assert (nothing["column"], nothing["new"]) == (0, 0)
    assert (found["column"], found["new"]) == (1, 1)
    assert (wrong.status_code, wrong.json()["code"]) == (400, "column_unknown")


def test_a_sheet_is_forgotten(app: ManagedApp, owner_api: ApiClient) -> None:
    begun = uploaded(owner_api, app, sheet_of(*CODES)).json()
    path = codes(app, f"/imports/{begun['id']}")

    response = owner_api.delete(path)

    assert (response.status_code, CodeImport.objects.count()) == (204, 0)
    assert owner_api.send("POST", f"{path}/confirm").status_code == 404
    assert not app.codes.exists()


def test_a_sheet_of_nothing_new_is_not_confirmed(app: ManagedApp, owner_api: ApiClient) -> None:
    imported(app, CODES[0])
    begun = uploaded(owner_api, app, sheet_of(CODES[0])).json()

    response = owner_api.send("POST", codes(app, f"/imports/{begun['id']}/confirm"))

    assert (response.status_code, response.json()["code"]) == (400, "no_codes")


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"x" * (2 * 2**20 + 1)])
def test_a_file_that_is_no_sheet_is_refused(
    app: ManagedApp, owner_api: ApiClient, content: bytes
) -> None:
    response = uploaded(owner_api, app, content)

    assert (response.status_code, len(response.json()["errors"])) == (400, 1)
    assert not CodeImport.objects.exists()


def test_no_file_is_said(app: ManagedApp, owner_api: ApiClient) -> None:
    response = owner_api.send("POST", codes(app, "/imports"))

    assert response.json()["errors"] == ["“file” is missing."]


# --- Who may --------------------------------------------------------------------------------------


def test_a_reader_sees_the_list_and_nothing_else(
    app: ManagedApp, reader_api: ApiClient, owner_api: ApiClient
) -> None:
    (code,) = imported(app, CODES[0])
    begun = uploaded(owner_api, app, sheet_of(CODES[1])).json()
    sheet = f"/imports/{begun['id']}"

    looks = [reader_api.get(codes(app, path)).status_code for path in ("", "/overview", "/imports")]
    hidden = [reader_api.get(codes(app, path)).status_code for path in ("/recipients", sheet)]
    acts = [
        reader_api.send("POST", codes(app, path)).status_code
        for path in (f"/{code.pk}/show", "/handOut", "/delete", "/imports", f"{sheet}/confirm")
    ]

    assert (looks, hidden, acts) == ([200] * 3, [403] * 2, [403] * 5)


def test_an_outsider_finds_nothing(
    app: ManagedApp, outsider_api: ApiClient, network_admin_api: ApiClient
) -> None:
    (code,) = imported(app, CODES[0])

    for api in (outsider_api, network_admin_api):
        assert api.get(codes(app)).status_code == 404
        assert api.send("POST", codes(app, f"/{code.pk}/show")).status_code == 404


@pytest.mark.parametrize(("can_write", "status"), [(True, 200), (False, 403)])
def test_an_admin_of_the_network_hands_out_to_whose_devices_they_see(
    app: ManagedApp, can_write: bool, status: int
) -> None:
    ann, bob = person(app), person(app, "Bob")
    factories.DeviceFactory(organization=app.organization, network=app.network, owner=ann)
    imported(app, *CODES)
    membership = factories.MembershipFactory(organization=app.organization, access="none")
    factories.NetworkAccessFactory(membership=membership, network=app.network, can_write=can_write)
    api = client_of(membership.admin)
    sent = {"ownerIds": [str(ann.pk), str(bob.pk)]}

    response = api.send("POST", codes(app, "/handOut"), sent)

    assert response.status_code == status
    served = app.codes.exclude(owner=None).values_list("owner", flat=True)
    assert list(served) == ([ann.pk] if can_write else [])


def test_every_operation_is_called_deprecated(openapi: dict[str, Any]) -> None:
    ours = {path: each for path, each in openapi["paths"].items() if "/codes" in path}
    others = openapi["paths"]["/networks/{networkId}/sm/apps"]["get"]

    marks = [operation["deprecated"] for each in ours.values() for operation in each.values()]
    assert marks == [True] * 14
    assert "deprecated" not in others
