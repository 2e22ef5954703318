"""The site profile: this site's tokens and input values (design §1). `loader` builds it from YAML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from runbook.fields import Line, Model, Name, StepId

SITE_VERSION = 1

SIGNER_FILES = ("allowed_signers", "revoked_keys")
"""The keys of `two_people` that name files."""


HOST_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,252}$"
HostName = Annotated[str, Field(pattern=HOST_PATTERN)]
"""A host's or a group's name; it cannot be taken for an option."""

LOCAL = "local"
"""The name of this machine, which every site has."""


class HostProfile(Model):
    """A machine that steps may act on, reached as the operator's own `ssh` would reach it (ssh_config(5))."""

    ssh: str = Field(
        "",
        pattern=rf"{HOST_PATTERN}|^[0-9A-Fa-f:]*(%[A-Za-z0-9._-]+)?$",
        description="The alias or the address for `ssh`; empty: the name it has here.",
        examples=["input-b.example.org"],
    )
    user: str = Field(
        "", pattern=r"^[A-Za-z0-9_.][A-Za-z0-9_.@-]*$|^$", description="The account, as `ssh -l`.", examples=["anna"]
    )
    port: int = Field(
        0, ge=0, le=65_535, description="The port, as `ssh -p`; 0: as the ssh configuration says.", examples=[2222]
    )
    transport: Literal["auto", "paramiko", "openssh"] = Field(
        "auto",
        description="`auto`: the system's `ssh` where the host needs what paramiko does not have, "
        "such as host certificates.",
    )
    sudo: Literal["password", "free", "never", "unneeded"] = Field(
        "password",
        description="How to become root there: with a password if sudo asks, only without one, never, or there is no "
        "need since the account may do everything itself.",
    )
    keep_sudo_password: bool = Field(
        False, description="Keep the sudo password until the stage ends; otherwise it is asked for each time."
    )
    connect_seconds: int = Field(
        15, ge=1, le=300, description="How long connecting may take, without people's time.", examples=[15]
    )


class TokenProfile(Model):
    """A PKCS#11 token: the module that reaches it and what it must show to be the one meant.

    It is selected by serial and label together, or by an RFC 7512 URI; never by slot number.
    """

    module: Line = Field(
        description="Path of the PKCS#11 module (a shared library); relative to this file.",
        examples=["/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"],
    )
    label: str = Field(
        "",
        max_length=32,
        description="CK_TOKEN_INFO.label; `x` also matches OpenSC's `x (UserPIN)`.",
        examples=["intermediate"],
    )
    serial: str = Field("", max_length=16, description="CK_TOKEN_INFO.serialNumber.", examples=["DENK0100001"])
    uri: str = Field(
        "",
        description="Instead of label and serial: an RFC 7512 URI such as `pkcs11:serial=DENK0100001`.",
        examples=["pkcs11:token=intermediate;serial=DENK0100001"],
    )
    env: Mapping[str, str] = Field(
        default_factory=dict,
        description="Environment variables for the module, for example SOFTHSM2_CONF.",
        examples=[{"SOFTHSM2_CONF": "/srv/lab/softhsm2.conf"}],
    )

    via: str = Field(
        "", description="The host that the token is on; empty: this machine. `module` is a path there.", examples=["ca"]
    )
    sudo: bool = Field(False, description="Reach the module there as root (with `via`).")

    @property
    def far(self) -> bool:
        """Whether the token is on another machine."""
        return self.via not in ("", LOCAL)

    @model_validator(mode="after")
    def _selected(self) -> TokenProfile:
        if self.uri and (self.label or self.serial):
            raise ValueError("give either `uri` or `label` and `serial`, not both")
        if self.sudo and not self.far:
            raise ValueError("`sudo` is for a token on another host (`via`); a module here is used by this account")
        if not (self.uri or self.label or self.serial):
            raise ValueError("say which token is meant: `serial` and `label`, or `uri`")
        return self


ObjectName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$")]
"""The name of a container or of a volume, as Docker allows it: never a path."""


class EngineProfile(Model):
    """A Docker engine: on this machine, or on a host, where that host's own `docker` program reaches it."""

    on: str = Field("", description="The host that the engine is on; empty: this machine.", examples=["ca"])
    url: str = Field(
        "",
        pattern=r"^(unix:///[^\s]+)?$",
        description="Its socket as `unix:///PATH`; empty: what `docker` uses there, here /var/run/docker.sock.",
        examples=["unix:///var/run/docker.sock"],
    )
    sudo: bool = Field(False, description="Reach the engine there as root (with `on`).")
    name: str = Field(
        "",
        description="The name that the engine must give itself (`docker info`, Name); empty: any.",
        examples=["input-b"],
    )
    containers: tuple[ObjectName, ...] = Field(
        (),
        description="The containers there that steps may look at; no step ever touches another.",
        examples=[["ccat-ca-step-ca-1"]],
    )
    volumes: tuple[ObjectName, ...] = Field(
        (),
        description="The volumes there that steps may read and change; no step ever touches another.",
        examples=[["ccat-ca_step-ca-data"]],
    )

    @property
    def far(self) -> bool:
        """Whether the engine is on another machine."""
        return self.on not in ("", LOCAL)

    @property
    def socket(self) -> str:
        """The socket's path, for an engine of this machine."""
        return self.url.removeprefix("unix://") or "/var/run/docker.sock"

    @model_validator(mode="after")
    def _root_elsewhere(self) -> EngineProfile:
        if self.sudo and not self.far:
            raise ValueError("`sudo` is for an engine on another host (`on`)")
        return self


