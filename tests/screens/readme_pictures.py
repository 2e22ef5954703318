"""The pictures in the README are snapshots of the screens; this copies them to where the README shows them.

python -m tests.screens.readme_pictures
"""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SNAPSHOTS = Path(__file__).parent / "__snapshots__"
PICTURES = {
    "run.svg": "test_pictures/test_a_red_step_in_a_rehearsal[120x40][red].svg",
    "pin.svg": "test_pictures/test_the_pin_prompt[80x24][pin].svg",
    "hosts.svg": "test_fleet_pictures/test_a_table_that_is_half_filled[120x40][half filled].svg",
    "rollback.svg": "test_rollback_screens/test_it_is_marked_and_says_what_stays[120x40][list].svg",
    "point_of_no_return.svg": "test_gate_pictures/test_the_point_of_no_return[80x24][point of no return].svg",
}
LOOKS = {f"{name}.svg": f"test_looks/test_each_look[{name}].svg" for name in ("dark", "light", "contrast", "terminal")}
"""Those of docs/configuration.md."""


def main() -> None:
    """Copy each."""
    for name, snapshot in (PICTURES | LOOKS).items():
        shutil.copyfile(SNAPSHOTS / snapshot, ROOT / "docs" / "pictures" / name)


if __name__ == "__main__":
    main()
