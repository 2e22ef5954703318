"""Help that needs no screen."""

from __future__ import annotations

from runbook import help_texts
from runbook.help_texts import Chapter, Entry
from runbook.kind import Registry
from runbook.model import Role, Runbook
from runbook.probing import Answer
from runbook.record.state import Status


def runbook(kind: str = "slots") -> Runbook:
    steps = [
        {"id": "A.look", "title": "Look", "check": kind, "token": "t"},
        {"id": "A.again", "title": "Look again", "check": kind, "token": "t"},
        {
            "id": "B.wipe",
            "title": "Wipe",
            "action": "docker.volume.recreate",
            "volume": "v",
            "probe": {"check": "docker.volume", "volume": "v"},
            "backout": [
                "Stop",
                {"action": "docker.volume.restore", "title": "Restore", "probe": {"check": "docker.volume.restored"}},
                {"check": "https", "title": "It answers"},
            ],
        },
    ]
    return Runbook.model_validate(
        {"runbook": 1, "id": "r", "title": "R", "stages": [{"id": "A", "title": "A", "steps": steps}]}
    )


def test_every_state_and_every_answer_is_told() -> None:
    assert set(help_texts.STATES) == set(Status)
    assert set(help_texts.ANSWERS) == set(Answer)


def test_the_kinds_of_steps_probes_and_ways_back() -> None:
    assert help_texts.kinds_used(runbook()) == {
        (Role.CHECK, "slots"): ("A.look", "A.again"),
        (Role.ACTION, "docker.volume.recreate"): ("B.wipe",),
        (Role.ACTION, "docker.volume.restore"): ("B.wipe",),
        (Role.CHECK, "https"): ("B.wipe",),
        (Role.CHECK, "docker.volume"): ("B.wipe",),
        (Role.CHECK, "docker.volume.restored"): ("B.wipe",),
    }


def test_a_kind_is_told_with_its_symptoms_and_its_steps() -> None:
    chapter = help_texts.kinds(runbook(), Registry())
    slots = next(entry for entry in chapter.entries if entry.name == "check slots")
    kind = Registry().get(Role.CHECK, "slots")
    assert slots.told
    assert slots.told in " ".join((kind.__doc__ or "").split())
    assert slots.more[0] == "used by A.look, A.again"
    assert len(slots.more) == 1 + len(kind.symptoms) > 1


def test_a_kind_that_is_not_installed_hides_no_other() -> None:
    chapter = help_texts.kinds(runbook("of.another.package"), Registry())
    told = {entry.name: entry.told for entry in chapter.entries}
    assert "not known on this machine" in told["check of.another.package"]
    assert "not known" not in told["check https"]
    assert "not known on this machine" in help_texts.kind_help(Registry(), "of.another.package")[0]


def test_all_about_a_kind() -> None:
    assert any("expect" in line for line in help_texts.kind_help(Registry(), "slots"))


def test_narrowing() -> None:
    chapters = [
        Chapter("Words", (Entry("gate", "what must hold"), Entry("head", "the seal", ("of the journal",)))),
        Chapter("Gates of old", (Entry("gone", "not there"),)),
    ]
    assert help_texts.narrowed(chapters, "") == chapters
    assert [chapter.entries for chapter in help_texts.narrowed(chapters, "JOURNAL seal")] == [chapters[0].entries[1:]]
    assert [chapter.title for chapter in help_texts.narrowed(chapters, "gate")] == ["Words", "Gates of old"]
    assert help_texts.narrowed(chapters, "gate seal") == []


def test_plain_lines() -> None:
    lines = list(help_texts.as_lines([Chapter("Words", (Entry("head", "the seal", ("of the journal",)),), "told")]))
    assert lines == ["Words:", "  told", "  head: the seal", "      of the journal"]
