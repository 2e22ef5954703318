"""A command on every host of a group by Ansible: one play, the same table, judged by the same rule.

The play is made here: Ansible's module `command` with an argument list, nothing expanded and nothing templated in it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from checks.files.capture import StreamText
from checks.files.process import KEEP, Finished
from checks.hosts.ansible_passwords import BECOME_PROMPT
from checks.hosts.ansible_run import AnsibleCommand, Played, play, ssh_config_env
from checks.hosts.channel import Channel
from checks.hosts.errors import HostError, Unreachable
from checks.hosts.fleet import OnHosts
from checks.hosts.hosts import Hosts
from checks.hosts.machine import Machine
from checks.hosts.sweep import MARGIN, OnMachine, Sweep, members
from checks.hosts.unsafe_yaml import quoted, unsafe_yaml
from runbook.context import Context
from runbook.errors import StepError
from runbook.operator import SecretRequest
from runbook.outcome import Outcome
from runbook.secrets import Redactor, Secret
from runbook.site import LOCAL, HostProfile

Task = Mapping[str, Any]

Result = Mapping[str, Any]
"""What `ansible_child` tells of a task on a host."""

ENDING = 6.0
"""Seconds that ending Ansible may take, before the step's own time is over."""

_FINE = ("", "non-zero return code")
"""What the module says where it ran the command; anything else is why it could not."""


class RecordedMachine(Machine):
    """A host on which the command has run already: `run` tells how that ended."""

    shown = ("reached by Ansible",)

    def __init__(self, name: str, result: Result, redactor: Redactor) -> None:
        self.name = name
        self._result = result
        self._redactor = redactor

    async def run(
        self,
        argv: Sequence[str],
        *,
        deadline: float,  # noqa: ARG002 - it has ended
        sudo: bool = False,  # noqa: ARG002 - the play said so
        cwd: str = "",  # noqa: ARG002
        env: Mapping[str, str] | None = None,  # noqa: ARG002
        stdin: bytes = b"",  # noqa: ARG002
        on_line: Callable[[str], None] | None = None,  # noqa: ARG002
        keep: int = KEEP,  # noqa: ARG002
    ) -> Finished:
        return Finished(tuple(argv), int(self._result["rc"]), "", self._stream("stdout"), self._stream("stderr"))

    def _stream(self, name: str) -> StreamText:
        return StreamText(str(self._result[name]).encode(), b"", int(self._result["cut"][name]), self._redactor)

    async def duplex(self, argv: Sequence[str], *, sudo: bool = False) -> Channel:  # noqa: ARG002 - the interface's
        raise StepError("by Ansible only whole commands can be run")


