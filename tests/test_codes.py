"""An app's redemption codes: imported, listed, handed out, shown, taken back, deleted."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps_catalog.codes import changing, importing
from apps_catalog.codes.counting import has_codes
from apps_catalog.codes.forgetting import codes_of
from apps_catalog.codes.handing_out import hand_out
from apps_catalog.codes.letters import note_mails
from apps_catalog.codes.refusals import NobodyLeft, NotEnoughCodes
from apps_catalog.models import CodeImport, ManagedApp, RedemptionCode
from apps_catalog.tasks import forget_old_commands
from licensing.personal_data import erase, export
from organizations.audit import Actor
from organizations.models import Admin, AuditEvent, Organization, OutgoingMail
from organizations.refusals import Refusal
from organizations.tasks import send_mail
from tests import factories
from tests.codes import CODES, imported, sheet_of
from tests.conftest import signed_in
from tests.reading import errors_of, text_of

ADAM_ID = "1187400216"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def app(organization: Organization) -> ManagedApp:
    network = factories.NetworkFactory(organization=organization, name="Oakmont")
    app = factories.AppFactory(adam_id=ADAM_ID, name="Tidepool Math", price="4.99")
    return factories.ManagedAppFactory(network=network, app=app)


@pytest.fixture
def page(app: ManagedApp) -> str:
    return f"/organizations/{app.organization_id}/manage/apps/{app.pk}/codes/"


def person(app: ManagedApp, name: str = "Ann Lee", **fields: Any):
    email = f"{name.split()[0].lower()}@example.org"
    fields = {"organization": app.organization, "name": name, "email": email, **fields}
    return factories.OwnerFactory(**fields)


def uploaded(client: Client, page: str, content: bytes, name: str = "codes.csv"):
    return client.post(f"{page}import/", {"file": SimpleUploadedFile(name, content)})


def give(app: ManagedApp, admin: Admin, *owners: Any) -> list[RedemptionCode]:
    return hand_out(
        by=Actor.of_admin(admin),
        membership=admin.memberships.get(),
        managed_app=app,
        owner_ids=[each.pk for each in owners],
    )


def told(codes: Any) -> list[tuple[str, str, str]]:
    rows = codes.order_by("pk").values_list("last_letters", "state", "email")
    return list(rows)


def network_client(app: ManagedApp, *, can_write: bool) -> Client:
    """An admin of the app's network alone."""
    membership = factories.MembershipFactory(organization=app.organization, access="none")
    factories.NetworkAccessFactory(membership=membership, network=app.network, can_write=can_write)
    return signed_in(membership.admin)


# --- Importing ------------------------------------------------------------------------------------


def test_a_sheet_is_looked_at_masked_and_confirmed_once(
    app: ManagedApp, page: str, owner_client: Client, owner: Admin
) -> None:
    content = sheet_of(*CODES, "SHORT", adam_id=ADAM_ID, redeemed=CODES[2:])

    preview = uploaded(owner_client, page, content)
    text = text_of(owner_client.get(preview.url))
    nothing_yet = has_codes(app)
    for _ in range(2):
        owner_client.post(preview.url, {"kind": "confirm"})

    for words in ("New, unused 2", "Known already 0", "Marked redeemed 1", "Malformed 1"):
        assert words in text
    assert "Order M77." in text
    assert "••••••••GHIJ" in text
    assert "Row 7: 5 characters, and a code has 12." in text
    assert "another app" not in text
    assert [each for each in CODES if each in text] == []
    assert nothing_yet is False
    assert told(app.codes) == [
        ("GHIJ", "unused", ""),
        ("QRST", "unused", ""),
        ("ZABC", "redeemed", ""),
    ]
    assert [each.code for each in app.codes.order_by("pk")] == list(CODES)
    event = AuditEvent.objects.get(action="redemption_code.imported")
    assert (event.actor_name, event.after) == (
        owner.email,
        {"added": 3, "known": 0, "redeemed": 1, "malformed": 1}
        | {"file": "codes.csv", "order": "M77"},
    )
    assert CodeImport.objects.get().rows == "[]"


def test_a_newer_sheet_adds_what_is_new_and_says_what_is_redeemed(app: ManagedApp) -> None:
    imported(app, *CODES[:2])

    imported(app, *CODES, redeemed=CODES[:1])

    assert told(app.codes) == [
        ("GHIJ", "redeemed", ""),
        ("QRST", "unused", ""),
        ("ZABC", "unused", ""),
    ]


