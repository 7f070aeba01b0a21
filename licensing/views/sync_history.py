"""The last syncs of one account: when, why, by whom, and what they changed."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from licensing.tables.words import counts_in_words
from licensing.views.account_answers import account_or_404, window
from organizations.access import AdminRequest, organization_view
from organizations.models import Organization
from vpp_accounts.models import SyncRun

SHOWN = 25


@dataclass(frozen=True, slots=True)
class PastRun:
    run: SyncRun
    tells_changes: bool  # to this admin

    @property
    def duration(self) -> str:
        if not (self.run.started_at and self.run.finished_at):
            return ""
        seconds = (self.run.finished_at - self.run.started_at).total_seconds()
        return f"{seconds:.1f} s" if seconds < 60 else f"{seconds / 60:.1f} min"

    @property
    def changes(self) -> str:
        if not self.tells_changes:
            return "Only its allowed admins see this"
        changed = counts_in_words(self.run.counts)
        if changed or self.run.outcome != SyncRun.Outcome.SUCCEEDED:
            return changed
        return "Nothing changed"


@organization_view()
@require_safe
def account_runs(
    request: AdminRequest, organization: Organization, account_id: int
) -> HttpResponse:
    account = account_or_404(request, account_id)
    runs = SyncRun.objects.visible_to(request.membership).filter(account=account)
    newest = runs.select_related("requested_by").order_by("-pk")[:SHOWN]
    return window(
        request,
        "account_runs.html",
        f"Syncs of {account.name}",
        account=account,
        past_runs=[PastRun(run, account.is_open) for run in newest],
        shown=SHOWN,
    )
