"""One Ansible command in a child process: what it is given, what it tells, and nothing of it left behind."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from checks.files.capture import Capture
from checks.files.supervised import Supervised
from runbook.errors import EnvironmentLacks
from runbook.ran import Ran, tell
from runbook.secrets import Redactor, Secret
from runbook.wiping import wipe

_CHILD = Path(__file__).with_name("ansible_child.py")
_MEMORY = Path("/dev/shm")  # noqa: S108 - only a folder of our own in it is used
_KEEP = 4 * 1024 * 1024
"""Bytes kept of the output."""

_LONGEST = 4 * 1024 * 1024
"""Bytes of one event."""

REMEDY = "Install it beside the program: pip install 'hsm-runbook[ansible]'."


@dataclass(frozen=True, slots=True)
class AnsibleCommand:
    """A command that ends in Ansible."""

    argv: tuple[str, ...]
    """`{dir}` in an argument becomes the folder of `files`."""
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    """Set beside ours."""
    passwords: tuple[tuple[str, Secret], ...] = ()
    """Regular expressions of prompts, and what is typed there, once each."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Files it reads, by name; they are gone when it has ended."""
    streams: bool = False
    """Have the output of every task told, not only of those that failed."""


@dataclass(frozen=True, slots=True)
class Played:
    """How it ended."""

    argv: tuple[str, ...]
    exit_code: int | None
    """None: ended by a signal or its deadline."""
    ended_by: str
    output: bytes
    """As a terminal would show it, cut in the middle where it is very long; neither redacted nor cleaned."""
    asked_again: bool
    """It asked for a password a second time, or once plays had begun; none was given."""
    seconds: float


def ssh_config_env(path: str) -> Mapping[str, str]:
    """The site's own ssh_config file for Ansible's ssh too; nothing for an empty path."""
    given = os.environ.get("ANSIBLE_SSH_COMMON_ARGS", "")
    return {"ANSIBLE_SSH_COMMON_ARGS": f"{given} -F {shlex.quote(path)}".strip()} if path else {}


