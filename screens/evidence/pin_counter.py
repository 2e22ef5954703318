"""The PIN counter: how many tries are left, and what the next wrong PIN would cost."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from checks.evidence.pin_counter import PinCounter
from screens.columns import pairs
from screens.evidence.pane import Pane, draws
from screens.words import BAD, DOUBT, GOOD, QUIET


def gauge(tries_left: int | None, tries_max: int | None) -> Content:
    """A box for each try, full for those left, and the number in words; `unknown` where it is not known."""
    if tries_left is None:
        return Content.styled("unknown", f"bold {DOUBT}")
    full = tries_max if tries_max is not None and tries_max >= tries_left else tries_left
    style = f"bold {GOOD if tries_left == full and full > 1 else DOUBT if tries_left > 1 else BAD}"
    boxes = "■ " * tries_left + "□ " * (full - tries_left) if full <= 15 else ""
    number = f"{tries_left} of {tries_max} tries left" if tries_max is not None else f"{tries_left} tries left"
    return Content.styled(boxes + number, style)


def so_gauge(tries_left: int) -> Content:
    """The number for the SO-PIN, in words."""
    if tries_left == 0:
        return Content.styled("locked: nobody can unblock the user PIN any more", f"bold {BAD}")
    style = f"bold {BAD}" if tries_left == 1 else DOUBT if tries_left <= SO_FEW else ""
    return Content.styled("1 try left" if tries_left == 1 else f"{tries_left} tries left", style)


SO_FEW = 5
"""Tries of the SO-PIN at and below which they are few."""


def cost(tries_left: int | None, flags: tuple[str, ...] = ()) -> Content:
    """What the next wrong PIN would cost."""
    if "CKF_USER_PIN_LOCKED" in flags or tries_left == 0:
        return Content.styled("the PIN is locked; no PIN is accepted until it is unblocked", f"bold {BAD}")
    if "CKF_USER_PIN_FINAL_TRY" in flags or tries_left == 1:
        return Content.styled("locks the PIN: this is the last try", f"bold {BAD}")
    if tries_left is None:
        return Content.styled("costs one try; how many are left is unknown, it may be the last", DOUBT)
    left = tries_left - 1
    return Content(f"costs one try and leaves {left}" + (", the last one" if left == 1 else ""))


@draws(PinCounter)
class PinCounterPane(Pane[PinCounter]):
    """A gauge, the cost of a mistake, the flags, and where the number comes from."""

    heading = "PIN counter"

    def lines(self, width: int) -> Iterator[Content]:
        counter = self.evidence
        rows: list[tuple[str, Content | str]] = [
            ("token", counter.token),
            ("user PIN", gauge(counter.tries_left, counter.tries_max)),
            ("state", _state(counter)),
        ]
        if counter.so_tries_left is not None:
            rows.append(("SO-PIN", so_gauge(counter.so_tries_left)))
        rows += [
            ("a wrong PIN", cost(counter.tries_left, counter.flags)),
            ("flags", "  ".join(counter.flags) or Content.styled("none about the PIN", QUIET)),
            ("source", counter.source),
        ]
        yield from pairs(rows, width)


def _state(counter: PinCounter) -> Content:
    styles = {"full": GOOD, "low": f"bold {DOUBT}", "final try": f"bold {BAD}", "locked": f"bold {BAD}"}
    return Content.styled(counter.state, styles.get(counter.state, f"bold {DOUBT}"))
