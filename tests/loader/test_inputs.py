"""Typed values: any usual spelling becomes one form, and a refusal says where."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from runbook.files.inputs import parse, sha256
from runbook.input_types import Input

DIGEST = hashlib.sha256(b"x").hexdigest()


def declared(**keys: object) -> Input:
    built: Input = TypeAdapter(Input).validate_python({"ask": "?", **keys})
    return built


def refusal(kind: Input, text: str) -> str:
    try:
        value = parse(kind, text)
    except ValueError as error:
        return str(error)
    return pytest.fail(f"taken as {value!r}")


GROUPED = ":".join(DIGEST[i : i + 2] for i in range(0, 64, 2))


@pytest.mark.parametrize(
    "text",
    [
        DIGEST,
        DIGEST.upper(),
        f"  {DIGEST}\n",
        GROUPED,
        GROUPED.upper(),
        " ".join(DIGEST[i : i + 4] for i in range(0, 64, 4)),
        "-".join(DIGEST[i : i + 8] for i in range(0, 64, 8)),
        f"SHA256:{DIGEST}",
        f"sha256={DIGEST}",
        f"SHA-256: {GROUPED}",
        f"sha256 Fingerprint={GROUPED.upper()}",
        f"SHA256 {DIGEST}",
        "\n".join(DIGEST[i : i + 16] for i in range(0, 64, 16)),
    ],
)
def test_every_usual_spelling_of_a_sha256(text: str) -> None:
    assert parse(declared(type="sha256"), text) == DIGEST


def test_the_spellings_of_openssl_and_ssh_keygen(tmp_path: Path) -> None:
    def run(*argv: str) -> str:
        return subprocess.run(argv, check=True, capture_output=True, text=True, cwd=tmp_path).stdout

    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x",
        "-keyout", "k.pem", "-out", "c.pem")  # fmt: skip
    der = subprocess.run(["openssl", "x509", "-in", "c.pem", "-outform", "DER"], check=True, capture_output=True,
        cwd=tmp_path).stdout  # fmt: skip
    assert sha256(run("openssl", "x509", "-in", "c.pem", "-noout", "-fingerprint", "-sha256")) == (
        hashlib.sha256(der).hexdigest()
    )
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key", "-C", "")
    import base64

    blob = base64.b64decode((tmp_path / "key.pub").read_text().split()[1])
    assert sha256(run("ssh-keygen", "-lf", "key.pub").split()[1]) == hashlib.sha256(blob).hexdigest()


@given(raw=st.binary(min_size=32, max_size=32), data=st.data())
def test_separators_never_change_a_sha256(raw: bytes, data: st.DataObject) -> None:
    text = "".join(char + data.draw(st.sampled_from(["", "", " ", ":", "-", "\n"])) for char in raw.hex())
    assert sha256(text) == raw.hex()


@given(text=st.text())
def test_a_sha256_is_64_digits_or_refused(text: str) -> None:
    try:
        value = sha256(text)
    except ValueError:
        return
    assert len(bytes.fromhex(value)) == 32


def test_a_bad_sha256_says_where() -> None:
    kind = declared(type="sha256")
    assert "character 17 (`g`)" in refusal(kind, DIGEST[:16] + "g" + DIGEST[17:])
    assert "character 24 (`O`)" in refusal(kind, "SHA256:" + DIGEST[:16] + "O" + DIGEST[17:])
    assert "has 63 hex digits" in refusal(kind, DIGEST[1:])
    assert "has 65 hex digits" in refusal(kind, DIGEST + "0")
    assert "is empty" in refusal(kind, " ")
    assert "has 40 hex digits" in refusal(kind, DIGEST[:40])


def test_strings() -> None:
    kind = declared(type="string", pattern="DENK[0-9]{7}", help="Look at the sheet")
    assert parse(kind, " DENK0100001\n") == "DENK0100001"
    assert "upper and lower case" in refusal(kind, "denk0100001")
    assert "it has spaces" in refusal(kind, "DENK 0100001")
    assert "one character too many" in refusal(kind, "DENK01000011")
    assert "character 3 (`x`) is one too many" in refusal(kind, "DExNK0100001")
    assert "Look at the sheet" in refusal(kind, "other")
    assert "empty" in refusal(kind, "  ")
    assert "character 3" in refusal(declared(type="string"), "ab\x1bc")
    assert "longer" in refusal(declared(type="string"), "x" * 5000)


def test_a_string_is_empty_only_where_its_pattern_says_so() -> None:
    assert parse(declared(type="string", pattern="([a-z]+)?"), "  ") == ""
    assert parse(declared(type="string", pattern="([a-z]+)?"), " a ") == "a"
    assert "is empty" in refusal(declared(type="string", pattern="[a-z]+"), " ")
    assert "is empty" in refusal(declared(type="string"), "")


def test_integers() -> None:
    kind = declared(type="integer", minimum=1, maximum=9)
    assert [parse(kind, text) for text in (" 3 ", "+3", "003")] == ["3"] * 3
    assert "at least 1" in refusal(kind, "0")
    assert "at most 9" in refusal(kind, "10")
    assert "character 2 (`.`)" in refusal(kind, "3.5")
    assert "character 1 (`٣`)" in refusal(kind, "٣")
    assert "whole number" in refusal(kind, "-")
    assert "digits" in refusal(kind, "9" * 4000)


def test_choices() -> None:
    kind = declared(type="choice", choices=["staging", "production"])
    assert parse(kind, "Staging ") == "staging"
    assert "did you mean `production`" in refusal(kind, "prodction")


def test_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert parse(declared(type="file"), "file") == str(tmp_path / "file")
    assert parse(declared(type="file"), "~/file") == str(tmp_path / "file")
    assert parse(declared(type="directory"), "sub/..", base=tmp_path / "nowhere", exists=False).startswith(
        str(tmp_path / "nowhere")
    )
    assert parse(declared(type="path"), "new") == str(tmp_path / "new")
    assert "is not a directory" in refusal(declared(type="directory"), "file")
    assert "is not a file" in refusal(declared(type="file"), ".")
    assert f"`{tmp_path}` does" in refusal(declared(type="file"), "a/b")
    assert "no such user" in refusal(declared(type="file"), "~nobody-of-that-name/x")


@given(text=st.text(min_size=1))
def test_a_secret_is_never_part_of_a_refusal(text: str) -> None:
    secret = "geheim-7719" + text
    said = ""
    try:
        parse(declared(type="secret"), secret)
    except ValueError as error:
        said = str(error)
    assert "7719" not in said


KINDS = [
    declared(type="string", pattern="[a-z]+"),
    declared(type="integer", minimum=2),
    declared(type="directory"),
    declared(type="path"),
    declared(type="choice", choices=["a", "b"]),
    declared(type="sha256"),
    declared(type="secret"),
]


@given(kind=st.sampled_from(KINDS), text=st.text())
def test_any_text_is_taken_or_refused_with_a_sentence(kind: Input, text: str) -> None:
    said = value = ""
    try:
        value = parse(kind, text)
    except ValueError as error:
        said = str(error)
    assert said or parse(kind, value) == value
