"""The demo as CI wants it: started on free ports, asked, stopped, and nothing left behind."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from tools import paths, processes
from tools.console import Problem, say, timed
from tools.ports import free_port, is_free
from tools.sdk import walk
from tools.state import read_json

SECONDS_TO_START = 180
VAR = paths.VAR / "rehearsal"  # never in the way of a demo that somebody uses


def rehearse() -> int:
    """Twice: from nothing, and again with what the first start left."""
    ports = [free_port(), free_port()]
    for how in (["--reset"], []):
        demo = begin(ports, how)
        try:
            with timed("demo ready"):
                facts = wait_until_ready(demo)
            ask(facts)
            if how:
                walk_as_scripts_do()
        finally:
            end(demo)
        require_nothing_left(ports)
    say("The demo starts, answers, stops and leaves nothing behind.")
    return 0


def begin(ports: list[int], options: list[str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, paths.ROOT / "dev", "demo", "--port", ports[0]]
    command += ["--apple-port", ports[1], *options]
    return subprocess.Popen(
        [str(part) for part in command],
        env=os.environ | {"DEV_VAR": str(VAR)},
        preexec_fn=processes.die_with_parent(signal.SIGTERM),
    )


def wait_until_ready(demo: subprocess.Popen[bytes]) -> dict[str, Any]:
    ready = VAR / "demo.json"
    deadline = time.monotonic() + SECONDS_TO_START
    processes.wait_until(lambda: ready.exists() or demo.poll() is not None, deadline, every=0.1)
    if not ready.exists():
        raise Problem(f"The demo was not ready within {SECONDS_TO_START} s; see the lines above.")
    return read_json(ready)


def ask(facts: dict[str, Any]) -> None:
    """The pages and answers that say most: is it up, can one sign in, does REST know us?"""
    key = {"Authorization": f"Bearer {facts['api_key']}"}
    organization = facts["organization_id"]
    organizations = json.loads(fetch(f"{facts['api_base_url']}/organizations", key))
    if [row["id"] for row in organizations] != [organization]:
        raise Problem(f"The API names other organizations than var/demo.json: {organizations}")
    accounts = fetch(f"{facts['api_base_url']}/organizations/{organization}/sm/vppAccounts", key)
    modes = {row["name"]: row["notificationsMode"] for row in json.loads(accounts)}
    if set(modes.values()) != {"on"}:
        raise Problem(f"The fake Apple does not notify every account of the demo: {modes}")
    apps = [
        app
        for network in facts["network_ids"]
        for app in json.loads(fetch(f"{facts['api_base_url']}/networks/{network}/sm/apps", key))
    ]
    if not any(app["counts"]["installed"] for app in apps):
        raise Problem(f"No app of the demo is installed anywhere: {apps}")
    fetch(f"{facts['url']}health/ready")
    if b'type="password"' not in fetch(facts["url"]):
        raise Problem("The first page does not ask for a password.")
    look_around(facts)


def walk_as_scripts_do() -> None:
    """Whoever scripts Meraki changes the base URL and the key."""
    with timed("SDK walked"):
        if walk(VAR / "demo.json") != 0:
            raise Problem("Meraki's SDK did not find what the demo has; see the lines above.")


PAGES = ("manage/apps/", "monitor/devices/", "configure/tags/", "manage/vpp/reclaim/")
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


def look_around(facts: dict[str, Any]) -> None:
    """Signed in as a person does, with a cookie."""
    browser = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor()
    )
    door = f"{facts['url']}accounts/login/"
    found = TOKEN.search(fetch(door, opener=browser).decode())
    if found is None:
        raise Problem("The sign-in page has no form.")
    form = {"csrfmiddlewaretoken": found[1], "login": facts["email"], "password": facts["password"]}
    fetch(door, {"Referer": door}, body=urllib.parse.urlencode(form).encode(), opener=browser)
    for page in PAGES:
        url = f"{facts['url']}organizations/{facts['organization_id']}/{page}"
        if b'type="password"' in fetch(url, opener=browser):
            raise Problem(f"{url} asks for a password after the sign-in.")


def fetch(
    url: str,
    headers: dict[str, str] | None = None,
    *,
    body: bytes | None = None,
    opener: urllib.request.OpenerDirector | None = None,
) -> bytes:
    opener = opener or urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, data=body, headers=headers or {})
    with opener.open(request, timeout=30) as answer:
        say(f"  {answer.status} {url}")
        return bytes(answer.read())


def end(demo: subprocess.Popen[bytes]) -> None:
    with timed("demo stopped"):
        demo.send_signal(signal.SIGTERM)
        code = demo.wait(timeout=60)
    if code != 0:
        raise Problem(f"The demo ended with exit code {code} instead of 0.")


def require_nothing_left(ports: list[int]) -> None:
    held = [port for port in ports if not is_free(port)]
    running = left_in(VAR)
    if held or running or (VAR / "demo.json").exists():
        raise Problem(f"The demo left something: ports {held}, processes {running}.")


def left_in(var: Path) -> list[str]:
    """Processes that were told our folder, in their command or their environment."""
    mark = str(var).encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            told = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except OSError:
            continue
        if mark in told and int(folder.name) != os.getpid():
            found.append(f"{folder.name}: {processes.command_of(int(folder.name))}")
    return found
