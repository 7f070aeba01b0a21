"""What the demo's organizations own at the fake Apple, arranged through its control API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import requests

from licensing.demo.blueprint import LocationPlan, OrganizationPlan, Person, Purchase
from licensing.demo.refusals import AppleDoesNotAnswer
from vpp_accounts.connections import new_session

PATIENCE = (5, 30)
NOT_ACCEPTED = 5  # every fifth person has not followed the invitation yet

Json = dict[str, Any]


class Store:
    """The control API of a fake Apple at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._session = new_session()
        self._session.trust_env = False  # it is on this machine, and a proxy is not

    def close(self) -> None:
        self._session.close()

    def locations(self) -> dict[str, Json]:
        """Every location by its uId."""
        return {each["uId"]: each for each in self._call("GET", "locations")["locations"]}

    def create_location(self, plan: LocationPlan, org_name: str) -> str:
        asked = {"name": plan.name, "orgName": org_name, "country": "US", "platform": plan.platform}
        return str(self._call("POST", "locations", asked)["uId"])

    def issue_token(self, uid: str) -> str:
        """The whole text of one more `.vpptoken` file; the older ones stay good."""
        return str(self._call("POST", f"locations/{uid}/tokens", {"revokeOlder": False})["token"])

    def stock(self, uid: str, plan: LocationPlan, organization: OrganizationPlan) -> None:
        """Register the people, buy, and let others hold licenses. What is there is left alone."""
        state = self._call("GET", f"state/{uid}")
        people = organization.people_in(plan.networks)
        known = {user["clientUserId"] for user in state["users"]}
        newcomers = [
            _user(person, is_associated=bool(number % NOT_ACCEPTED))
            for number, person in enumerate(people, start=1)
            if person.client_user_id not in known
        ]
        self._call("POST", f"locations/{uid}/users", {"users": newcomers})
        owned = {(asset["adamId"], asset["pricingParam"]) for asset in state["assets"]}
        for purchase in plan.purchases:
            if (purchase.adam_id, purchase.edition) not in owned:
                self._buy(uid, purchase, plan, organization)

    def _buy(
        self, uid: str, purchase: Purchase, plan: LocationPlan, organization: OrganizationPlan
    ) -> None:
        title = {"adamId": purchase.adam_id, "pricingParam": purchase.edition}
        asset = self._call(
            "POST", f"locations/{uid}/purchase", title | {"quantity": purchase.quantity}
        )
        serials = organization.serials_in(plan.networks, asset["supportedPlatforms"])
        people = [person.client_user_id for person in organization.people_in(plan.networks)]
        holders = {
            "serialNumbers": chosen(serials, purchase.devices, by=purchase.adam_id),
            "clientUserIds": chosen(people, purchase.people, by=purchase.adam_id),
        }
        self._call("POST", f"locations/{uid}/assign", title | holders)
        for holder, number in (
            ("serial", purchase.unknown_devices),
            ("user", purchase.unknown_people),
        ):
            if number:
                asked = title | {"assignments": number, "holder": holder}
                self._call("POST", f"locations/{uid}/fill", asked)

    def _call(self, method: str, path: str, body: Json | None = None) -> Json:
        url = f"{self.url}/control/{path}"
        try:
            response = self._session.request(method, url, json=body, timeout=PATIENCE)
            answer: Json = response.json()
        except requests.RequestException:
            raise AppleDoesNotAnswer(
                f"No fake Apple answers at {self.url}. Start it with “manage.py fake_apple”."
            ) from None
        if not response.ok:
            raise AppleDoesNotAnswer(f"The fake Apple refuses {path}: {answer.get('error')}")
        return answer


def chosen(names: Sequence[str], count: int, *, by: str) -> list[str]:
    """That many neighbours, from another place in the row for each title, so that they overlap."""
    start = int(by) % max(1, len(names))
    return [*names[start:], *names[:start]][:count]


def _user(person: Person, *, is_associated: bool) -> Json:
    user = {"clientUserId": person.client_user_id, "email": person.email}
    return user | ({"appleAccount": person.email} if is_associated else {})
