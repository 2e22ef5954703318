"""What a container engine says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from runbook.outcome import Evidence, ForeignLine


class EngineInfo(Evidence):
    """A Docker engine (Docker Engine API, `GET /version` and `GET /info`)."""

    kind: ClassVar[str] = "engine"
    engine: ForeignLine
    """As the site profile names it."""
    name: ForeignLine
    """As it names itself: usually its machine's host name."""
    version: ForeignLine
    api: ForeignLine
    """The newest and, in parentheses, the oldest version of the API that it speaks."""
    system: ForeignLine
    """Operating system and architecture."""
    kernel: ForeignLine = ""
    storage: ForeignLine = ""
    running: int = 0
    """Containers."""
    containers: int = 0
    images: int = 0
    reached: tuple[ForeignLine, ...] = ()
    problems: tuple[ForeignLine, ...] = ()

    def plain(self) -> Iterator[str]:
        yield f"{'BAD' if self.problems else 'ok '} engine {self.engine}: {self.name}"
        yield f"      version {self.version}, API {self.api}, {self.system}"
        yield f"      kernel {self.kernel}, storage {self.storage}"
        yield f"      {self.running} of {self.containers} containers running, {self.images} images"
        yield from (f"      by {line}" for line in self.reached)
        yield from (f"    ! {problem}" for problem in self.problems)
