"""What surprises in OpenSC and its tools, met by the program's own code (and the facts themselves, on the tools)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from checks.hsm import errors, sc_hsm
from checks.hsm.objects import Objects
from checks.hsm.pin import read_counter
from checks.hsm.pin_counter import PinCounterCheck
from checks.hsm.place import Here
from checks.hsm.sign_test import SignTestCheck
from checks.hsm.slots import Slots
from checks.hsm.token import Token
from rehearsal.card import personalise
from runbook.outcome import Verdict
from runbook.secrets import Redactor, Secret
from tests.fake_context import FakeContext
from tests.hsm.cards import OPENSC, SERIAL, CardBench
from tests.hsm.shim import C_LOGIN, Shim
from tests.softhsm import LABEL, PIN

MakeContext = Callable[..., FakeContext]


@pytest.fixture
async def token(bench: CardBench) -> AsyncIterator[Token]:
    made = Token("intermediate", bench.profile(), Redactor())
    yield made
    await made.close()


async def test_the_label_has_a_suffix_and_is_found_by_the_name_the_ceremony_gave(token: Token) -> None:
    slot = await token.select()
    assert slot.token
    assert slot.token.label == f"{LABEL} (UserPIN)"
    assert slot.token.serial == SERIAL
    assert (slot.token.min_pin, slot.token.max_pin) == (6, 15)


async def test_the_empty_second_slot_is_shown_and_does_not_count(context: MakeContext, bench: CardBench) -> None:
    outcome = await Slots(Slots.Params.model_validate({"token": "intermediate"})).run(context(bench.site()))
    assert outcome.verdict is Verdict.PASSED
    (table,) = outcome.evidence
    assert [slot.token is not None for slot in table.slots] == [True, False]


async def test_objects_are_not_in_the_order_of_their_ids_and_are_shown_so(
    context: MakeContext, bench: CardBench, token: Token
) -> None:
    found = [record.id.hex() for record in await token.objects(None, "CKO_PUBLIC_KEY")]
    assert sorted(found) == ["01", "02"]
    assert found != sorted(found)
    params = {"token": "intermediate", "expect": [{"id": "01", "key_type": "EC P-384"}, {"id": "02"}]}
    outcome = await Objects(Objects.Params.model_validate(params)).run(context(bench.site()))
    assert outcome.verdict is Verdict.PASSED
    (table,) = outcome.evidence
    assert [item.id for item in table.objects if item.id] == ["01", "02"]  # OpenSC has a profile object too


async def test_the_tool_cannot_read_a_p384_key_and_the_program_can(bench: CardBench, token: Token) -> None:
    said = await bench.tool("pkcs11-tool", "--read-object", "--type", "pubkey", "--id", "01", "-o", "/dev/null")
    assert "cannot create EVP_PKEY" in said
    key = await token.public_key(b"\x01")
    assert key.key_type == "EC P-384"
    pem = await bench.tool("pkcs15-tool", "--read-public-key", "01")
    block = re.search(r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", pem, re.DOTALL)
    assert block
    assert key.public_key == load_pem_public_key(block[0].encode())


async def test_exit_codes_say_nothing_and_are_not_believed(bench: CardBench, token: Token) -> None:
    slot = await token.select()
    await bench.card.pull()
    await bench.reader.pcscd.wait_for_cards(0)
    assert (await bench.tool("sc-hsm-tool")).endswith("[0]")
    assert (await bench.tool("pkcs11-tool", "-L")).endswith("[0]")
    counters = await sc_hsm.counters(slot, Here(OPENSC, bench.env))
    assert (counters.user_tries, counters.so_tries) == (None, None)
    assert "Card not present" in counters.source
    with pytest.raises(errors.TokenError):
        await read_counter(token)
    await bench.reader.pcscd.stop()
    assert (await bench.tool("sc-hsm-tool")).endswith("[0]")
    assert (await sc_hsm.counters(slot, Here(OPENSC, bench.env))).user_tries is None


async def test_a_card_never_initialised_has_no_counter(bench: CardBench) -> None:
    personalise.manufacture(bench.folder / "fresh.card", serial="DENK0100005")
    await bench.card.pull()
    await bench.reader.pcscd.wait_for_cards(0)
    await bench.card.insert(bench.folder / "fresh.card")
    await bench.reader.pcscd.wait_for_cards(1)
    assert "never been initialized" in await bench.tool("sc-hsm-tool")
    token = Token("intermediate", bench.profile(serial="DENK0100005"), Redactor())
    with pytest.raises(errors.TokenError):
        await token.login(Secret.from_text(PIN))
    await token.close()


@pytest.mark.parametrize("pin", ["12345", "1234567890123456"])
async def test_a_pin_of_wrong_length_is_a_clear_no_of_opensc_and_costs_nothing(
    bench: CardBench, token: Token, pin: str
) -> None:
    """The guard never sends one. OpenSC has had several codes for it; none of them may be taken for a doubt."""
    with pytest.raises(errors.PinLength):
        await token.login(Secret.from_text(pin))
    assert (await bench.status()).user_checks == 0
    await token.login(Secret.from_text(PIN))


@pytest.mark.parametrize("code", [0x07, 0x21, 0xA2])
async def test_older_codes_for_a_wrong_length_are_no_doubt_either(shim: Shim, code: int) -> None:
    """CKR_ARGUMENTS_BAD, CKR_DATA_LEN_RANGE (OpenSC issue 1655) and CKR_PIN_LEN_RANGE."""
    shim.faults(f"fault {C_LOGIN} rv {code}")
    token = Token("intermediate", shim.profile(), Redactor())
    with pytest.raises(errors.TokenError) as raised:
        await token.login(Secret.from_text(PIN))
    assert not isinstance(raised.value, errors.LoginInDoubt)
    await token.close()


async def test_a_card_of_another_maker_is_told_as_that(bench: CardBench, token: Token) -> None:
    personalise.foreign(bench.folder / "other.card")
    await bench.card.pull()
    await bench.reader.pcscd.wait_for_cards(0)
    await bench.card.insert(bench.folder / "other.card")
    await bench.reader.pcscd.wait_for_cards(1)
    with pytest.raises(errors.TokenNotRecognised, match="Rehearsal reader 1"):
        await token.select()


async def test_stage_a_on_the_card_is_green(context: MakeContext, bench: CardBench) -> None:
    ctx = context(bench.site(), PIN)
    for kind, params in (
        (Slots, {}),
        (PinCounterCheck, {"minimum": 3}),
        (Objects, {"expect": [{"id": "01"}], "surplus": "allow"}),
        (SignTestCheck, {"key": "01"}),
        (SignTestCheck, {"key": "02", "mechanism": "ECDSA"}),
    ):
        outcome = await kind(kind.Params.model_validate({"token": "intermediate", **params})).run(ctx)
        assert outcome.verdict is Verdict.PASSED, outcome.summary
    status = await bench.status()
    assert (status.user_checks, status.user_tries) == (1, 3)
