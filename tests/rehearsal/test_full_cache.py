"""What full labs share: what is said where a machine cannot have one, and what `--clean` removes."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from rehearsal.card import fitness
from rehearsal.full import cleaning, engines, tools
from rehearsal.full.cache import Cache, the_cache
from runbook.errors import EnvironmentLacks, UsageError
from tests.rehearsal.program import runbook


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cache:
    """One of our own with parts of another recipe and two engines: one of a lab that is there, one of none."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = the_cache()
    (made.folder / "made-0123456789abcdef").mkdir(parents=True)
    for lab in (tmp_path / "lab", tmp_path / "gone"):
        place = engines.place(lab)
        place.data.mkdir(parents=True)
        place.lab.write_text(f"{lab}\n")
        place.lock.touch()
    (tmp_path / "lab").mkdir()
    return made


def test_who_is_not_root_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(EnvironmentLacks, match="needs root") as raised:
        tools.require(tmp_path)
    assert "without --full" in raised.value.remedy


def test_packages_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    there = fitness.program
    monkeypatch.setattr(fitness, "program", lambda name: None if name in ("go", "dockerd") else there(name))
    with pytest.raises(EnvironmentLacks, match=r"not here: docker.io, golang-go\b") as raised:
        tools.require(tmp_path)
    assert raised.value.remedy == "apt-get install --no-install-recommends docker.io golang-go"


def test_without_ansible_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(EnvironmentLacks, match="needs Ansible") as raised:
        tools.require(tmp_path)
    assert raised.value.remedy == "pip install 'hsm-runbook[ansible]'"


def test_another_system_than_debian_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: {"ID": "fedora", "PRETTY_NAME": "Fedora 42"})
    with pytest.raises(EnvironmentLacks, match="this is Fedora 42"):
        tools.require(tmp_path)


def test_a_full_disk_is_told_before_anything_is_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=300_000_000))
    with pytest.raises(EnvironmentLacks, match=r"1.5 GB of disk, and 0.3 GB are free") as raised:
        tools.require(tmp_path / "not" / "yet")
    assert raised.value.where == str(tmp_path)


def test_softhsm_has_no_reader_for_a_container(home: Path) -> None:
    done = runbook("rehearse", "--full", "--token", "softhsm", "--headless")

    assert done.returncode == 2
    assert "Leave --token out." in done.stderr
    assert list((home / "tmp").iterdir()) == []


def test_clean_removes_the_cache_and_nothing_else(cache: Cache, tmp_path: Path) -> None:
    (cache.folder.parent / "other").touch()
    done = runbook("rehearse", "--clean")

    assert done.returncode == 0, done.stderr
    assert f"removed: {cache.folder}" in done.stderr
    assert not cache.folder.exists()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["hsm-runbook", "lab", "other"]
    again = runbook("rehearse", "--clean")
    assert (again.returncode, "nothing to remove" in again.stderr) == (0, True)


def test_clean_waits_for_nobody_who_rehearses(cache: Cache, tmp_path: Path) -> None:
    before = sorted(cache.folder.rglob("*"))
    with engines.place(tmp_path / "lab").lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UsageError, match=rf"runs now: {tmp_path}/lab"):
            cleaning.clean_up(lambda _: None)
    assert [path for path in before if not path.exists()] == []


def test_clean_keeps_the_engine_of_an_unfinished_run(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleaning, "unfinished", lambda _: ["20260101-000000-x-aaaa"])
    said: list[str] = []
    cleaning.clean_up(said.append)
    assert any("runbook resume 20260101-000000-x-aaaa" in line for line in said)
    assert [path.name for path in cache.engines.iterdir()] == [engines.place(tmp_path / "lab").folder.name]


def test_engines_of_labs_that_are_gone_are_forgotten(cache: Cache, tmp_path: Path) -> None:
    engines.prune(cache)
    assert engines.place(tmp_path / "lab").data.is_dir()
    assert not engines.place(tmp_path / "gone").folder.exists()
