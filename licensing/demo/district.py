"""An invented school district."""

from __future__ import annotations

from functools import partial

from licensing.demo.blueprint import (
    AdminPlan,
    DeviceGroup,
    LocationPlan,
    NetworkPlan,
    OrganizationPlan,
    Person,
    Purchase,
)
from organizations.models import Device, OrganizationAccess

OFFICE = "District Office"
RIVERSIDE = "Riverside Elementary School"
OAKMONT = "Oakmont Elementary School"
MIDDLE = "Riverside Middle School"
HIGH = "Riverside High School"
ADULT = "Adult Education Center"

NETWORKS = (
    NetworkPlan(OFFICE, ("district",), "IT, transportation, food services. Server room in B-014."),
    NetworkPlan(RIVERSIDE, ("elementary", "k-5"), "Two shared carts; third grade has its own."),
    NetworkPlan(OAKMONT, ("elementary", "k-5")),
    NetworkPlan(MIDDLE, ("secondary", "6-8"), "One iPad per student since last fall."),
    NetworkPlan(HIGH, ("secondary", "9-12"), "Media lab and science wing."),
    NetworkPlan(ADULT, ("evening",)),
)

ADMINS = (
    AdminPlan("pat.morgan@riverside.example", "Pat Morgan", OrganizationAccess.FULL),
    AdminPlan("lee.sandoval@riverside.example", "Lee Sandoval", OrganizationAccess.READ_ONLY),
    AdminPlan(
        "robin.tanaka@riverside.example",
        "Robin Tanaka",
        OrganizationAccess.NONE,
        networks=(RIVERSIDE, OAKMONT),
    ),
)
INVITED = (
    AdminPlan(
        "sofia.reyes@riverside.example",
        "Sofia Reyes",
        OrganizationAccess.NONE,
        network_tags=("secondary",),
    ),
    AdminPlan(
        "help@northwind-it.example",
        "Northwind IT",
        OrganizationAccess.READ_ONLY,
        networks=(OFFICE,),
    ),
)


def staff(network: str, *names: str, tags: tuple[str, ...]) -> list[Person]:
    return [Person(name, "riverside.example", network, tags) for name in names]


def students(network: str, *names: str, tags: tuple[str, ...]) -> list[Person]:
    tags = ("student", *tags)
    return [Person(name, "students.riverside.example", network, tags) for name in names]


PEOPLE = (
    *staff(OFFICE, "Dana Whitfield", "Marcus Bell", tags=("staff", "leadership")),
    *staff(OFFICE, "Ines Carvalho", "Tom Brandt", tags=("staff", "it-team")),
    *staff(OFFICE, "Yolanda Pierce", tags=("staff", "bus-team")),
    *staff(RIVERSIDE, "Rosa Alvarez", "Kevin Cho", "Miriam Katz", tags=("teacher", "grades-3-5")),
    *staff(RIVERSIDE, "Beth Lindqvist", tags=("teacher", "special-education")),
    *staff(RIVERSIDE, "Harold Finch", tags=("staff", "leadership")),
    *staff(OAKMONT, "Priya Raman", "Sean O'Connell", tags=("teacher", "kindergarten-team")),
    *staff(OAKMONT, "Gloria Mendes", tags=("teacher", "music-department")),
    *staff(MIDDLE, "Aaron Feld", "Naomi Wright", tags=("teacher", "grade-7")),
    *staff(MIDDLE, "Claude Dubois", tags=("teacher", "music-department")),
    *staff(HIGH, "Elena Petrova", "Samuel Okafor", tags=("teacher", "science-department")),
    *staff(HIGH, "Judith Meyer", tags=("teacher", "media-department")),
    *staff(HIGH, "Victor Huang", tags=("staff", "leadership")),
    *staff(ADULT, "Renée Laurent", "Omar Haddad", tags=("teacher", "esl-program")),
    *students(MIDDLE, "Ava Thompson", "Liam Nguyen", "Zoe Martinez", tags=("grade-7",)),
    *students(MIDDLE, "Noah Patel", "Mia Kowalski", "Ethan Brooks", tags=("grade-7", "band")),
    *students(MIDDLE, "Chloe Jansen", "Lucas Rivera", tags=("grade-8",)),
    *students(HIGH, "Isabella Rossi", "Mason Clark", "Aisha Rahman", tags=("class-of-2028",)),
    *students(HIGH, "Jacob Stein", "Hana Sato", "Diego Fuentes", tags=("class-of-2028", "biology")),
    *students(HIGH, "Grace Owusu", "Owen Murphy", "Layla Nasser", tags=("class-of-2027",)),
    *students(HIGH, "Caleb Foster", "Sofia Lund", tags=("class-of-2027", "yearbook")),
    *students(ADULT, "Maria Gutierrez", "Dmitri Volkov", "Fatima Zahra", tags=("esl-program",)),
)


