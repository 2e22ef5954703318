"""Each fault of a runbook is told at its exact place, in words for people, with what to do."""

from __future__ import annotations

import pytest

from runbook.files.problems import Severity
from tests.loader.small_kinds import GOOD, Edit, Problems

FAULTS = [
    # what the models say
    ("title: A small runbook", "title: §3", "expected text, found a number", "quotes"),
    ("id: demo", "id: §de mo", "expected form", "letters, digits, dots"),
    ("id: demo", "idd: x\n§runbok: 1\nid: demo", "`runbok` is not known", "`runbook`"),
    ("roles: [driver, witness]", "roles: §driver", "expected a list of text, found text", "[…]"),
    ("{type: sha256,", "§{type: sha255,", "`type` must be `string`, `integer`", "`sha256`"),
    ("{type: sha256, ask", "§{ask", "`type` is missing", ""),
    ("source: paper}\n  fing", "source: §papr}\n  fing", "expected `operator`, `paper` or `site`", "`paper`"),
    ("  seated: The", "  §sea-ted: The", "`sea-ted` cannot be a name", "underscores"),
    ("title: Slots", "§titel: Slots", "`titel` is not known", "`title`"),
    ("irreversible: true", "irreversible: §maybe", "expected `true` or `false`, found text", ""),
    ("requires: [seated]", "requires: [seated]\n        deadline: §0", "expected more than 0", ""),
    ("requires: [seated]", "requires: [seated]\n        deadline: §90000", "expected at most 86400", ""),
    ("two_person: true", "two_person: true, §two_persons: true", "`two_persons` is not known", "`two_person`"),
    ("backout: [Restore the snapshot]", "backout: [Restore, §'']", "must not be empty", ""),
    ("backout: [Restore the snapshot]", "backout: [§{stay: x}]", "`action: KIND`, `check: KIND`, `stays: TEXT`", ""),
    ("backout: [Restore the snapshot]", "backout: [{stays: §''}]", "must not be empty", ""),
    ("backout: [Restore the snapshot]", "backout: [{action: §wip, title: x}]", "no action named `wip`", "`wipe`"),
    ("backout: [Restore the snapshot]", "backout: [{action: §slots, title: x}]", "`slots` is a check", "check"),
    ("backout: [Restore the snapshot]", "backout: [§{action: wipe, volume: x}]", "`title` is missing", ""),
    ("backout: [Restore the snapshot]", "backout: [{action: wipe, title: x, §volum: x}]", "`volum` is not", "`volume`"),
    ("backout: [Restore the snapshot]", "backout: [{action: wipe, title: x, volume: x, §params: {}}]", "`params`", ""),
    (
        "backout: [Restore the snapshot]",
        "backout: [{action: wipe, title: x, volume: '{{ §volum }}'}]",
        "nothing named `volum`",
        "",
    ),
    (
        "backout: [Restore the snapshot]",
        "backout: [{action: wipe, title: x, volume: x, probe: {check: §wipe}}]",
        "`wipe` is an action",
        "A probe only reads",
    ),
    ("backout: [Restore the snapshot]", "backout: [{check: §slot, title: x}]", "no check named `slot`", "`slots`"),
    ("backout: [Restore the snapshot]", "backout: [{check: slots, title: x, §tokn: y}]", "`tokn` is not", "`token`"),
    (
        "backout: [Restore the snapshot]",
        "backout: [{check: slots, title: x, token: y, §probe: {check: slots}}]",
        "`probe`",
        "",
    ),
    ("backout: [Restore the snapshot]", "backout: [{undone_by: §B9}]", "no step `B9` before this one", ""),
    ("backout: [Restore the snapshot]", "backout: [{undone_by: §A1}]", "`A1` has no way back", "Give it one"),
    ("try: {run: [lsusb]}", "try: §3", "expected text", "quotes"),
    ("try: {run: [lsusb]}", "try: [{run: [a], §runn: [a]}]", "`runn` is not known", "`run`"),
    ("    steps:\n      - id: B1", "    §stepps:\n      - id: B1", "`stepps` is not known", "`steps`"),
    ("try: {run: [lsusb]}", "§try_: x", "`try_` is not known", "`try`"),
    # what a step is
    ("check: slots\n", "§chek: slots\n", "`chek` is not known", "`check`"),
    ("check: slots\n", "action: slots\n        §check: slots\n", "cannot be both `check` and `action`", "one of"),
    ("check: slots\n", "check: §slot\n", "no check named `slot`", "`slots`"),
    ("check: slots\n", "check: §[slots]\n", "expected the name of a check", "lists"),
    ("check: slots\n", "check: §wipe\n", "`wipe` is an action, not a check", "Write `action: wipe`"),
    ("action: wipe\n", "action: §slots\n", "`slots` is a check, not an action", "Write `check: slots`"),
    ("check: slots, token", "check: §wipe, token", "`wipe` is an action", "A probe only reads"),
    ("action: wipe\n", "action: wipe\n        §params: {}\n", "`params` is not known", "beside"),
    ("action: wipe\n", "action: wipe\n        §role: action\n", "`role` is not known", "beside"),
    ("attest: The dongle is seated", "attest: The dongle\n        §token: x", "`token` is not known", ""),
    ("attest: The dongle is seated", "attest: x\n        §statements: [y]", "`statements` is not known", "attest"),
    ("attest: The dongle is seated", "attest: [x, §1]", "expected text, found a number", "quotes"),
    # what the kind's own model says
    ("count: 1", "count: §many", "expected a whole number, found text", ""),
    ("count: 1", "count: §-1", "expected at least 0", ""),
    ("size: 384", "§sise: 384", "`sise` is not known", "`size`"),
    ("- id: 01\n", "- id: §10\n", "expected text, found a number", "quotes"),
    ("- id: 01\n            size", "- §size", "`id` is missing", ""),
    # references and insertion
    ("input: fingerprint", "input: §fingerprnt", "no input named `fingerprnt`", "`fingerprint`"),
    ("{{ serial }}", "{{ §seriel }}", "nothing named `seriel`", "`serial`"),
    ("'WIPE {{ volume }}'", "'WIPE {{ §volum }}'", "nothing named `volum`", "`volume`"),
    ("'{{ mount }}/root.crt'", "'§{{ mount.x }}/root.crt'", "more than a name", "{{ '{{' }}"),
    ("'{{ mount }}/root.crt'", "'x§{{ mount | upper }}'", "more than a name", ""),
    ("'{{ mount }}/root.crt'", "'x§{% if mount %}'", "cannot be read", ""),
    ("volume: ca-data", "volume: '§{{ mount }'", "cannot be read", ""),
    # inputs
    ("'[A-Z]{4}[0-9]{7}'", "'§(x[A-Z]'", "not a regular expression", ""),
    ("ask: Where, source: site", "ask: Where, source: paper, §default: /mnt", "no default", "before"),
    ("  mount:", "  §self: {type: path, ask: x}\n  mount:", "cannot be the name of an input", ""),
    ("  mount:", "  n: {type: integer, ask: x, minimum: §3, maximum: 2}\n  mount:", "`minimum` is larger", ""),
    ("  mount:", "  n: {type: integer, ask: x, maximum: 2, default: §3}\n  mount:", "at most 2", ""),
    ("  mount:", "  n: {type: choice, ask: x, choices: [a, §a]}\n  mount:", "`a` is given twice", ""),
    ("  mount:", "  n: {type: secret, ask: x, source: §site}\n  mount:", "never in the site profile", ""),
    # the walk
    ("requires: [seated]", "requires: [§seeted]", "no fact named `seeted`", "`seated`"),
    ("establishes: [ours]", "establishes: [§our]", "no fact named `our`", "`ours`"),
    ("requires: [seated]", "requires: [§ours]", "nothing before this step establishes `ours`", "itself"),
    ("requires: [ours]", "requires: [ours]\n        gate: {after: [§B]}", "`B` comes later", ""),
    ("after: [A]", "after: [§AA]", "no stage or step `AA`", ""),
    ("after: [A]", "after: [§B]", "own stage", ""),
    ("after: [A]", "after: [A, §B1]", "the step itself", ""),
    ("id: A3", "id: §A2", "already used in line 20", ""),
    ("when: no token", "when: §no tokn", "no symptom `no tokn`", "`no token`"),
    ("when: no token", "when: [deadline, §no]", "no symptom `no`", ""),
    ("roles: [driver, witness]", "roles: [driver, §driver]", "`driver` is given twice", ""),
]


@pytest.mark.parametrize(("old", "new", "message", "suggestion"), FAULTS)
def test_a_fault_is_told_at_its_place(problems_of: Problems, old: str, new: str, message: str, suggestion: str) -> None:
    text, place = Edit(old, new).apply(GOOD)
    found = [p for p in problems_of(text) if p.severity is Severity.ERROR]
    assert [(p.line, p.column) for p in found if message in p.message] == [place], [str(p) for p in found]
    problem = next(p for p in found if message in p.message)
    assert suggestion in problem.suggestion
    assert problem.excerpt == text.split("\n")[place[0] - 1]


def test_the_good_runbook_has_no_problem(problems_of: Problems) -> None:
    assert problems_of(GOOD) == []
