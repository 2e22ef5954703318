"""An announcement is proved before it is sent: against a certificate that openssl made, to the last placeholder."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path
from typing import Any

import pytest

from checks.evidence.fingerprints import FingerprintPair
from checks.evidence.people import Announcement
from checks.people.announcement import AnnouncementCheck
from runbook.errors import RunbookError
from runbook.groups import VEIL, grouped_lines
from runbook.outcome import Outcome, Verdict
from runbook.touched import Touched
from tests.artefacts.conftest import Ceremony
from tests.stand_in import StandIn

URL = "https://ca.example.org"
TEXT = """\
Dear all, <ops@example.org> asks you to run

    <bootstrap command>

and to compare

  <fingerprint groups>

in one piece: <fingerprint>
"""


class Telling:
    """The check in a folder of its own."""

    def __init__(self, folder: Path, ceremony: Ceremony) -> None:
        self.ceremony = ceremony
        self.ctx = StandIn(folder)
        self.root = ceremony.root_sha256

    async def __call__(self, text: str = TEXT, **params: Any) -> Outcome:
        given = {
            "text": text,
            "fingerprint": self.root,
            "root": str(self.ceremony["root_ca.crt"]),
            "ca_url": URL,
            **params,
        }
        return await self.ctx.run(AnnouncementCheck, **given)


@pytest.fixture
def telling(tmp_path: Path, ceremony: Ceremony) -> Telling:
    folder = tmp_path / "runbook"
    folder.mkdir()
    return Telling(folder, ceremony)


def _text(outcome: Outcome) -> str:
    found = outcome.evidence[0]
    assert isinstance(found, Announcement)
    return found.text


async def test_what_is_sent_holds_the_computed_fingerprint_twice_and_the_command(telling: Telling) -> None:
    outcome = await telling()
    assert outcome.verdict is Verdict.PASSED, outcome.summary
    text = _text(outcome)
    assert f"\n    step ca bootstrap --force --ca-url {URL} --fingerprint {telling.root}\n" in text
    assert f"in one piece: {telling.root}\n" in text
    assert all(f"\n  {line}\n" in text for line in grouped_lines(telling.root)), "indented as the placeholder was"
    assert "<ops@example.org>" in text, "an address is no placeholder"
    assert "".join(f"  | {line}".rstrip() + "\n" for line in text.splitlines()).strip() in "\n".join(
        outcome.evidence[0].plain()
    ), "shown in full"


async def test_the_paper_may_be_spelled_as_people_spell_it(telling: Telling) -> None:
    spelled = ":".join(telling.root[at : at + 2].upper() for at in range(0, 64, 2))
    assert (await telling(fingerprint=spelled)).verdict is Verdict.PASSED


async def test_it_is_kept_with_the_record_byte_for_byte(telling: Telling) -> None:
    outcome = await telling()
    (stored,) = (event for event in telling.ctx.events if event.type == "attached")
    found = outcome.evidence[0]
    assert isinstance(found, Announcement)
    digest = hashlib.sha256(found.text.encode()).hexdigest()
    assert (stored.name, stored.sha256, found.sha256) == ("announcement.txt", digest, digest)  # type: ignore[attr-defined]


async def test_another_root_is_never_announced(telling: Telling) -> None:
    other = telling.root.translate(str.maketrans("0123456789abcdef", "123456789abcdef0"))
    outcome = await telling(fingerprint=other, write_to="a.txt")
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "another fingerprint")
    assert not (telling.ctx.folder / "a.txt").exists()
    pair = outcome.evidence[0]
    assert isinstance(pair, FingerprintPair)
    assert set(pair.right) == {VEIL}, "what was computed stays hidden, so that paper is typed blind"


@pytest.mark.parametrize(
    ("change", "symptom"),
    [
        (("<fingerprint groups>", ""), "fingerprint missing"),
        (("<fingerprint>", ""), "fingerprint missing"),
        (("<bootstrap command>", "see the wiki"), "command missing"),
        (("Dear all", "Dear <TEAM>"), "placeholder left"),
        (("Dear all", "Dear {{ team }}"), "placeholder left"),
        (("Dear all", "TODO: Dear all"), "placeholder left"),
        (("<fingerprint>", f"<fingerprint> or {'ab' * 32}"), "another fingerprint"),
        (("<fingerprint>", f"<fingerprint>\n\n{':'.join(['CD'] * 32)}"), "another fingerprint"),
    ],
)
async def test_what_must_not_be_sent(telling: Telling, change: tuple[str, str], symptom: str) -> None:
    outcome = await telling(TEXT.replace(*change), write_to="a.txt")
    assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, symptom)
    assert list(telling.ctx.folder.iterdir()) == [], "nothing was kept or written"


async def test_a_copied_command_with_another_url_is_not_the_command(telling: Telling) -> None:
    command = f"step ca bootstrap --force --ca-url https://ca.example.com --fingerprint {telling.root}"
    outcome = await telling(TEXT.replace("<bootstrap command>", command))
    assert outcome.symptom == "command missing"


class TestTemplate:
    async def test_values_and_what_follows(self, telling: Telling) -> None:
        (telling.ctx.folder / "t.txt").write_text(f"On {{{{ day }}}}, <fingerprint>\n{TEXT}")
        outcome = await telling("Yours\n", template="t.txt", values={"day": "Monday <b>"})
        assert outcome.symptom == "placeholder left", "a value is judged like the rest"
        outcome = await telling("Yours\n", template="t.txt", values={"day": "{{ day }} Monday"})
        assert outcome.symptom == "placeholder left", "a value is never looked at again"
        outcome = await telling("Yours\n", template="t.txt", values={"day": "Monday"})
        assert outcome.verdict is Verdict.PASSED
        assert _text(outcome).startswith(f"On Monday, {telling.root}\n")
        assert _text(outcome).endswith("\n\nYours\n")

    async def test_a_value_that_nobody_gives(self, telling: Telling) -> None:
        (telling.ctx.folder / "t.txt").write_text("On {{ day }}\n")
        with pytest.raises(RunbookError, match="nothing named `day`") as told:
            await telling("", template="t.txt")
        assert getattr(told.value, "symptom", "") == "unusable template"

    async def test_no_text_at_all(self, telling: Telling) -> None:
        (telling.ctx.folder / "t.txt").write_bytes(b"\xff\xfe")
        with pytest.raises(RunbookError, match="byte 1 is no UTF-8"):
            await telling("", template="t.txt")


class TestFile:
    async def test_it_is_written_for_all_to_read_and_said_so(self, telling: Telling) -> None:
        outcome = await telling(write_to="a.txt")
        path = telling.ctx.folder / "a.txt"
        assert path.read_text() == _text(outcome)
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        assert Touched("X1", "file", str(path), "local", "written") in telling.ctx.events
        assert list(path.parent.glob(".a.txt*")) == []

    async def test_the_same_text_once_more_is_no_problem(self, telling: Telling) -> None:
        await telling(write_to="a.txt")
        before = (telling.ctx.folder / "a.txt").stat()
        assert (await telling(write_to="a.txt")).verdict is Verdict.PASSED
        assert (telling.ctx.folder / "a.txt").stat().st_mtime_ns == before.st_mtime_ns

    @pytest.mark.parametrize("there", ["file", "link", "folder"])
    async def test_something_else_keeps_its_name(self, telling: Telling, there: str) -> None:
        path = telling.ctx.folder / "a.txt"
        if there == "file":
            path.write_text("last year's")
        elif there == "link":
            path.symlink_to("nowhere")
        else:
            path.mkdir()
        with pytest.raises(RunbookError) as told:
            await telling(write_to="a.txt")
        assert getattr(told.value, "symptom", "") == "another text there"
        assert path.is_symlink() or path.is_dir() or path.read_text() == "last year's"

    async def test_no_folder(self, telling: Telling) -> None:
        with pytest.raises(RunbookError) as told:
            await telling(write_to="nowhere/a.txt")
        assert getattr(told.value, "symptom", "") == "not written"
