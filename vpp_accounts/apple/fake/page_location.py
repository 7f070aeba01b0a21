"""The HTML of one location in the portal."""

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from vpp_accounts.apple.fake.clock import apple_date
from vpp_accounts.apple.fake.pages import field, frame, manager_of, note
from vpp_accounts.apple.fake.paths import INVITATION
from vpp_accounts.apple.fake.state import Asset, ClientUser, Location, Manager, Token
from vpp_accounts.apple.fake.titles import Title

if TYPE_CHECKING:
    from vpp_accounts.apple.fake.fake import FakeApple

SHOWN_USERS = 200
SHOWN_TOKENS = 20

_FREE = (("as", "as the catalogue says"), ("yes", "unlimited"), ("no", "a fixed number"))


def location(apple: "FakeApple", place: Location, said: str) -> str:
    return frame(
        place.name,
        f"""<p class="quiet">{escape(place.org_name)} · {place.country} · uId {place.uid}
 · managed by {escape(manager_of(place))}</p>{note(said)}
<div class="cards">{_tokens(apple, place)}{_managers(place)}{_settings(place)}</div>
{_assets(apple, place)}{_plans(place)}{_users(place)}
<p><a href="/">All organizations and locations</a></p>""",
    )


def _form(place: Location, action: str, content: str) -> str:
    address = f"/portal/locations/{place.uid}/{action}"
    return f'<form method="post" action="{address}">{content}</form>'


def _hidden(name: str, value: object) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(str(value))}">'


def _table(heads: Sequence[str], rows: str) -> str:
    """A head that begins with # is of numbers; one in parentheses is for screen readers only."""
    cells = "".join(_head(head) for head in heads)
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table>"


def _head(head: str) -> str:
    if head.startswith("("):
        return f'<th scope="col"><span class="sr">{head.strip("()")}</span></th>'
    style = ' class="number"' if head.startswith("#") else ""
    return f'<th scope="col"{style}>{head.removeprefix("#")}</th>'


# Who looks after it


def _tokens(apple: "FakeApple", place: Location) -> str:
    options = "".join(f"<option>{escape(each.account)}</option>" for each in place.managers)
    numbered = list(enumerate(place.tokens))[-SHOWN_TOKENS:]
    rows = "".join(_token(apple, place, number, token) for number, token in reversed(numbered))
    download = _form(
        place,
        "token",
        f"""<label>As <select name="manager">{options}</select></label>
<button class="main">Download content token</button>""",
    )
    return f"""<section><h2>Content tokens</h2>{download}
{_table(("Downloaded by", "Ends", "State", "(Action)"), rows)}
{_form(place, "revoke", '<button class="ends">Revoke all content tokens</button>')}</section>"""


def _token(apple: "FakeApple", place: Location, number: int, token: Token) -> str:
    state = "revoked" if token.revoked else "valid"
    state = "expired" if state == "valid" and token.expires <= apple.clock.now() else state
    name = f"Revoke<span class='sr'> content token {number + 1}</span>"
    button = _hidden("number", number) + f'<button class="ends">{name}</button>'
    return f"""<tr><td class="id">{escape(token.manager or "somebody")}</td>
<td class="day" data-label="Ends">{apple_date(token.expires)[:10]}</td><td data-label="State">{state}</td>
<td>{_form(place, "revoke", button) if state == "valid" else ""}</td></tr>"""


def _managers(place: Location) -> str:
    rows = "".join(_manager(place, each) for each in place.managers)
    new = field("account", "New manager", kind="email", required=True)
    rights = """<label>May <select name="may"><option value="write">manage licenses</option>
<option value="read">only read</option></select></label><button>Add</button>"""
    return f"""<section><h2>Managers</h2>
<p><small>A new password ends the content tokens that this manager downloaded.</small></p>
{_table(("Account", "May", "(Action)"), rows)}{_form(place, "manager", new + rights)}</section>"""


def _manager(place: Location, manager: Manager) -> str:
    name = f"Change password<span class='sr'> of {escape(manager.account)}</span>"
    button = _hidden("manager", manager.account) + f"<button>{name}</button>"
    may = "manage licenses" if manager.may_write else "only read"
    return f"""<tr><td class="id">{escape(manager.account)}</td><td data-label="May">{may}</td>
<td>{_form(place, "password", button)}</td></tr>"""


def _settings(place: Location) -> str:
    rename = field("name", "Name", place.name, required=True) + "<button>Rename</button>"
    managed = place.managed_by_apple
    turn = "Let Apple's own device management go" if managed else "Let Apple manage it"
    toggle = _hidden("managed", "no" if managed else "yes") + f"<button>{turn}</button>"
    chosen = {None: "as", True: "yes", False: "no"}[place.unlimited_free]
    options = "".join(
        f'<option value="{value}"{" selected" if value == chosen else ""}>{text}</option>'
        for value, text in _FREE
    )
    free = f"""<label>Free apps are <select name="unlimited">{options}</select></label>
<button>Save</button>"""
    return f"""<section class="row"><h2>Settings</h2>{_form(place, "rename", rename)}
{_form(place, "free", free)}{_form(place, "managed", toggle)}</section>"""


# What it owns


