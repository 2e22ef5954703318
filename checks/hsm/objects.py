"""The check `objects`: are exactly the expected keys on the token, and are they protected as they should be?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field

from checks.evidence.objects import ObjectInfo, ObjectTable
from checks.hsm.errors import SYMPTOMS, KeyDoubled, KeyMissing, LoginInDoubt, WrongKeyType
from checks.hsm.key_id import KeyId
from runbook.fields import Model
from runbook.kind import Check, Params, TokenName
from runbook.outcome import Outcome

if TYPE_CHECKING:
    from checks.hsm.records import ObjectRecord
    from runbook.context import Context

ClassName = Literal["public key", "private key", "secret key", "certificate", "data"]

_ADVICE: Final[dict[str, str]] = {
    "key missing": KeyMissing.advice,
    "key doubled": KeyDoubled.advice,
    "wrong key type": WrongKeyType.advice,
    "wrong attribute": "Stop. Find out how this key came onto the token before it is used for anything.",
    "wrong key label": "Compare the label with the ceremony's record; the id decides which key it is.",
    "surplus key": "Find out who made the further object, and when.",
}

_CLASSES: Final[dict[str, str]] = {
    "public key": "CKO_PUBLIC_KEY",
    "private key": "CKO_PRIVATE_KEY",
    "secret key": "CKO_SECRET_KEY",
    "certificate": "CKO_CERTIFICATE",
    "data": "CKO_DATA",
}


class Attributes(Model):
    """What a key's attributes must say (PKCS#11 v2.40 §4.4, §4.9); those left out are not judged."""

    sensitive: bool | None = Field(None, description="CKA_SENSITIVE: it never leaves the token in plain text.")
    extractable: bool | None = Field(None, description="CKA_EXTRACTABLE: it can be wrapped and taken out.")
    always_sensitive: bool | None = Field(None, description="CKA_ALWAYS_SENSITIVE: it has been so ever since.")
    never_extractable: bool | None = Field(None, description="CKA_NEVER_EXTRACTABLE: it could never be taken out.")
    local: bool | None = Field(None, description="Generated on the token.")


class ExpectedObject(Model):
    """One object that must be there exactly once."""

    id: KeyId
    class_: ClassName = Field("public key", alias="class", description="Private keys are seen only with `login: true`.")
    key_type: str = Field("", description="For example `EC P-384` or `RSA 2048`; empty: any.", examples=["EC P-384"])
    label: str | None = Field(None, description="CKA_LABEL; left out: any.", examples=["intermediate"])
    attributes: Attributes = Field(
        Attributes(), description="What its attributes must say.", examples=[{"sensitive": True, "extractable": False}]
    )

    @property
    def object_class(self) -> str:
        return _CLASSES[self.class_]

    def __str__(self) -> str:
        return f"{self.class_} {self.id}"


class ObjectParams(Params):
    """What `objects` takes."""

    token: TokenName
    expect: tuple[ExpectedObject, ...] = Field(
        min_length=1, description="The objects that must be there.", examples=[[{"id": "01", "key_type": "EC P-384"}]]
    )
    login: bool = Field(False, description="Log in first, so that private keys are seen; asks for the PIN.")
    surplus: Literal["warn", "fail", "allow"] = Field(
        "warn", description="What a further object of an expected class means."
    )


@dataclass
class _Findings:
    """What was found, as the evidence shows it; `symptoms` in the order of weight."""

    missing: list[str] = field(default_factory=list)
    surplus: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    symptoms: list[str] = field(default_factory=list)


