"""What is said to the far side: POSIX sh that runs one argument list and sees to it that nothing of it stays behind.

The command line that the account's login shell reads is small and constant but for its nonce. All else — arguments,
folder, environment, input — goes through standard input, once the mark in the output has shown that our shell reads
it. That input is also the lifeline: when it ends, because the line broke or this program died, the command's process
group is ended (SIGTERM, a second later SIGKILL). A timer there does the same, for a line that goes silent.

Needed there: a POSIX sh and `head -c`; `setsid` where a whole process group is to be ended (dash, bash and busybox
are under test). What the far side tells stands in the two streams, in lines that begin with a nonce of their own:
`started PID (group|alone)`, `refused cwd`, `fed`, and `exit CODE LEFT (gone|alive)`; the last one on both streams.
"""

from __future__ import annotations

import math
import re
import secrets
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from checks.files.programs import ProgramNotExecutable, ProgramNotFound
from runbook.errors import StepError

MAX_ARGUMENT = 128 * 1024 - 1
"""Bytes that Linux lets one argument or one variable have (execve(2), MAX_ARG_STRLEN), without its NUL."""

LATE = 3
"""Seconds after the deadline at which the far side ends the command by itself."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Nonces:
    """What nobody can know before the command runs."""

    mark: str = field(default_factory=lambda: f"runbook-{secrets.token_hex(12)}")
    """Stands in the command line, and so in the list of processes there; also the name our shell gives itself."""
    tag: str = field(default_factory=lambda: secrets.token_hex(16))
    """Goes through standard input only."""
    prompt: str = field(default_factory=lambda: f"[{secrets.token_hex(12)}] ")


def command_line(nonces: Nonces, size: int, *, sudo: str = "") -> str:
    """What the login shell reads: our shell, which says its mark on both streams and reads `size` bytes of script.

    `sudo`: the options that sudo gets; empty: no sudo. An account that is root already needs none. Single quotes
    with neither a quote, a backslash nor an exclamation mark within: sh, csh and fish read them alike.
    """
    inner = f'echo {nonces.mark}; echo {nonces.mark} >&2; eval "$(head -c {size})"'
    if not sudo:
        return f"exec /bin/sh -c '{inner}' {nonces.mark}"
    # The operator's language would hide why sudo refuses; the command gets its own back.
    outer = (
        'case "$(id -u)" in 0) exec /bin/sh -c "$1" "$0" "${LC_ALL-}" ;; esac; '
        f'exec env LC_ALL=C sudo {sudo} -p "$2" -- /bin/sh -c "$1" "$0" "${{LC_ALL-}}"'
    )
    restored = f'LC_ALL=$1; case "$LC_ALL" in "") unset LC_ALL ;; esac; {inner}'
    return f"exec /bin/sh -c '{outer}' {nonces.mark} '{restored}' '{nonces.prompt}'"


def quote(text: str) -> bytes:
    """One word of the shell that is exactly `text`; bytes that were no UTF-8 are kept (PEP 383)."""
    return shlex.quote(text).encode("utf-8", "surrogateescape")


def refuse_impossible(argv: Sequence[str], cwd: str, env: Mapping[str, str]) -> None:
    """Raises the error that fits what no execve(2) takes: a NUL byte, an argument that is too long, an odd name."""
    for text in (*argv, cwd, *env, *env.values()):
        if "\0" in text:
            raise ProgramNotFound("an argument holds a NUL byte", remedy="Correct the argument list.")
        size = len(text.encode("utf-8", "surrogateescape"))
        if size > MAX_ARGUMENT:
            raise StepError(
                f"an argument has {size} bytes, and no system call takes more than {MAX_ARGUMENT} in one",
                remedy="Put it into a file, and copy that.",
                symptom="not executable",
            )
    if not argv or not argv[0]:
        raise ProgramNotFound("the program's name is empty", remedy="Correct the argument list.")
    if argv[0].startswith("-"):
        raise ProgramNotFound(f"`{argv[0]}` begins with a dash", remedy="A program's name stands first; give its path.")
    for name in env:
        if not _VARIABLE.fullmatch(name):
            raise ProgramNotExecutable(
                f"`{name}` is no name of an environment variable", remedy="Use letters, digits and underscores."
            )


_TOOLS = r"""
t=@TAG@
say() { printf '%s %s\n' "$t" "$*"; }
finish() {
  kill -TERM $k; i=0
  while [ $i -lt 10 ] && kill -0 $k; do sleep 0.1 || sleep 1; i=$((i+1)); done
  kill -KILL $k
} 2>/dev/null
watch() {
  while IFS= read -r l; do case $l in "$t done") exit 0 ;; "$t end") break ;; esac; done <&3
  finish
}
there=group; lead=setsid
command -v setsid >/dev/null 2>&1 || { there=alone; lead=; }
targets() { case $there in group) k="-$g $1" ;; *) k=$g ;; esac; }
count() {
  case $there in alone) return ;; esac
  kill -0 -$g 2>/dev/null || return
  for f in /proc/[0-9]*/stat; do
    IFS= read -r l <"$f" || continue
    l=${l##*) }; s1=${l%% *}; l=${l#* }; l=${l#* }
    case $s1 in Z|X) ;; *) case ${l%% *} in "$g") n=$((n+1)) ;; esac ;; esac
  done 2>/dev/null
}
body() {
  trap '' PIPE
  say started $g $there
  @WATCH@
  ( z=$!; trap 'case $! in "$z") ;; *) kill $! ;; esac; exit' TERM
    sleep @SECONDS@ & wait $!; finish ) </dev/null >/dev/null 2>&1 3<&- 6>&- &
  c=$!
  wait $g; s=$?
  kill $v $c
  n=0; count; targets; a=gone
  case $n in 0) ;; *) finish; m=$n; n=0; count; case $n in 0) ;; *) a=alive ;; esac; n=$m ;; esac
  say exit $s $n $a; printf '%s\n' "$t" >&6
} 2>/dev/null
cd_to() { case $1 in '') ;; -*|[!/]*) CDPATH= cd "./$1" ;; *) cd "$1" ;; esac; }
exec 3<&0 </dev/null 6>&2
"""

_WITHOUT_INPUT = r"""
( @EXPORT@
  exec $lead /bin/sh -c 'exec "$@"' "$0" "$@" ) 3<&- 6>&- &
