"""Objects on a token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from runbook.outcome import Evidence, ForeignLine


class ObjectInfo(Evidence):
    """A key or certificate object and its attributes (PKCS#11 v2.40 §4); None where the token does not say."""

    kind: ClassVar[str] = "object"
    object_class: ForeignLine
    """`CKO_PUBLIC_KEY`, `CKO_PRIVATE_KEY`, `CKO_CERTIFICATE`, …"""
    id: ForeignLine
    """CKA_ID in lower-case hex."""
    label: ForeignLine = ""
    key_type: ForeignLine = ""
    """A name a person knows, for example `EC P-384` or `RSA 2048`."""
    sensitive: bool | None = None
    extractable: bool | None = None
    always_sensitive: bool | None = None
    never_extractable: bool | None = None
    local: bool | None = None

    def plain(self) -> Iterator[str]:
        said = {
            "sensitive": self.sensitive,
            "extractable": self.extractable,
            "always sensitive": self.always_sensitive,
            "never extractable": self.never_extractable,
            "local": self.local,
        }
        attributes = ", ".join(name if value else f"not {name}" for name, value in said.items() if value is not None)
        yield f"{self.object_class} id {self.id} {self.label!r} {self.key_type}" + (
            f" ({attributes})" if attributes else ""
        )


class ObjectTable(Evidence):
    """What was found beside what was expected."""

    kind: ClassVar[str] = "objects"
    token: ForeignLine
    objects: tuple[ObjectInfo, ...]
    expected_ids: tuple[ForeignLine, ...] = ()
    missing: tuple[ForeignLine, ...] = ()
    surplus: tuple[ForeignLine, ...] = ()
    problems: tuple[ForeignLine, ...] = ()

    def plain(self) -> Iterator[str]:
        yield f"token {self.token}"
        for item in self.objects:
            yield from (f"  {line}" for line in item.plain())
        yield from (f"! missing: {line}" for line in self.missing)
        yield from (f"! surplus: {line}" for line in self.surplus)
        yield from (f"! {line}" for line in self.problems)
