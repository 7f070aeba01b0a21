"""/metrics: for whoever has the token."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from vpp_dashboard.metrics.collecting import InstallationCollector

registry = CollectorRegistry(auto_describe=False)
registry.register(InstallationCollector())


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Without a token in the settings there is no such page in production."""
    if not settings.METRICS_TOKEN and settings.PRODUCTION:
        raise Http404
    if settings.METRICS_TOKEN and not has_token(request):
        return refused()
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry), content_type=content_type)


def has_token(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    is_it = constant_time_compare(token.strip(), settings.METRICS_TOKEN)
    return is_it and scheme.lower() == "bearer"


def refused() -> HttpResponse:
    sentence = "Send the METRICS_TOKEN of this installation as “Authorization: Bearer <token>”.\n"
    challenge = {"WWW-Authenticate": 'Bearer realm="VPP Dashboard metrics"'}
    return HttpResponse(
        sentence, status=401, headers=challenge, content_type="text/plain; charset=utf-8"
    )
