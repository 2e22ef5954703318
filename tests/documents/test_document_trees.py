"""JSON, YAML and TOML as trees with places."""

from __future__ import annotations

import json
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.documents.document import parse
from checks.documents.json_tree import parse_json
from checks.documents.malformed import MAX_DEPTH, Malformed
from checks.documents.toml_tree import parse_toml
from checks.documents.yaml_tree import parse_yaml, resolve
from runbook.files.document import Map, Node, Scalar, Seq
from runbook.files.problems import Mark

steady = settings(deadline=None)
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
documents = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=25)
bare = st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True)


EVERYTHING = """\
# c
t = '''
a = 1
[b]
'''
[a."b c".d]
x.y = [ 1, # ]
  { z = 'q' }, ]
[[p]]
n = 1
[[p]]
n = 2
[p.q]
r = 1979-05-27
"""


def refused(text: str, kind: str) -> Malformed:
    with pytest.raises(Malformed) as caught:
        parse(text, kind)  # type: ignore[arg-type]
    return caught.value


@steady
@given(documents, st.sampled_from([None, 1, 4]), st.booleans())
def test_json_is_what_the_library_reads(value: object, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert parse_json(text).data() == json.loads(text)


@steady
@given(documents, st.sampled_from([None, 2]))
def test_every_place_of_json_is_where_its_value_begins(value: object, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    lines = text.split("\n")

    def look(node: Node) -> None:
        rest = lines[node.mark.line - 1][node.mark.column - 1 :]
        if isinstance(node, Map):
            assert rest.startswith("{")
            for key, mark in node.keys.items():
                assert lines[mark.line - 1][mark.column - 1 :].startswith(json.dumps(key))
                look(node.items[key])
        elif isinstance(node, Seq):
            assert rest.startswith("[")
            for item in node.items:
                look(item)
        elif isinstance(node, Scalar):
            assert rest.startswith(json.dumps(node.value))

    look(parse_json(text))


@steady
@given(
    st.dictionaries(bare, st.dictionaries(bare, st.integers(-9, 9) | st.booleans() | st.text("a\"'\\]#\n", max_size=5)))
)
def test_every_place_of_toml_is_on_its_keys_line(value: dict[str, dict[str, object]]) -> None:
    """Tables of plain keys, with a comment between each two lines."""
    lines: list[str] = []
    expected: dict[tuple[str, str], int] = {}
    for name, table in value.items():
        lines += ["# ] = [", f"[{name}]"]
        for key, item in table.items():
            lines.append(f"{key} = {json.dumps(item)} # x = 1")
            expected[name, key] = len(lines)
    text = "\n".join(lines)
    root = parse_toml(text)
    assert isinstance(root, Map)
    assert root.data() == tomllib.loads(text)
    for (name, key), line in expected.items():
        table_node = root.map(name)
        assert table_node is not None
        assert table_node.items[key].mark.line == line
        assert table_node.keys[key] == Mark(line, 1)


def test_toml_with_everything_at_once() -> None:
    root = parse_toml(EVERYTHING)
    assert root.data() == {
        "t": "a = 1\n[b]\n",
        "a": {"b c": {"d": {"x": {"y": [1, {"z": "q"}]}}}},
        "p": [{"n": 1}, {"n": 2, "q": {"r": "1979-05-27"}}],
    }
    places = {scalar.text: scalar.mark for scalar in root.scalars()}
    assert places["q"] == Mark(8, 9)
    assert places["1979-05-27"] == Mark(14, 5)
    assert places["2"] == Mark(12, 5)


@pytest.mark.parametrize(
    ("text", "kind", "line", "column", "said"),
    [
        ('{"a": 1,\n "a": 2}', "json", 2, 2, "`a` is already given in line 1"),
        ('{"a": 1,}', "json", 1, 9, "this is not JSON"),
        ('{"a": NaN}', "json", 1, 1, "NaN is no number"),
        ("", "json", 1, 1, "this is not JSON"),
        ("a: 1\nb: 2\na: 3\n", "yaml", 3, 1, "`a` is already given in line 1"),
        ("a: [1, 2\nb: 3\n", "yaml", 2, 2, "a comma or the closing `]` is missing"),
        ("a: 1\n---\nb: 2\n", "yaml", 3, 1, "a second document begins here"),
        ("a: *nothing\n", "yaml", 1, 4, "this is not YAML"),
        ("a: &x [*x]\n", "yaml", 1, 4, "an alias stands inside its own anchor"),
        ("<<: [1]\n", "yaml", 1, 1, "takes mappings alone"),
        ("? [1]\n: 2\n", "yaml", 1, 3, "a key must be plain text"),
        ("a = 1\na = 2\n", "toml", 2, 6, "this is not TOML"),
        ("[a\n", "toml", 1, 3, "this is not TOML"),
        ("a = ", "toml", 1, 5, "this is not TOML"),
    ],
)
def test_what_is_malformed_is_told_with_its_place(text: str, kind: str, line: int, column: int, said: str) -> None:
    error = refused(text, kind)
    assert said in error.message
    assert error.mark == Mark(line, column)


@pytest.mark.parametrize("kind", ["json", "yaml"])
def test_what_is_nested_too_deeply_is_refused(kind: str) -> None:
    assert "nested deeper" in refused("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), kind).message
    assert refused("[" * 100_000 + "]" * 100_000, kind).message


def test_aliases_that_explode_are_refused() -> None:
    lines = ["a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "aliases" in refused("\n".join(lines), "yaml").message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(
            ("yes", "yes"),
            ("on", "on"),
            ("0:0", "0:0"),
            ("1:30", "1:30"),
            ("2024-01-01", "2024-01-01"),
            ("0.30.2", "0.30.2"),
        ),
        *(("true", True), ("False", False), ("~", None), ("", None), ("Null", None), ("nULL", "nULL")),
        *(
            ("0700", 448),
            ("0o17", 15),
            ("0x1F", 31),
            ("0b11", 3),
            ("1_000", 1000),
            ("-12", -12),
            ("+5", 5),
            ("08", 8.0),
        ),
        *(("1.2", 1.2), (".5", 0.5), ("1e3", 1000.0), ("-", "-"), ("0x", "0x"), ("1M", "1M"), (".", "."), ("_1", "_1")),
    ],
)
def test_plain_scalars_resolve_as_in_go_yaml(text: str, value: object) -> None:
    found = resolve(text)
    assert (found, type(found)) == (value, type(value))


@steady
@given(st.text("0123456789abcdefxo_.+-eE:~ntrul", max_size=8))
def test_every_plain_scalar_resolves_to_something(text: str) -> None:
    assert isinstance(resolve(text), str | int | float | bool | None)


def test_merge_keys_anchors_and_tags_are_read_as_compose_does() -> None:
    root = parse_yaml(
        "x: &x {a: 1, b: {c: 2}}\n"
        "y: &y {b: y, d: 4}\n"
        "one:\n  <<: [*x, *y]\n  a: own\n"
        "two:\n  <<: *x\n  b: !reset null\n  e: !override [1]\n  f: !!str 12\n  g: !vault abc\n  '<<': text\n"
    )
    assert isinstance(root, Map)
    assert root.data()["one"] == {"a": "own", "b": {"c": 2}, "d": 4}
    assert root.data()["two"] == {"a": 1, "e": [1], "f": "12", "g": "abc", "<<": "text"}
    one = root.map("one")
    assert one is not None
    assert one.keys["d"] == Mark(2, 14)
