"""People out of a file, for programs: a verdict per row, and the import itself."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from licensing.api.doors import VppAccountApiView
from licensing.api.import_serializers import ImportPeopleSerializer, PeopleImportSerializer
from organizations.api.openapi import operation
from organizations.models import Owner
from users import imports
from users.models import ImportRow, PeopleImport, VppUser
from users.states import RETIRED

BESIDE_THE_FILE = 64 * 1024  # what a form has around it


class UsersImportView(VppAccountApiView):
    needs_allowed_admin = True
    largest_body = imports.LARGEST_FILE + BESIDE_THE_FILE

    @operation(
        "importOrganizationSmVppAccountUsers",
        "Add and update the users of an account out of a file",
        tag="VPP users",
        body={"multipart/form-data": ImportPeopleSerializer},
        answers={202: PeopleImportSerializer, 200: PeopleImportSerializer},
        description=(
            "The people of the file become owners of the organization and users of the account, who"
            " are registered at Apple by a batch. An owner is known by the e-mail address, else by the"
            " Managed Apple Account, else by the username; an empty cell says nothing. With dryRun it"
            " answers 200 and nothing is written. Where rows have errors it answers 400 with the code"
            " rows_wrong and the verdicts, and nothing is written either, unless skipErrors is sent."
        ),
    )
    def post(self, request: Request, **path: str) -> Response:
        given = ImportPeopleSerializer.checked(request)
        checked = self._checked(given)
        if given["dryRun"]:
            told = import_json(checked)
            imports.cancel(by=self.actor, people_import=checked)  # nobody is to confirm it
            return Response(told)
        if checked.counts["error"] and not given["skipErrors"]:
            imports.cancel(by=self.actor, people_import=checked)
            return Response(rows_wrong_json(checked), status=400)
        imports.confirm(by=self.actor, people_import=checked)
        # A worker may have been quicker: then this waits for what it wrote.
        applied = imports.apply(checked.pk, waits=True) or checked
        return Response(import_json(applied), status=202)

    def _checked(self, given: dict[str, Any]) -> PeopleImport:
        upload = given["file"]
        begun = imports.start_import(
            by=self.actor,
            organization=self.organization,
            account=self.account,
            file_name=upload.name,
            content=upload.read(),
            invites=given["invite"],
            source=Owner.Source.API,
        )
        checked = imports.check(begun.pk, waits=True) or begun
        if checked.problem:
            raise imports.FileWrong(checked.problem)
        return checked


def rows_wrong_json(people_import: PeopleImport) -> dict[str, Any]:
    wrong = people_import.counts["error"]
    rows = "1 row has an error" if wrong == 1 else f"{wrong:,} rows have errors"
    sentence = f"{rows}, so nobody was imported. Mend the file, or leave them out with skipErrors."
    return {"errors": [sentence], "code": "rows_wrong", **import_json(people_import)}


def import_json(people_import: PeopleImport) -> dict[str, Any]:
    counts = people_import.counts
    return {
        "importId": people_import.pk,
        "counts": {verdict: counts[verdict] for verdict in ImportRow.Verdict.values},
        "notices": counts["notices"],
        "registerBatchId": _id(people_import.register_batch_id),
        "inviteBatchId": _id(people_import.invite_batch_id),
        "rows": _rows(people_import),
    }


def _rows(people_import: PeopleImport) -> list[dict[str, Any]]:
    rows = ImportRow.objects.filter(people_import=people_import)
    users = VppUser.objects.filter(
        account=people_import.account_id, owner__in=rows.values("owner_id")
    )
    active = users.exclude(apple_status__in=RETIRED)
    ids = dict(active.values_list("owner", "pk"))
    told = rows.order_by("number").values_list("number", "verdict", "message", "email", "owner_id")
    return [
        {
            "row": number,
            "verdict": verdict,
            "message": message,
            "email": email,
            "userId": _id(ids.get(owner_id or 0)),
        }
        for number, verdict, message, email, owner_id in told
    ]


def _id(number: int | None) -> str | None:
    return None if number is None else str(number)
