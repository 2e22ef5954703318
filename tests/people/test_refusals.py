"""Every reason for which an approval is not accepted, each by its own message; ssh-keygen is the judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from runbook.people.approval import (
    NAMESPACE,
    ExactAction,
    Signed,
    Statement,
    judge,
    moment_text,
    question,
    statement_for,
)
from runbook.people.people import signers_of, signers_sha256
from runbook.people.ssh_keygen import SignatureRefused, sign
from runbook.record.gate_events import ApprovalAsked, PeopleNamed
from runbook.secrets import Redactor
from tests.people.keys import PRINCIPALS, Keys, keygen

RUN = "20261121-120000-two-abcd"
NOW = datetime.now(UTC)
ASKED_AT = NOW - timedelta(minutes=1)
ACTION = ExactAction.of(
    "docker.volume.recreate", {"volume": "ca", "deep": [1, 1.5]}, ("docker volume rm ca",), Redactor()
)


@dataclass
class Court:
    """A question, and answers to it by Ben that are right unless something is changed."""

    keys: Keys
    asked: ApprovalAsked = field(default_factory=lambda: question("G3.wipe", ACTION, "ab" * 32, 15, ASKED_AT))
    rest: dict[str, object] = field(default_factory=dict)
    """Of `two_people`."""
    now: datetime = NOW

    @property
    def statement(self) -> Statement:
        return statement_for(self.asked, RUN, PRINCIPALS["ben"], NOW - timedelta(seconds=2))

    async def signed(self, key: str = "ben", namespace: str = NAMESPACE, **changes: str) -> Signed:
        text = replace(self.statement, **changes).text()
        return Signed(text, await sign(self.keys.folder / key, text, namespace))

    async def judge(self, signed: Signed) -> tuple[str, str]:
        two = self.keys.two_people(**self.rest)
        people = PeopleNamed(
            "anna", "account", {n: p.principal for n, p in two.people.items()}, {}, ("ben",), await signers_sha256(two)
        )
        return await judge(signed, self.asked, RUN, people=people, signers=signers_of(two), now=self.now)

    async def refused(self, signed: Signed) -> str:
        with pytest.raises(SignatureRefused) as refused:
            await self.judge(signed)
        return refused.value.what


@pytest.fixture
def court(keys: Keys) -> Court:
    return Court(keys)


async def test_what_is_right_is_accepted(court: Court) -> None:
    name, fingerprint = await court.judge(await court.signed())
    assert name == "ben"
    assert fingerprint == keygen("-l", "-f", court.keys.folder / "ben").split()[1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"step": "G4.start"}, "for another step: G4.start, not G3.wipe"),
        ({"run_id": "20261121-110000-two-wxyz"}, "for another run: 20261121-110000-two-wxyz"),
        ({"action_sha256": "00" * 32}, "for other arguments"),
        ({"head": "cd" * 32}, "at another state of the record"),
        ({"nonce": "00" * 16}, "another question"),
        ({"expires_at": moment_text(NOW + timedelta(days=1))}, "changes the time"),
        ({"asked_at": moment_text(NOW - timedelta(days=1))}, "changes the time"),
        ({"signed_at": moment_text(ASKED_AT - timedelta(seconds=1))}, "before it was asked"),
        ({"signed_at": moment_text(NOW + timedelta(minutes=1))}, "in the future"),
        ({"signed_at": "yesterday"}, "no time as statements write it"),
        ({"decision": "perhaps"}, "does not approve: its decision is `perhaps`"),
        ({"witness": PRINCIPALS["anna"]}, "anna drives this run"),
        ({"witness": PRINCIPALS["carl"]}, "carl may not witness"),
        ({"witness": "eve@example.org"}, "`eve@example.org` is nobody"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
async def test_a_statement_about_something_else(court: Court, changes: dict[str, str], message: str) -> None:
    assert message in await court.refused(await court.signed(**changes))


async def test_a_statement_that_was_altered_after_it_was_signed(court: Court) -> None:
    signed = await court.signed(signed_at=moment_text(NOW - timedelta(seconds=3)))
    assert "altered" in await court.refused(Signed(court.statement.text(), signed.signature))


async def test_an_answer_that_comes_too_late(court: Court) -> None:
    court.now = ASKED_AT + timedelta(minutes=15, seconds=1)
    assert "comes too late" in await court.refused(await court.signed())


async def test_an_answer_to_a_question_of_before(court: Court) -> None:
    signed = await court.signed()
    assert await court.judge(signed)
    court.asked = question("G3.wipe", ACTION, "ab" * 32, 15, ASKED_AT)
    assert "its nonce is not of this one" in await court.refused(signed)


async def test_other_arguments_are_another_action(court: Court) -> None:
    other = ExactAction.of("docker.volume.recreate", {"volume": "cb", "deep": [1, 1.5]}, ACTION.plan, Redactor())
    signed = await court.signed()
    court.asked = replace(court.asked, action_sha256=other.sha256)
    assert "for other arguments" in await court.refused(signed)


async def test_a_signature_for_another_purpose(court: Court) -> None:
    assert "its namespace is `git`" in await court.refused(await court.signed(namespace="git"))


async def test_the_drivers_key(court: Court) -> None:
    assert "belongs to anna@example.org, not to ben@example.org" in await court.refused(await court.signed("anna"))


async def test_one_key_for_both(court: Court) -> None:
    court.keys.allow(PRINCIPALS["anna"], "ben")
    assert "the driver's too" in await court.refused(await court.signed())


async def test_one_key_for_both_though_the_drivers_line_has_expired(court: Court) -> None:
    court.keys.allow(PRINCIPALS["anna"], "ben", 'valid-before="20200101"')
    assert "the driver's too" in await court.refused(await court.signed())


async def test_one_key_for_both_by_a_pattern(court: Court) -> None:
    court.keys.allow("*@example.org", "ben")
    assert "the driver's too" in await court.refused(await court.signed())


async def test_an_unknown_key(court: Court) -> None:
    court.keys.make("eve")
    refused = await court.refused(await court.signed("eve"))
    assert "is unknown: allowed_signers does not list it" in refused
    assert keygen("-l", "-f", court.keys.folder / "eve").split()[1] in refused


async def test_somebody_elses_name_with_a_key_of_their_own(court: Court) -> None:
    court.keys.make("dora")
    court.keys.allow("dora@example.org", "dora")
    assert "belongs to dora@example.org, not to ben@example.org" in await court.refused(await court.signed("dora"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ('valid-before="20200101"', "has expired"),
        ('valid-after="20990101"', "is not yet valid"),
        ('namespaces="git,file"', "does not allow the key"),
    ],
)
async def test_a_key_that_does_not_count_now_or_for_this(court: Court, options: str, message: str) -> None:
    court.keys.lines.clear()
    court.keys.allow(PRINCIPALS["ben"], "ben", options)
    assert message in await court.refused(await court.signed())


async def test_a_key_that_was_valid_at_that_moment(court: Court) -> None:
    """As when a record is checked years later."""
    court.keys.lines.clear()
    until = datetime.now().astimezone() + timedelta(days=1)
    court.keys.allow(PRINCIPALS["ben"], "ben", f'valid-before="{until:%Y%m%d%H%M%S}"')
    signed = await court.signed()
    assert await court.judge(signed)
    late = NOW + timedelta(days=2)
    court.asked = replace(court.asked, expires_at=moment_text(late))
    court.now = late
    assert "has expired" in await court.refused(await court.signed())


@pytest.mark.parametrize("form", ["list", "public keys"])
async def test_a_revoked_key(court: Court, form: str) -> None:
    revoked = court.keys.folder / "revoked"
    if form == "list":
        keygen("-q", "-k", "-f", revoked, court.keys.folder / "ben.pub")
    else:
        revoked.write_text(court.keys.public("ben") + "\n")
    signed = await court.signed()
    assert await court.judge(signed)
    court.rest["revoked_keys"] = str(revoked)
    assert "is revoked" in await court.refused(signed)


async def test_what_is_no_signature_or_no_statement(court: Court) -> None:
    signed = await court.signed()
    lines = signed.signature.splitlines()
    for broken in (
        "",
        "hello",
        "\n".join(lines[:-1]),
        signed.signature * 2,
        signed.signature.replace(lines[1], "AAAA"),
    ):
        assert "no SSH signature" in await court.refused(Signed(signed.text, broken))
    for text in ("", "{}", "[1]", "approve", signed.text[:-1], '{"a":' * 3000, "x" * 10_000):
        assert "no approval of a step" in await court.refused(Signed(text, signed.signature))
    assert "canonically" in await court.refused(Signed(signed.text.replace(":", ": ", 1), signed.signature))
    newer = signed.text.replace('"version":1', '"version":2')
    assert "another format" in await court.refused(Signed(newer, signed.signature))


Make = Callable[[Keys], str]


def _certificate(keys: Keys) -> str:
    """Ben's new key, certified by an authority that the file trusts for everybody at the place."""
    keys.make("authority")
    keys.make("fresh")
    folder = keys.folder
    keygen(
        "-q", "-s", folder / "authority", "-I", "ben", "-n", PRINCIPALS["ben"], "-V", "-1d:+1d", folder / "fresh.pub"
    )
    keys.lines.clear()
    keys.allow("*@example.org", "authority", f'cert-authority,namespaces="{NAMESPACE}"')
    return "fresh-cert.pub"


async def test_a_certificate(court: Court) -> None:
    assert (await court.judge(await court.signed(_certificate(court.keys))))[0] == "ben"


async def test_a_certificate_for_somebody_else(court: Court) -> None:
    key = _certificate(court.keys)
    folder = court.keys.folder
    (folder / key).unlink()
    keygen("-q", "-s", folder / "authority", "-I", "x", "-n", "eve@example.org", folder / "fresh.pub")
    said = await court.refused(await court.signed(key))
    assert "belongs to eve@example.org, not to ben@example.org" in said


async def test_a_certificate_that_has_expired(court: Court) -> None:
    key = _certificate(court.keys)
    folder = court.keys.folder
    (folder / key).unlink()
    keygen("-q", "-s", folder / "authority", "-I", "x", "-n", PRINCIPALS["ben"], "-V", "-3d:-1d", folder / "fresh.pub")
    assert "has expired" in await court.refused(await court.signed(key))


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
async def test_kinds_of_keys(court: Court, kind: str) -> None:
    court.keys.make("fresh", kind=kind)
    court.keys.allow(PRINCIPALS["ben"], "fresh")
    assert (await court.judge(await court.signed("fresh")))[0] == "ben"
