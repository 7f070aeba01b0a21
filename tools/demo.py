"""./dev demo: everything running on the embedded servers, with demo data, under one terminal."""

import hashlib
import os
import shutil
import socket
import time
import urllib.request
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from tools import paths
from tools.console import Problem, paint, say, timed
from tools.ports import require_free
from tools.servers import secret_variables
from tools.session import Session, owned
from tools.state import read_json
from tools.supervisor import Program, Supervisor
from tools.variables import for_demo, for_programs

MANAGE = (paths.PYTHON, "manage.py")
# As root Celery warns of messages that could run as root; ours are JSON.
NO_ROOT = ("-W", "ignore:You're running the worker with superuser privileges")
CELERY = (paths.PYTHON, *NO_ROOT, "-m", "celery", "--app", "vpp_dashboard", "--quiet")
GUNICORN = (
    *(
        paths.PYTHON,
        "-m",
        "gunicorn",
        "vpp_dashboard.wsgi",
        "--preload",
        "--worker-class",
        "gthread",
    ),
    *("--workers", "2", "--threads", "4", "--graceful-timeout", "5", "--log-level", "warning"),
    "--no-control-socket",
)
WORKER_OPTIONS = (
    *("--queues", "apple,default,mail,webhooks", "--concurrency", "2", "--loglevel", "WARNING"),
    *("--without-gossip", "--without-mingle"),
)
READY = paths.VAR / "demo.json"  # there only while the demo can be used
APPLE_STATE = paths.VAR / "apple" / "state.json"
SEEDED = paths.VAR / "demo.json.part"  # stays for the next start
KEPT_BY_RESET = {"lock", "guests.lock", "environment.lock", "bench", "sdk"}
SECONDS_TO_START = 90


@dataclass(frozen=True)
class Demo:
    """The demo on its two ports."""

    port: int
    apple_port: int

    @property
    def apple(self) -> Program:
        options = ("--port", str(self.apple_port), "--state", APPLE_STATE)
        return Program("apple", (*MANAGE, "fake_apple", *options))

    @property
    def seed(self) -> Program:
        options = ("--apple-url", f"http://127.0.0.1:{self.apple_port}", "--output", SEEDED)
        return Program("seed", (*MANAGE, "seed_demo", *options), stage=2)

    @property
    def served(self) -> tuple[Program, ...]:
        bind = ("--bind", f"127.0.0.1:{self.port}")
        schedule = ("--schedule", paths.VAR / "celerybeat-schedule")
        return (
            Program("web", (*GUNICORN, *bind), stage=1),
            Program("worker", (*CELERY, "worker", *WORKER_OPTIONS), stage=1, grace=20),
            Program("beat", (*CELERY, "beat", "--loglevel", "WARNING", *schedule), stage=1),
        )

    def run(self, *, reset: bool) -> None:
        """Start everything and stay until somebody stops us."""
        with owned(), ExitStack() as stack:
            session = self._prepared(reset=reset)
            is_seeded = self._is_seeded()
            env = for_programs(for_demo(port=self.port, apple_port=self.apple_port))
            supervisor = Supervisor(env | secret_variables(session.credentials), session.state)
            stack.callback(supervisor.stop)
            supervisor.start(self.apple)  # needs no database, so it need not wait for one
            supervisor.env |= stack.enter_context(session.servers.running())
            stack.callback(self._farewell, supervisor)
            self._bring_up(supervisor, is_seeded=is_seeded)
            SEEDED.rename(READY)
            welcome()
            while True:
                supervisor.tend(seconds=2)
                session.servers.require_alive()

    def _prepared(self, *, reset: bool) -> Session:
        session = Session.load()
        session.begin()
        if READY.exists():  # of a start that was killed
            READY.rename(SEEDED)
        if reset:
            forget_everything()
            session = Session.load()
            session.begin()
        require_free(self.port, option="--port")
        require_free(self.apple_port, option="--apple-port")
        session.state["demo"] = {"port": self.port, "apple_port": self.apple_port}
        for name in ("apple", "mail"):
            (paths.VAR / name).mkdir(exist_ok=True)
        return session

    def _bring_up(self, supervisor: Supervisor, *, is_seeded: bool) -> None:
        migrate(supervisor)
        web, worker, beat = self.served
        supervisor.start(web)
        self._wait_for_apple(supervisor)
        # Whoever syncs next subscribes to notifications, and Apple tries the address at once.
        with timed("web ready"):
            wait_for(supervisor, lambda: is_ready(self.port), "The web server")
        if not is_seeded:
            with timed("demo data made"):
                supervisor.start(self.seed)
                supervisor.finish("seed")
            keep_stamp("seeded", self._seed_sources())
        supervisor.start(worker)
        supervisor.start(beat)

    def _is_seeded(self) -> bool:
        """Asked before the fake starts, because starting it makes its state."""
        kept = SEEDED.exists() and APPLE_STATE.exists()
        return kept and is_unchanged("seeded", self._seed_sources())

    def _wait_for_apple(self, supervisor: Supervisor) -> None:
        wait_for(supervisor, lambda: listens(self.apple_port), "The fake Apple")

    def _seed_sources(self) -> str:
        files = (paths.ROOT / "licensing" / "demo").rglob("*.py")
        return digest_of(files, f"{self.port} {self.apple_port}")

    def _farewell(self, supervisor: Supervisor) -> None:
        say(paint("Stopping …", "bold"))
        with suppress(FileNotFoundError):
            READY.rename(SEEDED)
        supervisor.stop()


