"""The rights of an account over REST: who is let in to what, and what is skipped."""

from typing import Any

import pytest

from licensing.models import Batch, BatchItem, BatchPlan, LicensedApp
from organizations.models import NetworkAccess
from tests import factories
from tests.api.conftest import ApiClient, client_of
from tests.draining import at_apple, drain
from tests.people import person
from tests.rights import ALLOWED, KINDS, MANAGING, OF_THE_ORGANIZATION, OPEN, District, district
from users.models import VppUser
from vpp_accounts.models import SyncRun, VppAccount


@pytest.fixture
def schools(fake, account) -> District:
    return district(fake, account)


@pytest.fixture
def ada(schools: District) -> VppUser:
    return person(schools.account, "Ada", "Registered")


def api(schools: District, kind: str, **key: Any) -> ApiClient:
    return client_of(schools.admin(kind), **key)


def grant(schools: District, *serials: str, **more: Any) -> dict[str, Any]:
    assets = [{"adamId": schools.title.adam_id}]
    return {"kind": "grant", "assets": assets, "serialNumbers": serials, **more}


@pytest.mark.parametrize("allowed", ALLOWED)
@pytest.mark.parametrize("kind", KINDS)
def test_what_each_admins_key_gets(schools, ada, kind, allowed):
    schools.allow(allowed)
    client, path = api(schools, kind), schools.api
    mine = "BIRCH1" if kind == "of Birch" else "OAK1"

    answers = {
        "account": client.get(path),
        "assets": client.get(f"{path}/assets"),
        "users": client.get(f"{path}/users"),
        "batches": client.get(f"{path}/batches"),
        "runs": client.get(f"{path}/syncRuns"),
        "grant": client.send("POST", f"{path}/batches", grant(schools, mine, dryRun=True)),
        "invite": client.send(
            "POST", f"{path}/users/invite", {"userIds": [str(ada.pk)], "dryRun": True}
        ),
        "retire": client.send(
            "POST", f"{path}/users/retire", {"userIds": [str(ada.pk)], "dryRun": True}
        ),
        "sync": client.send("POST", f"{path}/sync"),
        "add": client.send("POST", f"{path}/users", {"email": "eve@example.org"}),
        "edit": client.send("PUT", f"{path}/users/{ada.pk}", {"name": "Ada L."}),
        "change": client.send("PUT", path, {"name": "North"}),
    }

    is_open, manages = kind in OPEN[allowed], kind in MANAGING[allowed]
    is_full, seen = KINDS[kind][0] == "full", is_open or kind in OF_THE_ORGANIZATION
    licenses = 200 if is_open else 403 if seen else 404
    managed = licenses if licenses != 200 else 200 if manages else 403
    owners = licenses if licenses != 200 else 403
    assert {name: answer.status_code for name, answer in answers.items()} == {
        "account": 200 if seen else 404,
        "assets": licenses,
        "users": licenses,
        "batches": licenses,
        "runs": 200 if seen else 404,
        "grant": managed,
        "invite": managed,
        "retire": managed,
        "sync": 404 if not seen else 202 if manages else 403,
        "add": 201 if is_full and manages else owners,
        "edit": 200 if is_full and manages else owners,
        "change": 404 if not seen else 200 if is_full else 403,
    }
    assert BatchPlan.objects.count() == (3 if manages else 0)


def test_the_sentence_names_whose_it_is_to_manage(schools):
    schools.allow("networks")

    told = {
        kind: api(schools, kind).send("POST", f"{schools.api}/sync").json()
        for kind in ("full", "reader", "reads Oak")
    }

    assert told == {
        "full": {
            "errors": [
                f"Only its allowed admins manage {schools.account.name}: those who may write in"
                " Oak. You can change them on Organization > MDM."
            ],
            "code": "no_access",
        },
        "reader": {
            "errors": [
                "You have read-only access here; this needs full access to the organization."
            ],
            "code": "read_only",
        },
        "reads Oak": {
            "errors": [
                "You have read-only access here; this needs full access to the organization."
            ],
            "code": "read_only",
        },
    }


def test_a_key_that_may_only_read_writes_nothing(schools):
    schools.allow("networks")
    client = api(schools, "of Oak", read_only=True)

    answers = [
        client.send("POST", f"{schools.api}/batches", grant(schools, "OAK1")).status_code,
        client.send("POST", f"{schools.api}/sync").status_code,
        client.get(f"{schools.api}/assets").status_code,
    ]

    assert (answers, Batch.objects.count()) == ([403, 403, 200], 0)


@pytest.mark.parametrize(
    ("assignable", "expected"),
    [
        ("all", {"BIRCH1": "networkNotYours", "STRANGER": "networkNotYours"}),
        ("oak", {"BIRCH1": "networkNotYours", "STRANGER": "networkNotYours"}),
        (
            "birch",
            {
                "OAK1": "networkNotAssignable",
                "BIRCH1": "networkNotYours",
                "STRANGER": "networkNotYours",
            },
        ),
        (
            "none",
            {
                "OAK1": "networkNotAssignable",
                "BIRCH1": "networkNotYours",
                "STRANGER": "networkNotYours",
            },
        ),
    ],
)
def test_devices_outside_are_skipped_with_the_reason(schools, assignable, expected):
    schools.allow("networks")
    schools.assign_in(getattr(schools, assignable, assignable))
    client, body = api(schools, "of Oak"), grant(schools, "OAK1", "BIRCH1", "STRANGER")

    plan = client.send("POST", f"{schools.api}/batches", body | {"dryRun": True}).json()
    client.send("POST", f"{schools.api}/batches", body)
    drain(schools.account, schools.fake)

    skipped = {each["serialNumber"]: each["reason"] for each in plan["skipped"]}
    assert (plan["grant"], skipped) == (3 - len(expected), expected)
    assert {holder for _, holder in at_apple(schools.fake, schools.account)} == (
        {"OAK1", "BIRCH1", "STRANGER"} - expected.keys()
    )


