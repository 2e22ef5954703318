"""How long until the run screen is painted, beside an empty Textual app, run in turns. Prints medians and their ratio.

CPU time is that of the program itself, without the child that looks at the files beside it.

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
    for side, what in enumerate(("seconds", "seconds of CPU")):
        mine, theirs = ([pair[program][side] for pair in pairs] for program in (0, 1))
        ratio = statistics.median(a / b for a, b in zip(mine, theirs, strict=True))
        told = f"run screen {statistics.median(mine):.3f}, empty Textual app {statistics.median(theirs):.3f}"
        print(f"{what:<15} until painted: medians {told}; ratio, pair by pair, median {ratio:.2f}, {rounds} rounds")


if __name__ == "__main__":
    main()
