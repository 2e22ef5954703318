"""The user's configuration: what it may say, what is wrong with it, and what comes before it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runbook.errors import UsageError
from runbook.files.preferences_file import load_preferences
from runbook.files.problems import InvalidDocument
from runbook.keys import DOINGS, FIXED, is_key, meet, names
from runbook.preferences import DEFAULTS, Asked, Preferences, ThemeName, in_force
from tests.cli.bench import Bench


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A configuration file that sets everything."""
    path = tmp_path / "config.yaml"
    path.write_text("theme: light\nmouse: false\nplain: true\nkeys: {run.continue: 'f5, z'}\n")
    return path


def problems(path: Path, text: str) -> list[str]:
    """Place and message of each problem of such a file."""
    path.write_text(text)
    with pytest.raises(InvalidDocument) as caught:
        load_preferences(path)
    return [f"{one.line}:{one.column} {one.message} {one.suggestion}".strip() for one in caught.value.problems]


def test_without_a_file_nothing_heavy_is_imported() -> None:
    code = (
        "import os, sys, runbook.preferences as p; p.in_force(p.Asked(), os.environ, p.Path('/nowhere'));"
        "print([name for name in ('pydantic', 'yaml', 'textual') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"


def test_each_comes_from_the_nearest(written: Path) -> None:
    everything = in_force(Asked(), {}, written)
    assert everything.preferences == Preferences(
        ThemeName.LIGHT, mouse=False, plain=True, keys={"run.continue": "f5,z"}
    )
    assert everything.sources == dict.fromkeys(("theme", "mouse", "plain", "keys"), str(written)) | {
        "colour": "default"
    }

    environ = {"HSM_RUNBOOK_THEME": "contrast", "NO_COLOR": "1"}
    at_hand = in_force(Asked(), environ, written)
    assert (at_hand.preferences.theme, at_hand.sources["theme"]) == (ThemeName.CONTRAST, "HSM_RUNBOOK_THEME")
    assert (at_hand.preferences.colour, at_hand.sources["colour"]) == (False, "NO_COLOR")

    asked = in_force(Asked(ThemeName.DARK, mouse=True, plain=False), environ, written)
    assert asked.preferences == Preferences(ThemeName.DARK, keys={"run.continue": "f5,z"}, colour=False)
    assert [asked.sources[name] for name in ("theme", "mouse", "plain")] == ["--theme", "--mouse", "--screens"]


def test_an_empty_variable_says_nothing(tmp_path: Path) -> None:
    now = in_force(Asked(), {"HSM_RUNBOOK_THEME": "", "NO_COLOR": ""}, tmp_path / "none.yaml")
    assert now.preferences == DEFAULTS
    assert set(now.sources.values()) == {"default"}


def test_a_theme_that_there_is_not_is_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"(?s)HSM_RUNBOOK_THEME: there is no theme `ligth`.*did you mean `light`"):
        in_force(Asked(), {"HSM_RUNBOOK_THEME": "ligth"}, tmp_path / "none.yaml")


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    text = """\
them: dark
mouse: maybe
keys:
  run.contine: f6
  step.run: "f5, r"
  run.continue: "f5"
  step.skip: q
  prompt.cancel: f9
  list.up: ctrl+i
  list.down: "banan,,?"
  step.down: up
  run.note: "n, n"
"""
    found = problems(tmp_path / "config.yaml", text)
    assert [one.split(" ", 1) for one in found] == [
        ["1:1", "the key `them` is not known here did you mean `theme`?"],
        ["2:8", "expected `true` or `false`, found text"],
        ["4:3", "there is nothing `run.contine` that a key could do did you mean `run.continue`?"],
        ["6:18", "`f5` is for `step.run` too Give `step.run` another key."],
        ["7:14", "`q` is for `run.quit` too Give `run.quit` another key."],
        [
            "8:3",
            "the keys of `prompt.cancel` stay as they are Prompts say their keys on their frames, and a second person "
            "must find them there. Leave it out.",
        ],
        ["9:12", "`ctrl+i` cannot be given to `list.up`: it goes to the next field Take another key."],
        ["10:15", "there is no key `banan` For example `x`, `f5`, `ctrl+x`, `pageup`."],
        ["10:21", "a key is missing here The key `,` is named `comma`."],
        ["10:22", "`?` is for `app.help` too Give `app.help` another key."],
        ["11:14", "`up` cannot be given to `step.down`: it moves the page there Take another key."],
        ["12:17", "`n` is there twice"],
    ]


