"""Asks for syncs, and with --wait runs them to their end: sync_vpp (--account ID | --all) [--wait]"""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from licensing import sync
from licensing.metadata import fetch_for_account
from organizations import tenancy
from organizations.audit import Actor
from organizations.models import OF_OPEN
from organizations.refusals import Refusal
from vpp_accounts.models import SyncRun, VppAccount
from vpp_accounts.runs import request_sync


class Command(BaseCommand):
    help = "Syncs VPP accounts with Apple."

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--account", type=int, metavar="ID")
        which.add_argument("--all", action="store_true")
        parser.add_argument("--wait", action="store_true", help="run to the end, print the counts")
        parser.add_argument("--full", action="store_true", help="read everything again")

    def handle(self, *args: Any, **options: Any) -> None:
        accounts = VppAccount.objects.using("system").order_by("pk")
        if options["all"]:
            accounts = accounts.filter(OF_OPEN)
        else:
            accounts = accounts.filter(pk=options["account"])
            if not accounts:
                raise CommandError(f"There is no VPP account {options['account']}.")
        results = [
            self._sync(*ids, wait=options["wait"], full=options["full"])
            for ids in accounts.values_list("pk", "organization")
        ]
        if not all(results):
            raise CommandError("Not every account could be synced.")

    def _sync(self, account_id: int, organization_id: int, *, wait: bool, full: bool) -> bool:
        with tenancy.inside(organization_id):
            account = VppAccount.objects.select_related("organization").get(pk=account_id)
            return self._sync_account(account, wait=wait, full=full)

    def _sync_account(self, account: VppAccount, *, wait: bool, full: bool) -> bool:
        try:
            run = request_sync(
                by=Actor.system("Command line"),
                account=account,
                trigger=SyncRun.Trigger.COMMAND,
                full=full,
            )
        except Refusal as refusal:
            self.stderr.write(f"{account.pk} {account}: {refusal}")
            return False
        if not wait:
            self.stdout.write(f"{account.pk} {account}: sync {run.pk} is queued")
            return True
        return self._wait(account, run)

    def _wait(self, account: VppAccount, run: SyncRun) -> bool:
        """Run it here; where a worker was quicker, wait for that worker."""
        finished = sync.run(sync_run_id=run.pk) or sync.wait_for(run)
        if finished.outcome != SyncRun.Outcome.SUCCEEDED:
            self.stderr.write(f"{account.pk} {account}: {finished.message}")
            return False
        fetch_for_account(VppAccount.objects.get(pk=account.pk))
        self.stdout.write(f"{account.pk} {account}: {json.dumps(finished.counts)}")
        return True
