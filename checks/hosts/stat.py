"""What a machine says of one file: stat(1) and sha256sum(1) in one command, as GNU's and busybox's have them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from checks.hosts.errors import HostError
from checks.hosts.looking import tell
from checks.hosts.machine import Machine
from runbook.context import Context

# $1: the path; $2: `-L` to follow symbolic links; $3: `hash`; $4: a path to compare the age with.
_SCRIPT = r"""
p=$1; case $p in -*) p=./$p ;; esac
if [ ! -e "$p" ] && [ ! -L "$p" ]; then
  stat "$p" 2>&1 >/dev/null | grep -q -e 'No such file' -e 'Not a directory' && { echo nothing; exit 0; }
  stat "$p" >/dev/null; exit 1
fi
if [ -n "$2" ] && [ ! -e "$p" ]; then echo nothing; exit 0; fi
stat $2 -c 'is %F
mode %a
owner %U
group %G
size %s
changed %Y' "$p" || exit
if [ -L "$p" ]; then l=$(readlink "$p"; echo .); printf 'link %s\n' "$(printf %s "${l%??}" | tr '\n' '?')"; fi
if [ -n "$3" ]; then h=$(sha256sum <"$p") || exit; echo "sha256 ${h%% *}"; fi
if [ -n "$4" ]; then
  r=$4; case $r in -*) r=./$r ;; esac
  [ -e "$r" ] || { echo "there is no $4" >&2; exit 4; }
  if [ -n "$(find "$p" -prune -newer "$r")" ]; then echo "newer yes"; else echo "newer no"; fi
fi
"""


@dataclass(frozen=True, slots=True)
class Stat:
    """One file."""

    found: str
    """As stat(1) names its type; `nothing`: there is no file of that name."""
    mode: str = ""
    owner: str = ""
    group: str = ""
    size: int = 0
    changed: str = ""
    link: str = ""
    sha256: str = ""
    newer: bool | None = None

    @property
    def there(self) -> bool:
        return self.found != "nothing"

    @property
    def type(self) -> str:
        """`file`, `directory`, `symlink`, or stat's own word."""
        if self.found.startswith("regular"):
            return "file"
        return {"symbolic link": "symlink"}.get(self.found, self.found)


async def stat(
    machine: Machine,
    ctx: Context,
    path: str,
    *,
    follow: bool = False,
    sha256: bool = False,
    newer_than: str = "",
    sudo: bool = False,
) -> Stat:
    """Look at the file. Raises HostError (symptom `unreadable`) where that is not allowed."""
    arguments = (path, "-L" if follow else "", "hash" if sha256 else "", newer_than)
    lines = await tell(machine, ctx, _SCRIPT, *arguments, sudo=sudo, symptom="unreadable")
    if lines == ["nothing"]:
        return Stat("nothing")
    said = dict(line.partition(" ")[::2] for line in lines)
    try:
        changed = datetime.fromtimestamp(int(said["changed"]), UTC).isoformat(timespec="seconds")
        return Stat(
            found=said["is"],
            mode=said["mode"].zfill(4),
            owner=said["owner"],
            group=said["group"],
            size=int(said["size"]),
            changed=changed.replace("+00:00", "Z"),
            link=said.get("link", ""),
            sha256=said.get("sha256", ""),
            newer={"yes": True, "no": False}.get(said.get("newer", "")),
        )
    except (KeyError, ValueError):
        raise HostError("stat there says something we do not understand", where=machine.name) from None
