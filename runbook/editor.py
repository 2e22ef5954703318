"""The runbook in the person's own editor, at the line of a step, so that nothing can change it."""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runbook.errors import EnvironmentLacks, JournalError
from runbook.files import yaml_source
from runbook.files.outline import Outline
from runbook.files.problems import InvalidDocument
from runbook.operator import TerminalRequest
from runbook.record import attachments
from runbook.record.state import RunState
from runbook.threads import in_thread

Lend = Callable[[TerminalRequest], Awaitable[int]]
"""Gives the terminal to the command; its exit status, or 128 and its signal."""

_VI = ("-R", "+{line}", "{file}")
_KNOWN: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("vim", "nvim", "vi", "gvim", "vimdiff", "nvi", "elvis"), _VI),
    **dict.fromkeys(("view", "more", "less", "most", "joe", "emacsclient"), ("+{line}", "{file}")),
    "nano": ("-v", "+{line}", "{file}"),
    "rnano": ("+{line}", "{file}"),
    "pico": ("-v", "+{line}", "{file}"),
    "emacs": ("+{line}", "{file}", "--eval", "(read-only-mode 1)"),
    "mg": ("-R", "+{line}", "{file}"),
    "zile": ("+{line}", "{file}"),
    "micro": ("-readonly", "true", "{file}:{line}"),
    "kak": ("-ro", "+{line}", "{file}"),
    "hx": ("{file}:{line}",),
    "helix": ("{file}:{line}",),
    "ne": ("--read-only", "+{line}", "{file}"),
    "mcedit": ("{file}:{line}",),
    "mcview": ("{file}:{line}",),
    **dict.fromkeys(("code", "codium", "code-insiders", "cursor"), ("--wait", "--goto", "{file}:{line}")),
    **dict.fromkeys(("subl", "zed"), ("--wait", "{file}:{line}")),
    "gedit": ("--wait", "+{line}", "{file}"),
    "kate": ("--block", "--line", "{line}", "{file}"),
}
"""What each program is told (its man page); one that leaves the terminal at once waits until its window is closed."""

_UNKNOWN = ("{file}",)
_PAGERS = ("less", "view", "more")
"""What takes the place of an editor where none is set."""

_ELSEWHERE = frozenset({"--wait", "-w", "--nofork"})


@dataclass(frozen=True, slots=True)
class Page:
    """A file to look at."""

    name: str
    content: bytes
    line: int = 1
    """From 1."""


def runbook_page(state: RunState, run_folder: Path, path: Path, step: str) -> Page:
    """The runbook that is walked, as the record keeps it, at that step; blocking.

    Raises EnvironmentLacks where neither the record's copy nor the file can be read.
    """
    sha256 = state.attached.get(attachments.RUNBOOK, "")
    for place in [attachments.path_of(run_folder, sha256)] * bool(sha256) + [path]:
        try:
            document, _ = yaml_source.read(place)
        except (InvalidDocument, JournalError):
            continue
        return Page(path.name, document.content, _line(Outline.of(document.root), step))
    raise EnvironmentLacks("the runbook cannot be read any more", where=str(path))


def _line(outline: Outline, step: str) -> int:
    """Of the step; of a step that goes back, the one that it undoes; else the beginning."""
    lines = {found.id: found.node.mark.line for found in outline.steps() if found.id}
    parts = step.split(".")
    for length in range(len(parts), 0, -1):
        if line := lines.get(".".join(parts[:length])):
            return line
    return 1


def command(environment: Mapping[str, str], file: Path, line: int) -> tuple[str, ...]:
    """VISUAL or EDITOR with what makes it read-only at that line, else a pager; blocking.

    Raises EnvironmentLacks where it is not there, or nothing is set and there is no pager.
    """
    path = environment.get("PATH", os.defpath)
    wanted = environment.get("VISUAL", "").strip() or environment.get("EDITOR", "").strip()
    try:
        words = shlex.split(wanted)
    except ValueError:
        words = wanted.split()
    if not words:
        words = [next((name for name in _PAGERS if shutil.which(name, path=path)), "")]
        if not words[0]:
            raise EnvironmentLacks(
                "there is no program to show the runbook with", remedy="Set VISUAL or EDITOR, or install less."
            )
    elif not shutil.which(words[0], path=path):
        raise EnvironmentLacks(
            f"the editor `{words[0]}` is not there", remedy="Set VISUAL or EDITOR to a program on the PATH."
        )
    told = _KNOWN.get(Path(words[0]).name, _UNKNOWN)
    told = tuple(word for word in told if word not in _ELSEWHERE or word not in words)
    return (*words, *(word.format(file=file, line=line) for word in told))


@contextmanager
def private_copy(page: Page) -> Iterator[Path]:
    """A copy that its owner alone can read and nobody should write, in a folder of its own; gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="hsm-runbook-"))
    try:
        file = folder / (page.name or "runbook.yaml")
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o400)
        with os.fdopen(handle, "wb") as stream:
            stream.write(page.content)
        yield file
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def show(page: Page, lend: Lend) -> None:
    """Until the editor is left. Raises EnvironmentLacks where there is none, StepError where it cannot be started."""
    copies = private_copy(page)
    file = await in_thread(copies.__enter__)
    try:
        argv = await in_thread(lambda: command(os.environ, file, page.line))
        await lend(TerminalRequest(argv, str(file.parent)))
    finally:
        copies.__exit__(None, None, None)
