"""`runbook init`: a site profile that is asked for, or left to be filled in."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from tests.cli.bench import Bench, Terminal

SHIPPED = Path(__file__).parents[2] / "runbook.yaml"

CARD = """\
runbook: 1
id: card
title: A card is looked at
inputs:
  count: {type: integer, ask: 'How many cards are there?', source: site, minimum: 1, maximum: 9}
  folder: {type: directory, ask: 'Which folder?', source: site, default: /tmp, help: It may be empty.}
  members: {type: list, ask: 'Who is told?', source: site}
  serial: {type: string, ask: 'Which serial?', source: paper}
  word: {type: secret, ask: 'Which password?'}
stages:
  - id: A
    title: All
    steps:
      - id: A.slots
        title: Slots
        check: slots
        token: card
      - id: A.look
        title: Look
        check: command
        on: [web, ca]
        run: [ls, '{{ folder }}', '{{ count }}', '{{ members }}']
"""


@pytest.fixture
def home(bench: Bench) -> Path:
    """A home whose ssh knows hosts."""
    home = bench.folder / "home"
    (home / ".ssh" / "more").mkdir(parents=True)
    (home / ".ssh" / "config").write_text("Include more/*\nHost ca ca-* !ca-2\n  HostName 192.0.2.7\n")
    (home / ".ssh" / "more" / "web").write_text("host=web1 'web2'\n")
    bench.env["HOME"] = str(home)
    (bench.folder / "site.yaml").unlink()
    (bench.folder / "runbook.yaml").write_text(CARD)
    return home


def answer_all(terminal: Terminal, answers: list[tuple[str, str]]) -> None:
    for prompt, text in answers:
        terminal.until(prompt)
        terminal.until("): ")
        terminal.type(text + "\n")


ANSWERS = [
    ("What is this site called", "observatory"),
    ("How many cards are there", "2"),
    ("Which folder", ""),
    ("Who is told", "Anna Weber, Ben"),
    ("Which machine is `web`", "web1, web2"),
    ("How does one become root there", "2"),
    ("Which machine is `ca`", ""),
    ("How does one become root there", ""),
    ("Which machine is the token `card` in", ""),
    ("PKCS#11 module for `card`", "1"),
    ("Label of `card`", "the card"),
    ("Serial of `card`", ""),
]


@pytest.mark.usefixtures("home")
def test_the_answers_become_a_profile_that_the_runbook_takes(bench: Bench) -> None:
    with bench.terminal("init") as terminal:
        answer_all(terminal, ANSWERS)
        assert terminal.end() == 0, terminal.shown
    file = bench.folder / "site.yaml"
    text = file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "site.yaml is written, and site.schema.json beside it for editors." in terminal.shown
    assert "Next: runbook run --site site.yaml" in terminal.shown
    assert "Your ssh knows ca, web1, web2." in terminal.shown, "patterns are no hosts, and Include is followed"
    assert "Which serial" not in terminal.shown, "what is on paper is no site's value"
    assert "Which password" not in terminal.shown
    assert "  # How many cards are there? Used in A.look.\n  count: 2\n" in text
    assert "  # Which folder? It may be empty. Used in A.look.\n  folder: /tmp\n" in text
    assert '  members: ["Anna Weber", Ben]\n' in text
    assert "  # Used in A.look.\n  web: [web1, web2]\n" in text
    assert "  web2:\n" in text
    assert re.search(r"    # Path of the PKCS#11 module .*\n    module: /usr/.*\.so\n", text)
    assert 'label: "the card"\n' in text
    assert "serial" not in text
    keys = [number for number, line in enumerate(text.splitlines()) if re.match(r" *[a-z_0-9]+:", line)]
    assert all(text.splitlines()[number - 1].lstrip().startswith("#") for number in keys), "a comment above each key"
    assert bench("validate", "--site", "site.yaml").returncode == 0


@pytest.mark.usefixtures("home")
def test_a_wrong_answer_is_asked_again_with_what_is_wrong(bench: Bench) -> None:
    with bench.terminal("init") as terminal:
        answer_all(terminal, [*ANSWERS[:1], ("How many cards are there", "12")])
        terminal.until("12 is too large; at most 9 is expected")
        answer_all(terminal, [*ANSWERS[1:2], ("Which folder", str(bench.folder / "nowhere"))])
        terminal.until("nowhere` does not exist")
        terminal.answer("Keep it all the same? [y/N]: ", "n")
        answer_all(terminal, [*ANSWERS[2:4], ("Which machine is `web`", "web1, web")])
        terminal.until("`web` would be a member of itself")
        answer_all(terminal, [*ANSWERS[4:9], ("PKCS#11 module for `card`", "nowhere.so")])
        terminal.until("there is no file `nowhere.so` here")
        terminal.answer("Keep it all the same? [y/N]: ", "")
        answer_all(terminal, [*ANSWERS[9:10], ("Label of `card`", "x" * 33)])
        terminal.until("at most 32 characters")
        answer_all(terminal, ANSWERS[10:])
        assert terminal.end() == 0, terminal.shown
    assert "count: 2\n" in (bench.folder / "site.yaml").read_text()


@pytest.mark.usefixtures("home")
def test_ctrl_c_and_the_end_of_input_write_nothing(bench: Bench) -> None:
    before = sorted(bench.folder.iterdir())
    for key in ("\x03", "\x04"):
        with bench.terminal("init") as terminal:
            answer_all(terminal, ANSWERS[:3])
            terminal.until("Who is told")
            terminal.until("): ")
            terminal.type(key)
            assert terminal.end() == 3
            assert terminal.echoes()
            assert "Traceback" not in terminal.shown
    assert sorted(bench.folder.iterdir()) == before


@pytest.mark.usefixtures("home")
def test_a_file_that_exists_is_kept_unless_its_loss_is_confirmed(bench: Bench) -> None:
    file = bench.folder / "site.yaml"
    file.write_text("mine\n")
    refused = bench("init", "--defaults")
    assert refused.returncode == 2
    assert "this file exists already, and is not written over" in refused.stderr
    assert bench("init", "--defaults", "--force").returncode == 4, "nobody is there to be asked"
    for answer, status in (("", 3), ("n", 3), ("y", 0)):
        assert file.read_text() == "mine\n"
        with bench.terminal("init", "--defaults", "--force") as terminal:
            terminal.answer("site.yaml exists. Write over it? [y/N]: ", answer)
            assert terminal.end() == status
    assert "\n# The site profile for the runbook card" in file.read_text()
    assert [path.name for path in bench.folder.glob(".site*")] == []


@pytest.mark.usefixtures("home")
def test_an_editor_finds_the_schema_beside_the_profile(bench: Bench) -> None:
    schema = bench.folder / "site.schema.json"
    assert bench("init", "--defaults").returncode == 0
    assert (bench.folder / "site.yaml").read_text().startswith("# yaml-language-server: $schema=site.schema.json\n")
    made = bench("schema", "--site").stdout
    assert schema.read_text() == made

    schema.write_text(made.replace("The version of this format", "An older version's"))
    assert bench("init", "--defaults", "second.yaml").returncode == 0
    assert schema.read_text() == made, "ours is made anew"

    schema.write_text("{}\n")
    assert bench("init", "--defaults", "third.yaml").returncode == 0
    assert schema.read_text() == "{}\n", "another's is left alone"


@pytest.mark.usefixtures("home")
def test_a_file_that_came_into_being_meanwhile_is_kept(bench: Bench) -> None:
    file = bench.folder / "site.yaml"
    with bench.terminal("init") as terminal:
        answer_all(terminal, ANSWERS[:-1])
        file.write_text("another's\n")
        answer_all(terminal, ANSWERS[-1:])
        assert terminal.end() == 2
    assert file.read_text() == "another's\n"
    assert [path.name for path in bench.folder.glob(".site*")] == []


@pytest.mark.usefixtures("home")
def test_a_skeleton_marks_what_validate_names(bench: Bench) -> None:
    done = bench("init", "--runbook", str(SHIPPED), "--defaults", "new.yaml")
    assert done.returncode == 0, done.stderr
    lines = (bench.folder / "new.yaml").read_text().splitlines()
    marked = [number for number, line in enumerate(lines, start=1) if line.endswith("  # FILL IN")]
    assert f"{len(marked)} places are to be filled in" in done.stdout
    assert any(line.strip() == "repository:  # FILL IN" for line in lines)
    said = bench("validate", str(SHIPPED), "--site", "new.yaml")
    assert said.returncode == 2
    named = [int(line) for line in re.findall(r"^new\.yaml:(\d+):\d+: ", said.stderr, re.MULTILINE)]
    assert named == marked


def test_a_profile_for_the_shipped_runbook_is_valid(bench: Bench, home: Path) -> None:
    """Empty answers where something is proposed, and an answer for all else."""
    (bench.folder / "runbook.yaml").unlink()
    (home / ".ssh" / "config").write_text("Host ca staging1 web1 input-a\n")
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
    (bench.folder / "allowed_signers").write_text(f"anna {key}\nben {key}\n")
    given = {
        "What is this site called": "observatory",
        "Where is the ceremony's export USB": str(bench.folder),
        "Where is your working tree": str(bench.folder),
        "Which address has the administrator": "admin@example.org",
        "Which account is logged in": "op",
        "For whom is the certificate": "op",
        "Which machine is `staging`": "staging1",
        "Which machine is `production`": "web1, ca",
        "Which machine is the token": "ca",
        "PKCS#11 module": "/usr/lib64/pkcs11/opensc-pkcs11.so",
        "Label of": "ccat-intermediate",
        "Where is the file of their public keys": "allowed_signers",
        "Short name of person 1": "anna",
        "Name of anna": "anna",
        "Short name of person 2": "ben",
        "Name of ben": "ben",
    }
    with bench.terminal("init", "--runbook", str(SHIPPED)) as terminal:
        asked = ""
        while "Short name of person 3" not in asked:
            asked = terminal.until_prompt()
            terminal.type(next((text for start, text in given.items() if start in asked), "") + "\n")
        assert terminal.end() == 0, terminal.shown
    assert "FILL IN" not in (bench.folder / "site.yaml").read_text().split("\n\n", 1)[1]
    done = bench("validate", str(SHIPPED), "--site", "site.yaml")
    assert done.returncode == 0, done.stderr


@pytest.mark.usefixtures("home")
def test_without_a_terminal_it_says_so_before_anything(bench: Bench) -> None:
    done = bench("init")
    assert done.returncode == 4
    assert "there is no terminal to ask at" in done.stderr
    assert not (bench.folder / "site.yaml").exists()
