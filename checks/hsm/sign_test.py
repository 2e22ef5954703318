"""The check `sign_test`: does the key on the token sign, and is it the key it should be?"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from checks.artefacts.symptoms import SYMPTOMS as ARTEFACT_SYMPTOMS
from checks.evidence.sign_test import SignTest
from checks.hsm.errors import SYMPTOMS, LoginInDoubt
from checks.hsm.key_id import KeyId
from runbook.kind import Check, Params, TokenName
from runbook.outcome import Outcome
from runbook.paths import resolve

if TYPE_CHECKING:
    from checks.hsm.keys import TokenKey
    from checks.hsm.signing import Plan
    from checks.hsm.token import Token
    from runbook.context import Context

_NONCE_BYTES = 16

_BAD = "Stop and diagnose: run the step again once; if it is bad again, do not use this token."
_OTHER = "Stop. This is not the token the artefact was made with, or the artefact was changed."


class SignTestParams(Params):
    """What `sign_test` takes."""

    token: TokenName
    key: KeyId
    mechanism: str = Field(
        "",
        description="For example `ECDSA-SHA384`; left out: what suits the key. Hashed in software where needed.",
        examples=["ECDSA-SHA384"],
    )
    artefact: str = Field(
        "",
        description="A certificate or public key file that must verify the signature too.",
        examples=["{{ export_usb }}/intermediate_ca.crt"],
    )


class SignTestCheck(Check[SignTestParams]):
    """The key on the token signs a readable statement, and the signature is verified without the token (playbook §A3).

    What is signed says that it is no certificate, so that nobody can construe one from it. Verified with the public
    key read from the token, and with the artefact where one is given. Asks for the PIN, once.
    """

    name = "sign_test"
    Params = SignTestParams
    evidence = (SignTest,)
    symptoms: ClassVar = {
        **SYMPTOMS,
        **ARTEFACT_SYMPTOMS,
        "bad signature": "The signature does not verify with the token's own public key.",
        "other key": "The signature verifies with the token's public key and not with the artefact's.",
    }
    loads = ("checks.hsm.pool", "checks.hsm.guard", "checks.hsm.signing", "checks.artefacts.keys")

    async def run(self, ctx: Context) -> Outcome:
        from checks.artefacts.keys import Artefact, load_artefact
        from checks.hsm.guard import in_doubt, login
        from checks.hsm.pool import use_token
        from checks.hsm.signing import plan

        token = await use_token(ctx, self.params.token)
        key = await token.public_key(bytes.fromhex(self.params.key))
        artefact: Artefact | None = None
        if self.params.artefact:
            artefact = await load_artefact(resolve(ctx.folder, self.params.artefact))
        how = plan(key.public_key, await token.mechanisms(), self.params.mechanism)
        try:
            await login(ctx, token, f"one test signature with key {key.key_id}")
        except LoginInDoubt as error:
            return in_doubt(error)
        return await self._sign(ctx, token, key, how, artefact.public_key if artefact else None)

    async def _sign(self, ctx: Context, token: Token, key: TokenKey, how: Plan, other: object) -> Outcome:
        from checks.hsm.signing import verify

        statement = " | ".join(("NOT A CERTIFICATE", ctx.run_id, ctx.step_id, secrets.token_hex(_NONCE_BYTES)))
        ctx.progress(f"signing: {statement}")
        raw = statement.encode()
        signature = await token.sign(bytes.fromhex(self.params.key), how.mechanism, how.message(raw))
        info = await token.info()
        test = SignTest(
            token=info.name,
            key_id=key.key_id,
            key_type=key.key_type,
            statement=statement,
            mechanism=how.mechanism,
            hashed_by=how.hashed_by,
            signature=signature.hex(),
            verified_by_token_key=verify(key.public_key, how, signature, raw),
            artefact=self.params.artefact,
            verified_by_artefact=verify(other, how, signature, raw) if other else None,
        )
        return _judge(test, key)


def _judge(test: SignTest, key: TokenKey) -> Outcome:
    from checks.hsm.signing import signature_length

    expected = signature_length(key.public_key)
    if test.length != expected:
        return Outcome.failed(
            f"the signature has {test.length} bytes, expected {expected}", test, symptom="bad signature", remedy=_BAD
        )
    if not test.verified_by_token_key:
        return Outcome.failed(
            "the signature does not verify with the token's own public key",
            test,
            symptom="bad signature",
            remedy=_BAD,
        )
    if test.verified_by_artefact is False:
        said = f"the signature does not verify with {test.artefact}"
        return Outcome.failed(said, test, symptom="other key", remedy=_OTHER)
    return Outcome.passed(f"key {test.key_id} ({test.key_type}) signs; {test.length} bytes, verified", test)
