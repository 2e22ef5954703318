"""What the panes say, whatever their width."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.evidence.files import CommandOutput
from checks.evidence.pin_counter import PinCounter
from runbook.groups import differences
from runbook.outcome import Evidence, Outcome
from screens.columns import against, fit, flow, table, wrap
from screens.evidence import pane_for
from screens.evidence.pane import Pane, span, when
from screens.fingerprints import compared, told
from screens.lines import MOST
from tests.screens.conftest import Drive
from tests.screens.host_samples import CHECKS, MANY
from tests.screens.samples import EVIDENCE, ROOT, SIGNED, counter, slots, swapped, token
from tests.screens.scripted import ends
from tests.screens.test_foreign import poisoned

steady = settings(deadline=None)
"""A loaded machine is not a failure."""

WIDTHS = [40, 47, 60, 90, 150]
hexes = st.text("0123456789abcdef", max_size=140)


def said(evidence: Evidence, width: int = 90) -> str:
    return "\n".join(line.plain for line in pane_for(evidence).lines(width))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", list(EVIDENCE))
def test_no_line_is_wider_than_the_pane(kind: str, width: int) -> None:
    for evidence in EVIDENCE[kind]:
        for line in pane_for(evidence).lines(width):
            assert line.cell_length <= width, line.plain


@pytest.mark.parametrize("kind", list(EVIDENCE))
def test_every_kind_has_a_pane_of_its_own(kind: str) -> None:
    assert EVIDENCE[kind][0].kind == kind
    assert type(pane_for(EVIDENCE[kind][0])) is not Pane


def test_an_unknown_kind_shows_its_plain_lines() -> None:
    class Weather(Evidence):
        kind = "weather"

        def plain(self) -> list[str]:
            return ["rain [/b]"]

    assert type(pane_for(Weather())) is Pane
    assert said(Weather()) == "rain [/b]"


def test_a_kind_that_builds_on_another_is_drawn_like_it() -> None:
    class Counter(PinCounter):
        kind = "counter of another make"

    assert "2 of 3 tries left" in said(Counter(**counter(2, "low").model_dump()))


@steady
@given(hexes, hexes, st.integers(30, 120))
def test_the_fingerprints_show_all_of_both_sides(left: str, right: str, width: int) -> None:
    shown = "\n".join(line.plain for line in compared("left", left, "right", right, width))
    for value in (left, right):
        for start in range(0, len(value), 4):
            assert value[start : start + 4] in shown
    same = left == right and left != ""
    assert ("✓ the same" in shown) is same


def test_a_difference_is_named_and_a_sign_stands_under_it() -> None:
    other = swapped(ROOT, 27)
    assert differences(ROOT, other) == ["B3"]
    lines = [line.plain for line in compared("token", ROOT, "file", other, 90)]
    row = next(number for number, line in enumerate(lines) if line.startswith("B"))
    assert [column for column, char in enumerate(lines[row + 1]) if char == "^"] == [16, 41]
    assert lines[row][16] == ROOT[27]
    assert lines[row][41] == other[27]
    assert lines[-1] == "✗ different in B3 (1 of 16 groups)"


def test_nothing_on_one_side_is_never_the_same() -> None:
    assert "nothing to compare" in told("", "").plain
    assert "✗" in told(ROOT, "").plain


def test_many_differences_are_counted() -> None:
    text = told("0" * 64, "1" * 64).plain
    assert "and 4 more (16 of 16 groups)" in text


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        (counter(3), ["■ ■ ■ 3 of 3 tries left", "costs one try and leaves 2"]),
        (counter(2, "low"), ["■ ■ □ 2 of 3 tries left", "leaves 1, the last one"]),
        (counter(1, "final try"), ["■ □ □ 1 of 3", "locks the PIN: this is the last try"]),
        (counter(0, "locked"), ["□ □ □ 0 of 3", "the PIN is locked"]),
        (counter(None, "unknown"), ["user PIN     unknown", "how many are left is unknown"]),
        (counter(None, "final try", ("CKF_USER_PIN_FINAL_TRY",)), ["this is the last try"]),
    ],
)
def test_the_counter_says_what_a_wrong_pin_costs(evidence: PinCounter, words: list[str]) -> None:
    text = said(evidence)
    for word in words:
        assert word in text


def test_the_signature_is_complete_and_split() -> None:
    text = said(SIGNED).replace(" ", "").replace("\n", "")
    r, s = SIGNED.halves
    assert f"r{r}s{s}" in text
    assert "96 bytes, r‖s" in said(SIGNED)
    assert said(SIGNED).count("✓ verified") == 2
    assert "✗ NOT verified  intermediate_ca.crt" in said(EVIDENCE["sign_test"][1])


def test_an_rsa_signature_has_no_halves() -> None:
    rsa = SIGNED.model_copy(update={"key_type": "RSA 2048", "signature": "ab" * 256})
    assert "r‖s" not in said(rsa)
    assert "256 bytes" in said(rsa)


def test_slots_show_expected_beside_found() -> None:
    text = said(EVIDENCE["slots"][1])
    line = next(line for line in text.splitlines() if line.startswith("serial"))
    assert line.split() == ["serial", "DENK0100002", "DENK0100001", "✗", "different"]
    assert "CKF_TOKEN_INITIALIZED" in text
    assert "empty" in text


def test_the_label_that_opensc_lengthens_is_as_expected() -> None:
    text = said(slots(token("ccat-intermediate (UserPIN)")))
    assert "✗" not in text


def test_a_long_output_shows_its_ends_and_says_what_is_left_out() -> None:
    text = said(EVIDENCE["command"][1])
    assert "task 0\n" in text
    assert text.endswith("task 399")
    assert "task 200\n" not in text
    assert "100 lines left out" in text
    assert "'play hsm host'" in text, "quoted as it ran"
    assert text.index("error output") < text.index("task 0\n"), "errors first, where something is wrong"


def test_what_was_found_is_marked_in_its_line() -> None:
    red = EVIDENCE["command"][1]
    assert isinstance(red, CommandOutput)
    deep = red.model_copy(update={"marks": (red.marks[0].model_copy(update={"line": 200}), *red.marks)})
    text = said(deep)
    assert "\n✓ ok: [input-b] task 7\n" in text
    assert '\n✗ fatal: [input-b]: UNREACHABLE! => {"msg"' in text
    assert "49 lines left out" in text
    assert "\n  ok: [input-b] task 199\n✓ ok: [input-b] task 200\n  ok: [input-b] task 201\n" in text
    (line,) = (line for line in pane_for(red).lines(90) if line.plain == "✓ ok: [input-b] task 7")
    marked = [line.plain[span.start : span.end] for span in line.spans if "underline" in str(span.style)]
    assert marked == ["task 7"], "not by colour alone"


@steady
@given(st.lists(st.integers(1, 60), min_size=1, max_size=6), st.integers(40, 100))
def test_columns_fit_where_they_can(natural: list[int], width: int) -> None:
    widths = fit(natural, width, 2)
    assert all(0 < new <= old for new, old in zip(widths, natural, strict=True))
    assert sum(widths) + 2 * (len(widths) - 1) <= width or all(
        new <= 6 or new == old for new, old in zip(widths, natural, strict=True)
    )


@steady
@given(st.text(max_size=200), st.integers(4, 60))
def test_wrapping_loses_nothing_but_spaces(text: str, width: int) -> None:
    lines = list(wrap(text, width))
    kept = "".join(char for line in lines for char in line.plain if not char.isspace())
    assert kept == "".join(char for char in text if not char.isspace() and char not in "\a\b\v\f\r")
    assert all(line.cell_length <= width for line in lines)


def test_a_table_folds_what_is_too_long() -> None:
    lines = [line.plain for line in table(("a", "b"), [("x" * 30, "y" * 30)], 20)]
    assert "".join(lines).count("x") == 30
    assert max(map(len, lines)) <= 20


@pytest.mark.parametrize("kind", ["key_match", "ssh_login"])
async def test_randomart_is_shown_on_request(drive: Drive, kind: str) -> None:
    found = ends(Outcome.failed("other keys", EVIDENCE[kind][-1]))
    async with drive((120, 60), P_people=found, P_tree=ends(Outcome.failed("dirty", EVIDENCE["git"][-1]))) as d:
        await d.press("r")
        assert "[SHA256]" not in d.screen
        assert "randomart (key i)" in d.screen
        await d.press("i")
        assert d.screen.count("[SHA256]") == 2
        assert "[SHA256]-----+    │ +----[SHA256]" in d.screen, "beside each other"
        await d.press("i")
        assert "[SHA256]" not in d.screen


async def test_nothing_is_drawn_where_there_are_no_keys(drive: Drive) -> None:
    async with drive((120, 40), P_people=ends(Outcome.failed("dirty", EVIDENCE["git"][-1]))) as d:
        await d.press("r")
        assert "randomart" not in d.screen


MEGABYTE = {"one line": "x" * 2**20, "many": "a\n" * 2**19, "wide": "漢 " * 2**18}


@pytest.mark.parametrize("text", list(MEGABYTE.values()), ids=list(MEGABYTE))
async def test_a_megabyte_in_every_field_draws_no_more_than_a_pane_holds(text: str) -> None:
    """Whatever is in the record: a value is cut when it is read, and a pane ends somewhere."""
    for kind in EVIDENCE:
        drawn = pane_for(poisoned(EVIDENCE[kind][-1], text, raw=False))._at(48)
        assert len(drawn) <= MOST + 1, kind
        assert max(len(line.plain) for line in drawn) <= 48, kind
    lines = pane_for(EVIDENCE["command"][-1].model_copy(update={"argv": ("y" * 10**6,)}))._at(48)
    assert lines[-1].plain.startswith("… more is left out here")


@steady
@given(st.text(max_size=200), st.integers(4, 60), st.integers(0, 6))
def test_folded_lines_hang_and_lose_nothing(text: str, width: int, hang: int) -> None:
    lines = list(wrap(text, width, hang=hang))
    assert all(line.cell_length <= width for line in lines)
    shown = "".join(char for line in lines for char in line.plain if not char.isspace())
    assert shown == "".join(char for line in wrap(text, 10_000) for char in line.plain if not char.isspace())
    if "\n" not in text:
        assert all(line.plain.startswith(" " * min(hang, width // 2)) for line in lines[1:] if line.plain)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so", 38, ["/usr/lib/x86_64-linux-gnu/", "opensc-pkcs11.so"]),
        ("at https://ca.example.org/roots.pem now", 30, ["at https://ca.example.org/", "roots.pem now"]),
        ("ab " + "x" * 30, 20, ["ab " + "x" * 17, "x" * 13]),
        ("two words of one line", 12, ["two words of", "one line"]),
        ("漢字漢字漢字", 5, ["漢字", "漢字", "漢字"]),
        ("", 5, [""]),
    ],
)
def test_where_a_line_is_folded(text: str, width: int, lines: list[str]) -> None:
    assert [line.plain for line in wrap(text, width)] == lines


@steady
@given(st.lists(st.text("abc", min_size=1, max_size=9), min_size=1, max_size=9), st.integers(10, 40))
def test_parts_in_a_flow_stay_whole(parts: list[str], width: int) -> None:
    lines = flow(parts, width).plain.split("\n")
    assert [part for line in lines for part in line.split("  ")] == parts
    assert max(map(len, lines)) <= width


def test_expected_stands_under_found_where_there_is_no_room_beside() -> None:
    rows = [("serial", "DENK0100002", "DENK0100001", False), ("label", "ccat", "ccat", True)]
    assert [line.plain.split() for line in against(rows, 60)][1] == [
        "serial",
        "DENK0100002",
        "DENK0100001",
        "✗",
        "different",
    ]
    assert [line.plain for line in against(rows, 30)] == [
        "serial  ✗ DENK0100001",
        "        expected DENK0100002",
        "label   ✓ ccat",
    ]


@pytest.mark.parametrize("width", WIDTHS)
def test_no_host_and_no_check_is_lost_whatever_the_width(width: int) -> None:
    lines = said(MANY, width).split("\n")
    names = "".join(char for line in lines for char in line if char not in "✗!▶✓○ ")
    assert all(row.host in names for row in MANY.rows)
    table = lines[next(number for number, line in enumerate(lines) if "host" in line.split()) :]
    signs = sum(line[2:].count(sign) for line in table for sign in "✗!▶✓○")
    assert signs == len(MANY.rows) * len(CHECKS), "one for each check of each host"


def test_a_chain_is_a_tree_and_what_is_wrong_stands_at_its_node() -> None:
    lines = said(EVIDENCE["server_answer"][1], 60).split("\n")
    root, middle, server = (
        next(number for number, line in enumerate(lines) if line.lstrip("└─ ").startswith(role))
        for role in ("root  CN=CCAT Root CA", "intermediate  CN=CCAT Soft CA", "server  CN=Step Online CA")
    )
    assert root < middle < server
    assert (lines[root][:2], lines[middle][:2], lines[server][:5]) == ("ro", "└─", "   └─")
    assert lines[middle + 1] == "   │  ✗ not signed by CN=CCAT Root CA"
    assert sum("✗" in line for line in lines[root:]) == 1
    assert all(line.startswith("│") for line in lines[root + 1 : middle]), "the trunk is whole"


@steady
@given(
    st.text(max_size=40) | st.datetimes(timezones=st.timezones()).map(str),
    st.datetimes(timezones=st.timezones()).map(str),
)
def test_any_text_may_stand_for_a_time(one: str, other: str) -> None:
    assert when(one) or not one
    assert " to " in span(one, other)


def test_times_as_people_read_them() -> None:
    assert when("2026-05-04T09:12:00+02:00") == "2026-05-04 07:12:00 UTC"
    assert when("0001-01-01T00:00:00Z") == "0001-01-01T00:00:00Z"
    assert span("2026-05-04T09:12:00Z", "2026-05-05T09:13:00Z") == "2026-05-04 09:12 to 2026-05-05 09:13 UTC"
    assert span("2026-05-04T09:12:00Z", "2036-05-05T09:13:00Z") == "2026-05-04 to 2036-05-05"
    assert span("2026-05-04", "x") == "2026-05-04 to x"
