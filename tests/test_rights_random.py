"""Whatever a network admin tries by whatever door: no device outside gets a license."""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.test import TestCase
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from organizations.models import Device, Network, NetworkAccess
from tests import factories
from tests.api.conftest import client_of
from tests.conftest import signed_in
from tests.draining import at_apple, drain
from tests.rights import District, district
from vpp_accounts.models import VppAccount

SERIALS = ("OAK1", "OAK2", "BIRCH1", "BIRCH2", "ELM1", "STRANGER")
SCHOOLS = ("Oak", "Birch", "Elm")
DOORS = ("rest", "rest plan", "title page", "all that match", "holder page", "retry")


@dataclass(frozen=True)
class Round:
    """Before the request, the request, and what changes before it is sent to Apple."""

    door: str
    serials: tuple[str, ...]
    assignable: frozenset[str] | None
    assignable_when_sent: frozenset[str] | None
    moves: tuple[tuple[str, str], ...]


some_schools = st.none() | st.frozensets(st.sampled_from(SCHOOLS))
rounds = st.builds(
    Round,
    door=st.sampled_from(DOORS),
    serials=st.lists(st.sampled_from(SERIALS), min_size=1, unique=True).map(tuple),
    assignable=some_schools,
    assignable_when_sent=some_schools,
    moves=st.lists(
        st.tuples(st.sampled_from(SERIALS[:5]), st.sampled_from(SCHOOLS)), max_size=2
    ).map(tuple),
)


class Attacker:
    def __init__(self, schools: District) -> None:
        self.schools = schools
        self.admin = schools.admin("of Oak")
        self.page, self.api = signed_in(self.admin), client_of(self.admin)

    def ask(self, door: str, serials: tuple[str, ...]) -> None:
        getattr(self, "_" + door.replace(" ", "_"))(serials)

    def _rest(self, serials: tuple[str, ...], **more: object) -> dict:
        body = {
            "kind": "grant",
            "assets": [{"adamId": self.schools.title.adam_id}],
            "serialNumbers": serials,
            **more,
        }
        return self.api.send("POST", f"{self.schools.api}/batches", body).json()

    def _rest_plan(self, serials: tuple[str, ...]) -> None:
        plan = self._rest(serials, dryRun=True)
        self.api.send("POST", f"{self.schools.api}/batches", {"planId": plan["planId"]})

    def _title_page(self, serials: tuple[str, ...], **more: str) -> None:
        ids = dict(Device.objects.values_list("serial_number", "pk"))
        chosen = [ids.get(serial, f"~{serial}") for serial in serials]
        self._confirm(
            f"{self.schools.title_url}?holders=devices",
            {"kind": "grant", "holder": chosen, "selected": json.dumps(chosen), **more},
        )

    def _all_that_match(self, serials: tuple[str, ...]) -> None:
        self._title_page(serials, all="1")

    def _holder_page(self, serials: tuple[str, ...]) -> None:
        for serial in serials:
            page = f"manage/vpp/{self.schools.account.pk}/holders/device/{serial}/"
            choice = {"kind": "grant", "title": self.schools.title.pk}
            self._confirm(self.schools.below(page), choice)

    def _retry(self, serials: tuple[str, ...]) -> None:
        """As if what they once may have done had failed."""
        batch = factories.BatchFactory(
            account=self.schools.account, actor_id=self.admin.pk, failed=len(serials)
        )
        for serial in serials:
            factories.BatchItemFactory(
                batch=batch, licensed_app=self.schools.title, holder=serial, state="failed"
            )
        self.page.post(self.schools.below(f"manage/vpp/batches/{batch.pk}/retry/"))

    def _confirm(self, page: str, choice: dict) -> None:
        answer = self.page.post(page, choice)
        if answer.status_code == 302 and "/plans/" in answer.url:
            self.page.post(answer.url)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    mine=st.frozensets(st.sampled_from(SCHOOLS), min_size=1),
    tries=st.lists(rounds, min_size=1, max_size=3),
)
def test_no_device_outside_mine_and_assignable_gets_a_license(
    fake, organization, mine: frozenset[str], tries: list[Round]
):
    organization.vpp_accounts.all().delete()
    Device.objects.all().delete()
    Network.objects.all().delete()
    location = fake.create_location(name="North", org_name="Example Schools", country="US")
    account = factories.VppAccountFactory(
        organization=organization, uid=location.uid, token=location.issue_token()
    )
    schools = district(fake, account)
    elm = factories.NetworkFactory(organization=organization, name="Elm")
    factories.DeviceFactory(organization=organization, network=elm, serial_number="ELM1")
    networks = {network.name: network for network in Network.objects.all()}
    member = schools.members["of Oak"]
    NetworkAccess.objects.filter(membership=member).delete()
    for name in mine:
        factories.NetworkAccessFactory(membership=member, network=networks[name])
    schools.allow("named", "of Oak")
    attacker = Attacker(schools)

    for each in tries:
        assign(schools, networks, each.assignable)
        for serial, school in each.moves:
            Device.objects.filter(serial_number=serial).update(network=networks[school])
        held = holders(schools)
        with TestCase.captureOnCommitCallbacks(execute=False):
            attacker.ask(each.door, each.serials)
        assign(schools, networks, each.assignable_when_sent)
        drain(VppAccount.objects.get(pk=account.pk), fake)

        allowed = mine if each.assignable_when_sent is None else mine & each.assignable_when_sent
        inside = Device.objects.filter(network__name__in=allowed)
        assert holders(schools) - held <= set(inside.values_list("serial_number", flat=True))


def assign(schools: District, networks: dict[str, Network], names: frozenset[str] | None) -> None:
    if names is None:
        schools.assign_in("all")
    elif not names:
        schools.assign_in("none")
    else:
        schools.assign_in(*(networks[name] for name in names))


def holders(schools: District) -> set[str]:
    return {holder for _, holder in at_apple(schools.fake, schools.account)}