def _assets(apple: "FakeApple", place: Location) -> str:
    others = [each for each in apple.locations.values() if each is not place]
    rows = "".join(_asset(apple, place, asset, others) for asset in place.assets.values())
    heads = ("Title", "Kind", "#Total", "#Assigned", "#Available", "Unassigned licenses")
    table = _table(heads, rows) if rows else '<p class="quiet">Nothing bought yet.</p>'
    return f"<section><h2>Apps and books</h2>{_buy_form(apple, place)}{table}</section>"


def _asset(apple: "FakeApple", place: Location, asset: Asset, others: Sequence[Location]) -> str:
    name = escape(_name(apple, asset))
    counts = asset.counts("retired")
    total = "unlimited" if asset.unlimited else f"{asset.total:,}"
    available = "unlimited" if asset.unlimited else f"{asset.available:,}"
    moves = "" if asset.unlimited else _moves(place, asset, name, others)
    return f"""<tr><td><div class="title"><img src="/icons/{asset.adam_id}/80x80bb.png" alt="">
<div>{name}<br><small>{asset.adam_id} · {", ".join(asset.supported_platforms)}</small></div></div></td>
<td data-label="Kind">{asset.product_type}</td>
<td class="number" data-label="Total">{total}</td>
<td class="number" data-label="Assigned">{counts["assignedCount"]:,}</td>
<td class="number" data-label="Available">{available}</td><td>{moves}</td></tr>"""


def _name(apple: "FakeApple", asset: Asset) -> str:
    title = apple.titles.get(asset.adam_id)
    edition = ", high quality" if asset.pricing_param == "PLUS" else ""
    return (title.name if title else f"Adam ID {asset.adam_id}") + edition


def _moves(place: Location, asset: Asset, name: str, others: Sequence[Location]) -> str:
    """`name` is escaped already."""
    choices = "".join(f'<option value="{e.uid}">{escape(e.name)}</option>' for e in others)
    transfer = f"""<select name="to" aria-label="Transfer {name} to">{choices}</select>
<button formaction="/portal/locations/{place.uid}/transfer">Transfer</button>"""
    quantity = (
        f'<input type="number" name="quantity" min="1" value="1" aria-label="How many of {name}">'
    )
    key = _hidden("title", f"{asset.adam_id}/{asset.pricing_param}")
    refund = f"{key}{quantity}<button>Refund</button>"
    return _form(place, "refund", refund + (transfer if choices else ""))


def _buy_form(apple: "FakeApple", place: Location) -> str:
    shelf = sorted(apple.titles.values(), key=lambda title: title.name)
    options = "".join(_option(title, edition) for title in shelf for edition in title.editions)
    return _form(
        place,
        "buy",
        f"""<label>Title <select name="title">{options}</select></label>
{field("quantity", "Licenses", "10", kind="number")}<button class="main">Buy</button>""",
    )


def _option(title: Title, edition: str) -> str:
    price = f"{title.price:.2f}" if title.price else "free"
    quality = ", high quality" if edition == "PLUS" else ""
    name = f"{escape(title.name)} ({price}{quality})"
    return f'<option value="{title.adam_id}/{edition}">{name}</option>'


def _plans(place: Location) -> str:
    if not place.subscriptions_enabled and not place.plans:
        return ""
    rows = "".join(
        f"""<tr><td>{plan.adam_id}</td><td data-label="Status">{plan.status}</td>
<td data-label="Period ends">{plan.period_end}</td>
<td class="number" data-label="Renewing">{plan.renewing:,}</td>
<td class="number" data-label="Expiring">{plan.expiring:,}</td>
<td class="number" data-label="Assigned">{len(plan.seats):,}</td></tr>"""
        for plan in place.plans.values()
    )
    heads = ("Subscription", "Status", "Period ends", "#Renewing", "#Expiring", "#Assigned")
    buy = (
        field("adam_id", "Subscription (Adam ID)", kind="number", required=True)
        + field("quantity", "Renewing seats", "5", kind="number")
        + "<button>Buy seats</button>"
    )
    return f"""<section><h2>Subscriptions</h2>{_form(place, "seats", buy)}
{_table(heads, rows) if rows else ""}</section>"""


# Who receives


def _users(place: Location) -> str:
    if not place.users:
        return '<section><h2>Users</h2><p class="quiet">No registered users.</p></section>'
    rows = "".join(_user(user) for user in place.users[:SHOWN_USERS])
    more = len(place.users) - SHOWN_USERS
    rest = f'<p class="quiet">and {more:,} more</p>' if more > 0 else ""
    heads = ("User", "E-mail", "Status", "Apple Account")
    return f"<section><h2>Users</h2>{_table(heads, rows)}{rest}</section>"


def _user(user: ClientUser) -> str:
    name = escape(user.email or user.client_user_id)
    link = f"""<a href="{INVITATION}?inviteCode={user.invite_code}">Open the invitation<span
 class="sr"> of {name}</span></a>"""
    account = link if user.status == "Registered" else escape(user.apple_account)
    return f"""<tr><td class="id">{escape(user.client_user_id)}</td>
<td class="id" data-label="E-mail">{escape(user.email or "—")}</td>
<td data-label="Status">{user.status}</td><td class="id">{account}</td></tr>"""
