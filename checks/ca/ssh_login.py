"""The check `ca.ssh_login`: an SSH user certificate of the CA lets its holder in at a host (playbook, §H2)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from pydantic import Field, field_validator

from checks.artefacts.formats import Format
from checks.artefacts.symptoms import SYMPTOMS as ARTEFACT_SYMPTOMS
from checks.ca.errors import SYMPTOMS as SERVER_SYMPTOMS
from checks.ca.provisioners import SYMPTOMS as KEY_SYMPTOMS
from checks.ca.server import ProvisionerParams, client_of
from checks.evidence.ssh_login import SshLogin
from checks.hosts.errors import SYMPTOMS as HOST_SYMPTOMS
from checks.hosts.errors import HostError, NotLetIn
from checks.hosts.fleet import HostOrGroup
from checks.hosts.hosts import Hosts
from checks.time_left import time_left
from runbook.context import Context
from runbook.fields import Line, OneOrMore
from runbook.kind import Check
from runbook.outcome import Outcome
from runbook.paths import resolve
from runbook.site import LOCAL
from runbook.text import clean_line
from runbook.threads import in_thread
from runbook.wiping import wipe

if TYPE_CHECKING:
    from checks.ca.ssh_found import SshFound
    from checks.hosts.channel import Connection

_LET_IN: Final = "let in by: "
_CERTIFICATE: Final = "-cert-v01@openssh.com"

Principal = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.][A-Za-z0-9_.@-]{0,63}$")]
"""An account's name, or another by which hosts let in."""


class SshLoginParams(ProvisionerParams):
    """Which authority, as which provisioner, and where its certificate must let in."""

    user_ca: Line = Field(
        description="The exported public key of the SSH user CA; relative to the runbook's folder.",
        examples=["{{ export_usb }}/ssh_user_ca.pub"],
    )
    on: HostOrGroup = Field(
        description="The host to log in at: one of the site profile, never this machine.", examples=["input-b"]
    )
    user: Principal = Field(description="The account there.", examples=["anna"])
    principals: Annotated[tuple[Principal, ...], OneOrMore] = Field(
        (), description="For whom the certificate is asked for; without it, the account.", examples=[["anna"]]
    )
    key_id: str = Field(
        "",
        pattern=r"^[A-Za-z0-9_.@-]{0,128}$",
        description="The certificate's key id, which the host logs; empty: the first principal.",
        examples=["anna@example.org"],
    )
    minutes: int = Field(10, ge=5, le=60 * 24, description="How long the certificate is valid.", examples=[5])

    @field_validator("on")
    @classmethod
    def _elsewhere(cls, on: str) -> str:
        if on in ("", LOCAL):
            raise ValueError("name a host of the site profile: nobody logs in at this machine by SSH")
        return on

    @property
    def names(self) -> tuple[str, ...]:
        """The principals."""
        return self.principals or (self.user,)


