"""What a runbook and a site profile look like, read fast and judged by nobody.

For the screen that is painted while the files are read properly (`loader`): nothing that is found here is ever run,
recorded or taken for right. libyaml reads, where PyYAML has it; whatever cannot be read leaves nothing to be shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from runbook.glance import Glance
from runbook.text import clean_line

MAX_BYTES = 1 << 20
"""Of each file; a larger one is refused when it is read properly."""

_DEEPEST = 40


def glance(runbook: Path, site: Path | None) -> Glance:
    """Read both; raises any exception for what is not as it should be."""
    read = _plain(runbook)
    profile = _plain(site) if site is not None else {"name": "none"}
    stages = tuple((_line(stage["id"]), _line(stage["title"]), _steps(stage)) for stage in read["stages"])
    first = read["stages"][0]["steps"][0]
    role = next(role for role in ("check", "action", "attest") if role in first)
    return Glance(
        id=_line(read["id"]),
        title=_line(read["title"]),
        stages=stages,
        kind="attestation" if role == "attest" else f"{role} {_line(first[role])}",
        goal=_line(" ".join(first.get("goal", "").split())),
        site=_line(profile["name"]),
        rehearsal="rehearsal" in profile,
    )


def _steps(stage: Any) -> tuple[tuple[str, str], ...]:
    return tuple((_line(step["id"]), _line(step["title"])) for step in stage["steps"])


def _line(text: str) -> str:
    return clean_line(text)


def _plain(path: Path) -> Any:
    """Mappings, lists and texts; an alias stands for nothing."""
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError("too large")
    events = yaml.parse(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return next(node for event in events if isinstance(event, yaml.NodeEvent) for node in [_node(event, events, 1)])


def _node(event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Any:
    if depth > _DEEPEST:
        raise ValueError("too deep")
    match event:
        case yaml.ScalarEvent():
            return event.value
        case yaml.SequenceStartEvent():
            return list(_below(yaml.SequenceEndEvent, events, depth))
        case yaml.MappingStartEvent():
            below = _below(yaml.MappingEndEvent, events, depth)
            return dict(zip(below, below, strict=True))
        case _:
            return ""


def _below(end: type[yaml.Event], events: Iterator[yaml.Event], depth: int) -> Iterator[Any]:
    for event in events:
        if isinstance(event, end):
            return
        yield _node(event, events, depth + 1)
