"""The files for containers and the list of variables: they name only what exists."""

import ast
import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools import paths
from tools.credentials import ROLES

COMPOSE_ONLY = {
    "POSTGRES_PASSWORD",
    "VPP_OWNER_PASSWORD",
    "VPP_APP_PASSWORD",
    "VPP_SYSTEM_PASSWORD",
}
# Read by the launcher or by libraries, so no line of the settings names them.
ELSEWHERE = {"DEV_SERVERS", "DEV_VAR", "HTTPS_PROXY", "NO_PROXY", "SENTRY_DSN"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    text = (paths.ROOT / "docker-compose.yml").read_text()
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


@pytest.fixture(scope="module")
def example() -> dict[str, str]:
    """The variables of .env.example with the comment above each."""
    found, comments = {}, []
    for line in (paths.ROOT / ".env.example").read_text().splitlines():
        if match := re.match(r"(?:# )?([A-Z_]+)=", line):
            found[match[1]] = " ".join(comments)
            comments = []
        elif line.startswith("# ") and not line.startswith("# ---"):
            comments.append(line)
        else:
            comments = []
    return found


def settings_variables() -> set[str]:
    """Every name that the settings ask the environment for."""
    tree = ast.parse((paths.ROOT / "vpp_dashboard" / "settings.py").read_text())
    constants = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    asked = {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)
        if re.fullmatch(r"env\.\w+|secret|one_of", ast.unparse(node.func))
    }
    return asked | (constants & {"DATABASE_OWNER_URL", "DATABASE_SYSTEM_URL"})


def dockerfile() -> str:
    return (paths.ROOT / "Dockerfile").read_text()


def test_every_variable_of_the_settings_is_explained_and_no_other(example: dict[str, str]) -> None:
    assert set(example) == settings_variables() | COMPOSE_ONLY | ELSEWHERE
    assert [name for name, comment in example.items() if not comment] == []


def test_compose_uses_only_variables_that_the_example_explains(example: dict[str, str]) -> None:
    text = (paths.ROOT / "docker-compose.yml").read_text()
    interpolated = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", text))
    passed_on = set(yaml.safe_load(text)["x-app"]["environment"])

    assert interpolated | passed_on <= set(example)


def test_compose_has_a_service_for_every_process(compose: dict[str, Any]) -> None:
    services = compose["services"]

    assert sorted(services) == [
        *("beat", "fake-apple", "migrate", "postgres", "redis", "web", "worker"),
    ]
    assert services["fake-apple"]["profiles"] == ["demo"]
    assert services["worker"]["stop_grace_period"] == "60s"
    for name, service in services.items():
        assert set(service.get("depends_on", {})) <= set(services)
        assert service["init"] is True
        assert name == "migrate" or "healthcheck" in service


def test_only_the_migration_signs_in_as_the_owner(compose: dict[str, Any]) -> None:
    with_password = [
        name
        for name, service in compose["services"].items()
        if "VPP_OWNER_PASSWORD" in str(service.get("environment", {}))
    ]

    assert with_password == ["postgres", "migrate"]


def test_images_are_pinned_to_a_patch_release(compose: dict[str, Any]) -> None:
    images = [s["image"] for s in compose["services"].values() if "build" not in s]
    images += re.findall(r"^FROM (\S+)", dockerfile(), re.MULTILINE)

    assert [image for image in images if not re.search(r":\d+\.\d+\.?\d*-", image)] == []


def test_what_the_image_copies_exists_and_is_not_ignored() -> None:
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile(), re.MULTILINE)
        for source in line.split()[:-1]
    ]
    allowed = [
        line.removeprefix("!")
        for line in (paths.ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]

    assert [source for source in copied if not (paths.ROOT / source).exists()] == []
    assert sorted(copied) == sorted(allowed)
    assert not any(fnmatch(".env", pattern) for pattern in allowed)


def test_every_application_is_in_the_image() -> None:
    apps = {path.parent.name for path in paths.ROOT.glob("*/apps.py")} - {"tests"}

    assert {app for app in apps if f"COPY {app} {app}" not in dockerfile()} == set()


def test_the_database_container_makes_the_same_roles() -> None:
    script = paths.ROOT / "docker" / "initdb.sh"
    subprocess.run(["bash", "-n", str(script)], check=True)

    made = re.findall(r"CREATE ROLE (\w+)", script.read_text())

    assert sorted(made) == sorted(set(ROLES) - {"postgres"})


def test_the_volume_mounts_name_files_that_exist(compose: dict[str, Any]) -> None:
    mounts = [m for s in compose["services"].values() for m in s.get("volumes", [])]
    local = [Path(mount.split(":")[0]) for mount in mounts if mount.startswith("./")]

    assert [path for path in local if not (paths.ROOT / path).is_file()] == []
