"""Ansible: a playbook, some of its tags, or a Makefile's target that calls it, with its recap as the evidence."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from checks.evidence.ansible import AnsibleRecap
from checks.hosts.ansible_passwords import ask
from checks.hosts.ansible_recap import Recap
from checks.hosts.ansible_run import AnsibleCommand, Played, play, ssh_config_env
from checks.hosts.unsafe_yaml import unsafe_yaml
from checks.time_left import time_left
from runbook.context import Context
from runbook.fields import Line, Name
from runbook.kind import Action, Check, Params
from runbook.model import Role
from runbook.outcome import Outcome, Verdict
from runbook.paths import resolve

SYMPTOMS: Mapping[str, str] = {
    "task failed": "A task failed on some host.",
    "host unreachable": "Ansible did not reach some host.",
    "no hosts": "No task ran on any host: the limit, the tags or the inventory fit nothing.",
    "would change": "The dry run would change something.",
    "not idempotent": "The second run changed something again.",
    "refused": "Ansible did not start: a file, a password or an argument is wrong.",
    "deadline": "It did not end in time; it was ended.",
}

MARGIN = 10.0
"""Seconds before the step's deadline at which Ansible is ended: it takes a while, and the recap is to be kept."""

Word = Annotated[Line, Field(pattern=r"^[^\s@-][^\s]*$")]
"""One argument that cannot be taken for an option or a file of arguments."""

MakeValue = Annotated[str, Field(pattern=r"^([A-Za-z0-9_.,:@%+/][A-Za-z0-9_.,:@%+/=-]*)?$")]
"""What neither make nor the shell lines of a Makefile read anything else into."""


class AnsibleParams(Params):
    """What is run; passwords are asked for."""

    folder: str = Field(
        "",
        description="Where to run it; relative to, and if empty, the runbook's folder.",
        examples=["{{ repository }}/ansible"],
    )
    playbook: str = Field("", description="The playbook; relative to `folder`.", examples=["playbook_setup_vms.yml"])
    make: Word | Literal[""] = Field(
        "", description="Instead: a target of the Makefile there that calls Ansible.", examples=["setup_vms"]
    )
    make_vars: Mapping[Name, MakeValue] = Field(
        default_factory=dict,
        description="Variables for make, such as `G: input_staging`.",
        examples=[{"G": "input_staging"}],
    )
    inventory: str = Field(
        "", description="Relative to `folder`; if empty, `inventory` of the site profile.", examples=["inventory.yml"]
    )
    limit: tuple[Word, ...] = Field(
        (), description="Hosts and groups, in Ansible's patterns.", examples=[["input_staging"]]
    )
    tags: tuple[Word, ...] = Field((), description="Only what has one of these tags.", examples=[["ca_trust"]])
    skip_tags: tuple[Word, ...] = Field((), description="Nothing that has one of these tags.", examples=[["slow"]])
    extra_vars: Mapping[str, Any] = Field(
        default_factory=dict,
        description="Variables; never secret ones. Ansible reads no templates in them.",
        examples=[{"trust_only": True}],
    )
    become_password: bool = Field(False, description="Ask for the password that becoming root takes.")
    vault: tuple[Word, ...] = Field(
        (), description="Vault ids whose passwords are asked for, such as `default`.", examples=[["default"]]
    )
    forks: int = Field(10, ge=1, le=500, description="Hosts at a time.", examples=[5])

    @model_validator(mode="after")
    def _one(self) -> AnsibleParams:
        if bool(self.playbook) == bool(self.make):
            raise ValueError("give either `playbook` or `make`")
        of_playbook = {
            "inventory",
            "limit",
            "tags",
            "skip_tags",
            "extra_vars",
            "forks",
        } & self.model_fields_set
        if self.make and of_playbook:
            raise ValueError(f"`{min(of_playbook)}` goes with `playbook`; a Makefile has its own")
        if self.make_vars and not self.make:
            raise ValueError("`make_vars` goes with `make`")
        return self