def demo(*, port: int, apple_port: int, reset: bool) -> int:
    Demo(port, apple_port).run(reset=reset)
    return 0


def migrate(supervisor: Supervisor) -> None:
    """Migrate, unless this database has seen exactly these migrations already."""
    if not is_unchanged("migrated", migration_sources()):
        with timed("database migrated"):
            supervisor.start(Program("migrate", (*MANAGE, "migrate", "--verbosity", "0"), stage=2))
            supervisor.finish("migrate")
        keep_stamp("migrated", migration_sources())


def migration_sources() -> str:
    """All that a migration run depends on; grants are made by the apps' start-up code."""
    files = [*paths.ROOT.glob("*/migrations/*.py"), *paths.ROOT.glob("*/apps.py"), paths.LOCK_FILE]
    return digest_of(files)


def digest_of(files: Iterable[Path], more: str = "") -> str:
    digest = hashlib.sha256(more.encode())
    for file in sorted(files):
        digest.update(str(file.relative_to(paths.ROOT)).encode() + file.read_bytes())
    return digest.hexdigest()


def is_unchanged(what: str, digest: str) -> bool:
    """Was this done from the same sources? Of your own database we cannot know that."""
    stamp = paths.VAR / f"{what}.sha256"
    ours = not os.environ.get("DATABASE_URL")
    return ours and stamp.exists() and stamp.read_text() == digest


def keep_stamp(what: str, digest: str) -> None:
    (paths.VAR / f"{what}.sha256").write_text(digest)


def forget_everything() -> None:
    if os.environ.get("DATABASE_URL"):
        raise Problem(
            "--reset empties the embedded database only, and DATABASE_URL names your own."
            " Unset DATABASE_URL, or empty that database yourself."
        )
    for path in paths.VAR.iterdir():
        if path.name in KEPT_BY_RESET:
            continue
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def wait_for(supervisor: Supervisor, done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while not done():
        if time.monotonic() > deadline:
            raise Problem(
                f"{what} did not answer within {SECONDS_TO_START} s; see the lines above."
            )
        supervisor.tend(seconds=0.1)


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def is_ready(port: int) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    address = f"http://127.0.0.1:{port}/health/ready"
    with suppress(OSError), direct.open(address, timeout=5) as answer:
        return bool(answer.status == 200)
    return False


def welcome() -> None:
    facts = read_json(READY)
    say()
    say(f"  {paint('VPP Dashboard', 'bold')}  {paint(facts['url'], 'cyan')}")
    say(f"  sign in        {facts['email']}  /  {facts['password']}")
    say(f"  fake Apple     {facts['apple_url']}")
    if not os.environ.get("EMAIL_URL"):
        say(f"  demo inbox     {facts['url']}demo/inbox/")
    say(
        f"  for programs   {READY.relative_to(paths.ROOT) if READY.is_relative_to(paths.ROOT) else READY}"
    )
    say("  Ctrl-C stops everything.")
    say()
