"""Play Apple over HTTP, for demos, tests and benchmarks."""

import signal
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from vpp_accounts.apple.fake import FakeApple, Server
from vpp_accounts.apple.fake.persistence import StateFile


class Command(BaseCommand):
    help = "Serve a fake of Apple's volume-purchase service, its metadata and a portal."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, required=True)
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument(
            "--public-url", default="", help="How browsers reach it, if not as the callers do."
        )
        parser.add_argument("--state", type=Path, help="Keep the state in this file.")

    def handle(
        self, *, port: int, host: str, state: Path | None, public_url: str, **options: Any
    ) -> None:
        apple = FakeApple()
        kept = StateFile(apple, state) if state else None
        try:
            if kept:
                kept.load()
                kept.start()
            # The product under test seldom has a certificate.
            apple.settings.allow_http_notification_urls = True
            apple.settings.public_url = public_url.rstrip("/")
            with Server(apple, host, port) as server:
                _stop_on_signals(server)
                self.stdout.write(f"Playing Apple on {server.url}/")
                self.stdout.flush()
                server.serve_forever(poll_interval=0.1)
        except OSError as error:
            raise CommandError(
                f"Cannot serve on {host}:{port} ({error.strerror}); choose another --port."
            ) from error
        finally:
            if kept:
                kept.stop()


def _stop_on_signals(server: Server) -> None:
    def stop(*_: object) -> None:
        # shutdown() waits for serve_forever(), which this signal has just interrupted.
        threading.Thread(target=server.shutdown, daemon=True).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
