"""Where Apple posts its notifications: checked, stored, answered. A worker understands them later."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from organizations.uploads import BodyRefused, read_body
from vpp_accounts.apple import notifications as apple
from vpp_accounts.apple.items import Unclear
from vpp_accounts.notifications import receiver, store
from vpp_accounts.services.goodbye import is_leaving

LARGEST_BODY = 2**20  # a notification has at most 100 rows; those of Apple's take some 20 kB


@csrf_exempt
@require_POST
def receive_notification(request: HttpRequest, account_uuid: UUID) -> HttpResponse:
    account, is_apple = receiver(account_uuid, _bearer(request))
    if account is None and is_leaving(str(account_uuid)):
        return HttpResponse()  # nobody is here to listen, but Apple has to find the address alive
    if account is None:
        return _refused(404, "No account receives notifications at this address.")
    if not is_apple:
        return _refused(401, "The bearer is not the secret that Apple was given for this account.")
    try:
        delivery = apple.delivery(read_body(request, largest=LARGEST_BODY))
    except BodyRefused as refused:
        return _refused(refused.status, str(refused))
    except Unclear as unclear:
        return _refused(400, f"This is no notification of Apple's: {unclear}.")
    if delivery.uid not in ("", account.uid or delivery.uid):
        return _refused(400, "This notification is about another location than this account's.")
    try:
        store(account, delivery)
    except IntegrityError:  # the account was removed meanwhile
        return _refused(404, "No account receives notifications at this address.")
    return HttpResponse()


def _bearer(request: HttpRequest) -> str:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _refused(status: int, sentence: str) -> HttpResponse:
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JsonResponse({"errors": [sentence]}, status=status, headers=headers)
