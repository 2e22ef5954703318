"""Modules that misbehave, built from C for the tests."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hsm.shim import Shim
from tests.softhsm import SoftHsm


@pytest.fixture(scope="session")
def compile_module(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Compile C text to a shared library."""
    folder = tmp_path_factory.mktemp("modules")

    def build(name: str, text: str) -> Path:
        source, target = folder / f"{name}.c", folder / f"{name}.so"
        if not target.exists():
            source.write_text(text)
            subprocess.run(["gcc", "-shared", "-fPIC", "-o", target, source, "-ldl"], check=True, timeout=60)
        return target

    return build


@pytest.fixture
def shim(compile_module: Callable[[str, str], Path], softhsm: SoftHsm, tmp_path: Path) -> Shim:
    text = Path(__file__).with_name("shim.c").read_text()
    return Shim(compile_module("shim", text), tmp_path, softhsm)
