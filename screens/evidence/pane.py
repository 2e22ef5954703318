"""Base and register of the evidence panes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Generic, TypeVar

from textual.content import Content
from textual.reactive import var

from runbook.outcome import Evidence
from screens.columns import wrap
from screens.lines import Lines

E = TypeVar("E", bound=Evidence)
P = TypeVar("P", bound="type[Pane[Any]]")

_PANES: dict[type[Evidence], type[Pane[Any]]] = {}


class Pane(Lines, Generic[E]):
    """A framed piece of evidence; a subclass says how its lines look."""

    heading: ClassVar[str] = "Evidence"

    pictures = var(False, init=False)
    """Whether OpenSSH's randomart is drawn beside fingerprints of its keys."""

    def __init__(self, evidence: E) -> None:
        super().__init__(classes="pane")
        self.evidence = evidence
        self.border_title = self.heading

    @property
    def pictures_key(self) -> str:
        """The key that shows and hides it."""
        from screens.keys import own_keys

        own = own_keys(self.app) if self.is_attached else {}
        return own.get("pane.randomart", "i").split(",")[0]

    @property
    def has_pictures(self) -> bool:
        """Whether there is anything to draw."""
        return next(iter(self.evidence.on_request()), None) is not None

    def watch_pictures(self) -> None:
        if self.has_pictures:
            self.redraw()

    def lines(self, width: int) -> Iterator[Content]:
        """The plain lines, where there is nothing better."""
        for line in self.evidence.plain():
            yield from wrap(line, width)


def _utc(text: str) -> datetime | None:
    """A time in RFC 3339; None for what is none, and for years that stand for none."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo and moment.year > 1 else None
    except (ValueError, OverflowError):
        return None


def when(text: str) -> str:
    """A time in RFC 3339 as people read it, in UTC; anything else as it stands."""
    moment = _utc(text)
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else text


def octets(count: int) -> str:
    """A size in bytes, with its thousands apart."""
    return f"{count:,} {'byte' if count == 1 else 'bytes'}"


_LONG = timedelta(days=30)
"""A span above which the time of day does not count."""


def span(begins: str, ends: str) -> str:
    """Two times in RFC 3339: days alone, or with the time of day where it is short."""
    first, last = _utc(begins), _utc(ends)
    if first is None or last is None:
        return f"{begins} to {ends}"
    if last - first > _LONG:
        return f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
    return f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"


def draws(*kinds: type[Evidence]) -> Callable[[P], P]:
    """Register a pane for these classes of evidence."""

    def register(pane: P) -> P:
        _PANES.update(dict.fromkeys(kinds, pane))
        return pane

    return register


def pane_class(kind: type[Evidence]) -> type[Pane[Any]]:
    """The pane of that class or of its nearest base."""
    return next((_PANES[base] for base in kind.__mro__ if base in _PANES), Pane)