class Objects(Check[ObjectParams]):
    """Each expected key is on the token exactly once, with its type and attributes; further ones are named.

    Reads public keys without a login (playbook §A3); with `login: true` it asks for the PIN and sees private keys.
    """

    name = "objects"
    Params = ObjectParams
    evidence = (ObjectTable,)
    symptoms = SYMPTOMS | {
        "wrong attribute": "A key's attribute is not what it should be, or the token does not say.",
        "wrong key label": "A key has another label than expected.",
        "surplus key": "The token holds an object that was not expected.",
    }
    loads = ("checks.hsm.pool", "checks.hsm.guard")

    async def run(self, ctx: Context) -> Outcome:
        from checks.hsm.guard import in_doubt, login
        from checks.hsm.pool import use_token

        token = await use_token(ctx, self.params.token)
        info = await token.info()
        if self.params.login:
            try:
                await login(ctx, token, "reading the private keys and their attributes")
            except LoginInDoubt as error:
                return in_doubt(error)
        records = sorted(await token.objects(), key=lambda record: (record.id, record.object_class))
        return self.judge(info.name, records)

    def judge(self, token: str, records: Sequence[ObjectRecord]) -> Outcome:
        """The verdict on these objects."""
        findings = _Findings()
        for expected in self.params.expect:
            self._judge_one(expected, records, findings)
        findings.surplus = [_described(record) for record in self._surplus(records)]
        table = ObjectTable(
            token=token,
            objects=tuple(map(object_info, records)),
            expected_ids=tuple(expected.id for expected in self.params.expect),
            missing=tuple(findings.missing),
            surplus=tuple(findings.surplus),
            problems=tuple(findings.problems),
        )
        if findings.symptoms:
            said = [*(f"{name} is missing" for name in findings.missing), *findings.problems]
            symptom = findings.symptoms[0]
            return Outcome.failed("; ".join(said), table, symptom=symptom, remedy=_ADVICE[symptom])
        summary = f"{len(self.params.expect)} expected objects are there"
        if findings.surplus and self.params.surplus != "allow":
            judged = Outcome.failed if self.params.surplus == "fail" else Outcome.warned
            said_of_it = f"{summary}; not expected: {', '.join(findings.surplus)}"
            return judged(said_of_it, table, symptom="surplus key", remedy=_ADVICE["surplus key"])
        return Outcome.passed(summary, table)

    def _judge_one(self, expected: ExpectedObject, records: Sequence[ObjectRecord], findings: _Findings) -> None:
        found = [
            record
            for record in records
            if record.object_class == expected.object_class and record.id.hex() == expected.id
        ]
        if not found:
            findings.missing.append(str(expected))
            findings.symptoms.insert(0, "key missing")
        elif len(found) > 1:
            findings.problems.append(f"{expected} is there {len(found)} times")
            findings.symptoms.append("key doubled")
        else:
            for symptom, sentence in _differences(expected, found[0]):
                findings.problems.append(sentence)
                findings.symptoms.append(symptom)

    def _surplus(self, records: Sequence[ObjectRecord]) -> Iterator[ObjectRecord]:
        """Objects of a class that is expected at all, with an id that is not."""
        expected = {(item.object_class, item.id) for item in self.params.expect}
        classes = {object_class for object_class, _ in expected}
        for record in records:
            if record.object_class in classes and (record.object_class, record.id.hex()) not in expected:
                yield record


def object_info(record: ObjectRecord) -> ObjectInfo:
    """The record as evidence."""
    from checks.hsm.keys import key_type_of

    return ObjectInfo(
        object_class=record.object_class,
        id=record.id.hex(),
        label=record.label,
        key_type=key_type_of(record),
        sensitive=record.sensitive,
        extractable=record.extractable,
        always_sensitive=record.always_sensitive,
        never_extractable=record.never_extractable,
        local=record.local,
    )


def _differences(expected: ExpectedObject, record: ObjectRecord) -> Iterator[tuple[str, str]]:
    info = object_info(record)
    if expected.key_type and info.key_type.casefold() != expected.key_type.casefold():
        yield "wrong key type", f"{expected} is {info.key_type or 'of no key type'}, expected {expected.key_type}"
    if expected.label is not None and record.label != expected.label:
        yield "wrong key label", f"{expected} is labelled {info.label!r}, expected {expected.label!r}"
    for name, wanted in expected.attributes.model_dump(exclude_none=True).items():
        said = getattr(info, name)
        if said is None:
            yield "wrong attribute", f"the token does not say whether {expected} is {name.replace('_', ' ')}"
        elif said != wanted:
            yield "wrong attribute", f"{expected} is {'' if said else 'not '}{name.replace('_', ' ')}"


def _described(record: ObjectRecord) -> str:
    info = object_info(record)
    names = {value: key for key, value in _CLASSES.items()}
    return f"{names.get(record.object_class, record.object_class)} {info.id} {info.label!r} {info.key_type}".rstrip()