def owners(network: str, tag: str) -> tuple[str, ...]:
    return tuple(p.name for p in PEOPLE if p.network == network and tag in p.tags)


ipad = partial(DeviceGroup, model="iPad (10th generation)", platform="iPadOS", os_version="26.1")
old_ipad = partial(ipad, model="iPad (8th generation)", os_version="18.7.2")
ipad_air = partial(ipad, model="iPad Air 11-inch (M3)")
macbook = partial(
    DeviceGroup, model="MacBook Air (13-inch, M4)", platform="macOS", os_version="26.1"
)
imac = partial(macbook, model="iMac (24-inch, M3)", os_version="15.7.2")
iphone = partial(DeviceGroup, model="iPhone 16e", platform="iOS", os_version="26.1")
apple_tv = partial(DeviceGroup, model="Apple TV 4K (3rd generation)", platform="tvOS", os_version="26.1")  # fmt: skip
vision = partial(DeviceGroup, model="Apple Vision Pro", platform="visionOS", os_version="26.1")
# Somebody's own device: what Apple tells of it has no serial number.
own = partial(DeviceGroup, enrollment=Device.Enrollment.USER, supervised=False, tags=("byod",))
own_iphone = partial(own, platform="iOS", os_version="26.1")
own_macbook = partial(own, model="MacBook Air (M2)", platform="macOS", os_version="15.7.2")

DEVICES = (
    ipad(RIVERSIDE, "RES Cart A iPad {n:02}", count=14, tags=("cart", "grade-3", "shared")),
    old_ipad(RIVERSIDE, "RES Cart B iPad {n:02}", count=10, tags=("cart", "grade-5", "testing")),
    ipad_air(RIVERSIDE, "{owner}'s iPad", owners=owners(RIVERSIDE, "teacher"), tags=("teacher-device",)),
    apple_tv(RIVERSIDE, "RES Room {n} Apple TV", count=3, tags=("classroom-display",)),
    ipad(OAKMONT, "OES Kindergarten iPad {n:02}", count=12, tags=("cart", "kindergarten", "shared")),
    old_ipad(OAKMONT, "OES Testing iPad {n:02}", count=4, tags=("testing", "loaner")),
    ipad_air(OAKMONT, "{owner}'s iPad", owners=owners(OAKMONT, "teacher"), tags=("teacher-device",)),
    apple_tv(OAKMONT, "OES Library Apple TV", count=1, tags=("classroom-display", "library")),
    ipad(MIDDLE, "RMS {owner}", owners=owners(MIDDLE, "student"), tags=("one-to-one",)),
    ipad(MIDDLE, "RMS Loaner iPad {n:02}", count=4, tags=("loaner", "testing")),
    imac(MIDDLE, "RMS Music Lab iMac {n:02}", count=6, tags=("lab", "music")),
    macbook(MIDDLE, "{owner}'s MacBook Air", owners=owners(MIDDLE, "teacher"), tags=("teacher-device",)),
    ipad(HIGH, "RHS {owner}", owners=owners(HIGH, "student"), tags=("one-to-one",)),
    macbook(HIGH, "RHS Media Lab Mac {n:02}", count=8, model="Mac mini (M4)", tags=("lab", "media")),
    macbook(HIGH, "{owner}'s MacBook Air", owners=owners(HIGH, "teacher"), tags=("teacher-device",)),
    vision(HIGH, "RHS Science Vision Pro {n}", count=2, tags=("lab", "science")),
    apple_tv(HIGH, "RHS Lobby Apple TV {n}", count=2, tags=("signage",)),
    macbook(OFFICE, "{owner}'s MacBook Pro", owners=owners(OFFICE, "staff"), model="MacBook Pro (14-inch, M4)", tags=("office",)),
    iphone(OFFICE, "{owner}'s iPhone", owners=owners(OFFICE, "leadership"), tags=("office",)),
    iphone(OFFICE, "Bus {n:02} iPhone", count=4, model="iPhone SE (3rd generation)", os_version="18.7.2", tags=("transportation", "shared")),
    own_iphone(HIGH, "{owner}'s own iPhone", owners=owners(HIGH, "science-department"), model="iPhone 15"),
    own_iphone(MIDDLE, "{owner}'s own iPhone", owners=owners(MIDDLE, "grade-7")[:2], model="iPhone 14", os_version="18.7.2"),
    own_macbook(ADULT, "{owner}'s own MacBook", owners=owners(ADULT, "teacher")[:1]),
    old_ipad(ADULT, "Evening Class iPad {n:02}", count=8, tags=("cart", "shared", "evening"), supervised=False, enrollment=Device.Enrollment.DEVICE),
)  # fmt: skip