def test_codes_of_another_app_are_left_alone(app: ManagedApp, organization: Organization) -> None:
    network = factories.NetworkFactory(organization=organization)
    other = factories.ManagedAppFactory(network=network)
    imported(other, *CODES[:1])

    imported(app, *CODES[:2], redeemed=CODES[:1])

    assert told(app.codes) == [("QRST", "unused", "")]
    assert told(other.codes) == [("GHIJ", "unused", "")]


def test_a_sheet_of_another_app_is_warned_of(
    app: ManagedApp, page: str, owner_client: Client
) -> None:
    preview = uploaded(owner_client, page, sheet_of(*CODES, adam_id="361309726"))

    text = text_of(owner_client.get(preview.url))

    assert "it names the Adam ID 361309726, and Tidepool Math has 1187400216" in text


def test_where_no_column_is_found_one_is_asked_for(
    app: ManagedApp, page: str, owner_client: Client
) -> None:
    content = f"number,what\n1,{CODES[0]}\n2,old\n3,older".encode()

    preview = uploaded(owner_client, page, content).url
    asked = text_of(owner_client.get(preview))
    wrong = owner_client.post(preview, {"kind": "column", "column": "7"})
    owner_client.post(preview, {"kind": "column", "column": "1"})
    owner_client.post(preview, {"kind": "confirm"})

    assert "In which column do the codes stand?" in asked
    assert "Column B: 4 cells, such as olde…" in asked
    assert CODES[0] not in asked
    assert "Select a valid choice" in " ".join(errors_of(wrong))
    assert told(app.codes) == [("GHIJ", "unused", "")]


def test_a_cancelled_sheet_is_forgotten_at_once(
    app: ManagedApp, page: str, owner_client: Client
) -> None:
    preview = uploaded(owner_client, page, sheet_of(*CODES)).url

    owner_client.post(preview, {"kind": "cancel"})

    assert (CodeImport.objects.count(), has_codes(app)) == (0, False)
    assert owner_client.get(preview).status_code == 404


def test_a_sheet_that_nobody_confirmed_is_forgotten_after_a_week(app: ManagedApp) -> None:
    importing.start_import(
        by=Actor.system("Test"), managed_app=app, file_name="a.csv", content=sheet_of(*CODES)
    )

    with time_machine.travel(timezone.now() + timedelta(days=6)):
        forget_old_commands()
    kept = CodeImport.objects.count()
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        forget_old_commands()

    assert (kept, CodeImport.objects.count()) == (1, 0)


def test_a_file_that_is_no_table_is_refused_beside_its_field(
    app: ManagedApp, page: str, owner_client: Client
) -> None:
    response = uploaded(owner_client, page, b"%PDF-1.7", "codes.pdf")

    assert response.status_code == 200
    assert "This is a PDF document" in " ".join(errors_of(response))


# --- The list -------------------------------------------------------------------------------------


def test_the_page_counts_and_never_tells_a_code(
    app: ManagedApp, page: str, owner_client: Client, owner: Admin
) -> None:
    imported(app, *CODES, redeemed=CODES[2:])
    give(app, owner, person(app))

    response = owner_client.get(page)
    csv = owner_client.get(page, {"format": "csv"})

    text = text_of(response)
    for words in ("Deprecated by Apple", "Unused 1", "Handed out 1", "Redeemed 1", "…GHIJ", "Ann"):
        assert words in text
    assert "1 code is unused. Apple turns" in text
    whole = response.content.decode() + b"".join(csv.streaming_content).decode()
    assert "ann@example.org" in whole
    assert [each for each in CODES if each in whole] == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=unused", ["QRST"]),
        ("state=redeemed", ["ZABC"]),
        ("state=not_sent", []),
        ("q=ann", ["GHIJ"]),
        ("q=qrst", ["QRST"]),
        ("sort=-whom", ["GHIJ", "ZABC", "QRST"]),
    ],
)
def test_the_list_is_filtered_and_sorted(
    app: ManagedApp, page: str, owner_client: Client, owner: Admin, query: str, found: list[str]
) -> None:
    imported(app, *CODES, redeemed=CODES[2:])
    give(app, owner, person(app))

    response = owner_client.get(f"{page}?{query}")

    letters = re.findall(r">…(\w{4})<", response.content.decode())
    assert sorted(letters) == sorted(found)
    assert letters[:1] == found[:1]


