"""The HTML of the portal: its frame, the list of organizations, the invitation."""

from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from vpp_accounts.apple.fake.state import Location

if TYPE_CHECKING:
    from vpp_accounts.apple.fake.fake import FakeApple


def home(apple: "FakeApple", said: str) -> str:
    places = sorted(apple.locations.values(), key=lambda place: place.org_name)
    groups = groupby(places, key=lambda place: place.org_name)
    organizations = "".join(_organization(name, list(own)) for name, own in groups)
    return frame(
        "Organizations and locations",
        f"""{note(said)}
{organizations or '<section><p class="quiet">There is no location yet.</p></section>'}
<section><h2>New location</h2><form method="post" action="/portal/locations">
{field("name", "Name", required=True)} {field("org_name", "Organization", "Example Schools")}
{field("country", "Country, two letters", "US", size=4)}
<label>Kind <select name="platform"><option value="volumestore">School</option>
<option value="enterprisestore">Business</option></select></label>
<button class="main">Create</button></form></section>""",
    )


def invitation(location: Location, email: str, said: str = "") -> str:
    return frame(
        "Apps and books from your organization",
        f"""{note(said)}
<section><p><strong>{escape(location.org_name)}</strong> would like to assign apps and books of its
location <strong>{escape(location.name)}</strong> to you. Sign in with your Apple Account to accept.</p>
<p class="quiet">It learns that you have accepted, and not with which Apple Account.</p>
<form method="post">
{field("apple_account", "Apple Account", email, kind="email", required=True)}
<button class="main" name="choice" value="accept">Accept</button>
<button name="choice" value="decline" formnovalidate>Decline</button></form></section>""",
    )


def message(text: str) -> str:
    return frame("Apple", f'{note(text)}<p><a href="/">All organizations and locations</a></p>')


def frame(title: str, content: str) -> str:
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · Play Apple</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="/portal.css"></head>
<body><header><a href="/">Play Apple</a>
<small>stands in for Apple School Manager and Apple Business</small></header>
<main><h1>{escape(title)}</h1>{content}</main></body></html>"""


def note(text: str) -> str:
    return f'<p class="said" role="status">{escape(text)}</p>' if text else ""


def field(
    name: str,
    label: str,
    value: str = "",
    *,
    required: bool = False,
    kind: str = "text",
    size: int = 22,
) -> str:
    must = " required" if required else ""
    at_least = ' min="1"' if kind == "number" else f' size="{size}"'
    return (
        f'<label>{escape(label)} <input type="{kind}" name="{name}" '
        f'value="{escape(value)}"{at_least}{must}></label>'
    )


def _organization(name: str, places: list[Location]) -> str:
    rows = "".join(_row(place) for place in places)
    return f"""<section><h2>{escape(name)}</h2><table><thead><tr><th scope="col">Location</th>
<th scope="col">Country</th><th scope="col" class="number">Titles</th>
<th scope="col" class="number">Users</th><th scope="col">Managed by</th></tr></thead>
<tbody>{rows}</tbody></table></section>"""


def _row(place: Location) -> str:
    return f"""<tr><td><a href="/portal/locations/{place.uid}">{escape(place.name)}</a></td>
<td data-label="Country">{place.country}</td>
<td class="number" data-label="Titles">{len(place.assets)}</td>
<td class="number" data-label="Users">{len(place.users):,}</td>
<td data-label="Managed by">{escape(manager_of(place))}</td></tr>"""


def manager_of(place: Location) -> str:
    if place.managed_by_apple:
        return "Apple"
    return place.mdm_info["name"] if place.mdm_info else "nobody"
