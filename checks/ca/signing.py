"""The check `ca.signing`: a CA in a container signs with the token's keys, and with no others (playbook, §G8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from checks.artefacts.symptoms import SYMPTOMS as ARTEFACT_SYMPTOMS
from checks.ca.key_places import SYMPTOMS as KEY_SYMPTOMS
from checks.ca.key_proof import KeyProof
from checks.containers.container import container_named, container_state
from checks.containers.engine import connected
from checks.containers.refusals import SYMPTOMS as REFUSALS
from checks.containers.refusals import ContainerMissing, ContainerRestarting
from checks.evidence.containers import ContainerState
from checks.evidence.signing import SigningProof
from checks.hosts.command import Patterns
from runbook.context import Context
from runbook.fields import Line
from runbook.kind import Check, ContainerName, EngineName, Params
from runbook.outcome import Outcome
from runbook.paths import resolve

SYMPTOMS: Mapping[str, str] = {
    **REFUSALS,
    **ARTEFACT_SYMPTOMS,
    **KEY_SYMPTOMS,
    "not running": "The container does not run.",
    "unreadable": "Something could not be read in the container.",
    "no process": "The CA's process is not in the container.",
    "not mapped": "The CA's process has not loaded the PKCS#11 module.",
    "other module": "The CA's process has loaded another PKCS#11 module, or a token that is a file.",
    "replaced": "The module was replaced by another file since it was loaded.",
    "no device": "No pcscd of the container holds the device.",
    "other configuration": "The CA's process was started with another configuration.",
    "configuration changed": "The configuration was changed after the container had started.",
    "other intermediate": "The CA's intermediate certificate is another than the given one.",
}

InContainer = Annotated[str, Field(pattern=r"^/[^\x00]*$", max_length=4096)]


class SigningParams(Params):
    """Where the CA runs, and what it must be made of."""

    engine: EngineName
    container: ContainerName = Field(
        description="Its name; the site profile must have it under `containers`.", examples=["ccat-ca-step-ca-1"]
    )
    module: InContainer = Field(
        description="The PKCS#11 module, as the configuration names it.",
        examples=["/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"],
    )
    intermediate: Line = Field(
        description="The intermediate certificate's file here, by the runbook's folder.",
        examples=["{{ export_usb }}/intermediate_ca.crt"],
    )
    device: Patterns = Field(
        (r"^/dev/bus/usb/",),
        min_length=1,
        description="What pcscd must hold open: a pattern of which one must be found.",
        examples=[["/dev/bus/usb/*"]],
    )
    config: InContainer = Field(
        "/home/step/config/ca.json",
        description="The CA's configuration in the container.",
        examples=["/home/step/config/ca.json"],
    )
    process: str = Field(
        "step-ca", pattern=r"^[^\s/\x00]{1,15}$", description="The CA's program.", examples=["step-ca"]
    )


class Signing(Check[SigningParams]):
    """A CA in a container signs with the keys on the token: every sign of it, and none of another.

    Its process has the PKCS#11 module in its memory and no other that is or loads one, whatever its name; the
    container's pcscd holds the device; the configuration that the process was started with leads to PKCS#11 alone; and
    the intermediate certificate there is the given one, whose key was found on the token before.
    """

    name = "ca.signing"
    Params = SigningParams
    evidence = (SigningProof, ContainerState)
    symptoms: ClassVar = SYMPTOMS
    loads = ("docker", "checks.containers.transport", "checks.artefacts.keys")

    def plan(self) -> tuple[str, ...]:
        params = self.params
        run = f"docker exec {params.container}"
        own = f"docker exec --user UID:GID {params.container}"
        return (
            f"{run} ls /proc",
            f"{run} cat /proc/PID/status …",
            f"{own} cat /proc/PID/maps  (of {params.process}; with --privileged where the kernel refuses it)",
            f"{own} ls -ln /proc/PID/fd  (of pcscd)",
            f"docker cp {params.container}:{params.config} -",
            f"docker cp {params.container}:LIBRARY -  (each that is mapped)",
            f"compare its intermediate certificate with {params.intermediate}",
            f"on the engine {params.engine} of the site profile",
        )

    async def run(self, ctx: Context) -> Outcome:
        from checks.artefacts.keys import load_certificate

        expected = await load_certificate(resolve(ctx.folder, self.params.intermediate))
        async with connected(ctx, self.params.engine) as engine:
            said = await container_named(engine, self.params.container)
            state = container_state(engine, self.params.container, said)
            if state.status != "running":
                symptom = {"": ContainerMissing.symptom, "restarting": ContainerRestarting.symptom}.get(
                    state.status, "not running"
                )
                return Outcome.failed(f"container {state.container} is {state.state}", state, symptom=symptom)
            proof = KeyProof(self.params, engine, state.id)
            await proof.gather(expected, started=state.started)
        return proof.outcome()
