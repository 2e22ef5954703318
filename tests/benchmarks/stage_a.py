"""Stage A through the program, beside the playbook's commands as a shell script on the same token, run in turns.

On a software SmartCard-HSM whose every APDU takes as long as on a real one; APDUs are counted by the card. The
program's figure is the sum of its steps' own seconds from the journal (A1, A3, A4: the same questions and two more,
the private keys' attributes and a signature against the certificate), and beside it the whole process from P to B.
`lsusb` and the copying between hosts are left out of the script; what it reads with `--read-object` it does not get
where OpenSSL 3 refuses the key, and the conversions are then made of the artefact's own key.

python -m tests.benchmarks.stage_a [--rounds N] [--milliseconds PER_APDU] [--softhsm]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from rehearsal.card.client import CardControl
from rehearsal.lab import Lab, make_lab
from rehearsal.reader import CardReader
from rehearsal.smartcard import CardPlaces
from rehearsal.token import TokenKind
from runbook.files.loader import load_runbook
from runbook.kind import Registry
from runbook.record.events import StepFinished
from runbook.record.journal import read_events

STAGE_A = ("A1", "A3", "A4")
RUNBOOK = Path(__file__).resolve().parents[2] / "runbook.yaml"

SCRIPT = r"""
set -e
p() { pkcs11-tool --module "$MODULE" --token-label "$LABEL" "$@"; }
pkcs11-tool --module "$MODULE" --list-slots
p --list-objects --type pubkey
if [ -n "$COUNTER" ]; then sc-hsm-tool; fi
echo "ccat-test-$(date)" > "$TMP/in"
p --login --pin env:BENCH_PIN --sign --id 01 --mechanism "$MECHANISM" -i "$TMP/in" -o "$TMP/signature"
openssl x509 -in "$EXPORT/intermediate_ca.crt" -pubkey -noout > "$TMP/intermediate.pem"
for id in 01 02 03; do
    p --read-object --id "$id" --type pubkey -o "$TMP/$id.der" || \
        openssl ec -pubin -in "$TMP/intermediate.pem" -outform DER -out "$TMP/$id.der"
    openssl ec -pubin -inform DER -in "$TMP/$id.der" -pubout -outform PEM > "$TMP/$id.pem"
done
diff "$TMP/01.pem" "$TMP/intermediate.pem"
for pair in 02:ssh_user_ca 03:ssh_host_ca; do
    ssh-keygen -i -m PKCS8 -f "$TMP/${pair%%:*}.pem" > "$TMP/from_hsm.pub"
    ssh-keygen -lf "$TMP/from_hsm.pub"
    ssh-keygen -lf "$EXPORT/${pair##*:}.pub"
done
"""


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds and APDUs of one round; APDUs are 0 without a card."""

    steps: dict[str, float]
    whole: float
    script: float
    apdus: int
    script_apdus: int

    @property
    def ours(self) -> float:
        return sum(self.steps.values())


def main() -> None:
    """Measure and print."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="bench") as name, _lab(Path(name), softhsm=options.softhsm) as lab:
        card = None if options.softhsm else CardControl(CardPlaces(lab.folder).control)
        if card:
            asyncio.run(card.slow(options.milliseconds))
        rounds = [_round(lab, Path(name), number, card) for number in range(options.rounds + 1)][1:]
    for step in rounds[0].steps:
        print(f"  {step:<18}median {statistics.median(one.steps[step] for one in rounds):.3f} s")
    ours, whole, script = (
        statistics.median(getattr(one, name) for one in rounds) for name in ("ours", "whole", "script")
    )
    print(f"stage A, its steps:             median {ours:.3f} s; P, A and B together {rounds[0].apdus} APDUs")
    print(f"P, A and B, the whole process:  median {whole:.3f} s")
    print(f"the playbook as a script:       median {script:.3f} s; {rounds[0].script_apdus} APDUs")
    ratios = [one.script / one.ours for one in rounds]
    print(f"script / steps, round by round: median {statistics.median(ratios):.2f}, {len(rounds)} rounds")


def _round(lab: Lab, folder: Path, number: int, card: CardControl | None) -> Round:
    counts = [_apdus(card)]
    steps, whole = _ours(lab, folder / f"state{number}")
    counts.append(_apdus(card))
    script = _script(lab, folder, card is not None)
    counts.append(_apdus(card))
    return Round(steps, whole, script, counts[1] - counts[0], counts[2] - counts[1])


def _apdus(card: CardControl | None) -> int:
    return asyncio.run(card.status()).apdus if card else 0


@contextlib.contextmanager
def _lab(folder: Path, *, softhsm: bool) -> Iterator[Lab]:
    kind = TokenKind.SOFTHSM if softhsm else TokenKind.CARD
    lab = make_lab(folder / "lab", token=kind, runbook=load_runbook(RUNBOOK, Registry()).model)
    with contextlib.nullcontext() if softhsm else CardReader(lab.folder):
        yield lab


def _ours(lab: Lab, state: Path) -> tuple[dict[str, float], float]:
    program = str(Path(sys.executable).with_name("runbook"))
    stages = ("--stage", "P", "--stage", "A", "--stage", "B")
    argv = [program, "run", str(RUNBOOK), "--site", str(lab.site), *stages]
    started = time.perf_counter()
    subprocess.run(
        [*argv, "--headless", "--answers", str(lab.sheet)],
        check=True,
        capture_output=True,
        env={**os.environ, "XDG_STATE_HOME": str(state)},
    )
    whole = time.perf_counter() - started
    (journal,) = state.glob("hsm-runbook/runs/*/journal.jsonl")
    finished = [event for event in read_events(journal) if isinstance(event, StepFinished)]
    return {event.step: event.seconds for event in finished if event.step.startswith(STAGE_A)}, whole


def _script(lab: Lab, folder: Path, card: bool) -> float:
    """The PIN goes through the environment here: this is a lab's, and the tools offer nothing better to a script."""
    sheet = yaml.safe_load(lab.sheet.read_text())
    env = {
        **os.environ,
        **lab.token.environment,
        "MODULE": str(lab.token.module),
        "LABEL": f"{lab.token.label} (UserPIN)" if card else lab.token.label,
        "COUNTER": "1" if card else "",
        "MECHANISM": "ECDSA-SHA384" if card else "ECDSA",
        "EXPORT": str(lab.folder / "export-usb"),
        "TMP": str(folder),
        "BENCH_PIN": sheet["pins"]["intermediate"],
    }
    started = time.perf_counter()
    done = subprocess.run(["bash", "-c", SCRIPT], check=False, capture_output=True, text=True, env=env)
    if done.returncode:
        raise SystemExit(f"the script failed: {done.stdout}{done.stderr}")
    return time.perf_counter() - started


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.stage_a", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--milliseconds", type=float, default=20.0, help="each APDU of the card takes")
    parser.add_argument("--softhsm", action="store_true", help="on SoftHSM2, where no card is")
    return parser.parse_args()


if __name__ == "__main__":
    main()
