"""The commands of ./dev."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tools import paths
from tools.checks import run_checks, run_format, run_translations
from tools.console import Problem, paint
from tools.demo import demo
from tools.environment import ensure_environment, prepare_home, relock, require_writable
from tools.rehearsal import rehearse
from tools.sdk import walk
from tools.servers import MEASURED, throw_away
from tools.session import Session, joined
from tools.stopping import Stopped, run_in_foreground, stoppable
from tools.variables import for_demo, for_programs

PASSED_ON = {"test", "bench", "manage"}  # their arguments belong to another program
DEFAULT_PORTS = {"port": 8000, "apple_port": 8700}


def main(arguments: Sequence[str]) -> int:
    options = parse(arguments)
    try:
        with stoppable():
            require_writable()
            prepare_home()
            if options.command != "lock":
                ensure_environment()
            return int(options.run(options))
    except Stopped:
        return 0 if options.command == "demo" else 130
    except Problem as problem:
        print(paint(f"{problem}", "red"), file=sys.stderr)
    except PermissionError as error:
        print(
            f"{error.filename} belongs to another user, from an earlier start as root perhaps."
            " Start as that user, or give it to yourself with chown -R.",
            file=sys.stderr,
        )
    return 1


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    # What follows these commands may look like an option of ours (`./dev test -h`) and is not.
    if arguments and arguments[0] in PASSED_ON:
        options, rest = parser().parse_args(arguments[:1]), list(arguments[1:])
        options.arguments = rest
        return options
    return parser().parse_args(arguments)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="./dev", description="Everything for work on this project.")
    commands = top.add_subparsers(dest="command", required=True, metavar="command")

    def add(name: str, run: object, about: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=about, description=about)
        command.set_defaults(run=run, arguments=[])
        return command

    shown = add("demo", run_demo, "run everything with demo data, until Ctrl-C")
    shown.add_argument("--port", type=port, default=DEFAULT_PORTS["port"])
    shown.add_argument("--apple-port", type=port, default=DEFAULT_PORTS["apple_port"])
    shown.add_argument("--reset", action="store_true", help="start from nothing")
    add("test", run_tests, "run the tests; arguments go to pytest")
    add("check", lambda _: run_checks(), "format, lint, layers, templates, types, migrations")
    add("format", lambda _: run_format(), "format the code and mend what can be mended")
    add("bench", run_benchmarks, "run the benchmarks, or the one that is named")
    add("manage", run_manage, "run manage.py on the servers in var/")
    add("translate", lambda _: run_translations(), "collect and compile what invited people read")
    add("lock", lambda _: relock(), "write the lock files again (needs uv)")
    add("sdk", lambda _: walk(), "ask the running demo as scripts for Meraki do, with Meraki's SDK")
    add("rehearse", lambda _: rehearse(), "start the demo, ask it, stop it: for CI")
    return top


def port(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; it is a number up to 65535")
    return int(text)


def run_demo(options: argparse.Namespace) -> int:
    return demo(port=options.port, apple_port=options.apple_port, reset=options.reset)


def run_tests(options: argparse.Namespace) -> int:
    with throw_away() as servers:
        env = for_programs({"VPP_ENVIRONMENT": "test", "EMAIL_URL": "memorymail://"} | servers)
        return run_in_foreground([paths.PYTHON, "-m", "pytest", *options.arguments], env)


def run_manage(options: argparse.Namespace) -> int:
    with joined() as servers:
        ports = Session.load().state["demo"] or DEFAULT_PORTS
        env = for_programs(for_demo(**ports) | servers)
        return run_in_foreground([paths.PYTHON, "manage.py", *options.arguments], env)


def run_benchmarks(options: argparse.Namespace) -> int:
    """Each on servers of its own, empty, that really write to the disk."""
    codes = []
    for file in benchmarks(options.arguments[:1]):
        with throw_away(MEASURED, parent=paths.VAR / "bench") as servers:
            env = for_programs({"VPP_ENVIRONMENT": "bench"} | servers)
            command = [paths.PYTHON, "-m", f"benchmarks.{file.stem}", *options.arguments[1:]]
            codes.append(run_in_foreground(command, env))
    return max(codes)


def benchmarks(names: Sequence[str]) -> list[Path]:
    files = sorted((paths.ROOT / "benchmarks").glob("[!_]*.py"))
    chosen = [file for file in files if not names or file.stem in names]
    if not chosen:
        known = ", ".join(file.stem for file in files) or "none yet"
        raise Problem(f"There is no benchmark {' '.join(names)!r}. There are: {known}.")
    return chosen
