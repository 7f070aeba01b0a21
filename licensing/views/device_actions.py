"""What is done to devices that were chosen: each with a page that says what happens, in numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render

from apps_catalog.installations.asking import ask_install
from apps_catalog.models import ManagedApp
from licensing.forms.devices import (
    ActForm,
    AssignOwnerForm,
    DepartureForm,
    InstallForm,
    MoveForm,
    TagsForm,
)
from licensing.tables.device_filters import missing_apps
from licensing.views.device_choice import Choice, list_url, on_chosen, sent_form
from licensing.views.devices import suggested_owners
from organizations.access import AdminRequest
from organizations.bulk import returned
from organizations.devices import changing
from organizations.forms import done
from organizations.models import Device, Network, Tag
from vpp_accounts.permissions import OWNERS


@dataclass(frozen=True, slots=True)
class Words:
    """What a page of confirmation says before anything is done."""

    heading: str
    button: str
    stops: list[str] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)
    undo: str = ""
    is_danger: bool = False


@on_chosen()
def device_tags(request: AdminRequest, choice: Choice) -> HttpResponse:
    form = TagsForm(sent_form(request), digest=choice.digest, tags=own_tags(choice))
    words = Words(
        f"Tags of {choice.what}",
        "Save tags",
        stops=["Apps whose scope names these tags are looked at again: licenses and apps follow."],
        stays=["Tags that come with the owner, automatic tags, and all others of the device."],
        undo="Add or remove the same tags again. Licenses that a rule takes back wait for the grace"
        " period of the app.",
    )
    return acted(
        request,
        choice,
        form,
        words,
        lambda: changing.change_tags(**who(request, choice), **form.changes),
        "{} got other tags.",
    )


@on_chosen()
def device_owner(request: AdminRequest, choice: Choice) -> HttpResponse:
    """Owners belong to the whole organization, and network admins do not see them."""
    if not request.membership.sees_organization:
        raise PermissionDenied(OWNERS)
    form = AssignOwnerForm(
        sent_form(request), digest=choice.digest, organization=choice.organization
    )
    had = choice.devices.exclude(owner=None).count()
    words = Words(
        f"Owner of {choice.what}",
        "Assign owner",
        stops=[f"{plural(had, 'device has', 'devices have')} an owner now, and get another one."]
        if had
        else [],
        stays=[
            "Licenses of people stay with the people; the tags of the new owner come with them."
        ],
        undo="Assign the owner that it had before; the history of the device tells who that was.",
    )
    return acted(
        request,
        choice,
        form,
        words,
        lambda: changing.assign_owner(**who(request, choice), owner=form.chosen),
        "{} got another owner.",
        owners=suggested_owners(request.membership),
    )


@on_chosen()
def device_move(request: AdminRequest, choice: Choice) -> HttpResponse:
    form = MoveForm(
        sent_form(request),
        digest=choice.digest,
        organization=choice.organization,
        networks=Network.objects.writable_by(request.membership),
    )
    lacking = wanted_apps(request, choice)
    words = Words(
        f"Move {choice.what} to another network?",
        "Move",
        stops=[*consequences(request, choice, "moved"), *lacking],
        stays=["Serial number, owner, tags and history."],
        undo="Move it back: the apps of its network want it again.",
    )
    return acted(
        request,
        choice,
        form,
        words,
        lambda: changing.move(
            **who(request, choice), network=form.cleaned_data["network"], **form.departure
        ),
        "{} moved.",
    )


@on_chosen()
def device_unenroll(request: AdminRequest, choice: Choice) -> HttpResponse:
    words = Words(
        f"Mark {choice.what} as not enrolled?",
        "Mark unenrolled",
        stops=[
            *consequences(request, choice, "unenrolled"),
            f"{choice.they} can no longer be reached, so no app is installed or removed there.",
        ],
        stays=["The device itself, with its owner, tags and history, stays in the inventory."],
        undo="A device that enrolls again is recognised by its serial number.",
        is_danger=True,
    )
    return departure(request, choice, words, changing.mark_unenrolled, "{} marked unenrolled.")


@on_chosen()
def device_delete(request: AdminRequest, choice: Choice) -> HttpResponse:
    words = Words(
        f"Delete {choice.what}?",
        "Delete",
        stops=[
            f"{plural(choice.number, 'device leaves', 'devices leave')} the inventory, with owner, "
            "tags, notes and what was sent to it.",
            *consequences(request, choice, "deleted"),
        ],
        stays=["Licenses that are kept stay with the serial number. The activity stays readable."],
        undo="Add the device again by its serial number: licenses that were kept are found again.",
        is_danger=True,
    )
    return departure(
        request, choice, words, changing.delete, "{} deleted.", then=list_url(choice.organization)
    )


@on_chosen()
def device_install(request: AdminRequest, choice: Choice) -> HttpResponse:
    networks = choice.devices.order_by().values("network").distinct()
    apps = ManagedApp.objects.writable_by(request.membership).filter(network__in=networks)
    named = apps.select_related("app", "network").order_by("app__name", "network__name", "pk")
    form = InstallForm(sent_form(request), digest=choice.digest, apps=named)
    words = Words(
        f"Install an app on {choice.what}",
        "Install app",
        stops=["One license of the app is used for each device that has none yet."],
        stays=["Devices that are not in the scope of the app, or have it already, are left out."],
        undo="Remove the app on the page of the device, or take the device out of its scope.",
    )
    told: list[str] = []

    def ask() -> None:
        asked = ask_install(
            by=request.actor,
            managed_app=form.cleaned_data["managed_app"],
            devices=choice.devices,
            force=form.cleaned_data["force"],
        )
        told.extend(asked_in_words(asked))

    if done(form, ask):
        for sentence in told:
            messages.info(request, sentence)
        return redirect(choice.back_url)
    return page(request, choice, form, words)


# --- What they have in common -----------------------------------------------------------------------


def acted(
    request: AdminRequest,
    choice: Choice,
    form: ActForm,
    words: Words,
    act: Callable[[], list[int]],
    told: str,
    *,
    then: str = "",
    **context: Any,
) -> HttpResponse:
    """`told` is said of “12 devices”."""
    changed: list[int] = []
    if done(form, lambda: changed.extend(act())):
        number = len(changed)
        what = choice.what if choice.number == number == 1 else plural(number, "device", "devices")
        messages.success(request, told.format(what) if number else "Nothing had to be changed.")
        return redirect(then or choice.back_url)
    return page(request, choice, form, words, **context)


def departure(
    request: AdminRequest,
    choice: Choice,
    words: Words,
    act: Callable[..., list[int]],
    told: str,
    then: str = "",
) -> HttpResponse:
    form = DepartureForm(sent_form(request), digest=choice.digest, organization=choice.organization)
    return acted(
        request,
        choice,
        form,
        words,
        lambda: act(**who(request, choice), **form.departure),
        told,
        then=then,
    )


def page(
    request: AdminRequest, choice: Choice, form: ActForm, words: Words, **context: Any
) -> HttpResponse:
    shown = {"organization": choice.organization, "choice": choice, "form": form, "words": words}
    return render(request, "licensing/device_act.html", shown | context)


def who(request: AdminRequest, choice: Choice) -> dict[str, Any]:
    return {"by": request.actor, "organization": choice.organization, "devices": choice.devices}


def consequences(request: AdminRequest, choice: Choice, cause: str) -> list[str]:
    return changing.consequences(choice.organization, choice.devices, cause, request.membership)


def wanted_apps(request: AdminRequest, choice: Choice) -> list[str]:
    """“34 apps of the present networks that are not installed yet are no longer wanted.”"""
    found = missing_apps(request.membership).filter(device__in=choice.ids).count()
    apps = plural(found, "app", "apps")
    told = f"{apps} that the present networks want there, and that are not installed yet."
    return [told] if found else []


def own_tags(choice: Choice) -> list[tuple[Tag, int]]:
    """The tags of these devices, and how many of them have each."""
    counts = dict(
        returned(
            f"SELECT tag, count(*) FROM {Device._meta.db_table}, unnest(tag_ids) AS tag"  # noqa: S608
            " WHERE organization_id = %s AND id = ANY(%s) GROUP BY tag",
            [choice.organization.pk, list(choice.ids)],
        )
    )
    tags = Tag.objects.filter(organization=choice.organization, pk__in=counts)
    return sorted(((tag, counts[tag.pk]) for tag in tags), key=lambda each: each[0].name.casefold())


def asked_in_words(asked: Any) -> list[str]:
    """“12 installs are asked for.”, “3 cannot: the device is not in the scope.”"""
    told = [f"{plural(asked.asked, 'install is', 'installs are')} asked for."]
    if asked.already:
        told.append(f"{plural(asked.already, 'device has', 'devices have')} the app already.")
    for reason, number in asked.cannot.items():
        told.append(
            f"{plural(number, 'device', 'devices')} left out: {reason.sentence} {reason.fix}"
        )
    return [text.strip() for text in told]


def plural(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
