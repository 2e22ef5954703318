"""The README shows the screens as they are."""

from __future__ import annotations

import pytest

from tests.screens.readme_pictures import LOOKS, PICTURES, ROOT, SNAPSHOTS


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_a_picture_in_the_readme_is_the_current_screen(name: str) -> None:
    shown = (ROOT / "docs" / "pictures" / name).read_bytes()
    assert shown == (SNAPSHOTS / PICTURES[name]).read_bytes(), "run python -m tests.screens.readme_pictures"
    assert f"docs/pictures/{name}" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", sorted(LOOKS))
def test_a_picture_of_a_look_is_the_current_screen(name: str) -> None:
    shown = (ROOT / "docs" / "pictures" / name).read_bytes()
    assert shown == (SNAPSHOTS / LOOKS[name]).read_bytes(), "run python -m tests.screens.readme_pictures"
    assert f"(pictures/{name})" in (ROOT / "docs" / "configuration.md").read_text()