g=$!; targets $g
body
"""

_WITH_INPUT = r"""
pump() {
  trap '' PIPE
  IFS= read -r g <&3 || exit 0
  targets $g
  echo go
  head -c @INPUT@ <&3
  say fed >&5
  while IFS= read -r l; do case $l in "$t eof") break ;; "$t done") exit 0 ;; "$t end") finish; exit 0 ;; esac; done <&3
  case $l in "$t eof") ;; *) finish; exit 0 ;; esac
  exec >/dev/null
  watch
}
exec 5>&1
pump 2>/dev/null | {
  exec 4<&0 </dev/null
  ( @EXPORT@
    exec $lead /bin/sh -c 'IFS= read -r go; case $go in go) exec "$@" ;; esac' "$0" "$@" ) <&4 3<&- 4<&- 5>&- 6>&- &
  g=$!; v=; targets $g
  exec 3<&- 4<&- 5>&-
  body
}
"""


def script(
    argv: Sequence[str], *, nonces: Nonces, deadline: float, cwd: str, env: Mapping[str, str], input_size: int
) -> bytes:
    """The supervision of one command. With `input_size`, our `PID` line and its input are waited for.

    Lines said to it: `TAG done`, `TAG end` (end the command), and after the input `TAG eof`.
    """
    whole = _TOOLS + _FOLDER + (_WITH_INPUT if input_size else _WITHOUT_INPUT)
    watch = "v=" if input_size else "watch </dev/null >/dev/null 2>&1 6>&- & v=$!"
    filled = {
        "WATCH": watch.encode(),
        "SECONDS": str(math.ceil(deadline) + LATE).encode(),
        "INPUT": str(input_size).encode(),
    }
    return _filled(whole, argv, nonces=nonces, cwd=cwd, env=env, more=filled)


_FOLDER = r"""
cd_to @CWD@ 2>/dev/null || { say refused cwd; exit 0; }
set -- @ARGV@
"""

_DUPLEX = r"""
t=@TAG@
cd_to() { case $1 in '') ;; -*|[!/]*) CDPATH= cd "./$1" ;; *) cd "$1" ;; esac; }
set -- @ARGV@
printf '%s open\n' "$t"
@EXPORT@
exec "$@"
"""


def duplex_script(argv: Sequence[str], *, nonces: Nonces) -> bytes:
    """A program that takes over our shell's three streams after the line `TAG open`."""
    return _filled(_DUPLEX, argv, nonces=nonces, cwd="", env={}, more={})


def _filled(
    template: str,
    argv: Sequence[str],
    *,
    nonces: Nonces,
    cwd: str,
    env: Mapping[str, str],
    more: Mapping[str, bytes],
) -> bytes:
    values = {
        **more,
        "TAG": nonces.tag.encode(),
        "CWD": quote(cwd),
        "ARGV": b" ".join(quote(argument) for argument in argv),
        "EXPORT": b"".join(b"export %s=%s; " % (name.encode(), quote(value)) for name, value in env.items()) + b":",
    }
    # One pass: what is inserted is never looked through again.
    pattern = re.compile(rb"@([A-Z]+)@")
    filled = pattern.sub(lambda match: values[match[1].decode()], template.encode())
    # In braces, because a shell reads a whole compound command before it runs any of it: a script that the line cuts
    # short runs not at all. (Command substitution cuts off line breaks at the end, which belong to nothing here.)
    return b"{\n%b\n}" % filled.strip()
