"""An invented company. Nobody of the school district may ever notice that it is here."""

from __future__ import annotations

from licensing.demo.blueprint import (
    AdminPlan,
    DeviceGroup,
    LocationPlan,
    NetworkPlan,
    OrganizationPlan,
    Person,
    Purchase,
)
from organizations.models import OrganizationAccess

WAREHOUSE = "Portland Warehouse"
OFFICE = "Seattle Office"
DRIVERS = ("driver",)

PEOPLE = tuple(
    Person(name, "northgate.example", WAREHOUSE, DRIVERS)
    for name in ("Hector Ruiz", "Anneke Visser", "Paul Strand")
)

COMPANY = OrganizationPlan(
    name="Northgate Logistics",
    time_zone="America/Los_Angeles",
    networks=(NetworkPlan(WAREHOUSE, ("warehouse",)), NetworkPlan(OFFICE, ("office",))),
    admins=(AdminPlan("kim.fischer@northgate.example", "Kim Fischer", OrganizationAccess.FULL),),
    invited=(),
    people=PEOPLE,
    device_groups=(
        DeviceGroup(
            WAREHOUSE,
            "Scanner {n:02}",
            model="iPhone SE (3rd generation)",
            platform="iOS",
            os_version="18.7.2",
            count=6,
            tags=("scanner",),
        ),
        DeviceGroup(
            WAREHOUSE,
            "{owner}'s iPad",
            model="iPad mini (A17 Pro)",
            platform="iPadOS",
            os_version="26.1",
            owners=tuple(person.name for person in PEOPLE),
            tags=("truck",),
        ),
    ),
    locations=(
        LocationPlan(
            "Northgate Warehouse",
            "northgate-warehouse",
            (WAREHOUSE,),
            email="it@northgate.example",
            platform="enterprisestore",
            purchases=(
                Purchase("1098840317", 0, devices=9),
                Purchase("1101174459", 0, devices=3),
                Purchase("1733640259", 5, people=2),
                Purchase("1122360947", 20, devices=6),
            ),
        ),
    ),
)
