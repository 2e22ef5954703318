"""How long until the run screen is painted, beside an empty Textual app, run in turns. Prints medians and their ratio.

python -m tests.benchmarks.first_paint [ROUNDS]
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from pathlib import Path

from rehearsal.lab import make_lab
from runbook.files.loader import load_runbook
from runbook.kind import Registry
from tests.benchmarks.terminal import painted

EMPTY = """
from textual.app import App
from textual.widgets import Footer, Header, Static
class Empty(App):
    def compose(self):
        yield Header()
        yield Static("painted")
        yield Footer()
Empty().run()
"""


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    program = str(Path(sys.executable).with_name("runbook"))
    root = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryDirectory() as folder:
        lab = Path(folder) / "lab"
        runbook = root / "runbook.yaml"
        make_lab(lab, runbook=load_runbook(runbook, Registry()).model)
        os.environ["XDG_STATE_HOME"] = str(Path(folder) / "state")
        ours = [program, "run", str(runbook), "--site", str(lab / "site.yaml")]
        empty = [sys.executable, "-c", EMPTY]
        pairs = [(painted(ours, "People, place and paper"), painted(empty, "painted")) for _ in range(rounds + 1)][1:]
    mine, theirs = ([pair[side] for pair in pairs] for side in (0, 1))
    print(f"run screen painted: median {statistics.median(mine):.3f} s")
    print(f"empty Textual app:  median {statistics.median(theirs):.3f} s")
    print(f"ratio, pair by pair: median {statistics.median(a / b for a, b in pairs):.2f}, {rounds} rounds")


if __name__ == "__main__":
    main()
