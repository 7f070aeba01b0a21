"""A full admin who is not among the allowed admins: the account, and nothing of its licenses."""

import re

import pytest

from licensing.models import Batch
from organizations import audit
from organizations.models import AuditEvent, OutgoingMail
from tests import factories
from tests.reading import text_of
from tests.rights import District, district
from users.models import VppUser
from vpp_accounts.alarms import recipients
from vpp_accounts.models import Notification, SyncRun, VppAccount

SECRET = "Secret Title"


@pytest.fixture
def schools(fake, account, by) -> District:
    """Everything that could be told of an account, told: and only an admin of Oak is allowed."""
    found = district(fake, account)
    found.title.app.name = SECRET
    found.title.app.save()
    found.title.low_since = found.title.counts_as_of
    found.title.save()
    found.allow("named", "of Oak")
    run = SyncRun.objects.latest("pk")
    SyncRun.objects.filter(pk=run.pk).update(
        counts={"assignmentsAdded": 4711}, done=4711, total=4711
    )
    factories.AssignmentFactory(licensed_app=found.title, holder="SECRET1")
    factories.VppUserFactory(account=account, email="secret@example.org", client_user_id="secret")
    batch = factories.BatchFactory(account=account, about=SECRET, succeeded=4711)
    factories.BatchItemFactory(batch=batch, licensed_app=found.title, holder="SECRET1")
    Notification.objects.create(
        organization=account.organization,
        account=account,
        notification_id="n",
        kind="ASSET_COUNT",
        payload={"assets": [{"adamId": "4711"}]},
    )
    for target in (found.title, batch, VppUser.objects.get()):
        audit.record("title.found", by=by, organization=account.organization, target=target)
    audit.record(
        "vpp_account.synced",
        by=by,
        organization=account.organization,
        target=account,
        after={"assignmentsAdded": 4711},
    )
    return found


PAGES = (
    "",
    "mdm/",
    "activity/?each=Y&size=100",
    "activity/?format=csv",
    "running-work/?batch={batch}",
    "manage/vpp/licensed-applications/",
    "manage/vpp/licensed-applications/?format=csv",
    "manage/vpp/users/",
    "manage/vpp/users/status/?shown={user}-x",
    "manage/vpp/batches/",
    "manage/vpp/batches/?format=csv",
    "manage/vpp/activity/?each=Y",
    "manage/vpp/unknown-holders/",
    "mdm/accounts/{account}/syncs/",
    "mdm/accounts/{account}/remove/",
    "mdm/accounts/{account}/edit/",
    "mdm/accounts/{account}/renew/",
    "mdm/accounts/{account}/row/",
    "configure/owners/",
)
# Those tell of the account alone, or in other words.
SILENT = {
    "mdm/accounts/{account}/edit/",
    "mdm/accounts/{account}/renew/",
    "configure/owners/",
    "manage/vpp/unknown-holders/",
}
GONE = (
    "mdm/accounts/{account}/notifications/",
    "manage/vpp/{account}/apps/{adam_id}/STDQ/",
    "manage/vpp/{account}/apps/{adam_id}/STDQ/waiting/",
    "manage/vpp/{account}/apps/{adam_id}/STDQ/threshold/",
    "manage/vpp/{account}/holders/device/SECRET1/",
    "manage/vpp/{account}/holders/user/secret/",
    "manage/vpp/{account}/unknown-holders/",
    "manage/vpp/users/{user}/edit/",
    "manage/vpp/users/{user}/link/",
    "manage/vpp/batches/{batch}/",
    "manage/vpp/batches/{batch}/progress/",
    "manage/vpp/plans/{plan}/",
    "configure/owners/import/?account={account}",
)


def filled(schools: District, path: str) -> str:
    return schools.below(
        path.format(
            account=schools.account.pk,
            adam_id=schools.title.adam_id,
            batch=Batch.objects.get().pk,
            user=VppUser.objects.get().pk,
            plan=factories.BatchPlanFactory(title=schools.title).pk,
        )
    )


def text_of_page(schools: District, kind: str, path: str) -> tuple[int, str]:
    answer = schools.client(kind).get(filled(schools, path))
    text = b"".join(answer).decode() if answer.streaming else answer.content.decode()
    return answer.status_code, text


def given_away(text: str) -> list[str]:
    return re.findall(r"secret|4,?711|\b10 available|\b1 title", text, re.IGNORECASE)


