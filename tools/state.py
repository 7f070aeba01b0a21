"""What the next start has to know about this one: ports, and processes to look for."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.processes import Child, ProcessId, end_stranger


def write_atomically(path: Path, text: str, mode: int = 0o644) -> None:
    part = path.with_name(path.name + ".part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    part.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file; an empty one for a file that is missing or was cut off."""
    try:
        value = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


@dataclass
class State:
    """Kept in var/state.json: ports stay for the next start, processes until they have ended."""

    path: Path
    values: dict[str, Any] = field(default_factory=dict)
    processes: dict[str, ProcessId] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> "State":
        values = read_json(path)
        processes = values.pop("processes", {})
        return cls(path, values, {name: ProcessId(**row) for name, row in processes.items()})

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name)

    def __setitem__(self, name: str, value: Any) -> None:
        self.values[name] = value
        self._save()

    def remember(self, child: Child) -> None:
        self.processes[child.name] = child.id
        self._save()

    def forget(self, name: str) -> None:
        if self.processes.pop(name, None):
            self._save()

    def end_leftovers(self) -> list[str]:
        """End what a killed `./dev` left running, last started first; say which these were."""
        ended = []
        for name, process in reversed(list(self.processes.items())):
            if process.group():
                end_stranger(process)
                ended.append(name)
            self.forget(name)
        return ended

    def _save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        rows = {name: process.as_json() for name, process in self.processes.items()}
        write_atomically(self.path, json.dumps({**self.values, "processes": rows}, indent=2))
