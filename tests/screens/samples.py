"""A small runbook and evidence of every kind, green and red."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from checks.evidence.files import CommandOutput, FileFinding, FileTable, GitTree, OutputMark, Statements
from checks.evidence.fingerprints import Fingerprint, FingerprintPair, KeyMatch, PaperFingerprint
from checks.evidence.objects import ObjectInfo, ObjectTable
from checks.evidence.pin_counter import PinCounter
from checks.evidence.sign_test import SignTest
from checks.evidence.slots import SlotInfo, SlotTable, TokenInfo
from runbook.groups import veiled
from runbook.model import Runbook
from runbook.operator import Alphabet, AttestRequest, Moment, PinRequest, TranscribeRequest
from runbook.outcome import Evidence, Outcome
from runbook.record.state import RunState
from runbook.run.session import Session
from tests.screens.ca_samples import AUTHORITY
from tests.screens.document_samples import JUDGED
from tests.screens.engine_samples import ENGINES
from tests.screens.host_samples import HOST_EVIDENCE
from tests.screens.machine_samples import MACHINES
from tests.screens.people_samples import PEOPLE
from tests.screens.scripted import Play, ScriptedWalk, ends, session

TOKEN = "ccat-intermediate [DENK0100002]"
ROOT = hashlib.sha256(b"root").hexdigest()
OTHER = hashlib.sha256(b"other").hexdigest()
FLAGS = ("CKF_RNG", "CKF_LOGIN_REQUIRED", "CKF_USER_PIN_INITIALIZED", "CKF_TOKEN_INITIALIZED")

RUNBOOK = Runbook.model_validate(
    {
        "runbook": 1,
        "id": "cutover",
        "title": "CA cutover to the hardware intermediate",
        "facts": {
            "hsm_in_port": "HSM #2 sits in the internal USB port and the chassis is closed",
            "token_ours": "The token is the one of the ceremony",
        },
        "stages": [
            {
                "id": "P",
                "title": "Preconditions",
                "steps": [
                    {
                        "id": "P.people",
                        "title": "People and paper are in place",
                        "attest": [
                            "The ceremony's paper sheet lies on the table",
                            "The chassis of input-b is closed",
                            "The test cohort knows that a re-bootstrap is coming, and roughly when it will come",
                        ],
                        "establishes": ["hsm_in_port"],
                    },
                    {"id": "P.tree", "title": "The working tree is clean", "check": "git.clean", "folder": "."},
                ],
            },
            {
                "id": "A",
                "title": "HSM #2 works",
                "steps": [
                    {
                        "id": "A1.slots",
                        "title": "Exactly one token, and it is ours",
                        "goal": "The host sees the dongle, and it is the one that left the ceremony.",
                        "check": "slots",
                        "token": "intermediate",
                        "expect": {"count": 1},
                        "requires": ["hsm_in_port"],
                        "establishes": ["token_ours"],
                    },
                    {
                        "id": "A3.sign",
                        "title": "A signature with the intermediate key",
                        "goal": "The key signs, and the signature verifies with the key that was exported.",
                        "check": "sign_test",
                        "token": "intermediate",
                        "key": "01",
                        "requires": ["token_ours"],
                    },
                    {
                        "id": "B1.paper",
                        "title": "The root's fingerprint is the one on paper",
                        "goal": "What the export holds is what the ceremony wrote on paper.",
                        "check": "paper_fingerprint",
                        "file": "root_ca.crt",
                    },
                ],
            },
        ],
    }
)

PIN = PinRequest(TOKEN, "user PIN", "sign the test statement with key 01", 3, 3, (), 6, 15)
PAPER = TranscribeRequest(
    "SHA-256 fingerprint of the root certificate", Alphabet.HEX, 64, help="Section 3 of the sheet"
)
ATTEST = AttestRequest("People and paper are in place", RUNBOOK.step("P.people").params["statements"])


def token(label: str = "ccat-intermediate", serial: str = "DENK0100002") -> TokenInfo:
    return TokenInfo(
        label=label,
        manufacturer="CardContact",
        model="SmartCard-HSM",
        serial=serial,
        flags=FLAGS,
        min_pin=6,
        max_pin=15,
        hardware_version="24.13",
        firmware_version="4.1",
    )


def slots(*tokens: TokenInfo | None, selected: int | None = 0, problems: tuple[str, ...] = ()) -> SlotTable:
    return SlotTable(
        module="/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so",
        slots=tuple(
            SlotInfo(
                slot_id=number,
                description="Nitrokey HSM 2 00 00",
                manufacturer="Nitrokey",
                flags=("CKF_TOKEN_PRESENT",) if found else (),
                hardware_version="1.0",
                firmware_version="1.0",
                token=found,
            )
            for number, found in enumerate(tokens)
        ),
        expected_label="ccat-intermediate",
        expected_serial="DENK0100002",
        selected=selected,
        problems=problems,
    )


def pair(left: str = ROOT, right: str = ROOT, form: str = "SPKI SHA-256") -> FingerprintPair:
    return FingerprintPair(form=form, left_title="on the token", left=left, right_title="in the file", right=right)


def swapped(value: str, place: int) -> str:
    """`value` with one character changed."""
    other = "0" if value[place] != "0" else "1"
    return value[:place] + other + value[place + 1 :]


def _paper(computed: str) -> FingerprintPair:
    return FingerprintPair(form="SHA-256", left_title="paper", left=ROOT, right_title="root_ca.crt", right=computed)


def _openssh(left: str, right: str, right_key: str = "ECDSA 384") -> FingerprintPair:
    values = [base64.b64encode(bytes.fromhex(one)).decode().rstrip("=") for one in (left, right)]
    return pair(*values, "OpenSSH SHA256").model_copy(update={"left_key": "ECDSA 384", "right_key": right_key})


SIGNED = SignTest(
    token=TOKEN,
    key_id="01",
    key_type="EC P-384",
    statement="hsm-runbook sign test, run 20260429T0910-7f3a, step A3.sign",
    mechanism="CKM_ECDSA",
    hashed_by="software (SHA-384)",
    signature=(hashlib.sha384(b"r").hexdigest() + hashlib.sha384(b"s").hexdigest()),
    verified_by_token_key=True,
    artefact="intermediate_ca.crt",
    verified_by_artefact=True,
)


def counter(tries: int | None, state: str = "full", flags: tuple[str, ...] = ()) -> PinCounter:
    return PinCounter(
        token=TOKEN,
        state=state,  # type: ignore[arg-type]  # the literal comes from the test's parameters
        flags=flags,
        tries_left=tries,
        tries_max=3 if tries is not None else None,
        so_tries_left=15 if tries is not None else None,
        source="sc-hsm-tool" if tries is not None else "the token shows flags only",
    )


def obj(key_id: str, kind: str = "CKO_PRIVATE_KEY", label: str = "intermediate") -> ObjectInfo:
    return ObjectInfo(
        object_class=kind,
        id=key_id,
        label=label,
        key_type="EC P-384",
        sensitive=True,
        extractable=False,
        always_sensitive=True,
        never_extractable=True,
        local=True,
    )


FOUND = FileFinding(
    name="root_ca.crt",
    ok=True,
    found="X.509 certificate (PEM), self-signed CA",
    details=("CN=CCAT Root CA", "valid until 2046-04-29"),
)
MIXED_UP = FileFinding(
    name="ssh_user_ca.pub",
    ok=False,
    found="X.509 certificate (PEM)",
    expected="OpenSSH public key",
    problem="this is a certificate, not an SSH key; the export has mixed them up",
)

EVIDENCE: dict[str, tuple[Evidence, ...]] = {
    **MACHINES,
    **ENGINES,
    **AUTHORITY,
    **PEOPLE,
    **HOST_EVIDENCE,
    "slots": (
        slots(token()),
        slots(
            token("ccat-root", "DENK0100001"),
            None,
            selected=None,
            problems=("the serial on paper is DENK0100002, the token found has DENK0100001",),
        ),
    ),
    "pin_counter": (
        counter(3),
        counter(2, "low", ("CKF_USER_PIN_COUNT_LOW",)),
        counter(1, "final try", ("CKF_USER_PIN_COUNT_LOW", "CKF_USER_PIN_FINAL_TRY")),
        counter(0, "locked", ("CKF_USER_PIN_LOCKED",)),
        counter(None, "unknown"),
    ),
    "sign_test": (SIGNED, SIGNED.model_copy(update={"verified_by_artefact": False})),
    "fingerprint": (Fingerprint(form="X.509 SHA-256", title="intermediate_ca.crt", value=OTHER),),
    "fingerprint_pair": (pair(), pair(right=swapped(ROOT, 27))),
    "key_match": (
        KeyMatch(
            token=TOKEN,
            key_id="01",
            key_type="EC P-384",
            artefact="intermediate_ca.crt",
            artefact_format="X.509 certificate (PEM)",
            pairs=(pair(), _openssh(ROOT, ROOT)),
            certificate=(
                Fingerprint(form="X.509 SHA-256", title="intermediate_ca.crt", value=OTHER),
                Fingerprint(form="X.509 SHA-1", title="intermediate_ca.crt", value=OTHER[:40]),
            ),
        ),
        KeyMatch(
            token=TOKEN,
            key_id="02",
            key_type="EC P-384",
            artefact="ssh_user_ca.pub",
            artefact_format="OpenSSH public key",
            pairs=(
                pair(right=OTHER),
                _openssh(ROOT, swapped(ROOT, 3), "ECDSA 256"),
            ),
        ),
    ),
    "paper_fingerprint": (
        PaperFingerprint(file="root_ca.crt", subject="CN=CCAT Root CA", method="blind", pair=_paper(ROOT)),
        PaperFingerprint(
            file="root_ca.crt",
            subject="CN=CCAT Root CA",
            method="blind",
            pair=_paper(veiled(swapped(swapped(ROOT, 5), 46), ROOT)),
        ),
    ),
    "objects": (
        ObjectTable(token=TOKEN, objects=(obj("01"), obj("01", "CKO_PUBLIC_KEY")), expected_ids=("01",)),
        ObjectTable(
            token=TOKEN,
            objects=(obj("01"), obj("07", label="left over")),
            expected_ids=("01", "02"),
            missing=("key 02 (ssh user CA)",),
            surplus=("key 07 `left over`",),
        ),
    ),
    "document": JUDGED,
    "file": (FOUND, MIXED_UP),
    "files": (
        FileTable(folder="/media/export", files=(FOUND,)),
        FileTable(
            folder="/media/export",
            files=(
                FOUND,
                MIXED_UP,
            ),
        ),
    ),
    "git": (
        GitTree(folder="/src/site", branch="main", expected_branch="main", commit="2d1c9fe", upstream="origin/main"),
        GitTree(
            folder="/src/site",
            branch="wip",
            expected_branch="main",
            commit="2d1c9fe",
            behind=2,
            upstream="origin/main",
            changes=(" M ansible/hosts", "?? notes.txt"),
        ),
    ),
    "command": (
        CommandOutput(
            argv=("pkcs11-tool", "--list-slots"),
            cwd="/src/site",
            exit_code=0,
            stdout="Available slots:\nSlot 0 (0x0): Nitrokey HSM 2\n  token label : ccat-intermediate (UserPIN)\n",
            stderr="",
            matched=("stdout: ^Slot 0 ", "not there: uninitialized"),
            marks=(OutputMark(stream="stdout", line=1, start=0, end=6, good=True, pattern="^Slot 0 "),),
        ),
        CommandOutput(
            argv=("make", "play hsm host"),
            cwd="/src/site",
            exit_code=None,
            ended_by="deadline",
            stdout="\n".join(f"ok: [input-b] task {n}" for n in range(400)),
            stderr='fatal: [input-b]: UNREACHABLE! => {"msg": "Failed to connect to the host via ssh"}',
            matched=("stdout: task 7$",),
            missed=("missing: stdout: failed=0", "forbidden: UNREACHABLE"),
            marks=(
                OutputMark(stream="stdout", line=7, start=14, end=20, good=True, pattern="task 7$"),
                OutputMark(stream="stderr", line=0, start=18, end=29, good=False, pattern="UNREACHABLE"),
            ),
        ),
    ),
    "statements": (
        Statements(
            statements=("The chassis of input-b is closed", "The cohort knows"),
            confirmed=(True, True),
            by="anna",
        ),
        Statements(
            statements=("The chassis of input-b is closed", "The cohort knows"),
            confirmed=(True, False),
            by="anna",
            note="ok",
        ),
    ),
}
"""By kind: the green one first, then those that are not."""

GREEN: dict[str, Play] = {
    "P.people": ends(Outcome.passed("both statements are confirmed", *EVIDENCE["statements"])),
    "P.tree": ends(Outcome.passed("clean, on main, up to date", EVIDENCE["git"][0])),
    "A1.slots": ends(Outcome.passed(f"one token: {TOKEN}", EVIDENCE["slots"][0])),
    "A3.sign": ends(Outcome.passed("signed, and verified twice", EVIDENCE["pin_counter"][0], SIGNED)),
    "B1.paper": ends(Outcome.passed("the file is the one on paper", EVIDENCE["paper_fingerprint"][0])),
}


def sample_session(
    *,
    rehearsal: bool = False,
    history: RunState | None = None,
    moments: Mapping[str, Moment] | None = None,
    **plays: Play,
) -> tuple[Session, list[ScriptedWalk]]:
    """The sample runbook with every step green, but for those given (dots written as underscores)."""
    changed = {next(step for step in GREEN if step.replace(".", "_") == name): play for name, play in plays.items()}
    return session(RUNBOOK, GREEN | changed, rehearsal=rehearsal, history=history, moments=moments)
