"""The mails of a demo lie in files; here they can be read, as in an inbox of everybody in its story.

Only where mails go to files, and only in a demo or in development; elsewhere there is no such page.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import wraps
from itertools import islice
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

MOST = 100
DIVIDER = re.compile(rb"^-{79}\n", re.MULTILINE)  # Django's file backend ends each mail with it
# What a mail may do: show its own style and pictures, and open links beside itself.
HARMLESS = {
    "default-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "img-src": ["data:"],
    "frame-ancestors": [SELF],
    "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
}

View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, by its file and its place in there."""

    file: str
    number: int
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"] or "")

    @property
    def sender(self) -> str:
        return str(self.message["From"] or "")

    @property
    def to(self) -> str:
        return str(self.message["To"] or "")

    @property
    def sent_at(self) -> datetime | None:
        return self.message["Date"].datetime if self.message["Date"] else None

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        """With the pictures that came along, and its links in a tab of their own."""
        html = self._part("html")
        for part in self.message.walk():
            if name := str(part["Content-ID"] or "").strip("<>"):
                picture = base64.b64encode(part.get_payload(decode=True)).decode()  # type: ignore[arg-type]
                data = f"data:{part.get_content_type()};base64,{picture}"
                html = html.replace(f"cid:{name}", data)
        return html.replace("<head>", '<head><base target="_blank">', 1)

    def _part(self, kind: str) -> str:
        body = self.message.get_body((kind,))
        return str(body.get_content()) if body else ""


def in_a_demo(view: View) -> View:
    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.DEMO_INBOX:
            raise Http404
        return view(request, *args, **kwargs)

    return wrapper


@require_safe
@in_a_demo
def inbox(request: HttpRequest) -> HttpResponse:
    mails = list(islice(newest_first(), MOST))
    return render(request, "demo/inbox.html", {"mails": mails, "most": MOST})


@require_safe
@in_a_demo
def read_mail(request: HttpRequest, file: str, number: int) -> HttpResponse:
    return render(request, "demo/mail.html", {"mail": mail_or_404(file, number)})


@csp(HARMLESS)
@xframe_options_sameorigin
@require_safe
@in_a_demo
def mail_html(request: HttpRequest, file: str, number: int) -> HttpResponse:
    return HttpResponse(mail_or_404(file, number).html)


def newest_first() -> Iterator[Mail]:
    files = [(path.stat().st_mtime_ns, path) for path in folder().glob("*.log")]
    for _, path in sorted(files, reverse=True):
        yield from reversed(mails_in(path))


def mail_or_404(file: str, number: int) -> Mail:
    """A file is found by its name among those that are there, so that no name leads elsewhere."""
    path = next((each for each in folder().glob("*.log") if each.stem == file), None)
    mails = mails_in(path) if path else []
    if number >= len(mails):
        raise Http404
    return mails[number]


def mails_in(path: Path) -> list[Mail]:
    """Those of one connection. After the last divider is nothing, or a mail that is being written."""
    *whole, _ = DIVIDER.split(path.read_bytes())
    return [
        Mail(path.stem, number, message_from_bytes(mail, policy=policy.default))
        for number, mail in enumerate(whole)
    ]


def folder() -> Path:
    return Path(settings.EMAIL_FILE_PATH)