class RehearsalMark(Model):
    """Set by the program on the profiles it makes itself; marks every screen and record."""

    token: Line = Field(
        description="What kind of token the lab uses and why.", examples=["SoftHSM2, as there is no card reader here"]
    )
    sheet: Line = Field(description="Path of the lab's paper sheet.", examples=["/srv/lab/paper.txt"])
    lacks: Mapping[StepId, Line] = Field(
        default_factory=dict,
        description="Steps and whole stages that the lab cannot serve, and why.",
        examples=[{"G": "There is no Docker engine here"}],
    )

    def why_not(self, stage_id: str, step_id: str) -> str:
        """Why the lab cannot serve the step; empty: it can."""
        return self.lacks.get(step_id) or self.lacks.get(stage_id, "")


class Person(Model):
    """Somebody who takes part in runs at this site."""

    principal: Line = Field(
        description="Their name in the allowed-signers file (ssh-keygen(1), ALLOWED SIGNERS).",
        examples=["anna@example.org"],
    )
    accounts: tuple[Line, ...] = Field(
        (), description="Accounts on this machine that are theirs alone.", examples=[["anna"]]
    )
    may: tuple[Literal["drive", "witness"], ...] = Field(
        ("drive", "witness"),
        min_length=1,
        description="What they may do in a run.",
        examples=[["drive"], ["drive", "witness"]],
    )


class TwoPeople(Model):
    """Who may approve what two people must agree to."""

    allowed_signers: Line = Field(
        description="OpenSSH's file of trusted keys (ssh-keygen(1), ALLOWED SIGNERS); relative to this file.",
        examples=["allowed_signers"],
    )
    revoked_keys: str = Field(
        "",
        description="OpenSSH's list of revoked keys, or public keys that no longer count; relative to this file.",
        examples=["revoked_keys"],
    )
    people: Mapping[Name, Person] = Field(
        min_length=2,
        description="Those who take part, by name.",
        examples=[
            {"anna": {"principal": "anna@example.org"}, "ben": {"principal": "ben@example.org", "may": ["witness"]}}
        ],
    )
    group: str = Field(
        "",
        description="The group of this machine whose members may follow runs and answer; empty: this account only.",
        examples=["ca-operators"],
    )
    minutes: int = Field(
        15, ge=1, le=1440, description="How long an approval that was asked for may take.", examples=[15]
    )


class Site(Model):
    """Hosts, tokens and values of one site."""

    site: Literal[1] = Field(description="The version of this format.")
    name: Line = Field(
        description="What the site is called, on every screen and in every record.", examples=["observatory"]
    )
    rehearsal: RehearsalMark | None = Field(
        None,
        description="Set by the program in the profiles of its own labs.",
        examples=[{"token": "SoftHSM2", "sheet": "/srv/lab/paper.txt"}],
    )
    hosts: Mapping[HostName, HostProfile] = Field(
        default_factory=dict,
        description="The machines that steps may act on, by the names that the runbook has for them.",
        examples=[{"ca": {"ssh": "input-b.example.org", "sudo": "password"}}],
    )
    ssh_config: str = Field(
        "",
        description="An ssh_config(5) file instead of the operator's own (as `ssh -F`); relative to this file.",
        examples=["ssh_config"],
    )
    groups: Mapping[HostName, tuple[HostName, ...]] = Field(
        default_factory=dict,
        description="Groups of hosts, or of other groups.",
        examples=[{"all_hosts": ["input-a", "input-b"]}],
    )
    inventory: str = Field(
        "",
        description="An Ansible inventory whose hosts and groups are known too; relative to this file.",
        examples=["ansible/inventory.yml"],
    )
    tokens: Mapping[Name, TokenProfile] = Field(
        default_factory=dict,
        description="The PKCS#11 tokens, by the names that the runbook has for them.",
        examples=[{"intermediate": {"module": "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so", "serial": "DENK0100001"}}],
    )
    engines: Mapping[Name, EngineProfile] = Field(
        default_factory=dict,
        description="The Docker engines, by the names that the runbook has for them.",
        examples=[{"ca": {"on": "ca", "volumes": ["ccat-ca_step-ca-data"]}}],
    )
    two_people: TwoPeople | None = Field(
        None,
        description="Who may approve what two people must agree to.",
        examples=[
            {
                "allowed_signers": "allowed_signers",
                "people": {"anna": {"principal": "anna@example.org"}, "ben": {"principal": "ben@example.org"}},
            }
        ],
    )
    inputs: Mapping[Name, Any] = Field(
        default_factory=dict,
        description="Values of the runbook's inputs at this site.",
        examples=[{"export_usb": "/media/export"}],
    )
