"""Where an organization's NanoMDM server posts its events: checked, stored, answered.

It tells each once, and does not wait for what we make of it: a worker understands them later.
"""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from apps_catalog.channels import events, inbox, receiving
from apps_catalog.models import ChannelKind
from organizations.uploads import BodyRefused, read_body

LARGEST_BODY = 4 * 2**20  # a list of all apps on a Mac has some hundred kB


@csrf_exempt
@require_POST
def receive_event(request: HttpRequest, uuid: UUID) -> HttpResponse:
    chosen = receiving.receiver(uuid)
    if chosen is None:
        return _refused(404, "No MDM server's events are received at this address.")
    try:
        body = read_body(request, largest=LARGEST_BODY)
    except BodyRefused as refused:
        return _refused(refused.status, str(refused))
    if not receiving.is_signed(chosen, body, request.headers.get("X-Hmac-Signature", "")):
        receiving.note_refused(chosen)
        return _refused(401, "X-Hmac-Signature is not this body's, signed with the webhook key.")
    try:
        event = events.read_head(body)
    except events.Unclear as unclear:
        return _refused(400, f"This is no event of NanoMDM's: {unclear}.")
    inbox.store(chosen.organization_id, ChannelKind.NANOMDM, [event])
    return HttpResponse()


def _refused(status: int, sentence: str) -> HttpResponse:
    headers = {"WWW-Authenticate": "HMAC-SHA256"} if status == 401 else None
    return JsonResponse({"errors": [sentence]}, status=status, headers=headers)