def test_the_list_costs_the_same_for_one_and_for_many(
    app: ManagedApp, page: str, owner_client: Client, owner: Admin
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            owner_client.get(page)
        return len(asked)

    imported(app, *CODES)
    give(app, owner, person(app))
    owner_client.get(page)
    one = count()
    give(app, owner, person(app, "Ben Ode"), person(app, "Cid Poe"))

    assert count() == one


def test_devices_in_scope_whose_owner_has_none_are_counted(
    app: ManagedApp, page: str, owner_client: Client, owner: Admin
) -> None:
    imported(app, CODES[0])
    ann, ben = person(app), person(app, "Ben Ode")
    for holder in (ann, ben, None):
        device = factories.DeviceFactory(
            organization=app.organization, network=app.network, owner=holder
        )
        factories.InstallationFactory(managed_app=app, device=device)
    unasked = text_of(owner_client.get(page))
    ManagedApp.objects.update(purchase_method="codes")

    before = text_of(owner_client.get(page))
    give(app, owner, ann)
    after = text_of(owner_client.get(page))

    assert "owner without a code" not in unasked
    assert "In scope, owner without a code 3" in before
    assert "In scope, owner without a code 2" in after
    assert "No unused redemption code of the app is left." not in before
    assert "No unused redemption code of the app is left." in after


# --- Handing out ----------------------------------------------------------------------------------


def test_a_chosen_owner_is_sent_one_code(
    app: ManagedApp, page: str, owner_client: Client, owner: Admin
) -> None:
    imported(app, *CODES)
    ann, ben = person(app), person(app, "Ben Ode", language="de")

    for _ in range(2):
        owner_client.post(f"{page}hand-out/", {"holder": [ann.pk, ben.pk], "kind": "hand_out"})
    send_mail()

    assert told(app.codes) == [
        ("GHIJ", "handed_out", "ann@example.org"),
        ("QRST", "handed_out", "ben@example.org"),
        ("ZABC", "unused", ""),
    ]
    to_ann, to_ben = sorted(mail.outbox, key=lambda each: each.to)
    assert (to_ann.to, to_ann.subject) == (["ann@example.org"], "Your code for Tidepool Math")
    assert to_ann.body.splitlines()[:8] == [
        "Hello Ann Lee,",
        "",
        "Example Schools gives you a code with which you get Tidepool Math from Apple.",
        "",
        CODES[0],
        "",
        "Redeem the code:",
        f"https://apps.apple.com/redeem?code={CODES[0]}",
    ]
    assert to_ben.subject == "Ihr Code für Tidepool Math"
    assert CODES[1] in to_ben.body
    assert set(OutgoingMail.objects.values_list("text", "html")) == {("", "")}
    events = AuditEvent.objects.filter(action="redemption_code.handed_out").order_by("pk")
    assert [(each.target_name, each.after) for each in events] == [
        (name, {"app": "Tidepool Math", "network": "Oakmont"}) for name in ("…GHIJ", "…QRST")
    ]


def test_the_mail_is_in_the_name_of_the_account_it_draws_from(
    app: ManagedApp, owner: Admin
) -> None:
    account = factories.VppAccountFactory(
        organization=app.organization, name="North", email="north@example.org"
    )
    factories.ManagedAppAccountFactory(managed_app=app, account=account)
    imported(app, *CODES)

    give(app, owner, person(app))

    letter = OutgoingMail.objects.get()
    assert (letter.from_name, letter.headers) == ("North", {"Reply-To": "north@example.org"})


def test_too_few_codes_hand_out_none(app: ManagedApp, page: str, owner_client: Client) -> None:
    imported(app, CODES[0])
    both = [person(app).pk, person(app, "Ben Ode").pk]

    response = owner_client.post(f"{page}hand-out/", {"holder": both}, follow=True)

    assert "2 wanted, and 1 unused is left." in text_of(response)
    assert (told(app.codes), OutgoingMail.objects.count()) == ([("GHIJ", "unused", "")], 0)


def test_who_has_no_address_or_is_elsewhere_gets_none(app: ManagedApp, owner: Admin) -> None:
    imported(app, *CODES)
    nobody, stranger = person(app, email=""), factories.OwnerFactory(email="x@example.net")

    with pytest.raises(NobodyLeft):
        give(app, owner, nobody, stranger)


def test_a_mail_that_fails_marks_its_code(
    app: ManagedApp, page: str, owner_client: Client, owner: Admin
) -> None:
    imported(app, *CODES)
    give(app, owner, person(app), person(app, "Ben Ode"))
    failed, fine = OutgoingMail.objects.order_by("to")
    failed.error = "The mail server refused this address: 550 nobody"
    fine.sent_at = timezone.now()

    note_mails([failed, fine])

    assert list(app.codes.order_by("pk").values_list("last_letters", "mail_problem")) == [
        ("GHIJ", "The mail server refused this address: 550 nobody"),
        ("QRST", ""),
        ("ZABC", ""),
    ]
    text = text_of(owner_client.get(page, {"state": "not_sent"}))
    assert "1 mail could not be sent." in text
    assert "Mail not sent: The mail server refused this address: 550 nobody" in text


def test_a_mail_of_an_earlier_hand_out_says_nothing_of_this_one(
    app: ManagedApp, owner: Admin, by: Actor
) -> None:
    imported(app, CODES[0])
    ann = person(app)
    (code,) = give(app, owner, ann)
    earlier = OutgoingMail.objects.get()
    changing.take_back(by=by, managed_app=app, code_ids=[code.pk])
    give(app, owner, ann)
    earlier.error = "The mail server refused this address"

    note_mails([earlier])

    assert RedemptionCode.objects.get().mail_problem == ""
    assert OutgoingMail.objects.count() == 2


# --- What is done to codes ------------------------------------------------------------------------


def test_a_code_is_taken_back_with_its_mail(
    app: ManagedApp, page: str, owner_client: Client, owner: Admin
) -> None:
    imported(app, *CODES)
    (code,) = give(app, owner, person(app))

    owner_client.post(page, {"kind": "take_back", "holder": [code.pk]})
    send_mail()

    assert told(app.codes)[0] == ("GHIJ", "unused", "")
    assert mail.outbox == []
    assert AuditEvent.objects.latest("pk").action == "redemption_code.taken_back"


def test_all_that_match_are_marked_and_only_unused_ones_deleted(
    app: ManagedApp, page: str, owner_client: Client, owner: Admin
) -> None:
    imported(app, *CODES)
    give(app, owner, person(app))

    owner_client.post(f"{page}?state=handed_out", {"kind": "redeemed", "all": "1"})
    response = owner_client.post(page, {"kind": "delete", "all": "1"}, follow=True)

    assert "2 codes deleted." in text_of(response)
    assert told(app.codes) == [("GHIJ", "redeemed", "ann@example.org")]
    event = AuditEvent.objects.get(action="redemption_code.deleted")
    assert (event.target_name, event.after) == ("Tidepool Math", {"codes": 2, "network": "Oakmont"})


@pytest.mark.parametrize(
    ("posted", "refusal"),
    [
        ({"kind": "take_back", "all": "1"}, "one code that is handed out and not redeemed"),
        ({"kind": "redeemed"}, "choose at least one code that is not redeemed yet"),
        ({"kind": "buy", "all": "1"}, "Press one of the buttons above the list"),
    ],
)
def test_what_cannot_be_done_is_said(
    app: ManagedApp, page: str, owner_client: Client, posted: dict[str, str], refusal: str
) -> None:
    imported(app, *CODES)

    response = owner_client.post(page, posted, follow=True)

    assert refusal in text_of(response)
    assert {state for _, state, _ in told(app.codes)} == {"unused"}


def test_a_code_is_shown_once_asked_for_and_that_is_noted(
    app: ManagedApp, page: str, owner_client: Client
) -> None:
    (code,) = imported(app, CODES[0])

    before = owner_client.get(f"{page}{code.pk}/show/").content.decode()
    shown = owner_client.post(f"{page}{code.pk}/show/").content.decode()

    assert CODES[0] not in before
    assert CODES[0] in shown
    events = AuditEvent.objects.filter(action="redemption_code.shown")
    assert [(each.target_name, each.after) for each in events] == [
        ("…GHIJ", {"app": "Tidepool Math", "network": "Oakmont"})
    ]


# --- Who may --------------------------------------------------------------------------------------


def test_who_may_see_and_who_may_act(
    app: ManagedApp, page: str, reader_client: Client, outsider_client: Client, owner: Admin
) -> None:
    (code,) = imported(app, CODES[0])
    found = importing.start_import(
        by=Actor.of_admin(owner), managed_app=app, file_name="a.csv", content=sheet_of(*CODES)
    )
    below = ["hand-out/", "import/", f"import/{found.pk}/", f"{code.pk}/show/"]
    writer, looker = (network_client(app, can_write=each) for each in (True, False))

    def answers(client: Client) -> list[int]:
        urls = [page + each for each in ("", *below)]
        return [client.get(url).status_code for url in urls]

    assert answers(writer) == [200] * 5
    assert answers(looker) == answers(reader_client) == [200, *[403] * 4]
    assert answers(outsider_client) == [404] * 5
    assert [
        client.post(page, {"kind": "delete", "all": "1"}).status_code
        for client in (looker, reader_client, outsider_client, writer)
    ] == [403, 403, 404, 302]
    assert has_codes(app) is False


def test_a_reader_sees_why_the_buttons_are_disabled(
    app: ManagedApp, page: str, reader_client: Client
) -> None:
    imported(app, *CODES)

    text = reader_client.get(page).content.decode()

    assert text.count("You have read-only access to the network of this app") >= 5
    assert "hand-out/" not in text


def test_an_admin_of_networks_hands_out_to_owners_of_devices_there(
    app: ManagedApp, page: str
) -> None:
    imported(app, *CODES)
    ann, ben = person(app), person(app, "Ben Ode")
    factories.DeviceFactory(organization=app.organization, network=app.network, owner=ann)
    client = network_client(app, can_write=True)

    text = text_of(client.get(f"{page}hand-out/"))
    client.post(f"{page}hand-out/", {"holder": [ann.pk, ben.pk]})

    assert ("Ann Lee" in text, "Ben Ode" in text) == (True, False)
    assert told(app.codes)[:2] == [
        ("GHIJ", "handed_out", "ann@example.org"),
        ("QRST", "unused", ""),
    ]


def test_an_export_names_the_codes_that_a_person_was_given(app: ManagedApp, owner: Admin) -> None:
    imported(app, *CODES)
    ann = person(app)
    with time_machine.travel(NOON, tick=False):
        give(app, owner, ann, person(app, "Ben Ode"))

    data = export(by=Actor.of_admin(owner), membership=owner.memberships.get(), owner=ann)

    assert data["redemptionCodes"] == [
        {
            "app": "Tidepool Math",
            "network": "Oakmont",
            "email": "ann@example.org",
            "state": "handed_out",
            "handedOutAt": "2026-11-23T12:00:00Z",
            "redeemedAt": None,
        }
    ]
    assert CODES[0] not in str(data)


def test_an_erased_person_is_in_no_code(app: ManagedApp, owner: Admin) -> None:
    imported(app, *CODES)
    ann, ben = person(app), person(app, "Ben Ode")
    give(app, owner, ann, ben)

    erase(by=Actor.of_admin(owner), membership=owner.memberships.get(), owner=ann)

    assert told(app.codes) == [
        ("GHIJ", "handed_out", ""),
        ("QRST", "handed_out", "ben@example.org"),
        ("ZABC", "unused", ""),
    ]
    assert [each.last_letters for each in codes_of(ben)] == ["QRST"]
    assert list(OutgoingMail.objects.values_list("to", flat=True)) == ["ben@example.org"]


# --- Two at once ----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True, databases=["default", "system", "owner"])
def test_two_admins_hand_out_the_last_codes_and_nobody_gets_the_same(
    app: ManagedApp, owner: Admin
) -> None:
    imported(app, *CODES[:2])
    people = [person(app, name) for name in ("Ann Lee", "Ben Ode", "Cid Poe")]

    def alone(each: Any) -> str:
        try:
            return give(app, owner, each)[0].last_letters
        except Refusal as refusal:
            return type(refusal).__name__
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as pool:
        outcomes = sorted(pool.map(alone, people))

    assert outcomes == ["GHIJ", NotEnoughCodes.__name__, "QRST"]
    assert OutgoingMail.objects.count() == 2
