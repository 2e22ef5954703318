"""One token, found by what it shows; anything else is an error that lists what is there."""

from __future__ import annotations

import pytest

from checks.hsm import errors
from checks.hsm.records import SlotRecord, TokenRecord
from checks.hsm.selection import Wanted, choose, label_matches
from checks.hsm.token import Token
from checks.hsm.uri import UriError
from runbook.secrets import Redactor
from runbook.site import TokenProfile
from tests.softhsm import LABEL, MODULE, SoftHsm

INITIALISED = ("CKF_LOGIN_REQUIRED", "CKF_TOKEN_INITIALIZED")


def card(
    label: str, serial: str, *, flags: tuple[str, ...] = INITIALISED, model: str = "PKCS#15 emulated"
) -> TokenRecord:
    return TokenRecord(label, "www.CardContact.de", model, serial, flags, 6, 15, "24.13", "2.6", *[None] * 8, "")


def slots(*tokens: TokenRecord | None, trouble: str = "") -> list[SlotRecord]:
    return [
        SlotRecord(number, f"Nitrokey HSM {number}", "Nitrokey", (), "1.0", "1.0", token, trouble)
        for number, token in enumerate(tokens)
    ]


OURS = card("ccat-intermediate (UserPIN)", "DENK0100001")
OTHER_DEVICE = card("ccat-intermediate (UserPIN)", "DENK0100002")
ROOT = card("ccat-root (UserPIN)", "DENK0100003")
RENAMED = card("ccat-staging (UserPIN)", "DENK0100001")
BLANK = card("", "", flags=())
WANTED = Wanted(label="ccat-intermediate", serial="DENK0100001")


def test_the_token_is_found_wherever_it_sits() -> None:
    assert choose(slots(None, ROOT, BLANK, OURS), WANTED).slot_id == 3


@pytest.mark.parametrize(
    ("there", "error", "named"),
    [
        (slots(), errors.NoToken, "no slot"),
        (slots(None, None), errors.NoToken, "2 empty slots"),
        (slots(BLANK, None), errors.TokenNotInitialised, "an uninitialised token in `Nitrokey HSM 0`"),
        (slots(OTHER_DEVICE), errors.WrongSerial, "DENK0100002"),
        (slots(RENAMED), errors.WrongLabel, "ccat-staging"),
        (slots(ROOT), errors.OtherToken, "ccat-root"),
        (slots(ROOT, OTHER_DEVICE), errors.WrongSerial, "DENK0100003"),
        (slots(OURS, OURS), errors.TwoTokens, "Nitrokey HSM 1"),
        (slots(None, trouble="CKR_TOKEN_NOT_RECOGNIZED"), errors.TokenNotRecognised, "CKR_TOKEN_NOT_RECOGNIZED"),
        (slots(None, trouble="CKR_DEVICE_ERROR"), errors.TokenError, "CKR_DEVICE_ERROR"),
    ],
)
def test_anything_else_is_an_error_that_lists_what_is_there(
    there: list[SlotRecord], error: type[errors.TokenError], named: str
) -> None:
    with pytest.raises(error) as raised:
        choose(there, WANTED)
    assert type(raised.value) is error
    assert named in raised.value.what
    assert raised.value.remedy


def test_the_only_token_there_is_not_taken_for_that() -> None:
    with pytest.raises(errors.OtherToken):
        choose(slots(ROOT), Wanted(label="ccat-intermediate"))
    with pytest.raises(errors.OtherToken):
        choose(slots(ROOT), Wanted(serial="DENK0100001"))


def test_a_serial_is_compared_to_the_letter() -> None:
    with pytest.raises(errors.WrongSerial):
        choose(slots(OURS), Wanted(label="ccat-intermediate", serial="denk0100001"))


def test_two_devices_with_one_label_need_a_serial() -> None:
    with pytest.raises(errors.TwoTokens, match="DENK0100002"):
        choose(slots(OURS, OTHER_DEVICE), Wanted(label="ccat-intermediate"))
    assert choose(slots(OURS, OTHER_DEVICE), WANTED).slot_id == 0


