"""What people are told and asked, and what a run has changed, by kind of evidence."""

from __future__ import annotations

import hashlib

from checks.evidence.people import Announcement, ListAnswers, ListItem
from checks.evidence.touched import Listed, TouchedTable, TouchedThing
from checks.people import wording
from runbook.outcome import Evidence
from runbook.ticking import ChecklistRequest, Tick, Ticked

_ROOT = hashlib.sha256(b"root certificate").hexdigest()
_TEXT = wording.fill(
    """\
The certificate authority moves to a key in hardware on Thursday, 14:00 to 14:30.

    <bootstrap command>

Compare what it shows with this, group by group:

    <fingerprint groups>

In one piece: <fingerprint>
""",
    fingerprint=_ROOT,
    url="https://ca.example.org",
)

ANNOUNCEMENT = Announcement(
    text=_TEXT,
    sha256=hashlib.sha256(_TEXT.encode()).hexdigest(),
    root="/srv/system-integration/ansible/roles/ca_trust/files/root_ca.crt",
    subject="CN=CCAT Observatory Root CA,O=CCAT Observatory",
    fingerprint=_ROOT,
    file="/home/op/announcement.txt",
)

QUESTION = "Has bootstrapped again, and has compared the fingerprint before saying yes"
MEMBERS = ("Anna Weber", "Ben Ortiz", "Carl Meyer", "Dora Lind", "Emil Sato")
ANSWERS = ListAnswers(
    question=QUESTION,
    items=(
        ListItem(item=MEMBERS[0], answer=Tick.YES),
        ListItem(item=MEMBERS[1], answer=Tick.NOT_YET),
        ListItem(item=MEMBERS[2], answer=Tick.YES),
        ListItem(item=MEMBERS[3], answer=Tick.NO, reason="saw another fingerprint, and said no to step"),
        ListItem(item=MEMBERS[4], answer=Tick.YES),
    ),
    by="op",
)
CHECKLIST = ChecklistRequest("H1.members", QUESTION, MEMBERS)
AGAIN = ChecklistRequest(
    "H1.members", QUESTION, MEMBERS[:3], (Ticked(Tick.YES), Ticked(Tick.NOT_YET), Ticked(Tick.NO, "on leave"))
)

_LISTED = TouchedThing(
    state=Listed.AS_LISTED,
    what="file",
    name="/srv/system-integration/ansible/roles/ca_trust/files/root_ca.crt",
    on="local",
    how=("B2.root written", "B3.commit committed"),
)
_THINGS = (
    _LISTED,
    TouchedThing(
        state=Listed.AS_LISTED,
        what="volume",
        name="ccat-ca_step-ca-data",
        on="ca",
        how=("G3.wipe removed", "G3.wipe created", "G4.fill filled"),
    ),
)
_ELSEWHERE = TouchedThing(
    state=Listed.NOT_TOUCHED, what="file", name="step-ca/Dockerfile.hsm", by="committed in the pull request"
)

PEOPLE: dict[str, tuple[Evidence, ...]] = {
    "announcement": (
        ANNOUNCEMENT,
        ANNOUNCEMENT.model_copy(update={"file": "", "problems": ("`<TEAM>` still stands for something",)}),
    ),
    "list_item": (ANSWERS.items[0], ANSWERS.items[3], ANSWERS.items[1]),
    "list_answers": (
        ANSWERS.model_copy(
            update={"items": tuple(ListItem(item=member, answer=Tick.YES) for member in MEMBERS), "note": "by phone"}
        ),
        ANSWERS,
    ),
    "touched_thing": (_LISTED, _ELSEWHERE),
    "touched": (
        TouchedTable(things=(*_THINGS, _ELSEWHERE)),
        TouchedTable(
            things=(
                *_THINGS,
                TouchedThing(
                    state=Listed.NOT_LISTED, what="file", name="/etc/motd", on="web1", how=("B4.staging changed",)
                ),
                TouchedThing(state=Listed.NOT_TOUCHED, what="volume", name="ccat-ca_softhsm-tokens"),
                _ELSEWHERE,
            )
        ),
    ),
}
