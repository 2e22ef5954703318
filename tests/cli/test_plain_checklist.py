"""One answer for each of many, at a plain terminal."""

from __future__ import annotations

from tests.cli.bench import Bench
from tests.cli.test_plain import asking


def _ask(before: str = "()") -> str:
    ticking = "__import__('runbook.ticking').ticking"
    return f"checklist({ticking}.ChecklistRequest('H1', 'Has bootstrapped', ('ann', 'ben', 'carl'), {before}))"


def test_each_is_asked_and_a_no_wants_its_reason(bench: Bench) -> None:
    terminal = asking(bench, _ask())
    terminal.until("1 of 3: ann [y/w/n, empty: not yet]: ")
    terminal.type("y\n")
    terminal.until("2 of 3: ben [y/w/n, empty: not yet]: ")
    terminal.type("maybe\n")
    terminal.until("Type y for yes, w for not yet, or n for no.")
    terminal.until_prompt()
    terminal.type("\n")
    terminal.until("3 of 3: carl [y/w/n, empty: not yet]: ")
    terminal.type("n\n")
    terminal.until("Why not (empty: leave)? ")
    terminal.type("on leave\n")
    terminal.until(
        "got Checklisted(answers=(Ticked(tick=<Tick.YES: 'yes'>, reason=''), "
        "Ticked(tick=<Tick.NOT_YET: 'not yet'>, reason=''), Ticked(tick=<Tick.NO: 'no'>, reason='on leave')), note='')"
    )


def test_an_empty_line_keeps_what_was_said(bench: Bench) -> None:
    ticking = "__import__('runbook.ticking').ticking"
    said = f"({ticking}.Ticked({ticking}.Tick.YES), None, {ticking}.Ticked({ticking}.Tick.NO, 'on leave'))"
    terminal = asking(bench, _ask(said))
    terminal.until("1 of 3: ann [y/w/n, empty: yes]: ")
    terminal.type("\n")
    terminal.until("2 of 3: ben [y/w/n, empty: not yet]: ")
    terminal.type("y\n")
    terminal.until("3 of 3: carl [y/w/n, empty: no, on leave]: ")
    terminal.type("\n")
    terminal.until("(Ticked(tick=<Tick.YES: 'yes'>, reason=''), Ticked(tick=<Tick.YES: 'yes'>, reason=''), ")
    terminal.until("reason='on leave')")
