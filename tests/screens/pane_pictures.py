"""The pictures of docs/panes.md: each pane in green and in red; this draws them anew.

python -m tests.screens.pane_pictures
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.screens.gallery import drawn, picture
from tests.screens.samples import EVIDENCE

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "pictures" / "panes"
WIDTH = 100
MOST = 56
"""Lines of a pane in a picture: some show what a command has said, which may be long."""


async def pictures() -> dict[str, str]:
    """The SVG of each kind: its first sample, and the next one, which is not green."""
    shown = {kind: samples[:2] for kind, samples in EVIDENCE.items()}
    lines = iter(await drawn([one for samples in shown.values() for one in samples], WIDTH, pictures=True))
    return {kind: picture([next(lines)[:MOST] for _ in samples], WIDTH) for kind, samples in shown.items()}


def main() -> None:
    """Write each."""
    FOLDER.mkdir(exist_ok=True)
    for kind, svg in asyncio.run(pictures()).items():
        (FOLDER / f"{kind}.svg").write_text(svg)


if __name__ == "__main__":
    main()
