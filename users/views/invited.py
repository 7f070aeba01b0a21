"""The pages behind the link of an invitation. Nobody signs in here, and no cookie is needed."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from organizations.models import Logo
from organizations.throttle import Limit
from users.invitations import giving, links, visits
from users.invitations.visits import Stage, Visit, visit_of

WRONG_LINKS = Limit("wrong-invitations", most=20, seconds=600)
ASKING = Limit("asking-for-invitations", most=60, seconds=600)  # a school
STATUS = {Stage.GONE: 404, Stage.CLOSED: 503} | dict.fromkeys(visits.OVER - {Stage.ACCEPTED}, 410)
LOOKS_AGAIN_AFTER = 30  # seconds, while Apple does not know the person yet
APPLES = re.compile(r"\b(iPhone|iPad|iPod|Macintosh)\b")
MAC = re.compile(r"\bMacintosh\b")  # iPads say so, too
# Programs that look at a link before a person does, though they call themselves browsers.
PREVIEWS = re.compile(r"bot\b|crawl|spider|preview|scan|facebookexternalhit|slurp", re.I)

View = Callable[..., HttpResponse]


def private(view: View) -> View:
    """Neither kept, nor found by search engines, nor told to where its links lead."""

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> HttpResponse:
        response = view(*args, **kwargs)
        patch_cache_control(response, private=True, no_store=True)
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return wrapper


@private
@require_safe
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    visit = visit_of(token)
    if visit is None:
        return _unknown(request)
    if _is_a_persons(request):
        visits.note_opened(visit)
    return _page(request, visit)


@private
@require_safe
def invitation_go(request: HttpRequest, token: str) -> HttpResponse:
    """On to Apple's page, as often as one likes."""
    visit = visit_of(token)
    if visit is None:
        return _unknown(request)
    if not visit.apples_page:
        return redirect("users:invitation", token)
    if _is_a_persons(request):
        visits.note_went_on(visit)
    return redirect(visit.apples_page)


# Whoever has the link may ask: there is no session that a foreign page could misuse.
@csrf_exempt
@private
@require_POST
def invitation_ask(request: HttpRequest, token: str) -> HttpResponse:
    visit = visit_of(token)
    if visit is None:
        return _unknown(request)
    if seconds := ASKING.count(request):
        return _too_often(request, seconds)
    if visit.is_over and visit.invitation:
        giving.ask_again(visit.invitation)
    return redirect(f"{reverse('users:invitation', args=[token])}?lang={_language(request, visit)}")


@require_safe
def invitation_logo(request: HttpRequest, token: str) -> HttpResponse:
    visit = visit_of(token)
    logo = Logo.objects.filter(organization=visit.organization).first() if visit else None
    if logo is None:
        raise Http404
    response = HttpResponse(bytes(logo.png), content_type="image/png")
    patch_cache_control(response, private=True, max_age=3600)
    return response


def _page(request: HttpRequest, visit: Visit) -> HttpResponse:
    agent = request.headers.get("User-Agent", "")
    address = f"{settings.BASE_URL}{reverse('users:invitation', args=[visit.token])}"
    facts = {
        "visit": visit,
        "account": visit.account,
        "organization": visit.organization,
        "is_on_apples": bool(APPLES.search(agent)),
        "offers_code": not APPLES.search(agent) or bool(MAC.search(agent)),
        "code": links.qr_code(address) if visit.stage in (Stage.OPEN, Stage.TEST) else "",
    }
    response = _render(
        request,
        f"users/invited_{'over' if visit.is_over else visit.stage}.html",
        _language(request, visit),
        facts,
        status=STATUS.get(visit.stage, 200),
    )
    if visit.stage == Stage.NOT_YET:
        response.headers["Refresh"] = str(LOOKS_AGAIN_AFTER)
    return response


def _unknown(request: HttpRequest) -> HttpResponse:
    """Says nothing about any link; who tries many is kept out, while links of ours go on working."""
    if seconds := WRONG_LINKS.count(request):
        return _too_often(request, seconds)
    language = _language(request)
    return _render(request, "users/invited_unknown.html", language, {}, status=404)


def _too_often(request: HttpRequest, seconds: int) -> HttpResponse:
    facts = {"minutes": -(-seconds // 60)}
    language = _language(request)
    response = _render(request, "users/invited_too_often.html", language, facts, status=429)
    response.headers["Retry-After"] = str(seconds)
    return response


def _render(
    request: HttpRequest, template: str, language: str, facts: dict[str, Any], *, status: int
) -> HttpResponse:
    organization = facts.get("organization")
    zone = organization.zone if organization else None
    names = dict(settings.PEOPLE_LANGUAGES)
    facts |= {"language": language, "languages": names}
    with translation.override(language), timezone.override(zone):
        response = render(request, template, facts, status=status)
    response.headers["Content-Language"] = language
    return response


def _language(request: HttpRequest, visit: Visit | None = None) -> str:
    """What was chosen on the page, else the person's, else the browser's."""
    known = dict(settings.PEOPLE_LANGUAGES)
    accepted = parse_accept_lang_header(request.headers.get("Accept-Language", ""))
    wanted = [
        request.GET.get("lang", ""),
        visit.language if visit else "",
        *(code.partition("-")[0] for code, _ in accepted),
    ]
    return next((code for code in wanted if code in known), settings.LANGUAGE_CODE)


def _is_a_persons(request: HttpRequest) -> bool:
    """A person's browser shows the page; no HEAD, no prefetch, no scanner of mails."""
    purposes = (request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Moz"))
    agent = request.headers.get("User-Agent", "")
    return (
        request.method == "GET"
        and not any(purposes)
        and agent.startswith("Mozilla/")
        and not PREVIEWS.search(agent)
    )
