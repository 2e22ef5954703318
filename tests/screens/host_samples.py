"""Evidence of many hosts, for pictures."""

from __future__ import annotations

from checks.evidence.ansible import AnsibleRecap, RecapHost, TaskNote
from checks.evidence.hosts_table import HostCell, HostRow, HostsTable, HostState
from runbook.outcome import Evidence

PASSED = HostCell(state=HostState.PASSED, summary="pcscd.service is masked and inactive")
FAILED = HostCell(
    state=HostState.FAILED,
    summary="pcscd.service is active, expected masked",
    symptom="unit active",
    remedy="systemctl mask --now pcscd.service pcscd.socket",
    details=("ActiveState=active", "UnitFileState=enabled"),
)
DOWN = HostCell(
    state=HostState.ERRORED,
    summary="no connection to input-d:22: No route to host",
    symptom="host unreachable",
    remedy="Try `ssh input-d` on a terminal.",
)
RUNNING = HostCell(state=HostState.RUNNING)
WAITING = HostCell()
AT = "2026-04-29T09:10:07Z"


def row(host: str, *cells: HostCell, attempt: int = 1) -> HostRow:
    ended = cells[0].state not in (HostState.RUNNING, HostState.WAITING)
    return HostRow(host=host, cells=cells, seconds=0.8, at=AT if ended else "", attempt=attempt)


HALF = HostsTable(
    on="production",
    columns=("systemd",),
    rows=(
        row("input-a", PASSED),
        row("input-b", FAILED),
        row("input-c", PASSED),
        row("input-d", DOWN),
        row("input-e", RUNNING),
        row("input-f", RUNNING),
        *(row(f"db-{number}", WAITING) for number in range(1, 7)),
    ),
    at_least=11,
    parallel=2,
)
"""A table that is filled to a third, with two hosts that are not green."""

KEPT = HostsTable(
    on="production",
    columns=("systemd", "ssh_ca"),
    rows=(
        row("input-a", PASSED, PASSED),
        row("input-b", FAILED, PASSED, attempt=2),
        row(
            "input-c",
            PASSED,
            PASSED.model_copy(update={"state": HostState.WARNED, "summary": "the old CA is there too"}),
        ),
    ),
    at_least=2,
    parallel=10,
    attempt=2,
    attached="9f2b3c4d",
)
"""Two checks on each host, after a retry."""

CHECKS = ("systemd pcscd", "ssh_ca", "root installed", "sshd config", "clock", "disk", "udev", "docker")
MANY = HostsTable(
    on="staging",
    columns=CHECKS,
    rows=(
        row("input-a-staging.data.ccat.uni-koeln.de", *(PASSED for _ in CHECKS)),
        row("input-b-staging", FAILED, *(PASSED for _ in CHECKS[1:])),
        row("db-1-staging", *(PASSED for _ in CHECKS[2:]), DOWN, WAITING),
        row("db-2-staging", *(RUNNING for _ in CHECKS)),
    ),
    at_least=4,
    parallel=4,
)
"""More checks than there is room for."""

RECAP = AnsibleRecap(
    argv=("ansible-playbook", "-i", "inventory.ini", "--limit=input_staging", "--tags=ca_trust", "--", "site.yml"),
    folder="/srv/ansible",
    mode="run",
    hosts=(
        RecapHost(host="input-a-staging", ok=9, changed=2, skipped=1),
        RecapHost(host="input-b-staging", ok=4, failed=1),
        RecapHost(host="input-c-staging", unreachable=1),
    ),
    failures=(
        TaskNote(host="input-b-staging", task="ca_trust : Install the root", said=("No space left on device",)),
        TaskNote(host="input-c-staging", task="Gathering Facts", said=("Failed to connect to the host via ssh",)),
    ),
    changes=(TaskNote(host="input-a-staging", task="ca_trust : Install the root"),),
    exit_code=2,
    attached="51c0ffee",
)

WELL = HALF.model_copy(update={"rows": tuple(row(one.host, PASSED) for one in HALF.rows)})
DEPLOYED = RECAP.model_copy(
    update={
        "hosts": tuple(RecapHost(host=one.host, ok=9, changed=2, skipped=1) for one in RECAP.hosts),
        "failures": (),
        "exit_code": 0,
    }
)
AT_WORK = RECAP.model_copy(
    update={
        "hosts": (),
        "failures": (),
        "changes": (),
        "exit_code": None,
        "attached": "",
        "task": "ca_trust : Install the root",
        "said": ("ok: [input-a-staging]", "changed: [input-b-staging]"),
    }
)

HOST_EVIDENCE: dict[str, tuple[Evidence, ...]] = {"hosts": (WELL, KEPT, MANY), "ansible": (DEPLOYED, RECAP)}
WAITING_EVIDENCE: tuple[Evidence, ...] = (HALF, AT_WORK)
"""Of steps that are at work."""
