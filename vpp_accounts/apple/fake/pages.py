"""The HTML of the portal."""

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

from vpp_accounts.apple.fake.clock import apple_date
from vpp_accounts.apple.fake.paths import INVITATION
from vpp_accounts.apple.fake.state import Asset, ClientUser, Location
from vpp_accounts.apple.fake.titles import Title

if TYPE_CHECKING:
    from vpp_accounts.apple.fake.fake import FakeApple

SHOWN_USERS = 200

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --blue: #0a6cd6; }
* { box-sizing: border-box; }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 76rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.6rem; margin: .2rem 0; } h2 { font-size: 1.1rem; margin: 1.8rem 0 .6rem; }
a { color: var(--blue); } small, .quiet { opacity: .7; }
table { border-collapse: collapse; width: 100%; } td, th { padding: .45rem .5rem; text-align: left;
  border-bottom: 1px solid var(--line); vertical-align: middle; }
th { font-weight: 600; font-size: .85rem; opacity: .7; } .number { text-align: right; }
.wide { overflow-x: auto; }
img { width: 40px; height: 40px; border-radius: 9px; display: block; }
form { display: inline-flex; flex-wrap: wrap; gap: .4rem; align-items: center; margin: 0; }
section { background: var(--soft); border: 1px solid var(--line); border-radius: 12px;
  padding: 1rem; margin: .8rem 0; display: flex; flex-wrap: wrap; gap: .8rem 1.2rem; }
input, select, button { font: inherit; padding: .3rem .55rem; border: 1px solid var(--line);
  border-radius: 8px; max-width: 22rem; }