class AnsibleActionParams(AnsibleParams):
    """What is run, and how often."""

    mode: Literal["run", "dry_run", "idempotent"] = Field(
        "run", description="`dry_run`: with --check --diff; `idempotent`: a second run must change nothing."
    )

    @model_validator(mode="after")
    def _dry(self) -> AnsibleActionParams:
        if self.make and self.mode == "dry_run":
            raise ValueError("whether a Makefile's target is a dry run cannot be told; name the playbook")
        return self


class AnsibleCheckParams(AnsibleParams):
    """What is run dry."""

    may_change: bool = Field(False, description="Pass although a run would change something.")

    @model_validator(mode="after")
    def _dry(self) -> AnsibleCheckParams:
        if self.make:
            raise ValueError("whether a Makefile's target is a dry run cannot be told; name the playbook")
        return self


class AnsibleCheck(Check[AnsibleCheckParams]):
    """A dry run of Ansible (`--check --diff`): nothing fails, and nothing would be changed."""

    name = "ansible"
    Params = AnsibleCheckParams
    evidence = (AnsibleRecap,)
    symptoms: ClassVar = SYMPTOMS

    def plan(self) -> tuple[str, ...]:
        return _typed(self.params, dry=True)

    async def run(self, ctx: Context) -> Outcome:
        passwords = await ask(self.params, ctx)
        try:
            outcome, recap = await _once(self.params, ctx, passwords, "dry run", self.role)
        finally:
            _wipe(passwords)
        if outcome.verdict.green and recap.changed and not self.params.may_change:
            said = f"a run would change something: {_count(recap.changed, 'task')}"
            return Outcome.failed(
                said, recap, symptom="would change", remedy="The attachment shows what, line by line."
            )
        return outcome


class AnsibleAction(Action[AnsibleActionParams]):
    """Ansible runs a playbook, some of its tags, or a Makefile's target that calls it."""

    name = "ansible"
    Params = AnsibleActionParams
    evidence = (AnsibleRecap,)
    symptoms: ClassVar = SYMPTOMS

    def plan(self) -> tuple[str, ...]:
        again = ("then the same once more: it must change nothing",) if self.params.mode == "idempotent" else ()
        return (*_typed(self.params, dry=self.params.mode == "dry_run"), *again)

    async def run(self, ctx: Context) -> Outcome:
        mode = "dry run" if self.params.mode == "dry_run" else "run"
        passwords = await ask(self.params, ctx)
        try:
            outcome, first = await _once(self.params, ctx, passwords, mode, self.role)
            if self.params.mode != "idempotent" or not outcome.verdict.green:
                return outcome
            ctx.progress("once more: nothing may change now")
            outcome, second = await _once(self.params, ctx, passwords, "second run", self.role)
        finally:
            _wipe(passwords)
        if outcome.verdict.green and second.changed:
            said = f"the second run changed something again: {_count(second.changed, 'task')}"
            return Outcome.failed(said, second, first, symptom="not idempotent")
        summary = f"{outcome.summary}; the second run changed nothing" if outcome.verdict.green else outcome.summary
        return Outcome(outcome.verdict, summary, (second, first), outcome.symptom, outcome.remedy)


Passwords = tuple[tuple[str, Any], ...]


def _wipe(passwords: Passwords) -> None:
    for _, secret in passwords:
        secret.wipe()


def _argv(params: AnsibleParams, inventory: str, *, dry: bool) -> tuple[str, ...]:
    if params.make:
        return ("make", params.make, *(f"{name}={value}" for name, value in params.make_vars.items()))
    argv = ["ansible-playbook", *(("-i", inventory) if inventory else ())]
    argv += [f"--limit={','.join(params.limit)}"] if params.limit else []
    argv += [f"--tags={','.join(params.tags)}"] if params.tags else []
    argv += [f"--skip-tags={','.join(params.skip_tags)}"] if params.skip_tags else []
    argv += ["--extra-vars=@{dir}/extra_vars.yml"] if params.extra_vars else []
    argv += ["--check", "--diff"] if dry else []
    argv += ["--ask-become-pass"] if params.become_password else []
    argv += [f"--vault-id={name}@prompt" for name in params.vault]
    # A path that begins with a dash is none of its options.
    return (*argv, f"--forks={params.forks}", "--", params.playbook)