class AnsibleSweep(Sweep):
    """The command of one step on a group, by one run of Ansible."""

    def __init__(self, *args: Any, task: Task, sudo: bool, **more: Any) -> None:
        super().__init__(*args, **more)
        self._task = task
        self._sudo = sudo
        self._results: dict[str, Result] = {}

    async def _work_through(self, waiting: Sequence[str]) -> None:
        if not waiting:
            return
        results: asyncio.Queue[str] = asyncio.Queue()
        judging = asyncio.create_task(self._judge(results))

        def take(event: Result) -> None:
            if event["t"] == "result" and event["host"] not in self._results:
                self._results[event["host"]] = event
                results.put_nowait(event["host"])

        try:
            played = await self._play(waiting, take)
            results.put_nowait("")
            await judging
        finally:
            judging.cancel()
            await asyncio.gather(judging, return_exceptions=True)
        if not self._results:
            raise self._refused(played)
        for host in waiting:
            if host not in self._results and played.exit_code is not None:
                self._table.skip(host, "Ansible stopped before it")

    async def _judge(self, results: asyncio.Queue[str]) -> None:
        while host := await results.get():
            await self._host(host)

    async def _machine(self, host: str, ctx: Context) -> Machine:
        result = self._results[host]
        said = "; ".join(result.get("said", ())) or str(result["msg"])
        if result["state"] == "unreachable":
            raise Unreachable(said, where=host, remedy="Try it by hand; Ansible uses the same ssh configuration.")
        if result["state"] != "ok" or result["msg"] not in _FINE or result["rc"] is None:
            wrong = "sudo password" in said or "su password" in said
            symptom = "wrong sudo password" if wrong else "missing there"
            raise HostError(f"the command could not be run: {said}", where=host, symptom=symptom)
        return RecordedMachine(host, result, ctx.redactor)

    async def _play(self, waiting: Sequence[str], take: Callable[[Result], None]) -> Played:
        passwords: tuple[tuple[str, Secret], ...] = ()
        if self._sudo and any(self._asks(host) for host in waiting):
            request = SecretRequest(
                f"sudo password for {self._table.table.on}",
                f"For {len(waiting)} hosts: it is tried on {waiting[0]} first, and goes to the others only if sudo "
                "accepts it there.",
            )
            passwords = ((BECOME_PROMPT, await self._ctx.operator.secret(request)),)
        site = self._ctx.site
        inventories = [argument for path in (site.inventory, "{dir}/hosts.yml") if path for argument in ("-i", path)]
        ask = ["--ask-become-pass"] if passwords else []
        command = AnsibleCommand(
            argv=("ansible-playbook", *inventories, f"--forks={self._params.parallel}", *ask, "--", "{dir}/play.yml"),
            cwd=self._ctx.folder,
            env=ssh_config_env(site.ssh_config),
            passwords=passwords,
            files={
                "hosts.yml": inventory_yaml({host: site.hosts.get(host) for host in waiting}),
                "play.yml": self._play_yaml(waiting, careful=bool(passwords)),
            },
            streams=True,
        )
        try:
            deadline = max(self._ctx.seconds_left - MARGIN - ENDING, 1.0)
            return await play(command, deadline=deadline, on_event=take, redactor=self._ctx.redactor)
        finally:
            for _, secret in passwords:
                secret.wipe()

    def _asks(self, host: str) -> bool:
        profile = self._ctx.site.hosts.get(host)
        return profile is None or profile.sudo == "password"

    def _play_yaml(self, waiting: Sequence[str], *, careful: bool) -> str:
        """`careful`: a password that is wrong on the first host is not tried on the others."""
        asked = dict(self._task)
        environment = asked.pop("environment", {})
        lines = [
            f"- hosts: [{', '.join(map(quoted, waiting))}]",
            "  gather_facts: false",
            f"  become: {'true' if self._sudo else 'false'}",
            "  serial: [1, 100%]" if careful else "  serial: 100%",
            "  tasks:",
            "    - name: command",
            f"      ansible.builtin.command: {unsafe_yaml(asked)}",
            f"      environment: {unsafe_yaml(environment)}",
            # Its exit code is judged here; what fails there is that it could not be run.
            "      failed_when: false",
            "      changed_when: false",
        ]
        seconds = self._params.host_deadline
        lines += [f"      timeout: {max(int(seconds), 1)}"] if seconds else []
        return "\n".join(lines) + "\n"

    def _refused(self, played: Played) -> StepError:
        said = played.output.decode(errors="replace").strip().splitlines()
        last = next((line for line in said if "ERROR" in line), said[-1] if said else played.ended_by)
        return HostError(
            f"Ansible did not run the command on any host: {self._ctx.redactor(last)}", symptom="missing there"
        )


def inventory_yaml(hosts: Mapping[str, HostProfile | None]) -> str:
    """An inventory of the site profile's hosts; those that it does not have (None) are in the site's own."""
    lines = ["all:", "  hosts:"]
    for name, profile in hosts.items():
        variables: dict[str, Any] = {}
        if name == LOCAL:
            # Our own interpreter is there for certain; what a PATH has first may be a stand-in.
            variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        elif profile is not None:
            variables = {
                "ansible_host": profile.ssh or name,
                "ansible_user": profile.user,
                "ansible_port": profile.port,
            }
        given = {key: value for key, value in variables.items() if value}
        lines.append(f"    {quoted(name)}: {unsafe_yaml(given)}")
    return "\n".join(lines) + "\n"


async def ansible_sweep(
    params: OnHosts, checks: Mapping[str, OnMachine], ctx: Context, *, asked: str, task: Task, sudo: bool
) -> Outcome:
    """As `sweep.sweep`, by Ansible. `task` holds the arguments of the module `command`, and `environment`."""
    hosts = await ctx.use(Hosts)
    names = await members(hosts, params.on)
    made = AnsibleSweep(hosts, params, names=names, checks=checks, ctx=ctx, asked=asked, task=task, sudo=sudo)
    return await made.outcome()
