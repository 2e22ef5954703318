"""How many cases ended in which way, as a table and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec

from tests.campaign.cases import Case, Trouble
from tests.campaign.judging import after_retry, ending, violations
from tests.campaign.walking import Walked


@dataclass(frozen=True, slots=True)
class Result:
    """What is kept of a case."""

    name: str
    operation: str
    trouble: str
    apdu: int
    reached: bool
    """Whether the card came to the APDU that was to suffer."""
    command: str
    """That APDU by name."""
    ending: str
    after_retry: str
    seconds: float
    blocked_ms: float
    """A figure and no rule: on a machine that others use too it says little about one case."""
    blocked_by: str
    prompts: int
    attempts: int
    """By the card's own count."""
    violations: tuple[str, ...]
    repeated: str = ""
    """Why it had to be walked a second time to come to the operation at all."""


def result(walked: Walked) -> Result:
    """The verdict on a case."""
    case = walked.case
    assert case
    command = walked.apdus[case.apdu - 1] if 0 < case.apdu <= len(walked.apdus) else ""
    return Result(
        name=case.name,
        operation=f"{case.spot.place} {case.spot.step}",
        trouble=case.trouble,
        apdu=case.apdu,
        reached=walked.reached,
        command=command,
        ending=ending(walked),
        after_retry=after_retry(walked),
        seconds=round(walked.seconds, 3),
        blocked_ms=round(walked.blocked.seconds * 1e3, 1),
        blocked_by=walked.blocked.callback,
        prompts=walked.prompts,
        attempts=walked.checks,
        violations=tuple(violations(walked)),
        repeated=walked.repeated,
    )


def unusable(case: Case, why: str) -> Result:
    """A case that could not be judged, which is no verdict on the program and still none that passes."""
    operation = f"{case.spot.place} {case.spot.step}"
    told = (f"the campaign's own reader failed: {why}",)
    return Result(case.name, operation, case.trouble, case.apdu, False, "", "not judged", "", 0.0, 0.0, 0, 0, told)


def diary_line(one: Result) -> bytes:
    """A case as a line of JSON, so that a run that is broken off is not lost."""
    return msgspec.json.encode(one) + b"\n"


def read_diary(path: Path) -> list[Result]:
    """The cases in it; none where there is no such file."""
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [msgspec.json.decode(line, type=Result) for line in lines]


def to_json(results: Sequence[Result], **about: object) -> bytes:
    """All results, and what they are about."""
    return msgspec.json.format(msgspec.json.encode({**about, "cases": [asdict(one) for one in results]}), indent=1)


def table(results: Sequence[Result]) -> Iterable[str]:
    """A line for each fault, then how the errors were told, then all that must never be."""
    heads = ("cases", "reached", "green", "error", "in doubt", "retry green", "longest")
    yield f"{'fault':<36}" + "".join(f"{head:>12}" for head in heads)
    for trouble in Trouble:
        if ours := [one for one in results if one.trouble == trouble]:
            yield _line(trouble, ours)
    yield _line("all", results)
    yield ""
    errors = Counter(one.ending for one in results if one.ending not in ("green", "in doubt"))
    yield "errors: " + ", ".join(f"{name} {count}" for name, count in errors.most_common())
    again = Counter(one.after_retry for one in results if one.after_retry not in ("", "green"))
    yield "not green when tried again: " + (
        ", ".join(f"{name} {count}" for name, count in again.most_common()) or "none"
    )
    longest = max(results, key=lambda one: one.blocked_ms)
    yield f"event loop kept at most {longest.blocked_ms:.0f} ms, by {longest.blocked_by} ({longest.name})"
    if repeated := Counter(one.repeated for one in results if one.repeated):
        yield "walked again, because a step failed before the fault was armed: " + "; ".join(
            f"{count} × {why}" for why, count in repeated.most_common()
        )
    broken = [one for one in results if one.violations]
    yield f"{len(broken)} cases broke a rule"
    for one in broken:
        yield f"  {one.name} ({one.command}): {one.ending}"
        yield from (f"    {violation}" for violation in one.violations)


def _line(name: str, ours: Sequence[Result]) -> str:
    green = sum(one.ending == "green" for one in ours)
    doubt = sum(one.ending == "in doubt" for one in ours)
    retried = [one for one in ours if one.after_retry]
    again = f"{sum(one.after_retry == 'green' for one in retried)}/{len(retried)}" if retried else "-"
    numbers = (len(ours), sum(one.reached for one in ours), green, len(ours) - green - doubt, doubt)
    longest = f"{max(one.seconds for one in ours):.1f} s"
    return f"{name:<36}" + "".join(f"{cell:>12}" for cell in (*numbers, again, longest))
