"""What is wrong with the keys that a configuration gives: names unknown, a key for two things, a key that is needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runbook.files.document import Document, Map, Node, text_of
from runbook.files.problems import Mark, Problem, did_you_mean
from runbook.keys import DOINGS, Place, fixed, is_key, known_keys, meet, names


def key_problems(document: Document) -> Iterator[Problem]:
    """In the order of the file."""
    listed = document.root.map("keys")
    if listed is None:
        return
    given = {name: text for name, node in listed.items.items() if (text := text_of(node)) is not None}
    checks = _Checks(document, listed, given)
    for name, node in listed.items.items():
        if name not in DOINGS:
            yield checks.unknown(name)
        elif DOINGS[name].place is Place.FRAMED:
            yield checks.framed(name)
        elif name in given:
            yield from checks.of(name, node)


@dataclass(frozen=True, slots=True)
class _Checks:
    document: Document
    listed: Map
    given: dict[str, str]
    """The keys that the file gives, by what they do."""

    def unknown(self, name: str) -> Problem:
        hint = did_you_mean(name, DOINGS) or "`runbook config --keys` lists all that can be given a key."
        return self.document.problem(self.listed.keys[name], f"there is nothing `{name}` that a key could do", hint)

    def framed(self, name: str) -> Problem:
        said = f"the keys of `{name}` stay as they are"
        hint = "Prompts say their keys on their frames, and a second person must find them there. Leave it out."
        return self.document.problem(self.listed.keys[name], said, hint)

    def of(self, name: str, node: Node) -> Iterator[Problem]:
        """Of each key in the list."""
        offset, seen = 0, set[str]()
        for written in self.given[name].split(","):
            at = self.document.inside(node, offset + len(written) - len(written.lstrip()))
            offset += len(written) + 1
            key = names(written)[0]
            if key in seen:
                yield self.document.problem(at, f"`{written.strip()}` is there twice")
            else:
                seen.add(key)
                yield from self._of_key(name, key, written.strip(), at)

    def _of_key(self, name: str, key: str, written: str, at: Mark) -> Iterator[Problem]:
        problem = self.document.problem
        if not written:
            yield problem(at, "a key is missing here", "The key `,` is named `comma`.")
        elif not is_key(key):
            hint = did_you_mean(key, known_keys()) or "For example `x`, `f5`, `ctrl+x`, `pageup`."
            yield problem(at, f"there is no key `{written}`", hint)
        elif use := fixed(DOINGS[name].place, key):
            yield problem(at, f"`{written}` cannot be given to `{name}`: it {use}", "Take another key.")
        else:
            for other in self._others(name, key):
                yield problem(at, f"`{written}` is for `{other}` too", f"Give `{other}` another key.")

    def _others(self, name: str, key: str) -> Iterator[str]:
        """What else the key does at the same time; of two that the file gives, the first is not told."""
        order = list(self.given)
        for other, doing in DOINGS.items():
            ours = names(doing.keys)
            if other == name or not meet(DOINGS[name].place, doing.place):
                continue
            if key not in (names(self.given[other]) if other in self.given else ours):
                continue
            # What shares a key in the program itself is never possible at the same time.
            shared = key in ours and key in names(DOINGS[name].keys)
            told_there = other in self.given and order.index(other) > order.index(name)
            if not shared and not told_there:
                yield other