# 30 and more titles of every sort over both accounts; the fake's catalogue has their names.
ELEMENTARY = LocationPlan(
    "Riverside Elementary",
    "riverside-elementary",
    (RIVERSIDE, OAKMONT),
    email="apps.elementary@riverside.example",
    purchases=(
        Purchase("1187400216", 420, devices=31, unknown_devices=342),
        Purchase("1187400351", 60, devices=31, unknown_devices=27),  # almost out
        Purchase("1203518844", 40, devices=34, unknown_devices=6),  # out of stock
        Purchase("1203518907", 120, devices=16),
        Purchase("1402887713", 25, people=5, devices=6),
        Purchase("1421069334", 4, people=1, devices=2),  # almost out, and dear
        Purchase("1436650871", 30, devices=14),
        Purchase("1440931205", 12, devices=12),  # out of stock
        Purchase("1457206698", 80, devices=22, unknown_devices=41),
        Purchase("1169924508", 500, devices=40, unknown_devices=388),
        Purchase("1134478820", 300, people=6),
        Purchase("1156093471", 50),  # never used
        Purchase("1192246035", 100, devices=18, people=4),
        Purchase("1092235680", 0, devices=40, unknown_devices=120),  # unlimited
        Purchase("1107760238", 0, devices=28),  # unlimited
        Purchase("1604482019", 2, devices=2),  # tvOS, out of stock
        Purchase("1611937755", 10, devices=4),  # tvOS
        Purchase("984420117", 150, devices=9, unknown_devices=60),  # no longer sold
        Purchase("1740095528", 60, devices=14, unknown_devices=9),
        Purchase("1819903358", 200, people=5, unknown_people=12),  # free book
        Purchase("1812290647", 30, people=4),
    ),
)
SECONDARY = LocationPlan(
    "Riverside High",
    "riverside-high",
    (MIDDLE, HIGH, OFFICE),
    email="apps.high@riverside.example",
    purchases=(
        Purchase("1187400216", 40, devices=12),
        Purchase("1264077130", 260, devices=19, unknown_devices=204),
        Purchase("1299413582", 35, devices=21, unknown_devices=13),  # almost out
        Purchase("1310226475", 24, devices=18),
        Purchase("1345590028", 45),  # never used
        Purchase("1378112960", 90, devices=15, people=8),
        Purchase("1468834217", 16, devices=16),  # out of stock
        Purchase("1122360947", 1000, devices=23, people=11, unknown_devices=612, unknown_people=38),
        Purchase("1173350286", 400, people=14, unknown_people=55),
        Purchase("1180027394", 20, people=6),
        Purchase("1148812063", 60, devices=9),
        Purchase("1215587760", 50, devices=24),  # iPad and Mac
        Purchase("1228840912", 15, devices=11),
        Purchase("1092235680", 0, devices=25, unknown_devices=210),  # unlimited
        Purchase("1098840317", 0, people=16, unknown_people=24),  # unlimited
        Purchase("1101174459", 0, devices=25),  # unlimited
        Purchase("1512209973", 12, devices=10),  # macOS
        Purchase("1520048816", 8, devices=8),  # macOS, out of stock
        Purchase("1533371290", 30, devices=14),
        Purchase("1547719602", 3, devices=2),
        Purchase("1604482019", 5, devices=2),
        Purchase("1688204316", 2, devices=2),  # visionOS
        Purchase("1702258834", 200, devices=27, unknown_devices=84),  # custom app
        Purchase("1709916540", 25, devices=4),  # custom app without metadata
        Purchase("1733640259", 6, people=3),  # not device-assignable
        Purchase("1740095528", 300, devices=21, unknown_devices=190),
        Purchase("1801147365", 90, people=13, unknown_people=61),
        Purchase("1801147365", 20, edition="PLUS", people=4),
        Purchase("1803362914", 35, people=9, unknown_people=26),  # out of stock
        Purchase("1803362914", 10, edition="PLUS"),
        Purchase("1807751082", 120, people=12, unknown_people=70),
    ),
)
EVENING = LocationPlan(
    "Riverside Adult Education",
    "riverside-adult-education",
    (ADULT,),
    purchases=(
        Purchase("1173350286", 60, people=4, unknown_people=9),
        Purchase("1122360947", 40, devices=8),
        Purchase("1203518844", 25, devices=8),
        Purchase("1402887713", 5, people=2),
        Purchase("1107760238", 0, devices=8, unknown_devices=15),
        Purchase("1101174459", 0, devices=6),
        Purchase("1733640259", 2, people=2),
        Purchase("1807751082", 18, people=3),
    ),
)

DISTRICT = OrganizationPlan(
    name="Riverside Unified School District",
    time_zone="America/Los_Angeles",
    networks=NETWORKS,
    admins=ADMINS,
    invited=INVITED,
    people=PEOPLE,
    device_groups=DEVICES,
    locations=(ELEMENTARY, SECONDARY, EVENING),
)
