"""Where secrets are spelled in a text, found at little cost in ordinary text.

The expressions for a secret are some ten thousand characters long; trying them at each character of a command's output
takes a second for a few megabytes. So the places are found in three steps, each with far fewer of them than the one
before: two characters that can begin a secret, then three (`Spelling.heads`), then the expression itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, product

from runbook.hiding import hide
from runbook.spellings import HEAD, ROW, Spelling

_PIECE = 64 * 1024
"""Characters searched at once: a search holds up every other thread. Well below a millisecond."""

_REST_OF_ROW = re.compile(rf"[^\r\n␍␊]{{0,{ROW}}}")


class Form:
    """One family of spellings of one secret, compiled when it is first looked for, or before."""

    def __init__(self, spelling: Spelling) -> None:
        self.spelling = spelling
        self._compiled_whole: re.Pattern[str] | None = None
        self._compiled_begun: re.Pattern[str] | None = None

    # Not `cached_property`: in Python 3.11 that has one lock for all of a class, and the event loop would wait for a
    # thread that compiles another.

    @property
    def _whole(self) -> re.Pattern[str]:
        if self._compiled_whole is None:
            self._compiled_whole = re.compile(self.spelling.whole)
        return self._compiled_whole

    @property
    def _begun(self) -> re.Pattern[str]:
        if self._compiled_begun is None:
            self._compiled_begun = re.compile(self.spelling.begun)
        return self._compiled_begun

    def prepare(self) -> None:
        """Compile now what is needed later."""
        _ = self._whole, self._begun

    def end(self, text: str, start: int, shuffled: _Shuffled) -> int | None:
        """Where the secret ends that begins there; None for no secret."""
        piece, at = shuffled.at(start, self.spelling.longest)
        match = self._whole.match(piece, at)
        if match is None:
            return None
        end = start + match.end() - at
        # A group takes part where it goes over several rows of a dump.
        if match.lastindex and (rest := _REST_OF_ROW.match(text, end)):
            return rest.end()
        return end

    def open(self, text: str, start: int) -> bool:
        """Whether the end of the text cuts off what may be a secret that begins there."""
        return len(text) - start <= self.spelling.longest and self._begun.match(hide(text[start:])) is not None


class _Shuffled:
    """A text as the expressions want it, made in pieces and only where it is looked at."""

    def __init__(self, text: str) -> None:
        self._text = text
        # With other characters it takes a hundred times as long: then as little as can be.
        self._size = _PIECE if text.isascii() else 0
        self._start, self._piece = 0, ""

    def at(self, start: int, length: int) -> tuple[str, int]:
        """A piece, and where in it that place is, with so many characters from there on, or all that there are."""
        until = min(start + length, len(self._text))
        if not self._start <= start <= until <= self._start + len(self._piece):
            self._start, self._piece = start, hide(self._text[start : until + self._size])
        return self._piece, start - self._start


class Sieve:
    """Looks for all of these forms at once."""

    def __init__(self, forms: Sequence[Form]) -> None:
        self.forms = forms
        self._reach = max((form.spelling.longest for form in forms), default=0)
        heads: dict[bytes, list[Form]] = {}
        for form in forms:
            for head in set(chain.from_iterable(map(_ascii_heads, form.spelling.heads))):
                heads.setdefault(head, []).append(form)
        self._heads = heads
        pairs = sorted({head[:2].decode("utf-16-le") for head in heads})
        self._pairs = re.compile(f"[{''.join(map(re.escape, pairs))}]") if pairs else None

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        """Start and end of each place, in no order, also of those that overlap."""
        shuffled = _Shuffled(text)
        for start, form in self._candidates(text, 0):
            end = form.end(text, start, shuffled)
            if end is not None:
                yield start, end

    def open(self, text: str) -> int:
        """The place from which on `text` may be the beginning of a secret; its length, if there is none."""
        ends = range(max(len(text) - HEAD + 1, 0), len(text))
        cut_heads = ((at, form) for at in ends for form in self.forms)
        candidates = (*self._candidates(text, max(len(text) - self._reach, 0)), *cut_heads)
        for start, form in sorted(candidates, key=lambda candidate: candidate[0]):
            if form.open(text, start):
                return start
        return len(text)

    def _candidates(self, text: str, start: int) -> Iterator[tuple[int, Form]]:
        """The places from `start` on with the head of a secret, and the form that has it; in no order.

        Two characters of ASCII, read as one of UTF-16, are one in a set of characters: nothing that `re` can look for
        is found faster, however many secrets there are.
        """
        if self._pairs is None:
            return
        for piece in range(start, len(text), _PIECE):
            # A few more than the piece, for the heads at its end; at the text's end anything.
            ascii_only = text[piece : piece + _PIECE + HEAD - 1].encode("ascii", "replace") + b"\0" * (HEAD - 1)
            until = min(_PIECE, len(text) - piece)
            for odd in (0, 1):
                pairs = ascii_only[odd : odd + (len(ascii_only) - odd) // 2 * 2].decode("utf-16-le")
                for match in self._pairs.finditer(pairs):
                    at = 2 * match.start() + odd
                    forms = self._heads.get(ascii_only[at : at + HEAD])
                    if forms and at < until:
                        for form in forms:
                            yield piece + at, form


def _ascii_heads(head: str) -> Iterable[bytes]:
    """The head with question marks for what is not ASCII, and filled up with all that can follow."""
    beginning = head.encode("ascii", "replace")
    following = product(range(128), repeat=HEAD - len(beginning))
    return (beginning + bytes(rest) for rest in following)
