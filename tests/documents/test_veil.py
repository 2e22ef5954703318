"""What looks like a secret is not shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.veil import is_secret_name, veil, veil_around, veil_text


@pytest.mark.parametrize(
    "line",
    [
        "PIN=4711",
        "      STEP_CA_HSM_PIN: 4711",
        '  - "STEP_CA_HSM_PIN=4711"',
        '"password": "4711",',
        "  'db-password' : '4711 and more 4711'",
        "ENV A=1 API_KEY=4711 B=2",
        '"uri": "pkcs11:serial=1?pin-value=4711&pin-source=/x"',
        '{"kms": {"pin": "4711"}}',
        "dbPassword: 4711",
        "clientSecret = '4711'",
        "access_token: 4711",
        "password: two words 4711",
        "PIN=47&11;4711",
        "ENV API_KEY some 4711",
        "{pin: 4711, a: b}",
        "PIN={4711",
        "PASSWORD: '47''11 4711'",
        "PIN=$4711x",
    ],
)
def test_secrets_are_hidden(line: str) -> None:
    assert "4711" not in veil(line)
    assert "•••" in veil(line)


@pytest.mark.parametrize(
    "line",
    [
        "STEP_CA_HSM_PIN: ${STEP_CA_HSM_PIN:?STEP_CA_HSM_PIN must be set in .env}",
        '"uri": "pkcs11:module-path=/usr/lib/x.so;serial=DENK1?pin-source=/run/secrets/hsm-pin"',
        "PASSWORD_FILE=/run/secrets/x",
        "password: $DB_PASSWORD",
        'pkcs11-tool --module /usr/lib/x.so --list-slots > /dev/null"',
        "spinner: 3",
        "image: smallstep/step-ca:0.30.2-hsm",
        "shipping: pinned",
        "# the pin goes into memory",
    ],
)
def test_all_else_is_shown(line: str) -> None:
    assert veil(line) == line


def test_sentences_keep_their_colons() -> None:
    assert veil_text("it demands the PIN: not found") == "it demands the PIN: not found"
    assert veil_text('is {"PIN": "4711"}, expected x') == 'is {"PIN": •••}, expected x'
    assert veil_text("services.web: PIN=4711 is no value") == "services.web: PIN=••• is no value"


@given(st.text(), st.sampled_from(["PIN", "PASSWORD", "SECRET"]), st.integers(10**6, 10**12))
def test_whatever_stands_before_the_value_is_hidden(before: str, name: str, value: int) -> None:
    line = f"{before} X_{name}={value}"
    assert str(value) not in veil(line)


@pytest.mark.parametrize("name", ["PIN", "HSM_PIN", "user-pin", "dbPassword", "TOKEN", "pin-value", "x.secret", "pin2"])
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["SPIN", "pinned", "pin-source", "SECRET_NAME", "TOKENS_URL", "keyboard", "PASSWORD_FILE"]
)
def test_names_of_other_things(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "text",
    [
        "pin: |\n  4711\n  4711",
        "hsm:\n  password: >-\n\n    it is 4711\n    and 4711 again\n  label: x",
        '{\n  "pin":\n  "4711",\n  "a": 1\n}',
        '{"password": [\n  "4711",\n  "x"\n]}',
        'secret = """\n4711\n4711\n"""',
        "docker login --password \\\n4711 \\\n  host",
        "ENV PIN \\\n4711",
        "key: |\n  -----BEGIN EC PRIVATE KEY-----\n  4711\n  4711\n  -----END EC PRIVATE KEY-----\nlast: 1",
        "pin: 4711",
    ],
)
def test_a_value_that_stands_under_its_name_is_hidden(text: str) -> None:
    lines = text.split("\n")
    for number in range(1, len(lines) + 1):
        before, line, after = veil_around(lines, number, 9, 9)
        shown = "\n".join([*before, line, *after])
        assert "4711" not in shown
        assert shown.count("\n") == text.count("\n")
        assert "•••" in shown


@pytest.mark.parametrize(
    "text",
    [
        "unset HSM_PIN\npcscd --disable-polkit",
        "# the PIN of the token\npcscd",
        "pin_source: x\n  a: 1",
        "HSM_PIN=123456\npcscd",
        "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\nafter: 1",
        "environment:\n  HSM_PIN_FILE: /run/pin\n  USER: step",
        "hsm:\n  label: a\n  slot: 1",
    ],
)
def test_what_stands_by_a_name_without_being_its_value_is_shown(text: str) -> None:
    lines = text.split("\n")
    assert veil_around(lines, len(lines))[1] == lines[-1]


def test_a_line_that_is_not_there() -> None:
    assert veil_around(["a"], 0) == veil_around(["a"], 2) == veil_around([], 1) == ([], "", [])


@given(st.lists(st.text(), max_size=6), st.integers(-1, 8))
def test_any_lines_are_told_with_as_many_around(lines: list[str], number: int) -> None:
    before, _, after = veil_around(lines, number)
    if 0 < number <= len(lines):
        assert (len(before), len(after)) == (min(2, number - 1), min(2, len(lines) - number))
