"""What a person gets who installs the wheel."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from runbook.defaults import find_runbook, shipped_runbook

ROOT = Path(__file__).parents[2]
PACKAGES = ("runbook", "checks", "screens", "rehearsal")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=60,
    )
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_holds_every_file_of_the_packages(wheel: zipfile.ZipFile) -> None:
    listed = subprocess.run(["git", "ls-files", *PACKAGES], cwd=ROOT, capture_output=True, check=True, text=True)
    committed = {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}

    assert committed <= set(wheel.namelist())
    assert any(name.endswith(".tcss") for name in wheel.namelist())


def test_the_wheel_brings_the_cutover_as_it_stands_here(wheel: zipfile.ZipFile) -> None:
    assert wheel.read("runbook/library/hsm-cutover.yaml") == (ROOT / "runbook.yaml").read_bytes()
    # The runbook names its schema as a file beside it.
    assert wheel.read("runbook/library/runbook.schema.json") == (ROOT / "runbook.schema.json").read_bytes()


def test_an_installed_wheel_finds_its_runbook(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path)
    found = subprocess.run(
        [sys.executable, "-c", "from runbook.defaults import shipped_runbook; print(shipped_runbook())"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        check=True,
        text=True,
    )
    assert Path(found.stdout.strip()) == tmp_path / "runbook" / "library" / "hsm-cutover.yaml"


def test_a_checkout_finds_its_runbook() -> None:
    assert shipped_runbook() == ROOT / "runbook.yaml"


def test_a_runbook_in_the_working_folder_comes_before_the_shipped_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_runbook(None) == shipped_runbook()

    (tmp_path / "runbook.yaml").write_text("")
    assert find_runbook(None).resolve() == tmp_path / "runbook.yaml"
    assert find_runbook(Path("other.yaml")) == Path("other.yaml")


@pytest.mark.parametrize("name", PROJECT["project"]["entry-points"]["runbook.checks"])
def test_every_kind_named_in_the_project_exists_under_its_name(name: str) -> None:
    value = PROJECT["project"]["entry-points"]["runbook.checks"][name]
    kind = EntryPoint(name, value, "runbook.checks").load()

    assert f"{kind.role.value}.{kind.name}" == name
