"""Runs one Ansible command through ansible-runner and tells what happens. Started by `ansible_run`, never imported.

A line of JSON on standard input says what to run; each event is a line of JSON on standard output. A process of its
own, since ansible-runner keeps the process it runs in busy, and so that all of it can be ended.

Passwords come after the first line, as long as it says, and are typed at Ansible's own prompts on a pseudo-terminal
without echo: they never are in an argument, an environment or a file. Each is typed once, and only before the first
play: what a managed host prints cannot ask for one.
"""

import json
import os
import re
import shutil
import signal
import sys
from typing import Any

BYTES = 256 * 1024
"""Characters kept of each stream of a task."""

SHORT = 4000
"""Characters of a message."""

_RESULTS = {
    "runner_on_ok": "ok",
    "runner_on_failed": "failed",
    "runner_on_unreachable": "unreachable",
    "runner_on_skipped": "skipped",
}

_COUNTS = {
    "ok": "ok",
    "changed": "changed",
    "dark": "unreachable",
    "failures": "failed",
    "skipped": "skipped",
    "rescued": "rescued",
    "ignored": "ignored",
}


def tell(**event: Any) -> None:
    """One line to the program."""
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


class Teller:
    """Turns ansible-runner's events into ours, and notices when the first play begins."""

    def __init__(self, streams: bool) -> None:
        self.begun = False
        self._streams = streams

    def event(self, data: dict[str, Any]) -> bool:
        """ansible-runner's event_handler; False: the event is not written to the disk."""
        name, details = data.get("event", ""), data.get("event_data") or {}
        if name == "playbook_on_start":
            self.begun = True
        if data.get("stdout"):
            tell(t="out", text=data["stdout"])
        if name == "playbook_on_play_start":
            tell(t="play", name=str(details.get("play", ""))[:SHORT])
        elif name in ("playbook_on_task_start", "playbook_on_handler_task_start"):
            tell(t="task", name=str(details.get("task", ""))[:SHORT])
        elif name in _RESULTS:
            self._result(_RESULTS[name], details)
        elif name == "playbook_on_stats":
            tell(t="stats", hosts=_recap(details))
        return False

    def _result(self, state: str, details: dict[str, Any]) -> None:
        result = details.get("res") or {}
        told: dict[str, Any] = {
            "t": "result",
            "host": details.get("host", ""),
            "task": str(details.get("task", ""))[:SHORT],
            "state": state,
            "changed": bool(result.get("changed")),
            "ignored": bool(details.get("ignore_errors")),
        }
        if told["changed"]:
            told["paths"] = _paths(result)
        if state in ("failed", "unreachable"):
            told["said"] = _said(result)
        if self._streams:
            streams = {name: str(result.get(name) or "") for name in ("stdout", "stderr", "msg")}
            told |= {name: text[:BYTES] for name, text in streams.items()}
            told |= {"rc": result.get("rc"), "cut": {name: len(text[BYTES:]) for name, text in streams.items()}}
        tell(**told)


def _said(result: dict[str, Any]) -> list[str]:
    """What a failed task says, the plainest first."""
    items = result.get("results") if isinstance(result.get("results"), list) else [result]
    found: list[str] = []
    for item in items or []:
        if not isinstance(item, dict) or (len(items or []) > 1 and not item.get("failed")):
            continue
        for key in ("msg", "module_stderr", "stderr", "stdout"):
            text = str(item.get(key) or "").strip()[:SHORT]
            found += [line for line in text.splitlines() if line.strip() and line not in found]
    return found[:12]


def _paths(result: dict[str, Any]) -> list[str]:
    """The files that a changed task, or the changed items of its loop, name as theirs."""
    items = result.get("results") if isinstance(result.get("results"), list) else [result]
    found: list[str] = []
    for item in items or []:
        if isinstance(item, dict) and item.get("changed"):
            given = (item.get("invocation") or {}).get("module_args") or {}
            named = [item.get("dest"), item.get("path"), given.get("dest"), given.get("path")]
            path = next((path for path in named if isinstance(path, str) and path.startswith("/")), "")
            found += [path[:SHORT]] if path and path not in found else []
    return found[:200]


def _recap(details: dict[str, Any]) -> dict[str, dict[str, int]]:
    hosts: dict[str, dict[str, int]] = {name: {} for name in details.get("processed") or {}}
    for key, name in _COUNTS.items():
        for host, count in (details.get(key) or {}).items():
            hosts.setdefault(host, {})[name] = count
    return hosts


def run(asked: dict[str, Any]) -> int:
    """Run it; returns its exit status."""
    import pexpect
    from ansible_runner.config.command import CommandConfig
    from ansible_runner.runner import Runner

    folder = asked["dir"]
    signal.signal(signal.SIGTERM, lambda *_: _leave(folder))
    teller = Teller(asked["streams"])

    class Prompted(pexpect.spawn):  # type: ignore[type-arg]  # it is no generic at run time
        """Gives each password once, while nothing has run yet."""

        def sendline(self, s: str | bytes = "") -> int:
            if teller.begun or s not in unused:
                tell(t="asked again")
                return 0
            unused.remove(s)
            return int(super().sendline(s))

    passwords = {re.compile(pattern, re.MULTILINE): value for pattern, value in asked.pop("passwords")}
    unused: list[str | bytes] = list(passwords.values())
    config = CommandConfig(
        private_data_dir=folder,
        host_cwd=asked["cwd"],
        envvars=asked["env"],
        settings={"suppress_output_file": True, "pexpect_timeout": 1},
        fact_cache_type="memory",
        quiet=True,
    )
    config.prepare_run_command(asked["argv"][0], cmdline_args=asked["argv"][1:])
    config.expect_passwords = {**passwords, **config.expect_passwords}
    pexpect.spawn = Prompted  # type: ignore[misc]  # ansible-runner takes no class of its own
    runner = Runner(config=config, event_handler=teller.event)
    runner.run()
    return int(runner.rc if runner.rc is not None else 254)


def _leave(folder: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(143)


if __name__ == "__main__":
    said, _, typed = sys.stdin.buffer.read().partition(b"\n")
    asked = json.loads(said)
    at = 0
    for password in asked["passwords"]:
        password[1], at = typed[at : at + password[1]].decode(), at + password[1]
    tell(t="end", rc=run(asked))
