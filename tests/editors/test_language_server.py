"""What an editor with the YAML language server makes of the files: the real server, spoken to as an editor does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runbook.files.schema import (
    SITE_SCHEMA,
    configuration_schema,
    json_schema,
    modeline,
    schema_text,
    site_schema,
)
from runbook.kind import Registry
from tests.editors.language_server import Editor, Found

ROOT = Path(__file__).parents[2]

RUNBOOK = """\
runbook: 1
id: small
title: A small runbook
inputs:
  folder: {type: directory, ask: Which folder?}
stages:
  - id: A
    title: The token
    steps:
      - id: A1
        title: One token
        check: slots
        token: intermediate
        expect: {count: 1}

      - id: A2
        title: Its keys
        check: objects
        token: intermediate
        expect:
          - {id: 01, class: private key}
        surplus: fail
"""

SITE = """\
site: 1
name: Here
hosts:
  ca: {ssh: ca.example, sudo: free}
tokens:
  intermediate:
    module: /usr/lib/softhsm/libsofthsm2.so
    serial: DENK0100001

"""

Judge = Callable[[str], list[Found]]


class Page:
    """A file in the editor whose text is looked at by what stands in it."""

    def __init__(self, server: Editor, path: Path, text: str) -> None:
        self.server, self.path, self.first, self.text = server, path, text.splitlines()[0], text

    def change(self, old: str, new: str) -> list[Found]:
        """What is underlined once this is changed in the file as it was."""
        assert old in self.text
        return self.server.open(self.path, self.text.replace(old, new, 1))

    def proposed(self, line: str) -> dict[str, str]:
        """What is proposed at the end of this line, put in place of the empty one, each with what it is."""
        lines = self.text.splitlines()
        number = next(at for at, there in enumerate(lines) if not there)
        lines[number] = line
        self.server.open(self.path, "\n".join(lines))
        items = self.server.complete(self.path, number, len(line))
        return {label: str(item.get("documentation", "")) for label, item in items.items()}

    def told(self, line: str, word: str) -> str:
        """What is told of a word of the first line that has this text."""
        self.server.open(self.path, self.text)
        lines = self.text.splitlines()
        number = next(at for at, there in enumerate(lines) if line in there)
        return self.server.hover(self.path, number, lines[number].index(word) + 1)


def page(server: Editor, path: Path, schema: str, text: str) -> Page:
    made = Page(server, path, f"# {modeline(schema)}\n{text}")
    assert server.open(path, made.text) == []
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("editor")
    (folder / "runbook.schema.json").write_text(schema_text(json_schema(Registry())))
    (folder / SITE_SCHEMA).write_text(schema_text(site_schema()))
    (folder / "config.schema.json").write_text(schema_text(configuration_schema()))
    return folder


@pytest.fixture
def runbook(server: Editor, folder: Path) -> Page:
    return page(server, folder / "runbook.yaml", "runbook.schema.json", RUNBOOK)


@pytest.fixture
def site(server: Editor, folder: Path) -> Page:
    return page(server, folder / "site.yaml", SITE_SCHEMA, SITE)


def only(found: list[Found]) -> tuple[str, str]:
    assert len(found) == 1, found
    return found[0].under, found[0].says


def test_the_shipped_runbook_is_taken_with_its_schema(server: Editor) -> None:
    path = ROOT / "runbook.yaml"
    assert server.open(path) == []

    broken = path.read_text().replace("check: usb", "check: usbb", 1)
    assert {found.under for found in server.open(path, broken)} >= {"usbb"}


def test_the_names_of_kinds_are_proposed_each_with_what_it_does(runbook: Page) -> None:
    proposed = runbook.proposed("        check: ")
    assert set(proposed) >= {"slots", "sign_test", "docker.volume", "ca.bootstrap"}
    assert "Exactly the expected tokens" in proposed["slots"]
    assert "docker.volume.recreate" not in proposed, "that is an action"


def test_the_keys_of_the_kind_are_proposed_beside_the_common_ones(server: Editor, runbook: Page) -> None:
    lines = runbook.text.replace("        token: intermediate\n        expect: {count: 1}\n", "        \n").splitlines()
    server.open(runbook.path, "\n".join(lines))
    proposed = server.complete(runbook.path, lines.index("        "), 8)
    assert {"token", "expect", "goal", "gate", "deadline"} <= set(proposed)
    assert "mechanism" not in proposed, "that is a key of sign_test"
    assert "title" not in proposed, "it is there"


def test_the_values_of_a_key_are_proposed(server: Editor, runbook: Page) -> None:
    text = runbook.text.replace("surplus: fail", "surplus: ")
    server.open(runbook.path, text)
    lines = text.splitlines()
    assert {"fail", "warn"} <= set(server.complete(runbook.path, len(lines) - 1, len(lines[-1])))


@pytest.mark.parametrize(
    ("line", "word", "says"),
    [
        ("check: slots", "check", "Exactly the expected tokens are there"),
        ("expect: {count: 1}", "count", "Initialised tokens in all slots"),
        ("token: intermediate", "token", "The token, by its name in the site profile"),
        ("ask: Which folder?", "ask", "The question put to the operator"),
        ("ask: Which folder?", "type", "directory"),
    ],
)
def test_a_key_is_told_of(runbook: Page, line: str, word: str, says: str) -> None:
    assert says in runbook.told(line, word)


def test_a_key_is_told_of_with_an_example(runbook: Page) -> None:
    assert "Example:\n\n```yaml\nintermediate\n```" in runbook.told("token: intermediate", "token")


@pytest.mark.parametrize(
    ("old", "new", "under", "says"),
    [
        ("title: One token", "titel: One token", "titel", "not allowed"),
        ("count: 1", "cuont: 1", "cuont", "not allowed"),
        ("count: 1", "count: many", "many", 'Expected "integer"'),
        ("id: small", "id: a small one", "a small one", "pattern"),
        ("check: slots\n", "check: slots\n        mechanism: ECDSA\n", "mechanism", "not allowed"),
        ("surplus: fail", "surplus: ignore", "ignore", "not accepted"),
        ("check: slots", "check: slot", "slot", "Value must be"),
        ("class: private key", "class: a key", "a key", "not accepted"),
        ("type: directory", "type: folder", "folder", "Value must be"),
        ("        check: objects\n", "", "i", "Missing property"),
        ("        check: objects\n", "        check: objects\n        attest: x\n", "attest", "not allowed"),
    ],
)
def test_what_does_not_fit_is_underlined(runbook: Page, old: str, new: str, under: str, says: str) -> None:
    found = runbook.change(old, new)
    assert any(entry.under == under and says in entry.says for entry in found), found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("count: 1", "count: '{{ folder }}'"),
        ("id: 01,", "id: '0x0a',"),
        ("check: slots", "check: slots\n        hints: [{when: no token, likely: It is not seated}]"),
        ("        check: objects", "        gate: {after: [A1], phrase: GO ON}\n        check: objects"),
    ],
)
def test_what_the_program_takes_is_not_underlined(runbook: Page, old: str, new: str) -> None:
    assert runbook.change(old, new) == []


def test_a_site_profile(site: Page) -> None:
    assert {"label", "uri", "via"} <= set(site.proposed("    "))
    assert "selected by serial and label" in site.told("  intermediate:", "intermediate")
    assert only(site.change("sudo: free", "sudo: maybe"))[0] == "maybe"
    assert only(site.change("serial:", "seriel:"))[0] == "seriel"


def test_the_configuration(server: Editor, folder: Path) -> None:
    configuration = page(server, folder / "config.yaml", "config.schema.json", "theme: dark\nmouse: false\n\n")
    assert {"keys", "plain"} <= set(configuration.proposed(""))
    assert only(configuration.change("theme: dark", "theme: pink"))[0] == "pink"
    assert "listen to the mouse" in configuration.told("mouse: false", "mouse")


def test_the_names_of_what_keys_do_are_proposed(server: Editor, folder: Path) -> None:
    keys = page(server, folder / "keys.yaml", "config.schema.json", "keys:\n  run.quit: f10\n\n")
    assert "run on by itself" in keys.proposed("  ")["run.continue"]
    assert "leave" in keys.told("run.quit", "quit")
    assert only(keys.change("run.quit", "run.quite"))[0] == "run.quite"
