"""What is found in an engine, by kind: the green one first."""

from __future__ import annotations

import hashlib

from checks.evidence.containers import ContainerState, ImageState, LogLine, LogsRead, VolumeEntry, VolumeState
from checks.evidence.engine import EngineInfo
from checks.evidence.fingerprints import FingerprintPair
from checks.evidence.signing import SigningProof
from runbook.outcome import Evidence

SHA = hashlib.sha256(b"root certificate").hexdigest()
ID = f"sha256:{SHA}"

_ENGINE = EngineInfo(
    engine="ca",
    name="input-b",
    version="26.1.4",
    api="1.45 (1.24)",
    system="linux/amd64",
    kernel="6.1.0-21-amd64",
    storage="overlay2",
    running=3,
    containers=5,
    images=14,
    reached=("ssh input-b, /var/run/docker.sock",),
)

_ROOT = VolumeEntry(path=".", type="folder", owner=1000, group=1000, mode="0755", size=0)
_CERT = _ROOT.model_copy(
    update={"path": "certs/root_ca.crt", "type": "file", "mode": "0644", "size": 806, "sha256": SHA}
)
_VOLUME = VolumeState(
    engine="ca",
    volume="ccat-ca_step-ca-data",
    there=True,
    driver="local",
    labels=("com.docker.compose.project=ccat-ca",),
    entries=(_ROOT, _CERT),
)
_IMAGE = ImageState(
    engine="ca",
    image="ccat-step-ca:hsm-test",
    id=ID,
    created="2026-05-04T09:12:00.1Z",
    size=312_000_000,
    tags=("ccat-step-ca:hsm-test",),
    user="step",
    found=("/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so  file, 251000 bytes",),
)
_BOX = ContainerState(
    engine="ca",
    container="ccat-ca-step-ca-1",
    there=True,
    id=SHA,
    image="ccat-step-ca:hsm-test",
    image_id=ID,
    status="running",
    health="healthy",
    exit_code=0,
    started="2026-05-04T09:14:00.1Z",
    user="0:0",
    mounts=("ccat-ca_step-ca-data:/home/step", "/opt/entrypoint.sh:/entrypoint.sh:ro"),
)
_LOG = LogsRead(
    engine="ca",
    container="ccat-ca-step-ca-1",
    since="2026-05-04T09:14:00.1Z",
    lines=12,
    matched=(r"Server listening on: 2026/05/04 Server listening on :9000",),
    found=(
        LogLine(
            text="2026/05/04 Server listening on :9000", start=11, end=30, good=True, pattern="Server listening on"
        ),
    ),
    last=("Loaded key from PKCS#11 URI", "2026/05/04 Server listening on :9000"),
)

_MODULE = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"
_PROOF = SigningProof(
    engine="ca",
    container="ccat-ca-step-ca-1",
    process="step-ca (31, user 1000:1000)",
    module=_MODULE,
    mapped=("/usr/local/bin/step-ca", _MODULE, "/usr/lib/x86_64-linux-gnu/libopensc.so.8"),
    holder="pcscd (9, user 0:0)",
    devices=("/dev/bus/usb/001/004",),
    configuration="/home/step/config/ca.json",
    keys=("key: pkcs11:id=01", "ssh.userKey: pkcs11:id=02", "ssh.hostKey: pkcs11:id=03"),
    intermediate=FingerprintPair(
        form="SHA-256", left_title="intermediate_ca.crt", left=SHA, right_title="in the container", right=SHA
    ),
    right=(
        "step-ca (31, user 1000:1000) was started with /home/step/config/ca.json",
        f"step-ca (31, user 1000:1000) has loaded {_MODULE}",
        "none of the 7 other libraries in it is or loads a PKCS#11 module",
        "pcscd (9, user 0:0) holds /dev/bus/usb/001/004",
        f"/home/step/config/ca.json looks for all keys on the token, through {_MODULE}",
        "its intermediate certificate is intermediate_ca.crt",
    ),
)

ENGINES: dict[str, tuple[Evidence, ...]] = {
    "engine": (_ENGINE, _ENGINE.model_copy(update={"problems": ("it is `build-7`, and not `input-b`",)})),
    "volume_entry": (_CERT,),
    "volume": (
        _VOLUME,
        _VOLUME.model_copy(
            update={
                "used_by": ("ccat-ca-step-ca-1 (running)",),
                "options": ("type=none", "o=bind"),
                "entries": (_ROOT.model_copy(update={"owner": 0, "group": 0}),),
                "more": 3,
                "notes": ("removed and made again",),
                "problems": ("the volume's root belongs to 0:0, expected 1000:1000", "db is there, and should not be"),
            }
        ),
        _VOLUME.model_copy(update={"file": "/srv/kept/phase-1.tar", "file_sha256": SHA}),
        VolumeState(engine="ca", volume="ccat-ca_step-ca-data", there=False),
    ),
    "image": (
        _IMAGE,
        _IMAGE.model_copy(update={"labels": ("a=b",), "problems": ("/etc/ssl/certs/ca.crt is not in it",)}),
    ),
    "container": (
        _BOX,
        _BOX.model_copy(
            update={
                "status": "restarting",
                "health": "",
                "restarts": 7,
                "problems": ("it ends again and again (last with 1, 7 restarts)",),
            }
        ),
        ContainerState(engine="ca", container="ccat-ca-step-ca-1", there=False),
    ),
    "container_logs": (
        _LOG,
        _LOG.model_copy(
            update={
                "matched": (),
                "missed": ("Server listening on",),
                "bad": ("error opening the key: no slots",),
                "found": (
                    LogLine(text="error opening the key: no slots", start=23, end=31, good=False, pattern="no slots"),
                ),
                "last": ("Using the PKCS#11 module", "error opening the key: no slots"),
            }
        ),
    ),
    "signing_proof": (
        _PROOF,
        _PROOF.model_copy(
            update={
                "devices": (),
                "right": _PROOF.right[:2],
                "problems": (
                    "it has loaded /usr/lib/softhsm/libsofthsm2.so: keys that are files",
                    "pcscd (9, user 0:0) holds nothing open that fits ^/dev/bus/usb/",
                ),
                "notes": ("/proc/31/maps was read with the engine's privileges: the kernel refuses it to step-ca",),
            }
        ),
    ),
}
