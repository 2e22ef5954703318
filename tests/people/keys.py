"""Keys of people, made by ssh-keygen, and the files that trust them."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from runbook.site import TwoPeople

PRINCIPALS = {"anna": "anna@example.org", "ben": "ben@example.org", "carl": "carl@example.org"}
"""Anna drives, Ben may witness, Carl may only drive."""


async def until(holds: Callable[[], object], seconds: float = 20.0) -> None:
    """Return once it holds."""
    for _ in range(int(seconds * 100)):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come true")


def keygen(*arguments: str | Path) -> str:
    done = subprocess.run(["ssh-keygen", *map(str, arguments)], capture_output=True, text=True, check=True)
    return done.stdout


@dataclass
class Keys:
    """A folder with keys and an allowed-signers file."""

    folder: Path
    lines: list[str] = field(default_factory=list)

    @property
    def allowed(self) -> Path:
        return self.folder / "allowed_signers"

    def make(self, name: str, *, kind: str = "ed25519", passphrase: str = "") -> Path:
        """The private key's path."""
        path = self.folder / name
        keygen("-q", "-t", kind, "-N", passphrase, "-C", name, "-f", path)
        return path

    def public(self, name: str) -> str:
        """Type and key, without the comment."""
        return " ".join((self.folder / f"{name}.pub").read_text().split()[:2])

    def allow(self, principal: str, key: str, options: str = "") -> None:
        """One line more in the allowed-signers file, for the key of that name."""
        self.lines.append(" ".join(part for part in (principal, options, self.public(key)) if part))
        self.allowed.write_text("\n".join(self.lines) + "\n")

    def two_people(self, **rest: object) -> TwoPeople:
        people = {
            "anna": {"principal": PRINCIPALS["anna"], "accounts": ["anna"]},
            "ben": {"principal": PRINCIPALS["ben"], "accounts": ["ben"]},
            "carl": {"principal": PRINCIPALS["carl"], "may": ["drive"]},
        }
        return TwoPeople.model_validate({"allowed_signers": str(self.allowed), "people": people, **rest})
