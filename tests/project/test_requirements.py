"""The pinned requirements, and what no committed file may hold."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
NPM = ROOT / ".ci" / "npm"
RUNTIME, DEV = ROOT / ".ci" / "requirements.txt", ROOT / ".ci" / "requirements-dev.txt"

HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("deb", "debian", "org"),
        ("proxy", "golang", "org"),
    )
]
OPTIONS = re.compile(r"^\s*(-i|-f|--(extra-)?index-url|--find-links|--trusted-host)\b", re.MULTILINE)


def committed() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def entries(lock: Path) -> dict[str, tuple[str, int]]:
    """Name → version and number of hashes."""
    found = {}
    for block in re.split(r"\n(?=\S)", lock.read_text()):
        if head := re.match(r"([A-Za-z0-9._-]+)==(\S+)", block):
            found[canonicalize_name(head[1])] = (head[2], len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", block)))
    return found


def test_no_committed_file_names_a_registry() -> None:
    guilty = [
        f"{path.relative_to(ROOT)}: {host}"
        for path in committed()
        for host in HOSTS
        if host.encode() in path.read_bytes()
    ]
    assert guilty == []


@pytest.mark.parametrize("lock", [RUNTIME, DEV], ids=lambda path: path.name)
def test_every_entry_of_a_lock_is_pinned_with_hashes(lock: Path) -> None:
    found = entries(lock)
    pins = re.findall(r"^[A-Za-z0-9].*$", lock.read_text(), re.MULTILINE)

    assert len(found) == len(pins) > 20
    assert [name for name, (_, hashes) in found.items() if hashes == 0] == []
    assert not OPTIONS.search(lock.read_text())


def test_the_locks_agree_with_each_other_and_with_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime, dev = entries(RUNTIME), entries(DEV)
    needed = [*project["project"]["dependencies"], *project["build-system"]["requires"]]

    assert {name: version for name, (version, _) in runtime.items()}.items() <= {
        name: version for name, (version, _) in dev.items()
    }.items()
    for lock, requirements in (
        (runtime, needed),
        (dev, [*needed, *project["project"]["optional-dependencies"]["dev"]]),
    ):
        for requirement in map(Requirement, requirements):
            version, _ = lock[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(version), requirement


def test_every_npm_package_is_pinned_with_a_hash_and_comes_from_wherever_npm_is_told() -> None:
    asked = json.loads((NPM / "package.json").read_text())["dependencies"]
    packages = json.loads((NPM / "package-lock.json").read_text())["packages"]
    root = packages.pop("")

    assert root["dependencies"] == asked
    assert all(re.fullmatch(r"[0-9.]+", version) for version in asked.values())
    assert {f"node_modules/{name}": version for name, version in asked.items()}.items() <= {
        place: package["version"] for place, package in packages.items()
    }.items()
    for place, package in packages.items():
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]+={0,2}", package["integrity"]), place
        assert "resolved" not in package, place
