"""Fingerprints that must be the same on both sides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from runbook import randomart
from runbook.groups import VEIL, differences, grouped_lines, groups, marks
from runbook.outcome import Evidence, ForeignLine


class FingerprintPair(Evidence):
    """One fingerprint form on two sides."""

    kind: ClassVar[str] = "fingerprint_pair"
    form: ForeignLine
    """What it is, for example `SPKI SHA-256` or `OpenSSH SHA256`."""
    left_title: ForeignLine
    left: ForeignLine
    right_title: ForeignLine
    right: ForeignLine
    """The values without separators or prefix: hex in lower case, or OpenSSH's unpadded base64."""
    left_key: ForeignLine = ""
    right_key: ForeignLine = ""
    """The keys as OpenSSH names them, for example `ECDSA 384`, where the values are OpenSSH's."""

    @property
    def matches(self) -> bool:
        return bool(self.left) and self.left == self.right

    def values(self) -> Iterator[tuple[str, str]]:
        """Each side; what is veiled is none."""
        for title, value in ((self.left_title, self.left), (self.right_title, self.right)):
            if value and VEIL not in value:
                yield f"{self.form} {title}", value

    @property
    def different_groups(self) -> list[str]:
        """Places such as `B3` of the groups that differ."""
        return differences(self.left, self.right)

    @property
    def pictures(self) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """OpenSSH's randomart of both sides; None where these are no fingerprints of OpenSSH keys."""
        if not self.form.startswith("OpenSSH"):
            return None
        left, right = randomart.of_sha256(self.left, self.left_key), randomart.of_sha256(self.right, self.right_key)
        return (left, right) if left and right else None

    def on_request(self) -> Iterator[str]:
        if pictures := self.pictures:
            yield f"{self.left_title}, {self.right_title}"
            yield from randomart.beside(*pictures)

    def plain(self) -> Iterator[str]:
        yield f"{self.form}: {'same' if self.matches else 'DIFFERENT in ' + ', '.join(self.different_groups)}"
        yield from self._side(self.left_title, self.left, self.right)
        yield from self._side(self.right_title, self.right, self.left)

    def _side(self, title: str, mine: str, other: str) -> Iterator[str]:
        yield f"  {title}"
        for index, row in enumerate(groups(mine)):
            yield f"    {row[0].row}  " + " ".join(group.text for group in row)
            there = groups(other)[index] if index < len(groups(other)) else []
            under = " ".join(
                marks(group.text, there[column].text if column < len(there) else "") for column, group in enumerate(row)
            )
            if under.strip():
                yield f"       {under}".rstrip()


class Fingerprint(Evidence):
    """One fingerprint, with nothing to hold against it."""

    kind: ClassVar[str] = "fingerprint"
    form: ForeignLine
    """What it is, for example `X.509 SHA-256`."""
    title: ForeignLine
    """What it is of."""
    value: ForeignLine
    """Hex in lower case, without separators."""

    def values(self) -> Iterator[tuple[str, str]]:
        yield f"{self.form} {self.title}", self.value

    def plain(self) -> Iterator[str]:
        yield f"{self.form} of {self.title}"
        yield from (f"    {line}" for line in grouped_lines(self.value))


class KeyMatch(Evidence):
    """A key on a token beside the artefact that should hold the same key."""

    kind: ClassVar[str] = "key_match"
    token: ForeignLine
    key_id: ForeignLine
    key_type: ForeignLine
    artefact: ForeignLine
    artefact_format: ForeignLine
    """What the file is, for example `X.509 certificate (PEM)` or `OpenSSH public key`."""
    pairs: tuple[FingerprintPair, ...]
    certificate: tuple[Fingerprint, ...] = ()
    """Of the artefact, where it is a certificate."""

    @property
    def matches(self) -> bool:
        return bool(self.pairs) and all(pair.matches for pair in self.pairs)

    def plain(self) -> Iterator[str]:
        yield f"token {self.token}, key {self.key_id} ({self.key_type})"
        yield f"artefact {self.artefact}: {self.artefact_format}"
        for pair in self.pairs:
            yield from pair.plain()
        for one in self.certificate:
            yield from one.plain()

    def on_request(self) -> Iterator[str]:
        for pair in self.pairs:
            yield from pair.on_request()


class PaperFingerprint(Evidence):
    """What the paper says beside what was computed.

    Where a blind comparison fails, the groups that differ are not shown as they were computed, so that the paper can
    be typed once more without knowing them.
    """

    kind: ClassVar[str] = "paper_fingerprint"
    file: ForeignLine
    subject: ForeignLine
    method: Literal["blind", "compared by eye"]
    pair: FingerprintPair

    @property
    def veiled(self) -> bool:
        """Whether a part of what was computed is hidden."""
        return VEIL in self.pair.right

    def plain(self) -> Iterator[str]:
        yield f"{self.file}: {self.subject}"
        yield f"method: {self.method}"
        if self.veiled:
            yield f"what was computed stays hidden where it differs ({VEIL}): a further try is as blind as this one"
        yield from self.pair.plain()
