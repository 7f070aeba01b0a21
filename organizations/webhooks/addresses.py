"""Where events may be sent: an admin names it, so it may lead anywhere.

Public addresses over https; those of a private network only where the operator allows it
(WEBHOOK_PRIVATE_ADDRESSES), and what gives away the machine that we run on never.
"""

from __future__ import annotations

from django.conf import settings

from organizations import outbound
from organizations.outbound import Address, Unfit

MOST_READ = 64 * 1024
EXAMPLE = "Write it like https://hooks.example.org/vpp."


class NoReceiver(outbound.Unreachable):
    """Nothing is sent to such an address; the text is safe to show."""


class Session(outbound.Session):
    def __init__(self) -> None:
        super().__init__(check, schemes=outbound.SCHEMES, most=MOST_READ, cuts=True)


def check(scheme: str, address: Address, host: str) -> None:
    match outbound.unfit(scheme, address, private=settings.WEBHOOK_PRIVATE_ADDRESSES):
        case Unfit.NEVER:
            raise NoReceiver(f"{host} is an address at which no receiver can be. Enter its own.")
        case Unfit.PRIVATE:
            raise NoReceiver(
                f"{host} is in a private network, into which this installation sends no webhooks."
                " Its operator can allow that with WEBHOOK_PRIVATE_ADDRESSES."
            )
        case Unfit.PLAIN:
            raise NoReceiver(f"{host} is a public address, so it must be asked over https.")


def problem_of(url: str) -> str:
    """What is wrong with an address as it is typed; empty where a receiver may be there.

    Names are looked up when something is sent, and each time again.
    """
    parts = outbound.parts_of(url)
    if parts is None or not parts.hostname or any(each.isspace() for each in url):
        return f"“{url[:80]}” is no address of a receiver. {EXAMPLE}"
    if parts.username or parts.password:
        return (
            "A user or password in the address would be shown to everybody who sees the webhook."
            " Leave them out: what is sent is signed instead."
        )
    if parts.fragment:
        return f"The address has no hash sign. {EXAMPLE}"
    if address := outbound.literal_of(parts.hostname):
        try:
            check(parts.scheme, address, parts.hostname)
        except NoReceiver as error:
            return str(error)
    if parts.scheme == "http" and not settings.WEBHOOK_PRIVATE_ADDRESSES:
        return f"Events are sent over https only. {EXAMPLE}"
    return ""
