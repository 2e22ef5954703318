"""What Ansible tells, gathered: shown live, and at the end as the recap."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from checks.evidence.ansible import AnsibleRecap, RecapHost, TaskNote
from runbook.context import Context

FRAME = 0.25
"""Seconds between two recaps that are shown."""

MOST_NOTES = 50
"""Failed tasks, and changed ones, that are kept with what they said."""

MOST_TOUCHED = 1000
"""Things changed that are kept by name."""

LINES = 400
"""Lines of live output for one play of Ansible."""


class Recap:
    """Fills with the events of `ansible_child`."""

    def __init__(self, begun: AnsibleRecap, ctx: Context) -> None:
        self._begun = begun
        self._ctx = ctx
        self._hosts: dict[str, dict[str, int]] = {}
        self._final: dict[str, dict[str, int]] | None = None
        self._failures: list[TaskNote] = []
        self._changes: list[TaskNote] = []
        self._task = ""
        self._counts: dict[str, int] = {}
        self._shown = 0.0
        self._lines = 0
        self.touched: dict[tuple[str, str, str], None] = {}
        """What was changed, in order: `file` or `task`, its name, and the host."""
        self.results: dict[str, Mapping[str, Any]] = {}
        """The last result of every host."""

    def take(self, event: Mapping[str, Any]) -> None:
        """One event."""
        match event["t"]:
            case "play":
                self._end_task()
                self._line(f"PLAY {event['name']}")
            case "task":
                self._end_task()
                self._task = event["name"]
                self._line(f"TASK {event['name']}")
            case "result":
                self._result(event)
            case "stats":
                self._end_task()
                self._final = event["hosts"]
                self._hidden(event["hosts"])
        if time.monotonic() - self._shown >= FRAME:
            self._shown = time.monotonic()
            self._ctx.show(self.evidence())

    def _result(self, event: Mapping[str, Any]) -> None:
        host, state = str(event["host"]), str(event["state"])
        self.results[host] = event
        counts = self._hosts.setdefault(host, {})
        bad = state in ("failed", "unreachable")
        if bad and event["ignored"]:
            state, bad = "ignored", False
        counts[state] = counts.get(state, 0) + 1
        if event["changed"] and state == "ok":
            counts["changed"] = counts.get("changed", 0) + 1
            state = "changed"
            self._touched(event)
            self._note(self._changes, event)
        self._counts[state] = self._counts.get(state, 0) + 1
        if bad:
            self._note(self._failures, event)
            said = next(iter(event.get("said", ())), "")
            self._line(f"  {host}: {state}: {said}")

    def _touched(self, event: Mapping[str, Any]) -> None:
        """A task that names no file of its own is told by its name."""
        paths = event.get("paths") or ()
        for what, name in [("file", path) for path in paths] or [("task", event["task"])]:
            if len(self.touched) < MOST_TOUCHED:
                self.touched[what, str(name), str(event["host"])] = None

    def _hidden(self, final: Mapping[str, Mapping[str, int]]) -> None:
        """Of a task with `no_log` only Ansible's own count says that it has changed something."""
        for host, counts in final.items():
            count = counts.get("changed", 0) - self._hosts.get(host, {}).get("changed", 0)
            if count > 0:
                what = "a task with no_log" if count == 1 else f"{count} tasks with no_log"
                self.touched["task", what, host] = None

    def _note(self, notes: list[TaskNote], event: Mapping[str, Any]) -> None:
        if len(notes) < MOST_NOTES:
            said = tuple(self._ctx.redactor(line) for line in event.get("said", ()))
            notes.append(TaskNote(host=event["host"], task=event["task"], said=said))

    def _end_task(self) -> None:
        if self._counts:
            self._line("  " + ", ".join(f"{count} {state}" for state, count in self._counts.items()))
        self._counts = {}
        self._task = ""

    def _line(self, line: str) -> None:
        self._lines += 1
        if self._lines <= LINES:
            self._ctx.progress(line if self._lines < LINES else "further lines are in the attachment only")

    def evidence(self, **ended: Any) -> AnsibleRecap:
        """As far as it is; `ended` says how it ended."""
        hosts = self._final if self._final is not None else self._hosts
        fields = {
            "task": self._task,
            "hosts": tuple(RecapHost(host=name, **counts) for name, counts in hosts.items()),
            "failures": tuple(self._failures),
            "changes": tuple(self._changes),
            **ended,
        }
        return AnsibleRecap.model_validate({**self._begun.model_dump(), **_plain(fields)})

    @property
    def told(self) -> bool:
        """Whether Ansible came to its own recap."""
        return self._final is not None


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(item.model_dump() if hasattr(item, "model_dump") else item for item in value)
        if isinstance(value, tuple)
        else value
        for name, value in fields.items()
    }
