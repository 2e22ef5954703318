"""Finding a program, and why one does not run."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from runbook.errors import StepError


class ProgramNotFound(StepError):
    """There is no program of that name."""

    symptom = "program not found"


class ProgramNotExecutable(StepError):
    """The file is there, but the system does not run it."""

    symptom = "not executable"


class FolderMissing(StepError):
    """The folder to run in is not there."""

    symptom = "wrong folder"


def find_program(program: str, cwd: Path | None, env: Mapping[str, str] | None) -> str:
    """The absolute path of `program`, found as execvp(3) would with that environment and folder.

    Raises ProgramNotFound, ProgramNotExecutable and FolderMissing.
    """
    if cwd is not None and not cwd.is_dir():
        raise FolderMissing(
            "the folder to run in does not exist", where=str(cwd), remedy="Correct `cwd`, or mount what is missing."
        )
    if not program:
        raise ProgramNotFound("the program's name is empty", remedy="Correct the argument list.")
    if "/" in program:
        path = (cwd or Path()) / program
        if not path.exists():
            raise ProgramNotFound(
                f"there is no file {program}", where=str(cwd or Path.cwd()), remedy="Correct the path."
            )
        if path.is_dir() or not os.access(path, os.X_OK):
            raise ProgramNotExecutable(
                f"{program} {'is a folder' if path.is_dir() else 'is not executable'}",
                where=str(path),
                remedy="Name the program itself." if path.is_dir() else f"Make it executable: chmod +x {program}",
            )
        return str(path.absolute())
    search = (os.environ if env is None else env).get("PATH", os.defpath)
    found = shutil.which(program, path=search)
    if found is not None:
        return str(Path(found).absolute())
    dull = shutil.which(program, mode=os.F_OK, path=search)
    if dull is not None:
        raise ProgramNotExecutable(
            f"{dull} is not executable", where=dull, remedy=f"Make it executable: chmod +x {dull}"
        )
    raise ProgramNotFound(
        f"there is no program `{program}`", where=f"PATH {search}", remedy="Install it, or give its whole path."
    )


def refused(executable: str, program: str, number: int) -> StepError:
    """The error for an execve(2) that failed with that errno, although the file was there."""
    if number == errno.ENOENT:
        return ProgramNotFound(
            f"{program} is there, but the interpreter its first line names is not",
            where=executable,
            remedy="Install the interpreter, or correct the script's first line.",
        )
    if number == errno.ENOEXEC:
        return ProgramNotExecutable(
            f"{program} is no program: neither a binary of this machine nor a script with a #! line",
            where=executable,
            remedy="Name the interpreter as the first argument.",
        )
    return ProgramNotExecutable(f"the system refuses to run {program}: {os.strerror(number)}", where=executable)
