"""Stage A through the program, beside the same asked by a shell script of pkcs11-tool, openssl and ssh-keygen.

Both run in turns on one lab (SoftHSM2). The program's figure is the sum of the steps' own seconds from the journal
(A1, A3, A4), and beside it the whole process from P to B with its start and its worker.

python -m tests.benchmarks.stage_a [ROUNDS]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from rehearsal.lab import Lab, make_lab
from runbook.events import StepFinished
from runbook.journal import read_events

SCRIPT = r"""
set -e
p() { pkcs11-tool --module "$MODULE" --token-label ccat-intermediate "$@"; }
pkcs11-tool --module "$MODULE" --list-slots
p --list-objects --type pubkey
echo "ccat-test-$(date)" > "$TMP/in"
openssl dgst -sha384 -binary "$TMP/in" > "$TMP/digest"
p --login --pin env:BENCH_PIN --sign --id 01 --mechanism ECDSA -i "$TMP/digest" -o "$TMP/signature"
p --login --pin env:BENCH_PIN --list-objects --type privkey
ssh-keygen -D "$MODULE" > "$TMP/token.pub"
openssl x509 -in "$EXPORT/intermediate_ca.crt" -pubkey -noout > "$TMP/intermediate.pem"
ssh-keygen -i -m PKCS8 -f "$TMP/intermediate.pem" > "$TMP/intermediate.pub"
for key in "$TMP/intermediate.pub" "$EXPORT/ssh_user_ca.pub" "$EXPORT/ssh_host_ca.pub"; do
    grep -qF "$(cut -d' ' -f2 "$key")" "$TMP/token.pub"
    ssh-keygen -lf "$key"
done
"""


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lab = make_lab(folder / "lab")
        rows = [(*_ours(lab, folder / f"state{n}"), _script(lab, folder)) for n in range(rounds + 1)][1:]
    steps, whole, script = (statistics.median(column) for column in zip(*rows, strict=True))
    print(f"stage A, its steps:             median {steps:.3f} s")
    print(f"P, A and B, the whole process:  median {whole:.3f} s")
    print(f"shell script of the same:       median {script:.3f} s")
    ratios = [row[0] / row[2] for row in rows]
    print(f"steps / script, round by round: median {statistics.median(ratios):.2f}, {rounds} rounds")


def _ours(lab: Lab, state: Path) -> tuple[float, float]:
    program = str(Path(sys.executable).with_name("runbook"))
    root = Path(__file__).resolve().parents[2]
    argv = [
        program,
        "run",
        str(root / "runbook.yaml"),
        "--site",
        str(lab.site),
        "--headless",
        "--answers",
        str(lab.sheet),
    ]
    started = time.perf_counter()
    subprocess.run(argv, check=True, capture_output=True, env={**os.environ, "XDG_STATE_HOME": str(state)})
    whole = time.perf_counter() - started
    (journal,) = state.glob("hsm-runbook/runs/*/journal.jsonl")
    finished = [event for event in read_events(journal) if isinstance(event, StepFinished)]
    return sum(event.seconds for event in finished if event.step.startswith(("A1", "A3", "A4"))), whole


def _script(lab: Lab, folder: Path) -> float:
    """The PIN goes through the environment here: this is a lab's, and the tools offer nothing better to a script."""
    sheet = yaml.safe_load(lab.sheet.read_text())
    env = {
        **os.environ,
        "MODULE": str(lab.token.module),
        "SOFTHSM2_CONF": str(lab.token.config),
        "EXPORT": str(lab.folder / "export-usb"),
        "TMP": str(folder),
        "BENCH_PIN": sheet["pins"]["intermediate"],
    }
    started = time.perf_counter()
    subprocess.run(["bash", "-c", SCRIPT], check=True, capture_output=True, env=env)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
