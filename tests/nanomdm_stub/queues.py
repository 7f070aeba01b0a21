"""What the server keeps: who is enrolled, and which commands wait for whom."""

from __future__ import annotations

import plistlib
import threading
from dataclasses import dataclass, field
from typing import Any
from xml.parsers.expat import ExpatError


class CommandError(Exception):
    """Of the whole call: nothing was queued."""


@dataclass
class Command:
    uuid: str
    request_type: str
    content: dict[str, Any]


@dataclass
class Queue:
    """Of one device. `not_now`: what it refused; `done`: what it answered."""

    commands: list[Command] = field(default_factory=list)
    not_now: list[str] = field(default_factory=list)
    done: set[str] = field(default_factory=set)
    again: Command | None = None  # filekv's stale pointer leads to it (10)


@dataclass
class Enrollment:
    certificate: str
    push_token: str = ""
    tally: int = 0
    query: dict[str, str] = field(default_factory=dict)


def decoded(text: bytes) -> Command:
    """(4)"""
    try:
        content = plistlib.loads(text)
        return Command(
            content["CommandUUID"], content["Command"]["RequestType"], content["Command"]
        )
    except (plistlib.InvalidFileException, ExpatError, KeyError, TypeError, ValueError) as error:
        raise CommandError(f"decoding command: {error!r}") from None


class Storage:
    """`backend` decides in what the two differ: unknown devices (3), repeats (2), and (10)."""

    def __init__(self, backend: str = "pgsql") -> None:
        assert backend in ("pgsql", "filekv")
        self.backend = backend
        self.enrollments: dict[str, Enrollment] = {}
        self.queues: dict[str, Queue] = {}
        self.uuids: set[str] = set()
        self.lock = threading.RLock()

    def enqueue(self, ids: list[str], command: Command) -> None:
        with self.lock:
            if command.uuid in self.uuids:
                raise CommandError(self._taken(command.uuid))
            unknown = [pk for pk in ids if pk not in self.enrollments]
            if unknown and self.backend == "pgsql":
                raise CommandError(
                    'pq: insert or update on table "enrollment_queue" violates foreign key'
                    ' constraint "enrollment_queue_id_fkey"'
                )
            self.uuids.add(command.uuid)
            for pk in ids:
                self.queues.setdefault(pk, Queue()).commands.append(command)

    def _taken(self, uuid: str) -> str:
        if self.backend == "filekv":
            return f"command already exists: {uuid}"
        return 'pq: duplicate key value violates unique constraint "commands_pkey"'

    def next(self, pk: str, *, skip_not_now: bool) -> Command | None:
        """(9): what was refused is offered again, unless it was refused just now."""
        with self.lock:
            queue = self.queues.setdefault(pk, Queue())
            if queue.again:
                return queue.again
            waiting = (each for each in queue.commands if each.uuid not in queue.done)
            skipped = queue.not_now if skip_not_now else []
            return next((each for each in waiting if each.uuid not in skipped), None)

    def answered(self, pk: str, uuid: str, status: str) -> None:
        with self.lock:
            queue = self.queues.setdefault(pk, Queue())
            if queue.again and queue.again.uuid == uuid:
                self._lose(queue)
            elif status == "NotNow":
                self._refused(queue, uuid)
            else:
                queue.done.add(uuid)

    def _refused(self, queue: Queue, uuid: str) -> None:
        """(10): refused, the next one answered, refused again; the old pointer still says "next"."""
        uuids = [each.uuid for each in queue.commands]
        after = queue.commands[uuids.index(uuid) + 1 :]
        is_stale = uuid in queue.not_now and after and after[0].uuid in queue.done
        if self.backend == "filekv" and is_stale:
            queue.again = after[0]
        queue.not_now.append(uuid)

    def _lose(self, queue: Queue) -> None:
        queue.again = None
        queue.done.update(queue.not_now)

    def clear(self, pk: str) -> None:
        """(5): a device that enrolls anew begins with nothing."""
        with self.lock:
            self.queues[pk] = Queue()
