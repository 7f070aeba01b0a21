"""REST: the apps of all networks, and one app in several at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps_catalog.models import App, ManagedApp
from organizations.models import AuditEvent, Network
from tests import factories
from tests.api.conftest import ApiClient, client_of
from tests.managed import CAMERA, MATH, School, school
from vpp_accounts.apple.fake import FakeApple
from vpp_accounts.models import VppAccount


@pytest.fixture
def oakmont(fake: FakeApple, account: VppAccount) -> School:
    return school(fake, account)


@pytest.fixture
def elm(oakmont: School) -> Network:
    return factories.NetworkFactory(organization=oakmont.organization, name="Elm")


def apps(oakmont: School, query: str = "") -> str:
    return f"/organizations/{oakmont.organization.pk}/sm/apps{query}"


def names(response: Any) -> list[str]:
    return [row["adamId"] for row in response.json()]


def body(*networks: Network, **more: Any) -> dict[str, Any]:
    return {"adamId": MATH, "networkIds": [str(network.pk) for network in networks], **more}


def verdicts(response: Any) -> list[tuple[str, str, str | None]]:
    rows = response.json()["networks"]
    return [(row["networkId"], row["verdict"], row["code"]) for row in rows]


# --- The list -------------------------------------------------------------------------------------


def test_the_apps_of_all_networks_are_listed(
    oakmont: School, elm: Network, owner_api: ApiClient
) -> None:
    there = factories.ManagedAppFactory(network=elm, platform="macOS", paused_at=None)
    single = owner_api.get(f"/networks/{oakmont.network.pk}/sm/apps/{oakmont.app.pk}").json()

    listed = owner_api.get(apps(oakmont))

    assert listed.json()[0] == single
    assert [row["networkId"] for row in listed.json()] == [
        str(oakmont.network.pk),
        str(elm.pk),
    ]
    assert names(owner_api.get(apps(oakmont, f"?networkId={elm.pk}"))) == [there.adam_id]
    assert names(owner_api.get(apps(oakmont, "?platform=macOS"))) == [there.adam_id]
    assert names(owner_api.get(apps(oakmont, "?search=tidepool"))) == [MATH]
    assert names(owner_api.get(apps(oakmont, "?purchaseMethod=userAssignment"))) == []
    ManagedApp.objects.filter(pk=there.pk).update(waiting=2)
    assert names(owner_api.get(apps(oakmont, "?state=waiting"))) == [there.adam_id]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("networkId=999999", "“networkId” must be the id of a network that you see."),
        ("state=odd", "“state” must be one of waiting, failed, paused, decision."),
        ("purchaseMethod=odd", "“purchaseMethod” must be one of"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(
    oakmont: School, owner_api: ApiClient, query: str, error: str
) -> None:
    response = owner_api.get(apps(oakmont, f"?{query}"))

    assert response.status_code == 400
    assert error in response.json()["errors"][0]


def test_the_list_costs_the_same_for_one_and_for_many(
    oakmont: School, elm: Network, owner_api: ApiClient
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            owner_api.get(apps(oakmont))
        return len(asked)

    ManagedApp.objects.update(scope_tag_ids=[oakmont.cart.pk])
    count()
    one = count()
    for _ in range(3):
        app = factories.ManagedAppFactory(network=elm, scope_tag_ids=[oakmont.cart.pk])
        factories.ManagedAppAccountFactory(managed_app=app, account=oakmont.account)

    assert count() == one


def test_who_sees_which_apps(
    oakmont: School, elm: Network, reader_api: ApiClient, outsider_api: ApiClient
) -> None:
    there = factories.ManagedAppFactory(network=elm)
    access = factories.NetworkAccessFactory(
        membership__organization=oakmont.organization, network=elm
    )

    assert len(reader_api.get(apps(oakmont)).json()) == 2
    assert outsider_api.get(apps(oakmont)).status_code == 404
    assert names(client_of(access.membership.admin).get(apps(oakmont))) == [there.adam_id]


# --- Deploying ------------------------------------------------------------------------------------


def test_an_app_is_added_wherever_it_is_possible(
    oakmont: School, elm: Network, owner_api: ApiClient
) -> None:
    foreign = factories.NetworkFactory()

    response = owner_api.send("POST", apps(oakmont), body(elm, oakmont.network, foreign, elm))

    assert (response.status_code, verdicts(response)) == (
        200,
        [
            (str(elm.pk), "added", None),
            (str(oakmont.network.pk), "alreadyThere", None),
            (str(foreign.pk), "refused", "network_unknown"),
        ],
    )
    added = ManagedApp.objects.get(network=elm)
    told = owner_api.get(f"/networks/{elm.pk}/sm/apps/{added.pk}").json()
    assert response.json()["networks"][0] == {
        "networkId": str(elm.pk),
        "verdict": "added",
        "code": None,
        "message": None,
        "app": told,
        "preview": None,
    }
    assert told["vppAccountIds"] == [str(oakmont.account.pk)]
    assert AuditEvent.objects.filter(action="managed_app.added").count() == 1


def test_what_one_network_refuses_hinders_no_other(
    oakmont: School, elm: Network, owner_api: ApiClient
) -> None:
    oakmont.account.assignable_networks = "some"
    oakmont.account.save()
    oakmont.account.assignable_network_list.set([oakmont.network])
    ManagedApp.objects.all().delete()

    response = owner_api.send(
        "POST",
        apps(oakmont),
        body(elm, oakmont.network, vppAccountIds=[str(oakmont.account.pk)]),
    )

    assert verdicts(response) == [
        (str(elm.pk), "refused", "vpp_account_not_assignable"),
        (str(oakmont.network.pk), "added", None),
    ]
    assert list(ManagedApp.objects.values_list("network", flat=True)) == [oakmont.network.pk]


def test_a_dry_run_foresees_each_network_and_adds_nothing(
    oakmont: School, elm: Network, owner_api: ApiClient
) -> None:
    factories.DeviceFactory(organization=oakmont.organization, network=elm, platform="iOS")
    known = App.objects.count()

    response = owner_api.send(
        "POST", apps(oakmont), body(elm, oakmont.network, scope="all", dryRun=True)
    )
    unheard = owner_api.send("POST", apps(oakmont), body(elm, dryRun=True) | {"adamId": "99999999"})

    foreseen, there = response.json()["networks"]
    assert (foreseen["verdict"], foreseen["preview"]["inScope"]) == ("wouldBeAdded", 1)
    assert (there["verdict"], there["preview"]) == ("alreadyThere", None)
    assert verdicts(unheard) == [(str(elm.pk), "wouldBeAdded", None)]
    assert (ManagedApp.objects.count(), App.objects.count()) == (1, known)


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"networkIds": []}, "“networkIds”: "),
        ({"networkIds": ["x"]}, "must be the id of a network."),
        ({"platform": "macOS"}, "does not run on macOS, only on iOS"),
        ({"scope": "withAny,nope"}, "has no tag “nope”"),
    ],
)
def test_what_is_wrong_everywhere_is_refused_at_once(
    oakmont: School, elm: Network, owner_api: ApiClient, more: dict[str, Any], error: str
) -> None:
    response = owner_api.send("POST", apps(oakmont), body(elm) | more)

    assert response.status_code == 400
    assert error in response.json()["errors"][0]
    assert ManagedApp.objects.count() == 1


def test_who_may_deploy(
    oakmont: School, elm: Network, reader_api: ApiClient, outsider_api: ApiClient
) -> None:
    access = factories.NetworkAccessFactory(
        membership__organization=oakmont.organization, network=elm
    )
    theirs = client_of(access.membership.admin)
    sent = body(elm, oakmont.network) | {"adamId": CAMERA}

    refused = [each.send("POST", apps(oakmont), sent) for each in (reader_api, outsider_api)]
    told = theirs.send("POST", apps(oakmont), sent)

    assert [each.status_code for each in refused] == [403, 404]
    assert verdicts(told) == [
        (str(elm.pk), "added", None),
        (str(oakmont.network.pk), "refused", "network_unknown"),
    ]


def test_a_network_that_one_may_only_read_is_refused(oakmont: School, elm: Network) -> None:
    access = factories.NetworkAccessFactory(
        membership__organization=oakmont.organization, network=elm
    )
    factories.NetworkAccessFactory(
        membership=access.membership, network=oakmont.network, can_write=False
    )
    sent = body(oakmont.network) | {"adamId": CAMERA}

    told = client_of(access.membership.admin).send("POST", apps(oakmont), sent)

    assert verdicts(told) == [(str(oakmont.network.pk), "refused", "read_only")]


def test_a_request_that_is_repeated_adds_once(
    oakmont: School, elm: Network, owner_api: ApiClient
) -> None:
    key = {"Idempotency-Key": "add math"}

    first = owner_api.send("POST", apps(oakmont), body(elm), headers=key)
    second = owner_api.send("POST", apps(oakmont), body(elm), headers=key)

    assert first.json() == second.json()
    assert ManagedApp.objects.filter(network=elm).count() == 1
