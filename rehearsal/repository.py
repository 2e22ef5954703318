"""A small git repository that stands for the site's own: branch main, an upstream, the host role's make target."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

from rehearsal.token import LabToken
from runbook.errors import EnvironmentLacks
from runbook.text import clean_line

_DEADLINE = 20.0

MAKEFILE = """\
# Stands in for the role that prepares the host of the HSM.
.PHONY: play-hsm-host
play-hsm-host:
\t@sh roles/hsm_host/report-slots
"""

REPORT_SLOTS = """\
#!/bin/sh
# Lists the slots and fails where the intermediate's token is not among them.
set -eu
{exports}
{event}
echo 'TASK [hsm_host : Report detected HSM slots]'
slots=$(pkcs11-tool --module {module} --list-token-slots)
printf '%s\\n' "$slots"
if printf '%s\\n' "$slots" | grep -q {label}; then failed=0; else failed=1; fi
printf '\\nPLAY RECAP\\ninput-b : ok=1 changed=0 unreachable=0 failed=%s\\n' "$failed"
exit "$failed"
"""

HOST_VARS = "---\n_hsm_enforce_verify: true\n"


def make_repository(folder: Path, upstream: Path, token: LabToken, event: Sequence[str] = (":",)) -> None:
    """A working tree in `folder`, committed and pushed to a bare repository in `upstream`.

    Its role looks for `token`, and runs the command `event` before. Raises EnvironmentLacks where git does not do it.
    """
    report = REPORT_SLOTS.format(
        exports="\n".join(f"export {name}={shlex.quote(value)}" for name, value in token.environment.items()),
        event=shlex.join(event),
        module=shlex.quote(str(token.module)),
        label=shlex.quote(token.label),
    )
    files = {
        "README.md": "# system-integration\n\nMade for a rehearsal.\n",
        "ansible/Makefile": MAKEFILE,
        "ansible/roles/hsm_host/report-slots": report,
        "ansible/host_vars/input-b/hsm.yml": HOST_VARS,
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    _git("init", "--quiet", "--bare", "--initial-branch=main", str(upstream), cwd=folder)
    _git("init", "--quiet", "--initial-branch=main", cwd=folder)
    _git("add", "--all", cwd=folder)
    _git("commit", "--quiet", "--message=The state before the cutover", cwd=folder)
    _git("remote", "add", "origin", str(upstream), cwd=folder)
    _git("push", "--quiet", "--set-upstream", "origin", "main", cwd=folder)


def _git(*arguments: str, cwd: Path) -> None:
    """Git without the user's and the machine's configuration, and never with a question."""
    person = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _PERSON.items()}
    outside = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    isolated = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    try:
        subprocess.run(
            ["git", *arguments],
            cwd=cwd,
            env={**outside, **isolated, **person},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_DEADLINE,
            check=True,
            text=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise EnvironmentLacks(
            f"git {arguments[0]} did not work: {clean_line(str(error.stderr or error))}",
            where=str(cwd),
            remedy="Look at the folder and its file system; the rehearsal needs git 2.28 or newer.",
        ) from error


_PERSON = {"NAME": "Rehearsal", "EMAIL": "rehearsal@example.invalid"}