class SshLoginCheck(Check[SshLoginParams]):
    """The CA issues an SSH user certificate, signed by the exported SSH user CA, and a host lets its holder in.

    The password opens the provisioner's key in memory. A fresh key gets a certificate over the CA's API, which is
    judged here and by `ssh-keygen -L`; then the host is asked in with exactly this key and certificate and nothing
    else, its own key judged as ever, and runs `true`. Key and certificate are gone afterwards.
    """

    name = "ca.ssh_login"
    Params = SshLoginParams
    evidence = (SshLogin,)
    symptoms: ClassVar = {
        **SERVER_SYMPTOMS,
        **KEY_SYMPTOMS,
        **ARTEFACT_SYMPTOMS,
        **HOST_SYMPTOMS,
        "refused": "The authority does not take the one-time token, or does not give what was asked for.",
        "ssh ca off": "The authority signs no SSH certificates.",
        "another ssh ca": "Critical: the certificate was signed by another key than the exported SSH user CA.",
        "wrong certificate": "The certificate is for another key, for somebody else, or no user certificate.",
        "principal missing": "The certificate is not for a principal that was asked for.",
        "not valid": "The certificate is not valid at this time.",
        "ssh-keygen disagrees": "OpenSSH's own program reads something else in the certificate.",
        "let in otherwise": "The host let us in by something else than the certificate.",
        "command failed": "The host let us in, but `true` did not end well there.",
        "no place": "There is no folder on this machine for the key and the certificate.",
        "program not found": "There is no `ssh-keygen` on this machine.",
    }
    loads = ("checks.ca.client", "checks.ca.jwk", "checks.ca.ssh_found", "checks.ca.ssh_judging")

    def plan(self) -> tuple[str, ...]:
        given = self.params
        return (
            f"ask {given.url} for an SSH user certificate for {', '.join(given.names)}, as the provisioner "
            f"{given.provisioner}",
            *given.shown,
            f"  it must be signed by the key in {given.user_ca}, also for `ssh-keygen -L`",
            f"ssh -i KEY -o CertificateFile=CERTIFICATE -o IdentitiesOnly=yes -o IdentityAgent=none -l {given.user} "
            f"{given.on} true",
        )

    async def run(self, ctx: Context) -> Outcome:
        from checks.artefacts.keys import load_artefact
        from checks.ca.login_files import login_files
        from checks.ca.provisioners import ask_key
        from checks.ca.ssh_found import SshFound
        from checks.ca.ssh_issuing import issue_ssh, ssh_request
        from checks.ca.ssh_judging import judge_printed, judge_ssh, print_certificate
        from checks.files.programs import find_program

        given = self.params
        # Everything that can fail without the password comes first.
        find_program("ssh-keygen", None, None)
        ca = await load_artefact(resolve(ctx.folder, given.user_ca), (Format.OPENSSH_PUBLIC,))
        hosts = await ctx.use(Hosts)
        await hosts.members(given.on)
        hosts.profile(given.on)
        client = await client_of(given, ctx)
        key = await ask_key(client, given.provisioner, ctx, given.ask)
        wanted = await in_thread(lambda: ssh_request(given.key_id or given.names[0], given.names))
        issued = await issue_ssh(client, key, wanted, root="", minutes=given.minutes)
        del key
        private = await in_thread(wanted.private)
        try:
            async with login_files(private, f"{issued.line} {wanted.key_id}\n") as files:
                wipe(private)
                judged = await in_thread(lambda: list(judge_ssh(issued, wanted, ca)))
                printed = await print_certificate(files.certificate, time_left(ctx))
                judged.append(judge_printed(printed, wanted, ca))
                said = SshFound(given, client.where, issued, ca=ca, judged=judged, printed=printed.lines)
                if not said.right:
                    return said.outcome()
                ctx.progress(f"the CA has signed; now {given.user} at {given.on}")
                try:
                    connection = await hosts.login(given.on, given.user, files, ctx.operator)
                except NotLetIn as error:
                    said.say("not let in", "", f"{given.on} does not let {given.user} in by it", holds=False)
                    return said.outcome(remedy=_why_not(given, error))
                try:
                    await _use(connection, said, ctx)
                finally:
                    await asyncio.shield(connection.close())
        finally:
            wipe(private)
        return said.outcome()


async def _use(connection: Connection, said: SshFound, ctx: Context) -> None:
    """Say by what the host let us in, and run `true` there. Raises HostError."""
    given = said.given
    said.reached(connection.shown)
    by = next((line for line in connection.shown if line.startswith(_LET_IN)), "")
    said.say(
        "let in otherwise",
        f"{given.on} lets {given.user} in by it",
        f"{given.on} lets {given.user} in by something else ({by.removeprefix(_LET_IN)})",
        holds=_CERTIFICATE in by,
    )
    try:
        async with asyncio.timeout(time_left(ctx)):
            channel = await connection.open("true")
            try:
                await channel.write_eof()
                ended, *_ = await asyncio.gather(channel.wait(), _drained(channel.stdout), _drained(channel.stderr))
            finally:
                await asyncio.shield(channel.close())
    except TimeoutError:
        said.say("command failed", "", "`true` did not end there in time", holds=False)
        return
    ends = f"`true` ended there with {ended.exit_code if ended.exit_code is not None else ended.signal}"
    said.say("command failed", "`true` runs there and ends well", ends, holds=ended.exit_code == 0)


async def _drained(stream: asyncio.StreamReader) -> None:
    """What a login shell says is nothing to us, but is to be taken so that it can go on."""
    while await stream.read(65536):
        pass


def _why_not(given: SshLoginParams, error: HostError) -> str:
    return (
        f"{clean_line(error.what, 600)} Look on the host whether `sshd -T` names a file with this SSH user CA "
        f"(trustedusercakeys), whether {given.user} is there and may be {' or '.join(given.names)}, at its clock, and "
        "at its sshd's log, which has the reason."
    )
