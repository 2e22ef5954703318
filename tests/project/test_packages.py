"""The Debian packages that `make` installs are those the program and its tests call."""

from __future__ import annotations

import re
from pathlib import Path

from rehearsal.card import fitness

MAKEFILE = (Path(__file__).parents[2] / "Makefile").read_text()
ON_EVERY_DEBIAN = {"mount", "util-linux"}


def packages_of(target: str) -> set[str]:
    (names,) = re.findall(rf"^{target}_PACKAGES := (.*)$", MAKEFILE, re.MULTILINE)
    return set(names.split())


def test_the_demo_brings_what_a_virtual_reader_needs() -> None:
    needed = {*fitness.PROGRAMS.values(), "vsmartcard-vpcd", "opensc-pkcs11"} - ON_EVERY_DEBIAN

    assert needed <= packages_of("DEMO")


def test_the_demo_can_fall_back_on_softhsm() -> None:
    assert "softhsm2" in packages_of("DEMO")


def test_the_tests_have_all_that_the_demo_has() -> None:
    assert "$(DEMO_PACKAGES)" in packages_of("TEST")