def _typed(params: AnsibleParams, *, dry: bool) -> tuple[str, ...]:
    lines = [shlex.join(_argv(params, params.inventory, dry=dry))]
    lines += [f"with the variables {json.dumps(params.extra_vars, ensure_ascii=False)}"] if params.extra_vars else []
    lines += ["with the inventory of the site profile"] if not params.inventory and params.playbook else []
    return (*lines, f"in the folder {params.folder}" if params.folder else "in the runbook's folder")


async def _once(
    params: AnsibleParams, ctx: Context, passwords: Passwords, mode: str, role: Role
) -> tuple[Outcome, AnsibleRecap]:
    cwd = resolve(ctx.folder, params.folder)
    inventory = str(resolve(cwd, params.inventory)) if params.inventory else ctx.site.inventory
    argv = _argv(params, inventory, dry=mode == "dry run")
    shown = tuple(ctx.redactor(argument) for argument in argv)
    recap = Recap(AnsibleRecap(argv=shown, folder=str(cwd), mode=mode), ctx)
    played = await play(
        AnsibleCommand(
            argv=argv,
            cwd=cwd,
            env=ssh_config_env(ctx.site.ssh_config),
            passwords=passwords,
            files={"extra_vars.yml": unsafe_yaml(params.extra_vars)} if params.extra_vars else {},
        ),
        deadline=time_left(ctx, MARGIN),
        on_event=recap.take,
        redactor=ctx.redactor,
    )
    if mode != "dry run":
        for what, name, host in recap.touched:
            await ctx.touch(what, name, on=host, how="changed by Ansible")
    text = ctx.redactor(played.output.decode(errors="replace"))
    attached = await ctx.attach(f"ansible ({mode}).txt", [text.encode()]) if text.strip() else ""
    said = () if recap.told else tuple(text.strip().splitlines()[-20:])
    evidence = recap.evidence(
        exit_code=played.exit_code, ended_by=played.ended_by, said=said, attached=attached, task=""
    )
    return _judge(evidence, played, recap.told, role), evidence


def _judge(recap: AnsibleRecap, played: Played, told: bool, role: Role) -> Outcome:
    if played.exit_code is None:
        what = f"Ansible was ended by {played.ended_by} after {played.seconds:.0f} seconds"
        asked = "; it asked for a password once more, which was not given" if played.asked_again else ""
        if role is Role.ACTION and recap.mode != "dry run":
            return Outcome.in_doubt(f"{what}{asked}; what it has done is not known", recap, symptom="deadline")
        return Outcome.errored(f"{what}{asked}", recap, symptom="deadline")
    bad = [host.host for host in recap.hosts if not host.good]
    failed = sum(host.failed for host in recap.hosts)
    if bad:
        symptom = "task failed" if failed else "host unreachable"
        first = next((note for note in recap.failures), None)
        where = f"; first: {first.host}: {first.task}" if first else ""
        return Outcome.failed(
            f"{len(bad)} of {_count(len(recap.hosts), 'host')} failed or were not reached{where}",
            recap,
            symptom=symptom,
        )
    if played.exit_code != 0:
        said = next((line for line in recap.said if "ERROR" in line), recap.said[-1] if recap.said else "")
        what = f"Ansible ended with exit code {played.exit_code}" + (f": {said}" if said else "")
        if role is Role.ACTION and recap.hosts and recap.mode != "dry run":
            return Outcome.in_doubt(f"{what}; what it has done is not known", recap, symptom="refused")
        return Outcome(Verdict.ERRORED, what, (recap,), "refused")
    if not told or not any(host.ok for host in recap.hosts):
        return Outcome.failed(
            "no task ran on any host",
            recap,
            symptom="no hosts",
            remedy="Look at the limit, the tags and the inventory.",
        )
    return Outcome.passed(_found(recap), recap)


def _found(recap: AnsibleRecap) -> str:
    ok = sum(host.ok for host in recap.hosts)
    changed = f"{recap.changed} {'would change' if recap.mode == 'dry run' else 'changed'} something"
    return f"{_count(len(recap.hosts), 'host')}: {_count(ok, 'task')} ok, {changed}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