@pytest.mark.parametrize("lost", ["the network", "the list"])
def test_a_plan_is_not_started_with_rights_that_are_gone(schools, lost):
    schools.allow("networks")
    client = api(schools, "of Oak")
    body = grant(schools, "OAK1", dryRun=True)
    plan = client.send("POST", f"{schools.api}/batches", body).json()["planId"]
    if lost == "the network":
        NetworkAccess.objects.update(can_write=False)
    else:
        schools.allow("named", "full")

    answer = client.send("POST", f"{schools.api}/batches", {"planId": plan})

    assert answer.status_code == (403 if lost == "the network" else 404)
    assert not Batch.objects.exists()


def test_batches_of_others_are_neither_stopped_nor_repeated(schools):
    schools.allow("networks")
    full, mine = api(schools, "full, of Oak"), api(schools, "of Oak")
    theirs = full.send("POST", f"{schools.api}/batches", grant(schools, "BIRCH1")).json()["id"]
    ours = mine.send("POST", f"{schools.api}/batches", grant(schools, "OAK1")).json()["id"]

    answers = [
        client.send("POST", f"{schools.api}/batches/{batch}/cancel").status_code
        for client, batch in ((mine, theirs), (mine, ours), (full, theirs))
    ]

    assert answers == [403, 202, 202]
    assert set(BatchItem.objects.values_list("state", flat=True)) == {"cancelled"}


def test_a_priority_is_for_full_admins(schools):
    schools.allow("networks")
    body = grant(schools, "OAK1", priority=3)

    answers = [
        api(schools, kind).send("POST", f"{schools.api}/batches", body).status_code
        for kind in ("of Oak", "full, of Oak")
    ]

    assert answers == [403, 202]


def test_syncs_are_told_without_numbers_to_who_is_not_allowed(schools):
    schools.allow("named", "of Oak")
    run = SyncRun.objects.latest("pk")
    SyncRun.objects.filter(pk=run.pk).update(counts={"titlesAdded": 3}, done=5, total=5)

    told = {}
    for kind in ("full", "of Oak"):
        client = api(schools, kind)
        one = client.get(f"{schools.api}/syncRuns/{run.pk}").json()
        (listed, *_) = client.get(f"{schools.api}/syncRuns").json()
        told[kind] = [
            {name: each[name] for name in ("done", "total", "counts")} for each in (one, listed)
        ]

    assert told == {
        "full": [{"done": None, "total": None, "counts": None}] * 2,
        "of Oak": [{"done": 5, "total": 5, "counts": {"titlesAdded": 3}}] * 2,
    }


def test_admins_of_networks_are_told_of_their_own_networks_and_of_no_other_admin(schools):
    schools.allow("named")
    schools.account.allowed_networks.set([schools.oak, schools.birch])
    schools.assign_in(schools.oak, schools.birch)

    told = {
        kind: [client_json(each) for each in both(api(schools, kind), schools)]
        for kind in ("reader", "of Oak")
    }

    oak, birch = str(schools.oak.pk), str(schools.birch.pk)
    everybody = sorted(member.pk for member in schools.members.values())
    assert told == {
        "reader": [([str(pk) for pk in everybody], [oak, birch], [oak, birch])] * 2,
        "of Oak": [([str(schools.members["of Oak"].pk)], [oak], [oak])] * 2,
    }


def both(client: ApiClient, schools: District) -> list[dict[str, Any]]:
    (listed,) = client.get(schools.api.rpartition("/")[0]).json()
    return [client.get(schools.api).json(), listed]


def client_json(account: dict[str, Any]) -> tuple[list[str], ...]:
    return (
        account["allowedAdminIds"],
        account["allowedNetworkIds"],
        account["assignableNetworkIds"],
    )


def test_only_who_has_accepted_can_be_named(schools):
    invited = factories.MembershipFactory(organization=schools.organization, accepted_at=None)
    body = {"allowedAdmins": "named", "allowedAdminIds": [str(invited.pk)]}

    answer = api(schools, "full").send("PUT", schools.api, body)

    assert answer.status_code == 400
    assert VppAccount.objects.get().allowed_admins == "all"


def test_lists_of_accounts_cost_the_same_for_one_and_three(schools, django_assert_max_num_queries):
    client, path = api(schools, "full"), schools.api.rpartition("/")[0]
    schools.allow("all")
    client.get(path)
    costs = []
    for _ in range(2):
        with django_assert_max_num_queries(40) as queries:
            client.get(path)
        costs.append(len(queries))
        for account in factories.VppAccountFactory.create_batch(
            2, organization=schools.organization
        ):
            account.named_admins.set([schools.admin("full")])
            LicensedApp.objects.filter(account=account).delete()

    assert costs[0] == costs[1]
