"""Foreign text on a real terminal: but for plain letters, only sequences of Textual's own are written to it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.secrecy.hostile import TEXTS
from tests.secrecy.on_pty import OnPty
from tests.secrecy.written import text_of, unexpected

ROOT = Path(__file__).parents[2]

ASKED = (
    *("User PIN", "Secret", "Confirm", "Choose", "Type the phrase", "From paper", "Value", "Compare by eye"),
    *("You say that this is so", "POINT OF NO RETURN", "A second person must approve", "One answer for each"),
)
"""What the prompts are called, in their order."""

LOOKED_AT = ("o", "\x1b[6~", "\x1b[6~", "o", "f", "f", "v", "\x1b[6~", "v", "x", "x", "y", "\x1b", "?", "\x1b")
"""Keys: the output, a page, the facts, the journal, the commands, what can be copied, the help."""

HOSTILE = (
    "\x1b]52;c;aGFja2Vk\x07 \x1b[2J\x1bPq\x1b\\ \x9b31m \u202egnp.exe \u2066 a\u200bb\ufeff [/b][@click=app.quit]x[/] Z"
    + "\u0301" * 99
)


def where(folder: Path) -> dict[str, str]:
    return {"HOME": str(folder), "XDG_STATE_HOME": str(folder / "state"), "XDG_CONFIG_HOME": str(folder / "conf")}


@pytest.mark.parametrize("name", TEXTS)
def test_every_prompt_and_pane(tmp_path: Path, name: str) -> None:
    env = {**where(tmp_path), "PYTHONPATH": str(ROOT)}
    with OnPty(name, module="tests.secrecy.hostile", cwd=tmp_path, env=env) as program:
        program.wait("your turn")
        program.type("r")
        for title in ASKED:
            program.wait(title)
            program.type("\x1b")
        program.wait("next is P.tree")
        program.type("r")
        program.wait("P.tree failed")
        for key in LOOKED_AT:
            program.type(key)
            program.settle()
        for size in ((80, 24), (200, 60)):
            program.resize(*size)
            program.settle()
        assert program.process.poll() is None
        assert "defect" not in text_of(bytes(program.written))
        assert unexpected(bytes(program.written)) == {}


def test_the_program_with_hostile_output_titles_and_notes(tmp_path: Path) -> None:
    """As a person meets it: cleaned where it enters, and visible."""
    (tmp_path / "output").write_text(HOSTILE + "\n" + HOSTILE * 9000 + "\n")
    (tmp_path / "bin").mkdir()
    step = {
        "id": "A.one",
        "title": f"One {HOSTILE[-60:]}",
        "check": "command",
        "run": ["cat", "output"],
        "expect": {"stdout": ["never"]},
    }
    stage = {"id": "A", "title": "Stage [/b]", "steps": [step]}
    (tmp_path / "runbook.yaml").write_text(
        yaml.safe_dump({"runbook": 1, "id": "x", "title": "T [/b]", "stages": [stage]})
    )
    (tmp_path / "site.yaml").write_text(yaml.safe_dump({"site": 1, "name": "here"}))
    with OnPty("run", cwd=tmp_path, env=where(tmp_path), size=(120, 40)) as program:
        program.wait("your turn")
        program.type("n")
        program.wait("Enter done")
        program.type(f"\x1b[200~{HOSTILE}\x1b[201~")
        program.settle()
        program.type("\r")
        program.settle()
        program.type("r")
        program.wait("A.one failed")
        for key in LOOKED_AT:
            program.type(key)
            program.settle()
        written = bytes(program.written)
        assert unexpected(written) == {}
        assert "⟨U+202E⟩" in text_of(written)
        assert "⟨U+200B⟩" in text_of(written)
        assert "␛]52;c;" in text_of(written)
        program.type("/")
        program.settle()
        program.type("exe")
        program.settle()
        program.type("\r")
        program.settle()
        assert unexpected(bytes(program.written)) == {}
        assert program.process.poll() is None
        assert "defect" not in text_of(bytes(program.written))