input[type=number] { width: 5.5rem; } td select { max-width: 10rem; } td form { flex-wrap: nowrap; }
button { cursor: pointer; } button.main { background: var(--blue); color: #fff; border-color: transparent; }
.said { border-left: 4px solid var(--blue); padding: .5rem .8rem; background: var(--soft); }
"""


def home(apple: "FakeApple", said: str) -> str:
    rows = "".join(_location_row(each) for each in apple.locations.values())
    return _page(
        "Locations",
        f"""{_said(said)}
<div class="wide"><table><thead><tr><th>Location<th>Organization<th>Country
<th class="number">Titles<th class="number">Users<th>Managed by</thead><tbody>
{rows or '<tr><td colspan="6">There is no location yet.'}</tbody></table></div>
<h2>New location</h2><section><form method="post" action="/portal/locations">
{_field("name", "Name", required=True)} {_field("org_name", "Organization")}
{_field("country", "Country", "US")}
<select name="platform" aria-label="Kind"><option value="volumestore">School
<option value="enterprisestore">Business</select>
<button class="main">Create</button></form></section>""",
    )


def location(apple: "FakeApple", place: Location, said: str) -> str:
    manager = place.mdm_info["name"] if place.mdm_info else "nobody"
    others = [each for each in apple.locations.values() if each is not place]
    assets = "".join(_asset_row(apple, place, asset, others) for asset in place.assets.values())
    return _page(
        place.name,
        f"""<p><a href="/">All locations</a></p>{_said(said)}
<p class="quiet">{escape(place.org_name)} · {place.country} · uId {place.uid}
 · managed by {escape(manager)}</p>
<section>{_button(place, "token", "Download content token", main=True)}
{_button(place, "revoke", "Revoke all content tokens")}
<form method="post" action="/portal/locations/{place.uid}/rename">
{_field("name", "New name", place.name)}<button>Rename</button></form>
<small>{_tokens(place)}</small></section>
<h2>Apps and books</h2>
<section>{_buy_form(apple, place)}</section>
<div class="wide"><table><thead><tr><th><th>Title<th>Kind<th class="number">Total
<th class="number">Assigned<th class="number">Available<th>Unassigned licenses</thead><tbody>
{assets or '<tr><td colspan="7">Nothing bought yet.'}</tbody></table></div>
<h2>Users</h2>{_users(place)}""",
    )


def invitation(organization: str, email: str) -> str:
    return _page(
        "Apps and books from your organization",
        f"""<p>{escape(organization)} would like to assign apps and books to you.
Sign in with your Apple Account to accept.</p><section><form method="post">
<label>Apple Account {_field("apple_account", "Apple Account", email, kind="email")}</label>
<button class="main" name="choice" value="accept">Accept</button>
<button name="choice" value="decline" formnovalidate>Decline</button></form></section>""",
    )


def message(text: str) -> str:
    return _page("Apple", f'<p class="said">{escape(text)}</p><p><a href="/">All locations</a></p>')


def _page(title: str, content: str) -> str:
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · Play Apple</title><link rel="stylesheet" href="/portal.css"></head>
<body><p class="quiet">Play Apple: a stand-in for Apple School Manager and Apple Business</p>
<h1>{escape(title)}</h1>{content}</body></html>"""


def _said(text: str) -> str:
    return f'<p class="said" role="status">{escape(text)}</p>' if text else ""


def _location_row(place: Location) -> str:
    manager = place.mdm_info["name"] if place.mdm_info else "—"
    return f"""<tr><td><a href="/portal/locations/{place.uid}">{escape(place.name)}</a>
<td>{escape(place.org_name)}<td>{place.country}<td class="number">{len(place.assets)}
<td class="number">{len(place.users)}<td>{escape(manager)}"""


def _asset_row(
    apple: "FakeApple", place: Location, asset: Asset, others: Iterable[Location]
) -> str:
    title = apple.titles.get(asset.adam_id)
    name = title.name if title else f"Adam ID {asset.adam_id}"
    edition = " · high quality" if asset.pricing_param == "PLUS" else ""
    counts = asset.counts("retired")
    total = "unlimited" if asset.unlimited else f"{asset.total:,}"
    available = "unlimited" if asset.unlimited else f"{asset.available:,}"
    return f"""<tr><td><img src="/icons/{asset.adam_id}/80x80bb.png" alt=""><td>{escape(name)}{edition}
<br><small>{asset.adam_id} · {", ".join(asset.supported_platforms)}</small><td>{asset.product_type}
<td class="number">{total}<td class="number">{counts["assignedCount"]:,}
<td class="number">{available}<td>{"" if asset.unlimited else _moves(place, asset, others)}"""


def _moves(place: Location, asset: Asset, others: Iterable[Location]) -> str:
    choices = "".join(f'<option value="{each.uid}">{escape(each.name)}' for each in others)
    transfer = f"""<select name="to" aria-label="Transfer to">{choices}</select>
<button formaction="/portal/locations/{place.uid}/transfer">Transfer</button>"""
    return f"""<form method="post" action="/portal/locations/{place.uid}/refund">
<input type="hidden" name="title" value="{asset.adam_id}/{asset.pricing_param}">
<input type="number" name="quantity" min="1" value="1" aria-label="Quantity">
<button>Refund</button>{transfer if choices else ""}</form>"""


def _buy_form(apple: "FakeApple", place: Location) -> str:
    shelf = sorted(apple.titles.values(), key=lambda title: title.name)
    options = "".join(_option(title, edition) for title in shelf for edition in title.editions)
    return f"""<form method="post" action="/portal/locations/{place.uid}/buy">
<select name="title" aria-label="Title">{options}</select>
<input type="number" name="quantity" min="1" value="10" aria-label="Quantity">
<button class="main">Buy</button></form>"""


def _option(title: Title, edition: str) -> str:
    price = f"{title.price:.2f}" if title.price else "free"
    quality = ", high quality" if edition == "PLUS" else ""
    return f'<option value="{title.adam_id}/{edition}">{escape(title.name)} ({price}{quality})'


def _tokens(place: Location) -> str:
    valid = [token for token in place.tokens if not token.revoked]
    if not valid:
        return "No valid content token."
    return f"{len(valid)} valid; the newest ends {apple_date(valid[-1].expires)[:10]}."


def _users(place: Location) -> str:
    if not place.users:
        return '<p class="quiet">No registered users.</p>'
    rows = "".join(_user_row(user) for user in place.users[:SHOWN_USERS])
    more = len(place.users) - SHOWN_USERS
    rest = f'<p class="quiet">and {more:,} more</p>' if more > 0 else ""
    return f"""<div class="wide"><table><thead><tr><th>User<th>E-mail<th>Status<th></thead><tbody>
{rows}</tbody></table></div>{rest}"""


def _user_row(user: ClientUser) -> str:
    link = f"{INVITATION}?inviteCode={user.invite_code}"
    accept = f'<a href="{link}">Open the invitation</a>' if user.status == "Registered" else ""
    return f"""<tr><td>{escape(user.client_user_id)}<td>{escape(user.email or "—")}
<td>{user.status}<td>{accept}"""


def _button(place: Location, action: str, text: str, *, main: bool = False) -> str:
    style = ' class="main"' if main else ""
    return f"""<form method="post" action="/portal/locations/{place.uid}/{action}">
<button{style}>{text}</button></form>"""


def _field(
    name: str, label: str, value: str = "", *, required: bool = False, kind: str = "text"
) -> str:
    must = " required" if required else ""
    return (
        f'<input type="{kind}" name="{name}" placeholder="{label}" aria-label="{label}" '
        f'value="{escape(value)}"{must}>'
    )