@pytest.mark.parametrize(
    ("wanted", "found", "matches"),
    [
        ("ccat-intermediate", "ccat-intermediate", True),
        ("ccat-intermediate", "ccat-intermediate (UserPIN)", True),
        ("ccat-intermediate (UserPIN)", "ccat-intermediate (UserPIN)", True),
        ("a-label-of-nearly-all-32-bytes", "a-label-of-nearly-all-32-bytes (", True),
        ("ccat", "ccat-intermediate", False),
        ("ccat-intermediate", "ccat-intermediate (SOPIN)", False),
        ("ccat-intermediate", "CCAT-intermediate", False),
        ("ccat-intermediate (UserPIN)", "ccat-intermediate", False),
    ],
)
def test_only_what_opensc_appends_is_forgiven(wanted: str, found: str, matches: bool) -> None:
    assert label_matches(wanted, found) is matches


def test_foreign_labels_cannot_steer_the_terminal() -> None:
    with pytest.raises(errors.OtherToken) as raised:
        choose(slots(card("x\x1b]52;c;cGFzdGU=\x07", "1")), WANTED)
    assert "\x1b" not in str(raised.value)
    assert "\x07" not in str(raised.value)


@pytest.mark.parametrize(
    ("uri", "slot"),
    [
        ("pkcs11:serial=DENK0100001", 1),
        ("pkcs11:token=ccat-root;serial=DENK0100003", 0),
        ("pkcs11:token=ccat%2Dintermediate;manufacturer=www.CardContact.de;model=PKCS%2315%20emulated", 1),
    ],
)
def test_a_uri_selects(uri: str, slot: int) -> None:
    wanted = Wanted.from_profile(TokenProfile(module=MODULE, uri=uri))
    assert choose(slots(ROOT, OURS), wanted).slot_id == slot


def test_a_uri_whose_model_differs_selects_nothing() -> None:
    wanted = Wanted.from_profile(TokenProfile(module=MODULE, uri="pkcs11:serial=DENK0100001;model=SoftHSM%20v2"))
    with pytest.raises(errors.OtherToken):
        choose(slots(ROOT, OURS), wanted)


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("pkcs11:slot-id=0;serial=1", "slot number"),
        ("pkcs11:", "names neither"),
        ("pkcs11:model=x", "names neither"),
        ("pkcs11:serial=1;x-shelf=4", "x-shelf"),
    ],
)
def test_a_uri_that_names_no_token_is_refused(uri: str, why: str) -> None:
    with pytest.raises(UriError, match=why):
        Token("t", TokenProfile(module=MODULE, uri=uri), Redactor())


# -- on SoftHSM2 --------------------------------------------------------------------------------------------------


async def selected(softhsm: SoftHsm, profile: TokenProfile) -> str:
    token = Token("t", profile, Redactor())
    try:
        slot = await token.select()
        assert slot.token
        return slot.token.serial
    finally:
        await token.close()


async def test_softhsm_two_tokens(two_tokens: SoftHsm) -> None:
    first, second = two_tokens.serials[LABEL], two_tokens.serials["second"]
    assert await selected(two_tokens, two_tokens.profile()) == first
    assert await selected(two_tokens, two_tokens.profile(serial=second)) == second
    with pytest.raises(errors.TwoTokens) as raised:
        await selected(two_tokens, two_tokens.profile(serial=""))
    assert first in raised.value.what
    assert second in raised.value.what


async def test_softhsm_without_a_token_has_an_uninitialised_one(empty_softhsm: SoftHsm) -> None:
    with pytest.raises(errors.TokenNotInitialised, match="uninitialised token in `SoftHSM slot"):
        await selected(empty_softhsm, empty_softhsm.profile(serial="12345678"))


async def test_softhsm_wrong_serial(softhsm: SoftHsm) -> None:
    with pytest.raises(errors.WrongSerial, match=softhsm.serials[LABEL]):
        await selected(softhsm, softhsm.profile(serial="0123456789abcdef"))