def programs() -> str:
    """The search path for Ansible's commands: ours last. Raises EnvironmentLacks where Ansible is not installed."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)])
    if find_spec("ansible_runner") is None:
        raise EnvironmentLacks("ansible-runner is not installed", remedy=REMEDY)
    if shutil.which("ansible-playbook", path=path) is None:
        raise EnvironmentLacks("there is no `ansible-playbook` on this machine", remedy=REMEDY)
    return path


async def play(
    command: AnsibleCommand, *, deadline: float, on_event: Callable[[Mapping[str, Any]], None], redactor: Redactor
) -> Played:
    """Run it; `on_event` gets what `ansible_child` tells. A deadline (in seconds) that passes is an ending too.

    Raises EnvironmentLacks where Ansible is not installed. On cancellation everything is ended first.
    """
    for _, secret in command.passwords:
        redactor.learn(secret)
    path = await asyncio.to_thread(programs)
    folder = await asyncio.to_thread(_folder, command.files)
    try:
        return await _play(command, folder, path, deadline, on_event)
    finally:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))


async def _play(
    command: AnsibleCommand,
    folder: Path,
    path: str,
    deadline: float,
    on_event: Callable[[Mapping[str, Any]], None],
) -> Played:
    started = time.monotonic()
    told, errors = _Told(on_event), Capture(64 * 1024)
    argv = tuple(argument.replace("{dir}", str(folder)) for argument in command.argv)
    env = _environment(path, folder, command.env)
    running = Supervised.start(sys.executable, [sys.executable, "-I", str(_CHILD)], Path("/"), env, stdin=True)
    late = False
    try:
        running.read(told.take, errors.add)
        async with asyncio.timeout(deadline):
            asked = _asked(command, argv, folder, env)
            try:
                await running.send(asked)
            finally:
                wipe(asked)
            await asyncio.shield(running.over)
    except TimeoutError:
        late = True
    finally:
        await asyncio.shield(asyncio.create_task(running.end()))
    ended_by = "deadline" if late else "" if told.exit_code is not None else "itself before it was done"
    exit_code = None if late else told.exit_code
    tell(
        Ran(
            argv,
            cwd=str(command.cwd),
            env=command.env,
            exit_code=exit_code,
            ended_by=ended_by,
            seconds=time.monotonic() - started,
        )
    )
    output = told.output.kept(None).raw + (b"" if told.exit_code is not None else errors.kept(None).raw)
    return Played(argv, exit_code, ended_by, output, told.asked_again, time.monotonic() - started)


def _asked(command: AnsibleCommand, argv: Iterable[str], folder: Path, env: Mapping[str, str]) -> bytearray:
    """A line of JSON, and after it the passwords as they are, one after the other; to be wiped after use."""
    said = json.dumps(
        {
            "argv": list(argv),
            "cwd": str(command.cwd),
            "dir": str(folder),
            "env": dict(env),
            "streams": command.streams,
            "passwords": [[pattern, len(secret)] for pattern, secret in command.passwords],
        }
    ).encode()
    # In its final size at once: a buffer that grows leaves its old place as it was.
    asked = bytearray(len(said) + 1 + sum(len(secret) for _, secret in command.passwords))
    at = len(said) + 1
    asked[:at] = said + b"\n"
    with memoryview(asked) as room:  # a slice of the buffer itself would be filled by way of a copy
        for _, secret in command.passwords:
            if secret:
                room[at : at + len(secret)] = secret.reveal()
            at += len(secret)
    return asked


def _environment(path: str, folder: Path, more: Mapping[str, str]) -> dict[str, str]:
    """Ansible as the site configured it, but for what could hang, leak or let in a host that is not known."""
    ssh = f"{os.environ.get('ANSIBLE_SSH_EXTRA_ARGS', '')} -o StrictHostKeyChecking=yes -o ForwardAgent=no".strip()
    return {
        **os.environ,
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_SSH_EXTRA_ARGS": ssh,
        "ANSIBLE_AGNOSTIC_BECOME_PROMPT": "True",
        # Callbacks that a configuration adds (mail, log services) get every result before anything is redacted. The
        # default one is passed over, since another writes the output.
        "ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.default",
        "ANSIBLE_LOG_PATH": os.devnull,
        "ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "False",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_FORCE_COLOR": "0",
        # What it decrypts or renders for a while lies where it is removed for certain.
        "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
        # A key with a passphrase that no agent holds fails; nobody would see ssh's question.
        "SSH_ASKPASS_REQUIRE": "force",
        "SSH_ASKPASS": "/bin/false",
        **more,
        "PATH": path,
    }


def _folder(files: Mapping[str, str]) -> Path:
    """A folder of our own, in memory where there is such a place."""
    usable = _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and stat.S_IMODE(_MEMORY.stat().st_mode) & stat.S_ISVTX
    folder = Path(tempfile.mkdtemp(prefix="runbook-", dir=_MEMORY if usable else None))
    for name, text in files.items():
        with open(folder / name, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(text)
    return folder


class _Told:
    """Takes the child's lines apart."""

    def __init__(self, on_event: Callable[[Mapping[str, Any]], None]) -> None:
        self.exit_code: int | None = None
        self.asked_again = False
        self.output = Capture(_KEEP)
        self._on_event = on_event
        self._rest = bytearray()

    def take(self, chunk: bytes) -> None:
        self._rest += chunk
        *lines, rest = self._rest.split(b"\n")
        self._rest = rest if len(rest) <= _LONGEST else bytearray()
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:
                # Something printed beside the protocol.
                self.output.add(bytes(line) + b"\n")
                continue
            self._event(event)

    def _event(self, event: Mapping[str, Any]) -> None:
        match event.get("t"):
            case "end":
                self.exit_code = event["rc"]
            case "asked again":
                self.asked_again = True
            case "out":
                self.output.add(f"{event['text']}\n".encode())
            case _:
                self._on_event(event)
