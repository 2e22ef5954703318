"""The verbs of systemctl(1) that only look, and what it says then."""

from __future__ import annotations

from collections.abc import Callable

from rehearsal.full.calls import Call
from rehearsal.full.systemctl import Said
from rehearsal.full.units import SERVICE, SOCKET, UNIT_FILES, Units

_NOT_ACTIVE, _NO_SUCH_UNIT = 3, 4
"""Exit codes, of the LSB's init scripts."""

_ENABLED = ("enabled", "static", "indirect", "alias", "generated")


def look(call: Call, units: Units, main_pid: int) -> Said:
    """What `show`, `status`, `is-active`, `is-enabled` and `is-failed` say."""
    if call.verb == "show":
        return Said(stdout="\n".join(_shown(call, units, unit, main_pid) for unit in call.units))
    if call.verb == "status":
        return _all([_status(units, unit, main_pid) for unit in call.units], "\n")
    if call.verb == "is-enabled":
        return _any([_enabled(units, unit) for unit in call.units])
    states = [Said(_active_code(units, unit), f"{units.active_state(unit)}\n") for unit in call.units]
    if call.verb == "is-failed":
        return Said(1, "".join(state.stdout for state in states))  # nothing of ours is ever `failed`
    return _any(states)


def _shown(call: Call, units: Units, unit: str, main_pid: int) -> str:
    properties = units.properties(unit, main_pid)
    chosen = {key: value for key, value in properties.items() if not call.properties or key in call.properties}
    line: Callable[[str, str], str] = (lambda _, value: f"{value}\n") if call.value else (lambda k, v: f"{k}={v}\n")
    return "".join(line(key, value) for key, value in chosen.items())


def _status(units: Units, unit: str, main_pid: int) -> Said:
    file, load = UNIT_FILES.get(unit), units.load_state(unit)
    if load == "not-found":
        return Said(_NO_SUCH_UNIT, stderr=f"Unit {unit} could not be found.\n")
    shown = units.properties(unit, main_pid)
    if load == "masked" or file is None:
        loaded = f"masked (Reason: Unit {unit} is masked.)"
    else:
        loaded = f"loaded ({file.path}; {units.file_state(unit)}; preset: enabled)"
    since = shown["StateChangeTimestamp"]
    lines = [
        f"{'●' if unit in units.active else '○'} {unit}{f' - {file.description}' if file and load == 'loaded' else ''}",
        f"     Loaded: {loaded}",
        f"     Active: {shown['ActiveState']} ({shown['SubState']}){f' since {since}' if since else ''}",
    ]
    if unit == SERVICE:
        lines.append(f"TriggeredBy: {'●' if SOCKET in units.active else '○'} {SOCKET}")
    elif unit == SOCKET:
        lines.append(f"   Triggers: {'●' if SERVICE in units.active else '○'} {SERVICE}")
    if unit == SERVICE and unit in units.active:
        lines.append(f"   Main PID: {main_pid} (pcscd)")
    return Said(0 if unit in units.active else _NOT_ACTIVE, "".join(f"{line}\n" for line in lines))


def _enabled(units: Units, unit: str) -> Said:
    state = units.file_state(unit)
    if not state:
        return Said(1, stderr=f"Failed to get unit file state for {unit}: No such file or directory\n")
    return Said(0 if state in _ENABLED else 1, f"{state}\n")


def _active_code(units: Units, unit: str) -> int:
    if unit in units.active:
        return 0
    return _NO_SUCH_UNIT if units.load_state(unit) == "not-found" else _NOT_ACTIVE


def _all(said: list[Said], between: str = "") -> Said:
    """The worst exit code."""
    return _joined(said, max(each.exit_code for each in said), between)


def _any(said: list[Said]) -> Said:
    """One success is enough."""
    return _joined(said, min(each.exit_code for each in said), "")


def _joined(said: list[Said], exit_code: int, between: str) -> Said:
    stdout = between.join(each.stdout for each in said if each.stdout)
    return Said(exit_code, stdout, "".join(each.stderr for each in said))
