"""Every pane in pictures: those of docs/panes.md, and sheets of all panes as the run screen has room for them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.color import Color

from runbook.outcome import Evidence
from screens.evidence import pane_for
from screens.evidence.pane import Pane
from tests.screens.gallery import drawn, picture
from tests.screens.host_samples import WAITING_EVIDENCE
from tests.screens.pane_pictures import FOLDER, ROOT, pictures
from tests.screens.samples import EVIDENCE
from tests.screens.test_pictures import MINIMUM, contrast

SHEETS: Mapping[str, tuple[str, ...]] = {
    "tokens": ("slots", "pin_counter", "sign_test", "objects"),
    "keys": ("fingerprint", "fingerprint_pair", "key_match", "paper_fingerprint", "ssh_login"),
    "files": ("file", "files", "git", "document", "command", "statements"),
    "machines": ("systemd_unit", "usb", "file_state", "copied", "port", "secret_compared", "hosts", "ansible"),
    "engines": ("engine", "container", "container_logs", "image", "volume", "volume_entry", "signing_proof"),
    "authority": ("server_answer", "provisioners", "certificate_issued", "chain_link", "bootstrap"),
    "people": ("announcement", "list_answers", "list_item", "touched", "touched_thing"),
}
ROOMS = {"80x24": (47, "-narrow"), "120x40": (70, "-wide"), "200x60": (76, "-panels")}
"""Cells that the run screen has for a pane at that size, and the class that it has then."""

MOST = 60
"""Lines of a pane on a sheet."""


class Svg(SingleFileSnapshotExtension):
    file_extension = "svg"
    _write_mode = WriteMode.TEXT


def test_every_pane_is_on_a_sheet() -> None:
    assert sorted(chain.from_iterable(SHEETS.values())) == sorted(EVIDENCE)
    assert all(type(pane_for(samples[0])) is not Pane for samples in EVIDENCE.values())


@pytest.mark.parametrize("size", list(ROOMS))
async def test_sheets(size: str, snapshot: SnapshotAssertion) -> None:
    """One picture a sheet, size and state: green, and whatever else there is; and steps that are at work."""
    width, room = ROOMS[size]
    shown: dict[str, list[Evidence]] = {}
    for name, kinds in SHEETS.items():
        shown[f"{name} green"] = [EVIDENCE[kind][0] for kind in kinds]
        shown[f"{name} red"] = [one for kind in kinds for one in EVIDENCE[kind][1:]]
    shown["waiting"] = list(WAITING_EVIDENCE)
    blocks = iter(await drawn(chain.from_iterable(shown.values()), width, room, pictures=True))
    for name, some in shown.items():
        sheet = picture([next(blocks)[:MOST] for _ in some], width)
        assert sheet == snapshot(name=name, extension_class=Svg)


async def test_the_documentation_shows_the_panes_as_they_are() -> None:
    page = (ROOT / "docs" / "panes.md").read_text()
    now = await pictures()
    for kind, svg in now.items():
        shown = (FOLDER / f"{kind}.svg").read_text()
        assert shown == svg, f"{kind}: run python -m tests.screens.pane_pictures"
        assert f"](pictures/panes/{kind}.svg)" in page
    assert sorted(file.stem for file in FOLDER.iterdir()) == sorted(now)


async def test_every_text_of_a_pane_is_readable() -> None:
    everything = [one for samples in EVIDENCE.values() for one in samples]
    for block, one in zip(
        await drawn([*everything, *WAITING_EVIDENCE], 70), [*everything, *WAITING_EVIDENCE], strict=True
    ):
        for segment in chain.from_iterable(block):
            if any(char.isalnum() for char in segment.text):
                assert segment.style is not None
                assert segment.style.color is not None
                assert segment.style.bgcolor is not None
                front, ground = map(Color.from_rich_color, (segment.style.color, segment.style.bgcolor))
                assert contrast(front, ground) >= MINIMUM, (one.kind, segment.text)
