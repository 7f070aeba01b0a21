"""A mail server on the loopback that answers what a test tells it to, and keeps what it accepts."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from socketserver import StreamRequestHandler, ThreadingTCPServer


class MailServer(ThreadingTCPServer):
    """`replies` has the answer to a step: MAIL, DATA, or an address; everything else is fine."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.replies: dict[str, str] = {}
        self.accepted: list[EmailMessage] = []
        self.sessions = 0

    @property
    def port(self) -> int:
        return self.server_address[1]


class _Session(StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.server.sessions += 1
        self.say("220 mail.test")
        for line in self.rfile:
            command = line.decode().strip()
            reply = self.reply_to(command)
            if reply == "hang up":
                return
            self.say(reply)
            if reply.startswith("354"):
                self.take_mail()
            if command.upper() == "QUIT":
                return

    def reply_to(self, command: str) -> str:
        verb = command[:4].upper()
        address = re.search(r"TO:<(.*)>", command)
        told = self.server.replies.get(address[1] if address else verb)
        return told or {"DATA": "354 go on", "QUIT": "221 bye"}.get(verb, "250 fine")

    def take_mail(self) -> None:
        lines = iter(self.rfile.readline, b".\r\n")
        message = message_from_bytes(b"".join(lines), policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.server.accepted.append(message)
        self.say("250 taken")

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
