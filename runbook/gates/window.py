"""A time window: how it is written, when it opens and closes, and what is said about it (design: gate)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

LONGEST = timedelta(days=31)
"""A longer window is a slip of the fingers, mostly in the year."""

_DAY, _TIME, _OFFSET = r"(\d{4}-\d\d-\d\d)", r"(\d{1,2}:\d\d(?::\d\d)?)", r"(Z|[+-]\d\d:?\d\d)"
_MOMENT = rf"(?:{_DAY}(?:\s+|T))?{_TIME}"
_PLAIN = re.compile(rf"{_MOMENT}()\s*(?:-|–|—|/|\bto\b|\buntil\b)\s*{_MOMENT}()", re.ASCII | re.IGNORECASE)
_WITH_OFFSET = re.compile(
    # Not with a dash between: it could be the sign of an offset.
    rf"{_MOMENT}\s*{_OFFSET}?\s*(?:/|\bto\b|\buntil\b)\s*{_MOMENT}\s*{_OFFSET}?",
    re.ASCII | re.IGNORECASE,
)


class BadWindow(ValueError):
    """A text that is no usable window; its message says why and shows one that is."""


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """From `opens` up to, and not including, `closes`; both aware, with a fixed offset."""

    opens: datetime
    closes: datetime

    @classmethod
    def of(cls, recorded: tuple[str, str]) -> TimeWindow:
        """From the RFC 3339 texts of the record (`gate_events.WindowSet`)."""
        opens, closes = (datetime.fromisoformat(text) for text in recorded)
        return cls(opens, closes)

    @property
    def recorded(self) -> tuple[str, str]:
        """Both ends in RFC 3339 with offset, to the second."""
        return self.opens.isoformat(timespec="seconds"), self.closes.isoformat(timespec="seconds")

    def is_open(self, now: datetime) -> bool:
        return self.opens <= now < self.closes

    def next_change(self, now: datetime) -> datetime | None:
        """When it opens, or closes, next; None once it has closed."""
        return next((moment for moment in (self.opens, self.closes) if now < moment), None)

    def said(self, now: datetime) -> str:
        """How it stands, in words that follow `the window of stage G …`."""
        if now < self.opens:
            return f"opens at {spoken(self.opens)} (in {span(self.opens - now)})"
        if now < self.closes:
            return f"is open until {spoken(self.closes)} (for {span(self.closes - now)})"
        return f"closed {span(now - self.closes)} ago (at {spoken(self.closes)})"


def parse(text: str, now: datetime, zone: tzinfo | None = None) -> TimeWindow:
    """The window that a person wrote; raises BadWindow with an example.

    `22:00-23:30` means today; an end that is earlier than the beginning lies on the next day, and a window that
    began yesterday and is still open is meant rather than tonight's. A date may stand before either time, and an
    offset behind it. Without an offset the times are those of `zone` (None: of this host).
    """
    here = _Here(now, zone)
    match = _PLAIN.fullmatch(text.strip()) or _WITH_OFFSET.fullmatch(text.strip())
    if match is None:
        raise BadWindow(f"this is no time window; write it like {here.examples}")
    day, start, offset, end_day, end, end_offset = match.groups()
    closing = (end_day, end, end_offset or offset)
    try:
        window = here.window((here.day(day) if day else here.today, start, offset), closing)
        if not day and not end_day and window.opens > now:
            window = here.begun((here.today - timedelta(days=1), start, offset), closing) or window
    except OverflowError:
        raise BadWindow(f"no calendar reaches that far; write it like {here.examples}") from None
    if window.closes <= window.opens:
        raise BadWindow(f"it would close before it opens, or at once; write it like {here.examples}")
    if window.closes - window.opens > LONGEST:
        raise BadWindow(f"it would be open for more than {LONGEST.days} days; write it like {here.examples}")
    if window.closes <= now:
        raise BadWindow(f"this window {window.said(now)}; write one that is still to come, like {here.examples}")
    return window


def examples(now: datetime, zone: tzinfo | None = None) -> str:
    """Windows as they may be written, for a prompt or a refusal."""
    day = (now.astimezone(zone) + timedelta(days=1)).date()
    return f"`22:00-23:30` or `{day} 22:00 to {day + timedelta(days=1)} 01:00`"


@dataclass(frozen=True, slots=True)
class _Here:
    """Where and when the text is read."""

    now: datetime
    zone: tzinfo | None

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    @property
    def examples(self) -> str:
        return examples(self.now, self.zone)

    def window(self, opens: tuple[date, str, str], closes: tuple[str, str, str]) -> TimeWindow:
        """From day, time and offset of both ends; the end's day may be empty."""
        first, start, offset = opens
        end_day, end, end_offset = closes
        beginning = self.moment(first, start, offset)
        ending = self.moment(self.day(end_day) if end_day else first, end, end_offset)
        if not end_day and ending < beginning:
            ending = self.moment(first + timedelta(days=1), end, end_offset)
        return TimeWindow(beginning, ending)

    def begun(self, opens: tuple[date, str, str], closes: tuple[str, str, str]) -> TimeWindow | None:
        """The same window a day earlier, where it is open now."""
        try:
            window = self.window(opens, closes)
        except BadWindow:  # those times did not exist yesterday
            return None
        return window if window.is_open(self.now) else None

    def day(self, text: str) -> date:
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise BadWindow(f"there is no day `{text}`; write it like {self.examples}") from None

    def moment(self, day: date, text: str, offset: str) -> datetime:
        """That time of that day, with a fixed offset.

        A time that the clocks leave out or show twice is refused: nobody should have to guess which one was meant.
        """
        whole = self._clock_time(text)
        naive = datetime.combine(day, time()) + whole
        if offset:
            return naive.replace(tzinfo=_fixed(offset))
        first, second = (self._local(naive.replace(fold=fold)) for fold in (0, 1))
        if first.utcoffset() != second.utcoffset():
            back = self._wall(first.astimezone(UTC))
            what = "comes twice" if back == naive else "does not exist"
            raise BadWindow(
                f"{naive:%H:%M} {what} on {naive:%Y-%m-%d}, because the clocks change; write it with its offset, like "
                f"`{second.isoformat('T', 'minutes')} to …`"
            )
        return first

    def _local(self, naive: datetime) -> datetime:
        """With the offset that holds here then."""
        local = naive.astimezone() if self.zone is None else naive.replace(tzinfo=self.zone)
        return local.replace(tzinfo=timezone(local.utcoffset() or timedelta()), fold=0)

    def _wall(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone).replace(tzinfo=None, fold=0)

    def _clock_time(self, text: str) -> timedelta:
        hours, minutes, *seconds = (int(part) for part in text.split(":"))
        whole = timedelta(hours=hours, minutes=minutes, seconds=sum(seconds))
        if hours > 24 or minutes > 59 or sum(seconds) > 59 or whole > timedelta(days=1):
            raise BadWindow(f"there is no time `{text}`; write it like {self.examples}")
        return whole


def _fixed(offset: str) -> timezone:
    """The time zone of an RFC 3339 offset; raises BadWindow."""
    if offset in ("Z", "z"):
        return UTC
    minutes = int(offset[1:3]) * 60 + int(offset[-2:])
    if int(offset[-2:]) > 59 or minutes > 14 * 60:
        raise BadWindow(f"there is no offset `{offset}`; write it like `+01:00`")
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))


def spoken(moment: datetime) -> str:
    """For people: `2026-11-21 22:00 +01:00`."""
    seconds = ":%S" if moment.second else ""
    return f"{moment:%Y-%m-%d %H:%M{seconds}} {moment.isoformat()[-6:]}"


def span(length: timedelta) -> str:
    """For people, the two largest units: `2 h 10 min`, `45 s`."""
    seconds = max(int(length.total_seconds()), 0)
    for name, size, smaller, part in (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60)):
        if seconds >= size:
            rest = seconds % size // part
            return f"{seconds // size} {name}" + (f" {rest} {smaller}" if rest else "")
    return f"{seconds // 60} min" if seconds >= 60 else f"{seconds} s"
