"""The verdicts of `slots`, `objects` and `pin_counter`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from checks.evidence.objects import ObjectTable
from checks.evidence.pin_counter import PinCounter
from checks.evidence.slots import SlotTable
from checks.hsm import errors
from checks.hsm.guard import login
from checks.hsm.objects import ObjectParams, Objects
from checks.hsm.pin_counter import PinCounterCheck, PinCounterParams
from checks.hsm.pool import TokenPool
from checks.hsm.sign_test import SignTestCheck
from checks.hsm.slots import SlotParams, Slots
from runbook.errors import UsageError
from runbook.outcome import Outcome, Verdict
from runbook.secrets import Redactor
from tests.fake_context import FakeContext
from tests.hsm.shim import C_LOGIN, Shim
from tests.softhsm import LABEL, MODULE, PIN, SoftHsm

MakeContext = Callable[..., FakeContext]


async def slots(ctx: FakeContext, **expect: object) -> tuple[Outcome, SlotTable]:
    outcome = await Slots(SlotParams.model_validate({"token": "intermediate", "expect": expect})).run(ctx)
    (table,) = outcome.evidence
    assert isinstance(table, SlotTable)
    return outcome, table


class TestSlots:
    """Which token is there."""

    async def test_the_one_that_is_meant(self, context: MakeContext, softhsm: SoftHsm) -> None:
        outcome, table = await slots(context(softhsm.site()), count=1, label=LABEL, serial=softhsm.serials[LABEL])
        assert outcome.verdict is Verdict.PASSED
        assert len(table.slots) == 2
        selected = next(slot for slot in table.slots if slot.slot_id == table.selected)
        assert selected.token
        assert selected.token.serial == softhsm.serials[LABEL]
        assert selected.token.max_pin == 255

    async def test_another_serial_than_on_paper_stands_beside_it(self, context: MakeContext, softhsm: SoftHsm) -> None:
        outcome, table = await slots(context(softhsm.site()), serial="DENK0100001")
        assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "wrong serial")
        assert softhsm.serials[LABEL] in outcome.summary
        assert "DENK0100001" in outcome.summary
        assert table.expected_serial == "DENK0100001"

    async def test_another_serial_than_in_the_profile(self, context: MakeContext, softhsm: SoftHsm) -> None:
        site = softhsm.site(intermediate=softhsm.profile(serial="DENK0100001"))
        outcome, table = await slots(context(site))
        assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "wrong serial")
        assert table.selected is None
        assert table.expected_serial == "DENK0100001"
        assert softhsm.serials[LABEL] in "\n".join(table.plain())

    async def test_another_label(self, context: MakeContext, softhsm: SoftHsm) -> None:
        outcome, _ = await slots(context(softhsm.site()), label="ccat-root")
        assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "wrong label")

    async def test_another_token(self, context: MakeContext, softhsm: SoftHsm) -> None:
        site = softhsm.site(intermediate=softhsm.profile(label="ccat-root", serial="DENK0100001"))
        outcome, _ = await slots(context(site))
        assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "other token")
        assert LABEL in outcome.summary

    async def test_two_tokens_where_one_is_expected(self, context: MakeContext, two_tokens: SoftHsm) -> None:
        outcome, table = await slots(context(two_tokens.site()))
        assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "two tokens")
        assert table.selected is not None
        assert two_tokens.serials["second"] in outcome.summary
        assert (await slots(context(two_tokens.site()), count=2))[0].verdict is Verdict.PASSED

    async def test_fewer_tokens_than_expected(self, context: MakeContext, softhsm: SoftHsm) -> None:
        outcome, _ = await slots(context(softhsm.site()), count=2)
        assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "no token")

    async def test_an_uninitialised_token(self, context: MakeContext, empty_softhsm: SoftHsm) -> None:
        outcome, table = await slots(context(empty_softhsm.site()))
        assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, "token not initialised")
        assert "[not initialised]" in "\n".join(table.plain())


async def objects(ctx: FakeContext, *expect: dict[str, Any], **more: object) -> tuple[Outcome, ObjectTable]:
    params = ObjectParams.model_validate({"token": "intermediate", "expect": expect, **more})
    outcome = await Objects(params).run(ctx)
    (table,) = outcome.evidence
    assert isinstance(table, ObjectTable)
    return outcome, table


def public(key_id: str, **more: object) -> dict[str, Any]:
    return {"id": key_id, "key_type": "EC P-384", **more}


ALL = (public("01"), public("02"), public("03"))


class TestObjects:
    """Which keys are there."""

    async def test_the_expected_keys_without_a_login(self, context: MakeContext, softhsm: SoftHsm) -> None:
        ctx = context(softhsm.site())
        outcome, table = await objects(ctx, *ALL)
        assert outcome.verdict is Verdict.PASSED
        assert [item.id for item in table.objects] == ["01", "02", "03"]
        assert ctx.operator.requests == []

    @pytest.mark.parametrize(
        ("expect", "symptom", "said"),
        [
            (public("09"), "key missing", "public key 09 is missing"),
            (public("04"), "key doubled", "public key 04 is there 2 times"),
            (public("05"), "wrong key type", "public key 05 is RSA 2048, expected EC P-384"),
            (public("01", label="root"), "wrong key label", "labelled 'key 01', expected 'root'"),
            (public("01", attributes={"local": False}), "wrong attribute", "public key 01 is local"),
            (public("01", attributes={"sensitive": True}), "wrong attribute", "does not say whether"),
            ({"id": "01", "class": "private key"}, "key missing", "private key 01 is missing"),
            ({"id": "01", "class": "certificate"}, "key missing", "certificate 01 is missing"),
        ],
    )
    async def test_what_differs_is_named(
        self, context: MakeContext, softhsm: SoftHsm, expect: dict[str, Any], symptom: str, said: str
    ) -> None:
        softhsm.keypair("04")
        softhsm.keypair("04")
        softhsm.keypair("05", "rsa:2048")
        outcome, _ = await objects(context(softhsm.site()), expect, surplus="allow")
        assert (outcome.verdict, outcome.symptom) == (Verdict.FAILED, symptom)
        assert said in outcome.summary

    @pytest.mark.parametrize(
        ("surplus", "verdict"), [("warn", Verdict.WARNED), ("fail", Verdict.FAILED), ("allow", Verdict.PASSED)]
    )
    async def test_a_surplus_key_is_named(
        self, context: MakeContext, softhsm: SoftHsm, surplus: str, verdict: Verdict
    ) -> None:
        softhsm.keypair("07", name="left\x1b[2Jover")
        outcome, table = await objects(context(softhsm.site()), *ALL, surplus=surplus)
        assert outcome.verdict is verdict
        assert len(table.surplus) == 1
        assert table.surplus[0].startswith("public key 07 'left")
        assert "\x1b" not in outcome.summary + "".join(table.plain())

    async def test_private_keys_and_their_attributes_after_a_login(
        self, context: MakeContext, softhsm: SoftHsm
    ) -> None:
        kept = {"sensitive": True, "extractable": False, "never_extractable": True, "local": True}
        expect = [{**public(key_id), "class": "private key", "attributes": kept} for key_id in ("01", "02", "03")]
        ctx = context(softhsm.site(), PIN)
        outcome, table = await objects(ctx, *expect, login=True)
        assert outcome.verdict is Verdict.PASSED
        assert len(ctx.operator.requests) == 1
        private = [item for item in table.objects if item.object_class == "CKO_PRIVATE_KEY"]
        assert [(item.key_type, item.extractable, item.always_sensitive) for item in private] == [
            ("EC P-384", False, True)
        ] * 3

    async def test_a_login_without_an_answer_leaves_the_step_in_doubt(self, context: MakeContext, shim: Shim) -> None:
        ctx = context(shim.token.site(intermediate=shim.profile()), PIN)
        shim.faults(f"fault {C_LOGIN} crash-after")
        outcome = await Objects(
            ObjectParams.model_validate({"token": "intermediate", "expect": ALL, "login": True})
        ).run(ctx)
        assert (outcome.verdict, outcome.symptom) == (Verdict.IN_DOUBT, "login in doubt")

    @pytest.mark.parametrize("key_id", ["", "zz", "0x", "01 02", "123", 1])
    def test_an_id_is_written_in_hex(self, key_id: object) -> None:
        with pytest.raises(ValidationError):
            ObjectParams.model_validate({"token": "t", "expect": [{"id": key_id}]})

    def test_expecting_nothing_checks_nothing(self) -> None:
        with pytest.raises(ValidationError):
            ObjectParams.model_validate({"token": "t", "expect": []})


def counter(state: str, tries: int | None = None) -> PinCounter:
    return PinCounter(token="t", state=state, flags=(), tries_left=tries, tries_max=3, source="test")


class TestPinCounter:
    """How many attempts are left."""

    @pytest.mark.parametrize(
        ("state", "tries", "minimum", "verdict", "symptom"),
        [
            ("full", 3, None, Verdict.PASSED, ""),
            ("full", 3, 3, Verdict.PASSED, ""),
            ("full", 3, 5, Verdict.FAILED, "pin low"),
            ("low", 2, None, Verdict.WARNED, "pin low"),
            ("low", 2, 2, Verdict.WARNED, "pin low"),
            ("low", 2, 3, Verdict.FAILED, "pin low"),
            ("low", None, 2, Verdict.WARNED, "pin low"),
            ("low", None, 3, Verdict.FAILED, "pin low"),
            ("final try", 1, None, Verdict.FAILED, "pin final try"),
            ("final try", 1, 1, Verdict.FAILED, "pin final try"),
            ("locked", 0, None, Verdict.FAILED, "pin locked"),
            ("unknown", None, None, Verdict.PASSED, ""),
            ("unknown", None, 2, Verdict.WARNED, "pin counter unknown"),
        ],
    )
    def test_the_verdict(
        self, state: str, tries: int | None, minimum: int | None, verdict: Verdict, symptom: str
    ) -> None:
        params = PinCounterParams(token="t", minimum=minimum)
        outcome = PinCounterCheck(params).judge(counter(state, tries))
        assert (outcome.verdict, outcome.symptom) == (verdict, symptom)
        if state == "unknown":
            assert "unknown" in outcome.summary
            assert "tries left: unknown" in "\n".join(outcome.evidence[0].plain())

    async def test_softhsm_has_no_number(self, context: MakeContext, softhsm: SoftHsm) -> None:
        ctx = context(softhsm.site())
        outcome = await PinCounterCheck(PinCounterParams(token="intermediate")).run(ctx)
        assert outcome.verdict is Verdict.PASSED
        (found,) = outcome.evidence
        assert isinstance(found, PinCounter)
        assert (found.state, found.tries_left, found.tries_max) == ("unknown", None, None)

    async def test_a_smartcard_hsm_has_one(self, context: MakeContext, shim: Shim, tmp_path: Path) -> None:
        tool = tmp_path / "bin" / "sc-hsm-tool"
        tool.parent.mkdir()
        tool.write_text("#!/bin/sh\necho 'SO-PIN tries left    : 15'\necho 'User PIN tries left  : 2'\n")
        tool.chmod(0o755)
        profile = shim.profile(PATH=f"{tool.parent}:{os.environ['PATH']}")
        ctx = context(shim.token.site(intermediate=profile), PIN)
        shim.faults("manufacturer www.CardContact.de", "model PKCS#15 emulated", "flags 0x10000")
        check = PinCounterCheck(PinCounterParams(token="intermediate", minimum=2))
        outcome = await check.run(ctx)
        assert (outcome.verdict, outcome.symptom) == (Verdict.WARNED, "pin low")
        (found,) = outcome.evidence
        assert isinstance(found, PinCounter)
        assert (found.tries_left, found.tries_max, found.so_tries_left) == (2, 3, 15)
        assert found.flags == ("CKF_USER_PIN_COUNT_LOW",)


def pkcs11_spy() -> str:
    """OpenSC's module that prints every call, and with it every PIN."""
    return str(next(Path("/usr/lib").glob("*/pkcs11/pkcs11-spy.so")))


