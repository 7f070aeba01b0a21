"""Whether the scope means the device, and which tag puts it in or keeps it out."""

from __future__ import annotations

from collections.abc import Iterable

from apps_catalog.reasons import Reason, Stage, Where
from apps_catalog.requirements import DEVICES_OF
from licensing.why.cases import Case
from licensing.why.steps import Detail, Fix, Step, Verdict
from organizations.scopes import Operator

NEGATIVE = (Operator.WITHOUT_ANY, Operator.WITHOUT_ALL)


def scope_step(case: Case) -> Step:
    app, device = case.app, case.device
    if device.network_id != app.network_id:
        return _wrong(
            case,
            f"{device} is in the network {device.network}, and this app is for {app.network}.",
            case.fix(f"Add the app in {device.network} too, or move the device.", Where.DEVICE),
        )
    if device.platform not in DEVICES_OF[app.platform]:
        return _wrong(case, case.told(Reason.PLATFORM), case.fix_of(Reason.PLATFORM))
    if app.scope.matches(case.tags_on_device.keys()):
        return _in_scope(case)
    return _wrong(case, f"{device} is not in scope. {has_words(case)}".strip(), _way_in(case))


def _in_scope(case: Case) -> Step:
    row = case.installation
    state = [Detail(f"State: {row.get_state_display()}", row.since)] if row else []
    sentence = f"{case.device} is in scope. {has_words(case)}".strip()
    details = (_scope_of(case), *state)
    return Step(Stage.SCOPE, Verdict.OK, sentence, case.app.counted_at, None, details)


def _wrong(case: Case, sentence: str, fix: Fix | None) -> Step:
    return Step(Stage.SCOPE, Verdict.WRONG, sentence, None, fix, (_scope_of(case),))


def _scope_of(case: Case) -> Detail:
    names = {pk: tag.name for pk, tag in case.tags.items()}
    return Detail(f"Scope in {case.app.network}: {case.app.scope.sentence(names)}.")


def has_words(case: Case) -> str:
    """“It has grade-3 (from its owner Ann) and lacks cart.”"""
    if not case.app.scope.operator.takes_tags:
        return ""
    has = [
        str(case.tags_on_device[tag])
        for tag in case.app.scope_tag_ids
        if tag in case.tags_on_device
    ]
    parts = [f"has {_all(has)}"] if has else []
    if lacking := _lacking(case):
        parts.append(f"lacks {_all(lacking)}" if has else f"has no tag {_all(lacking, 'or')}")
    return f"It {' and '.join(parts)}." if parts else "Its scope names no tag."


def _lacking(case: Case) -> list[str]:
    lacking = [tag for tag in case.app.scope_tag_ids if tag not in case.tags_on_device]
    return [case.tags[tag].name if tag in case.tags else "a deleted tag" for tag in lacking]


def _way_in(case: Case) -> Fix:
    scope = case.app.scope
    if not scope.operator.takes_tags or not scope.tag_ids:
        return case.fix("Choose a scope that means some devices.", Where.APP)
    if scope.operator in NEGATIVE:
        text = "Take the tag off the device or its owner, or change the scope."
        return case.fix(text, Where.DEVICE)
    some = "the missing tags" if scope.operator == Operator.WITH_ALL else "one of the tags"
    return case.fix(f"Give {some} to the device or its owner, or change the scope.", Where.DEVICE)


def _all(words: Iterable[str], last: str = "and") -> str:
    *others, final = words
    return f"{', '.join(others)} {last} {final}" if others else final
