"""What our shell at the far side tells between the lines of the command's output."""

from __future__ import annotations

from dataclasses import dataclass

_LONGEST = 200
"""Bytes that a line of ours has at most."""


@dataclass(slots=True)
class Told:
    """What was told so far."""

    pid: int = 0
    group: bool = True
    """Whether the command leads a process group of its own, so that what it starts is ended with it."""
    refused: bool = False
    """The folder to run in is not there."""
    fed: bool = False
    """The command's input has come over there whole."""
    exit_code: int | None = None
    """As a shell has it: 128 and the number of the signal that ended it."""
    left: int = 0
    """Processes of its group that outlived it and were ended."""
    alive: bool = False
    """Some of them could not be ended."""

    def read(self, line: bytes) -> None:
        match line.decode("ascii", errors="replace").split():
            case ["started", pid, there]:
                self.pid, self.group = int(pid), there == "group"
            case ["refused", "cwd"]:
                self.refused = True
            case ["fed"]:
                self.fed = True
            case ["exit", code, left, alive]:
                self.left, self.alive = int(left), alive == "alive"
                self.exit_code = int(code)


class ToldStream:
    """Cuts our lines out of one stream; they begin with the tag, wherever in a line of the command's they stand."""

    def __init__(self, tag: bytes, told: Told) -> None:
        self._tag = tag
        self._told = told
        self._held = b""
        self.over = False
        """The last line has come; nothing after it is the command's."""

    def feed(self, chunk: bytes) -> bytes:
        """The command's own output that is sure by now."""
        data, self._held = self._held + chunk, b""
        out = []
        while not self.over:
            at = data.find(self._tag)
            if at < 0:
                keep = self._begun(data)
                out.append(data[: len(data) - keep])
                self._held = data[len(data) - keep :]
                break
            out.append(data[:at])
            end = data.find(b"\n", at, at + _LONGEST)
            if end < 0:
                self._held = data[at:]
                break
            line, data = data[at + len(self._tag) : end].strip(), data[end + 1 :]
            self._told.read(line)
            self.over = not line or line.startswith((b"exit", b"refused"))
        return b"".join(out)

    def rest(self) -> bytes:
        """What was held back when the stream ended without our last line."""
        held, self._held = self._held, b""
        return held

    def _begun(self, data: bytes) -> int:
        """How many bytes at the end may be the beginning of the tag."""
        for size in range(min(len(self._tag) - 1, len(data)), 0, -1):
            if data.endswith(self._tag[:size]):
                return size
        return 0
