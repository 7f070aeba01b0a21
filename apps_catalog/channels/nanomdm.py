"""A NanoMDM server over HTTP, or a NanoHUB: commands in, pushes, and how it is.

`base_url` is the server's address (`https://mdm.example.org`), or, where its API lies below a path of
its own, the address of the API (`https://mdm.example.org/api/v1/nanomdm`). What it tells comes by its
webhook (apps_catalog/views/channel_events.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from django.conf import settings

from apps_catalog.channels import addresses, nanomdm_answers, plists
from apps_catalog.channels.base import Can, DeviceCommand, Health, SendOutcome, SendResult
from apps_catalog.channels.nanomdm_answers import Answer
from apps_catalog.models import ChannelKind, ChannelSettings
from organizations import outbound
from organizations.crypto import CannotDecrypt

MOST_AT_ALL = 5000  # whose answers are still read whole


@dataclass(frozen=True, slots=True)
class Server:
    base_url: str
    api_user: str
    api_key: str = field(repr=False)
    topic: str = ""

    @classmethod
    def of(cls, chosen: ChannelSettings) -> Server:
        try:
            key = chosen.api_key
        except CannotDecrypt:
            key = ""  # as if none was entered: the page says to enter it
        return cls(chosen.base_url, chosen.api_user, key, chosen.topic)

    @property
    def api(self) -> str:
        base = self.base_url.rstrip("/")
        return base if urlsplit(base).path else f"{base}/v1"

    @property
    def version_url(self) -> str:
        """Beside `v1`; a NanoHUB has it at its root, wherever its API lies."""
        api = urlsplit(self.api)
        before = api.path.removesuffix("/v1") if api.path.endswith("/v1") else ""
        return f"{api.scheme}://{api.netloc}{before}/version"

    @property
    def lacks(self) -> str:
        if not self.base_url:
            return "No address of the MDM server is entered."
        return "" if self.api_key else "No API key of the MDM server is entered."


class NanoMdmChannel:
    kind = ChannelKind.NANOMDM.value
    capabilities = frozenset(Can)

    def __init__(self, server: Server) -> None:
        self.server = server
        self.most_devices = max(1, min(settings.NANOMDM_MOST_DEVICES, MOST_AT_ALL))
        self._session = addresses.Session(server.api_user, server.api_key)

    def send(
        self, command: DeviceCommand, channel_ids: Sequence[str], *, wake: bool = True
    ) -> SendResult:
        """Sent again after a lost answer, it is recognised by its UUID and queued once."""
        document = plists.wire(command.uuid, command.request_type, command.body)
        try:
            answer = self._ask(
                "PUT",
                self._url("enqueue", channel_ids),
                params={} if wake else {"nopush": "1"},
                data=document,
            )
        except requests.RequestException as error:
            return nanomdm_answers.of_all(channel_ids, SendOutcome.RETRY, words_of(error))
        return nanomdm_answers.queued(answer, channel_ids)

    def wake(self, channel_ids: Sequence[str]) -> SendResult:
        try:
            answer = self._ask("GET", self._url("push", channel_ids))
        except requests.RequestException as error:
            return nanomdm_answers.of_all(channel_ids, SendOutcome.RETRY, words_of(error))
        return nanomdm_answers.woken(answer, channel_ids)

    def health(self) -> Health:
        version = ""
        try:
            version = nanomdm_answers.version_of(self._ask("GET", self.server.version_url))
            return self._push_health(version)
        except requests.RequestException as error:
            return Health(words_of(error), version)

    def _push_health(self, version: str) -> Health:
        topic = self.server.topic
        answer = self._ask("GET", f"{self.server.api}/pushcert", params={"topic": topic})
        if problem := nanomdm_answers.problem_of(answer, spoken=(200, 500)):
            return Health(problem, version)
        if not topic:
            return Health("No topic of the push certificate is entered.", version)
        expires_at = nanomdm_answers.push_expiry(answer)
        missing = f"The server has no push certificate of the topic {topic}. Upload it there."
        return Health("" if expires_at else missing, version, topic, expires_at)

    def close(self) -> None:
        self._session.close()

    def _url(self, act: str, channel_ids: Sequence[str]) -> str:
        return f"{self.server.api}/{act}/{','.join(quote(pk, safe='') for pk in channel_ids)}"

    def _ask(self, method: str, url: str, **options: Any) -> Answer:
        if self.server.lacks:
            raise addresses.NotAServer(self.server.lacks)
        response = self._session.request(method, url, **options)
        return Answer.of(
            response.status_code, response.content, response.headers.get("Retry-After")
        )


def words_of(error: requests.RequestException) -> str:
    """For people; the library's own words may repeat the address with what is in it."""
    host = urlsplit(str(error.request.url)).hostname if error.request else ""
    who = host or "The server"
    if isinstance(error, outbound.Unreachable):
        return str(error)
    if isinstance(error, requests.exceptions.SSLError):
        return f"{who} has no certificate that can be trusted. Give it one of a known authority."
    if isinstance(error, requests.Timeout):
        return f"{who} does not answer in time. Check that it runs, and the firewall before it."
    if isinstance(error, requests.ConnectionError):
        return f"{who} cannot be reached. Check its address, and that it runs."
    return f"{who} cannot be asked ({type(error).__name__}). Check its address."