class TestPool:
    """Tokens by their names in the site profile."""

    async def test_an_unknown_token_is_suggested(self, softhsm: SoftHsm) -> None:
        pool = await TokenPool.open(softhsm.site(), Redactor())
        with pytest.raises(UsageError) as raised:
            pool.token("intermediat")
        assert "intermediate" in raised.value.remedy
        await pool.close()

    async def test_the_pins_the_module_prints_are_removed(self, context: MakeContext, softhsm: SoftHsm) -> None:
        """OpenSC's own spy module writes every PIN it sees to its output."""
        profile = softhsm.profile(module=pkcs11_spy(), PKCS11SPY=MODULE)
        ctx = context(softhsm.site(intermediate=profile), PIN)
        token = ctx.pool.token("intermediate")
        await login(ctx, token, "to see what is printed")
        worker = token._link.worker
        assert worker
        os.kill(worker.pid, 9)
        with pytest.raises(errors.WorkerCrashed, match="last words") as raised:
            await token.logout()
        hexed = PIN.encode().hex(" ")
        assert PIN in worker.printed or hexed in worker.printed
        assert PIN not in raised.value.what
        assert hexed not in raised.value.what


def test_every_symptom_a_token_can_cause_is_declared() -> None:
    def children(base: type[errors.TokenError]) -> set[type[errors.TokenError]]:
        return {base}.union(*(children(child) for child in base.__subclasses__()))

    every = children(errors.TokenError)
    assert len({error.symptom for error in every}) == len(every)
    for kind in (Slots, Objects, PinCounterCheck, SignTestCheck):
        assert {error.symptom for error in every} <= set(kind.symptoms)
        assert all(kind.symptoms.values())