@pytest.mark.parametrize("kind", ["full", "reader"])
@pytest.mark.parametrize("path", PAGES)
def test_nothing_of_the_licenses_is_told_on_any_page(schools, path, kind):
    status, text = text_of_page(schools, kind, path)

    needs_full = any(word in path for word in ("remove", "edit", "renew"))
    assert status in ((403,) if needs_full and kind == "reader" else (200, 204))
    assert given_away(text) == []


def test_the_same_pages_tell_it_to_an_allowed_admin(schools):
    """Also beside the frame around them, which does so on every page."""
    schools.allow("named", "full")
    texts = {path: text_of_page(schools, "full", path)[1] for path in PAGES}

    contents = {
        path: text.partition('class="page-header"')[2] or text for path, text in texts.items()
    }
    silent = {path for path, text in contents.items() if not given_away(text)}

    assert silent == SILENT


@pytest.mark.parametrize("path", GONE)
def test_pages_of_the_licenses_do_not_exist(schools, path):
    allowed = schools.client("of Oak").get(filled(schools, path)).status_code

    answer = schools.client("full").get(filled(schools, path))

    assert answer.status_code == 404
    assert allowed in (200, 403, 404)  # 403 and 404: what is for full admins


def test_the_allowed_admin_is_told_all_of_it(schools):
    client = schools.client("of Oak")

    texts = {path: text_of(client.get(filled(schools, path))) for path in ("mdm/", *GONE[1:2])}

    assert "10 available" in texts["mdm/"]
    assert SECRET in texts[GONE[1]]


@pytest.mark.parametrize("path", [path for path in GONE if "progress" not in path])
def test_writing_to_them_changes_nothing(schools, path):
    before = (Batch.objects.count(), AuditEvent.objects.count())

    answer = schools.client("full").post(filled(schools, path), {"kind": "revoke", "all": "1"})

    assert answer.status_code in (404, 405)
    assert (Batch.objects.count(), AuditEvent.objects.count()) == before


def test_a_sync_is_not_theirs_to_ask_for_and_the_button_says_whose_it_is(schools):
    client = schools.client("full")
    url = schools.below(f"mdm/accounts/{schools.account.pk}/sync/")
    before = SyncRun.objects.count()

    page = client.get(schools.below("mdm/")).content.decode()
    answer = client.post(url)

    reason = (
        f"Only its allowed admins manage {schools.account.name}: {schools.admin('of Oak').name}."
        " You can change them on Organization &gt; MDM."
    )
    assert f'title="{reason}"' in page
    assert (answer.status_code, SyncRun.objects.count()) == (403, before)
    assert "Only its allowed admins manage" in text_of(answer)


def test_how_far_a_sync_is_is_told_without_its_size(schools):
    SyncRun.objects.create(
        organization=schools.organization, account=schools.account, done=3, total=4711
    )

    texts = {
        kind: text_of(schools.client(kind).get(schools.below("mdm/")))
        for kind in ("full", "of Oak")
    }

    assert ("4,711" in texts["of Oak"] or "4711" in texts["of Oak"]) is True
    assert ("4,711" in texts["full"] or "4711" in texts["full"]) is False
    assert "syncing" in texts["full"].lower()


def test_they_renew_change_the_list_and_remove(schools, fake):
    client = schools.client("full")
    account = schools.below(f"mdm/accounts/{schools.account.pk}/")
    details = {"name": "North", "email": "vpp@example.org", "assignable_networks": "all"}

    changed = client.post(f"{account}edit/", details | {"allowed_admins": "all"}).status_code
    opened = client.get(schools.title_url).status_code
    removed = client.post(f"{account}remove/", {"typed_name": "North"}).status_code

    assert (changed, opened, removed) == (302, 200, 302)
    assert not VppAccount.objects.exists()
    assert list(
        AuditEvent.objects.filter(action__in=("vpp_account.edited", "vpp_account.removed"))
        .order_by("pk")
        .values_list("action", "actor_name")
    ) == [
        (action, schools.admin("full").email)
        for action in ("vpp_account.edited", "vpp_account.removed")
    ]


def test_alarms_reach_full_admins_but_nobody_who_has_not_accepted(schools):
    invited = factories.MembershipFactory(organization=schools.organization, accepted_at=None)

    told = recipients(schools.account)

    assert (schools.admin("full").email in told, invited.admin.email in told) == (True, False)
    assert not OutgoingMail.objects.exists()
