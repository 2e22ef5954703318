"""Reading a git repository that may not be trusted.

Reading can run programs that the repository's own configuration names: a file system monitor, hooks, filters for
checked-out files, helpers that fetch missing objects. Each of them is switched off here; git's own refusal of trees
that belong to somebody else (safe.directory) stays on.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from checks.files.process import Finished, run
from runbook.errors import StepError
from runbook.text import clean_line

DEADLINE = 60.0
"""Seconds for one call."""

KEEP = 16 * 1024 * 1024
"""Bytes of one answer; a list of files can be long."""

_SWITCHED_OFF = (
    ("core.fsmonitor", "false"),
    ("core.hooksPath", os.devnull),
    ("core.pager", "cat"),
    ("core.untrackedCache", "false"),
    ("core.sshCommand", "false"),
    ("core.askPass", "false"),
    ("credential.helper", ""),
    ("protocol.allow", "never"),
    ("submodule.recurse", "false"),
)
_FILTER = r"^filter\..*\.(clean|smudge|process|required)$"


class GitRefused(StepError):
    """Git did not answer; `symptom` says why."""

    symptom = "git failed"


@dataclass(frozen=True, slots=True)
class Git:
    """One repository, with everything switched off that could run a program of its choice."""

    top: str
    """The root of the working tree."""
    git_dir: str
    """The working tree's own git directory."""
    filters: tuple[tuple[str, str], ...] = ()
    """Settings that switch off the filters named by the repository's own configuration."""

    @classmethod
    async def open(cls, folder: Path) -> Git:
        """Raises GitRefused, ProgramNotFound."""
        bare = cls(str(folder), "")
        answer = _text(await bare._ask("rev-parse", "--is-inside-work-tree", "--absolute-git-dir"))
        inside, _, git_dir = answer.partition("\n")
        if inside != "true":
            raise GitRefused(
                "this is a git directory, not a working tree",
                where=str(folder),
                remedy="Name the folder with the checked-out files.",
                symptom="not a repository",
            )
        top = _text(await bare._ask("rev-parse", "--show-toplevel"))
        return cls(top, git_dir, await bare._own_filters())

    async def status(self) -> list[str]:
        """The entries of `git status --porcelain=v2 --branch`, untracked files one by one."""
        answer = await self._ask(
            "status",
            "--porcelain=v2",
            "--branch",
            "--ahead-behind",
            "--untracked-files=all",
            # Looking for changes inside a submodule would read its configuration too, and run what that names.
            "--ignore-submodules=dirty",
            "-z",
        )
        return _entries(answer)

    async def hidden(self) -> int:
        """How many files are marked `assume-unchanged` or `skip-worktree`."""
        answer = await self._ask("ls-files", "-v", "-z")
        return sum(1 for entry in _fields(answer) if entry[:1].islower() or entry[:1] == "S")

    async def _own_filters(self) -> tuple[tuple[str, str], ...]:
        """A filter of the operator's own configuration stays; one that only this repository names is switched off."""
        finished = await self._call("config", "--show-scope", "--name-only", "-z", "--get-regexp", _FILTER)
        fields = _fields(finished)
        own = {key for scope, key in zip(fields[::2], fields[1::2], strict=False) if scope in ("local", "worktree")}
        return tuple((key, "false" if key.endswith(".required") else "") for key in sorted(own))

    async def _ask(self, *arguments: str) -> Finished:
        finished = await self._call(*arguments)
        if finished.exit_code != 0:
            raise _refusal(finished, self.top)
        if finished.stdout.left_out:
            raise GitRefused("git lists more than can be read", where=self.top)
        return finished

    async def _call(self, *arguments: str) -> Finished:
        argv = ("git", "--no-pager", "-C", self.top, *arguments)
        env = _environment((*_SWITCHED_OFF, *self.filters))
        return await run(argv, deadline=DEADLINE, env=env, keep=KEEP)


def _environment(settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Ours without anything that redirects git, with messages in English and with these settings.

    Settings go through the environment (git-config(1), GIT_CONFIG_COUNT): on the command line a name that holds a `=`
    would be read as another one.
    """
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_") and key != "LANGUAGE"}
    env |= {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1"}
    for index, (key, value) in enumerate(settings):
        env |= {f"GIT_CONFIG_KEY_{index}": key, f"GIT_CONFIG_VALUE_{index}": value}
    return env | {"GIT_CONFIG_COUNT": str(len(settings))}


def _fields(finished: Finished) -> list[str]:
    """Fields that end with NUL; paths are bytes in any encoding."""
    return [field.decode("utf-8", errors="replace") for field in finished.stdout.raw.split(b"\0")[:-1]]


def _entries(finished: Finished) -> list[str]:
    """The entries of a status; a rename is followed by a field with its old name, which is taken with it."""
    fields = iter(_fields(finished))
    return [f"{field} (was {next(fields, '?')})" if field.startswith("2 ") else field for field in fields]


def _text(finished: Finished) -> str:
    return finished.stdout.raw.decode("utf-8", errors="surrogateescape").removesuffix("\n")


def _refusal(finished: Finished, where: str) -> GitRefused:
    said = clean_line(_last_fatal(finished.stderr.raw.decode("utf-8", errors="replace")))
    if finished.ended_by:
        return GitRefused(f"git was ended by {finished.ended_by}", where=where)
    if "not a git repository" in said:
        return GitRefused(
            "there is no git repository here",
            where=where,
            remedy="Correct the path, or clone the repository.",
            symptom="not a repository",
        )
    if "dubious ownership" in said:
        return GitRefused(
            "this tree belongs to another user, so git does not read it",
            where=where,
            remedy="Work as its owner. If you trust it: git config --global --add safe.directory FOLDER",
            symptom="dubious ownership",
        )
    return GitRefused(f"git cannot read the repository: {said or f'exit code {finished.exit_code}'}", where=where)


def _last_fatal(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1] if lines else "")