def test_two_may_change_their_keys(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("keys: {step.skip: q, run.quit: 's,S'}\n")
    preferences, given_there = load_preferences(path)
    assert preferences.keys == {"step.skip": "q", "run.quit": "s,S"}
    assert given_there == {"keys"}


KEYS = st.sampled_from(["x", "?", "f5", "ctrl+i", "ctrl+x", "comma", "q", "j", "escape", "pageup", "nonsense", "", "é"])


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from([*DOINGS, "run.contine"]), st.lists(KEYS, min_size=1, max_size=3), max_size=6))
def test_what_is_taken_leaves_no_key_with_two_doings(tmp_path: Path, given_keys: dict[str, list[str]]) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps({"keys": {name: ",".join(keys) for name, keys in given_keys.items()}}))
    try:
        mine = load_preferences(path)[0].keys
    except InvalidDocument:
        return
    keys = {name: set(names(mine.get(name, doing.keys))) for name, doing in DOINGS.items()}
    for name in mine:
        assert all(is_key(key) and key not in FIXED for key in keys[name])
        for other, doing in DOINGS.items():
            if other != name and meet(DOINGS[name].place, doing.place):
                ours = set(names(DOINGS[name].keys)) & set(names(doing.keys))
                assert keys[name] & keys[other] <= ours, (name, other)


@pytest.mark.parametrize("page", ["README.md", "docs/configuration.md"])
def test_the_examples_of_the_pages_can_be_used(page: str, tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / page).read_text()
    example = next(block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "run.continue" in block)
    path = tmp_path / "config.yaml"
    path.write_text(example)
    assert load_preferences(path)[0].keys == {"run.continue": "f5,c"}


def test_config_says_what_is_in_force_and_where_it_comes_from(bench: Bench) -> None:
    mine = bench.folder / "config/hsm-runbook/config.yaml"
    mine.parent.mkdir(parents=True)
    mine.write_text("theme: light\nkeys: {run.continue: f5}\n")
    done = bench("config", HSM_RUNBOOK_THEME="dark")
    lines = done.stdout.splitlines()
    assert lines[lines.index("preferences in force") + 1 : lines.index("values in force")] == [
        "  theme = dark  (HSM_RUNBOOK_THEME)",
        "  mouse = yes  (default)",
        "  plain = no  (default)",
        "  colour = yes  (default)",
        f"  keys.run.continue = f5  ({mine})",
    ]
    assert f"  used       {mine}" in lines
    known = json.loads(bench("config", "--json").stdout)
    assert {"name": "theme", "value": "light", "source": str(mine)} in known["preferences"]


def test_config_lists_the_keys(bench: Bench) -> None:
    mine = bench.folder / "config/hsm-runbook/config.yaml"
    mine.parent.mkdir(parents=True)
    mine.write_text("keys: {run.continue: f5}\n")
    lines = bench("config", "--keys").stdout.splitlines()
    found = {line.split()[0]: line.split()[1:3] for line in lines}
    assert found["run.continue"] == ["f5", "(yours)"]
    assert found["step.skip"] == ["s,S", "skip"], "keys, and what they do"
    assert not [line for line in lines if line.startswith("prompt.")]


def test_a_wrong_configuration_begins_no_run(bench: Bench) -> None:
    mine = bench.folder / "config/hsm-runbook/config.yaml"
    mine.parent.mkdir(parents=True)
    mine.write_text("them: light\n")
    for command in ("run", "rehearse", "resume", "rollback", "witness"):
        done = bench(command)
        assert done.returncode == 2, command
        assert f"{mine}:1:1: the key `them` is not known here" in done.stderr, command
        assert "No run needs it: mend it, or move it away." in done.stderr, command
    assert not bench.state.exists()
    assert bench("config").returncode == 2


def test_without_a_person_nobody_s_configuration_counts(bench: Bench) -> None:
    mine = bench.folder / "config/hsm-runbook/config.yaml"
    mine.parent.mkdir(parents=True)
    mine.write_text("them: light\n")
    assert "them" not in bench("run", "--headless").stderr
