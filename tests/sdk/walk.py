"""The unmodified `meraki` SDK, of whichever version this Python has, against a running demo.

Run by `./dev sdk` with an environment of its own: `python walk.py demo.json`. Every step compares
values; what it adds it takes away again.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import meraki
from asking import HEARD, Different, client, ids, refused, same, steady, unthrottled

MARK = "sdk-walk"
CALLERS, CALLS = 4, 12  # more than a bucket of ten lets through
FIELDS = ["isSupervised", "ownerEmail", "isManaged", "lastConnected"]
DEFAULTS = ["id", "name", "tags", "ssid", "wifiMac", "osName", "systemModel", "uuid"]
NOTHING = "Not found: there is nothing at this address that this key may see."
ROLES = ["Full", "Read-only", "Network full", "Network read-only"]


class Walk:
    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = facts
        self.api = client(facts)
        self.organization = facts["organization_id"]
        self.network = ""
        self.device: dict[str, Any] = {}

    def steps(self) -> list[Callable[[], None]]:
        return [
            self.identity,
            self.organizations,
            self.networks,
            self.admins,
            self.roles,
            self.accounts,
            self.devices,
            self.users,
            self.target_groups,
            self.tags_of_devices,
            self.apps_of_devices,
            self.profiles,
            self.nothing_there,
            self.readers,
            self.rate_limit,
        ]

    # --- The organization ---------------------------------------------------------------------------

    def identity(self) -> None:
        me = self.api.administered.getAdministeredIdentitiesMe()
        same("who I am", me["email"], self.facts["email"])
        same("my key", me["authentication"]["api"]["key"], {"created": True})

    def organizations(self) -> None:
        rows = self.api.organizations.getOrganizations(total_pages="all", perPage=3)
        same("organizations", ids(rows), [self.organization])
        same(
            "the organization",
            self.api.organizations.getOrganization(self.organization),
            rows[0],
        )

    def networks(self) -> None:
        get = self.api.organizations.getOrganizationNetworks
        whole = get(self.organization, total_pages="all")
        paged = get(self.organization, total_pages="all", perPage=3)
        first = get(self.organization, total_pages=1, perPage=3)
        backwards = get(self.organization, total_pages="all", direction="prev", perPage=3)
        same("networks", set(ids(whole)), set(self.facts["network_ids"]))
        same("networks page by page", paged, whole)
        same("one page of networks", first, whole[:3])
        same("pages before the first one", backwards, whole[:3])
        same("more than one page", len(whole) > 3, True)
        self.network = max(whole, key=lambda row: len(self._devices(row["id"])))["id"]
        network = self.api.networks.getNetwork(self.network)
        same("the network's product", network["productTypes"], ["systemsManager"])

    def admins(self) -> None:
        rows = self.api.organizations.getOrganizationAdmins(self.organization)
        access = {row["email"]: row["orgAccess"] for row in rows}
        same("my access", access[self.facts["email"]], "full")
        same("the reader's access", access[self.facts["read_only"]["email"]], "read-only")

    def roles(self) -> None:
        get = self.api.sm.getOrganizationSmAdminsRoles
        found = get(self.organization, total_pages="all", perPage=3)
        same("roles", [role["name"] for role in found["items"]], ROLES)
        same("roles left", found["meta"]["counts"]["items"], {"total": 4, "remaining": 0})
        one = self.api.sm.getOrganizationSmAdminsRole(self.organization, "2")
        same("one role", one, found["items"][1])
        with refused(400, code="roles_are_fixed"):
            self.api.sm.createOrganizationSmAdminsRole(self.organization, "Helpers")

    def accounts(self) -> None:
        rows = self.api.sm.getOrganizationSmVppAccounts(self.organization)
        same("VPP accounts", set(ids(rows)), set(self.facts["vpp_account_ids"]))
        for row in rows:
            one = self.api.sm.getOrganizationSmVppAccount(self.organization, row["vppAccountId"])
            same("one account", steady(one), steady(row))
            same("its tokens", [row["contentToken"], row["vppServiceToken"]], ["", ""])
            same("its token's hash", len(row["parsedToken"]["hashedToken"]) >= 40, True)

    # --- Devices and people -------------------------------------------------------------------------

    def devices(self) -> None:
        whole = self._devices(self.network, fields=FIELDS)
        paged = self._devices(self.network, fields=FIELDS, perPage=3)
        same("devices page by page", ids(paged), ids(whole))
        same("more than one page", len(whole) > 3, True)
        same("a device's fields", {*DEFAULTS, *FIELDS} <= set(whole[0]), True)
        self.device = whole[0]
        serials = [row["serialNumber"] for row in whole[1:3]]
        same("by serial", ids(self._devices(self.network, serials=serials)), ids(whole[1:3]))
        same("by id", ids(self._devices(self.network, ids=[whole[3]["id"]])), ids(whole[3:4]))
        same("in no scope", self._devices(self.network, scope=["none"]), [])
        same("in every scope", ids(self._devices(self.network, scope=["all"])), ids(whole))
        softwares = self.api.sm.getNetworkSmDeviceSoftwares(self.network, self.device["id"])
        same("whose apps", {row["deviceId"] for row in softwares} <= {self.device["id"]}, True)

    def users(self) -> None:
        owned = [row for row in self._devices(self.network, fields=FIELDS) if row["ownerEmail"]]
        rows = self.api.sm.getNetworkSmUsers(self.network)
        same("owners", {row["email"] for row in rows}, {row["ownerEmail"] for row in owned})
        one = rows[-1]
        found = self.api.sm.getNetworkSmUsers(self.network, emails=[one["email"].upper()])
        same("by address", found, [one])
        same("by id", self.api.sm.getNetworkSmUsers(self.network, ids=[one["id"]]), [one])
        theirs = {row["id"] for row in owned if row["ownerEmail"] == one["email"]}
        softwares = self.api.sm.getNetworkSmUserSoftwares(self.network, one["id"])
        same("on whose devices", {row["deviceId"] for row in softwares} <= theirs, True)
        profiles = self.api.sm.getNetworkSmUserDeviceProfiles(self.network, one["id"])
        same("an owner's profiles", profiles, [])

    def target_groups(self) -> None:
        sm, network = self.api.sm, self.network
        before = sm.getNetworkSmTargetGroups(network)
        added = sm.createNetworkSmTargetGroup(network, name=MARK, scope="all")
        try:
            same("the new group", added, {**added, "name": MARK, "scope": "all", "tags": []})
            same("the groups", sm.getNetworkSmTargetGroups(network), [*before, added])
            self._target_group(added)
        finally:
            sm.deleteNetworkSmTargetGroup(network, added["id"])
        same("the groups afterwards", sm.getNetworkSmTargetGroups(network), before)

    def _target_group(self, added: dict[str, Any]) -> None:
        sm, network = self.api.sm, self.network
        detailed = sm.getNetworkSmTargetGroup(network, added["id"], withDetails=True)
        same("whom it names", detailed["deviceIds"], ids(self._devices(network)))
        with refused(409, code="target_group_name_taken"):
            sm.createNetworkSmTargetGroup(network, name=MARK, scope="all")
        with refused(400, code="tag_unknown"):
            sm.updateNetworkSmTargetGroup(network, added["id"], scope=f"withAny,{MARK}-unknown")
        changed = sm.updateNetworkSmTargetGroup(network, added["id"], scope="none")
        same("the changed group", changed, {**added, "scope": "none"})
        read = sm.getNetworkSmTargetGroup(network, added["id"], withDetails=False)
        same("the group read again", read, changed)

    def tags_of_devices(self) -> None:
        modify, device = self.api.sm.modifyNetworkSmDevicesTags, self.device
        chosen = {"ids": [device["id"]], "tags": [MARK]}
        try:
            added = modify(self.network, updateAction="add", **chosen)
            same("the tagged device", ids(added), [device["id"]])
            same("its tags", set(added[0]["tags"]), {*device["tags"], MARK})
            scope = ["withAny", MARK]
            same("in its scope", ids(self._devices(self.network, scope=scope)), [device["id"]])
            same("nothing to add", modify(self.network, updateAction="add", **chosen), [])
            removed = modify(self.network, updateAction="delete", **chosen)
            same("its tags afterwards", removed[0]["tags"], device["tags"])
        finally:
            self._forget_tag()
        with refused(400):
            modify(self.network, updateAction="add", tags=[MARK], ids=["1"], serials=["X"])

    def apps_of_devices(self) -> None:
        with refused(400, code="apps_unknown", says="has no app with the id 999999"):
            self.api.sm.installNetworkSmDeviceApps(self.network, self.device["id"], ["999999"])

    def profiles(self) -> None:
        same("profiles", self.api.sm.getNetworkSmProfiles(self.network), [])

    # --- What is refused ----------------------------------------------------------------------------

    def nothing_there(self) -> None:
        with refused(404, says=NOTHING):
            self.api.networks.getNetwork("999999")
        with refused(404, says=NOTHING):
            self.api.networks.getNetwork(self.facts["outsider"]["network_ids"][0])
        with refused(404, says=NOTHING):
            self.api.sm.getOrganizationSmApnsCert(self.organization)

    def readers(self) -> None:
        reader = client(self.facts | {"api_key": self.facts["read_only"]["api_key"]})
        seen = reader.organizations.getOrganizations(total_pages="all")
        same("the reader's organizations", ids(seen), [self.organization])
        with refused(403, says="This API key is read-only"):
            reader.sm.createNetworkSmTargetGroup(self.network, name=MARK, scope="all")

    def rate_limit(self) -> None:
        """Many callers at once: some are told to wait, and every one of them gets its answer."""
        HEARD.lines.clear()
        with ThreadPoolExecutor(CALLERS) as callers:
            names = list(callers.map(lambda _: self._ask_often(), range(CALLERS)))
        same("answers", {name for each in names for name in each}, {self.organization})
        waited = [line for line in HEARD.lines if " 429 " in line and "retrying in " in line]
        same("somebody was told to wait", bool(waited), True)

    # --- Help ---------------------------------------------------------------------------------------

    def _ask_often(self) -> list[str]:
        api = client(self.facts, **unthrottled())
        return [api.organizations.getOrganization(self.organization)["id"] for _ in range(CALLS)]

    def _devices(self, network: str, **which: Any) -> list[dict[str, Any]]:
        found = self.api.sm.getNetworkSmDevices(network, total_pages="all", **which)
        return list(found)

    def _forget_tag(self) -> None:
        """The SDK has no operation for tags of the organization: ours does it."""
        tags = f"/organizations/{self.organization}/sm/tags"
        for tag in self._ask("GET", f"{tags}?search={MARK}"):
            if tag["name"] == MARK:
                self._ask("DELETE", f"{tags}/{tag['id']}")

    def _ask(self, method: str, path: str) -> Any:
        headers = {"Authorization": f"Bearer {self.facts['api_key']}"}
        url = self.facts["api_base_url"] + path
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        for _ in range(20):
            try:
                with direct.open(
                    urllib.request.Request(url, headers=headers, method=method)
                ) as told:
                    return json.loads(told.read() or "null")
            except urllib.error.HTTPError as error:
                if error.code != 429:
                    raise
                time.sleep(int(error.headers["Retry-After"]))
        raise Different(f"{method} {path} is rate limited for ever")


def main(file: str) -> int:
    walk = Walk(json.loads(Path(file).read_text()))
    for step in walk.steps():
        try:
            step()
        except (Different, meraki.APIError) as difference:
            print(f"  meraki {meraki.__version__}, {step.__name__}: {difference}", file=sys.stderr)
            return 1
    print(f"  meraki {meraki.__version__}: {len(walk.steps())} steps agree with the demo")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
