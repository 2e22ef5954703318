"""`runbook doctor` on machines that lack this and that."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from checks.doctor import examine
from checks.doctor.finding import Finding, State
from checks.doctor.tokens import judged
from checks.evidence.slots import TokenInfo
from tests.cli.bench import Bench
from tests.softhsm import LABEL, MODULE, PIN, SoftHsm

OPENSC = next(str(path) for path in Path("/usr/lib").glob("*/opensc-pkcs11.so"))


@pytest.fixture
def here(tmp_path: Path) -> Bench:
    """A bench whose terminal shows UTF-8."""
    return Bench(tmp_path, {"LC_ALL": "C.UTF-8"})


def write(bench: Bench, **profile: Any) -> None:
    (bench.folder / "site.yaml").write_text(yaml.safe_dump({"site": 1, "name": "here", **profile}))


def found(bench: Bench, *arguments: str, **env: str) -> tuple[int, dict[str, dict[str, str]]]:
    """The exit status, and the findings by title."""
    done = bench("doctor", "--json", *arguments, **env)
    assert done.stderr == ""
    return done.returncode, {one["title"]: one for one in json.loads(done.stdout)}


def token(softhsm: SoftHsm, **changes: str) -> dict[str, Any]:
    return {"module": MODULE, "label": LABEL, "serial": softhsm.serials[LABEL], "env": softhsm.env, **changes}


def test_a_token_is_seen_with_its_pin_flags(here: Bench, softhsm: SoftHsm) -> None:
    write(here, tokens={"intermediate": token(softhsm)})
    code, findings = found(here)
    assert code == 0
    one = findings["token intermediate"]
    assert one["state"] == "ok"
    assert f"{LABEL} [{softhsm.serials[LABEL]}] through {MODULE}" in one["found"]
    assert one["found"].endswith("PIN flags: CKF_USER_PIN_INITIALIZED")
    assert findings["pcscd"]["state"] in ("ok", "warning"), "a software token needs none"


def test_a_counter_that_is_not_full_is_a_warning(here: Bench, softhsm: SoftHsm) -> None:
    wrong = ["pkcs11-tool", "--module", MODULE, "--token-label", LABEL, "--login", "--pin", PIN[::-1], "-O"]
    done = subprocess.run(wrong, env={**here.env, **softhsm.env}, capture_output=True, check=False)
    assert b"CKR_PIN_INCORRECT" in done.stderr
    write(here, tokens={"intermediate": token(softhsm)})
    code, findings = found(here)
    assert (code, findings["token intermediate"]["state"]) == (0, "warning")
    assert "CKF_USER_PIN_COUNT_LOW" in findings["token intermediate"]["found"]


@pytest.mark.parametrize(
    ("flags", "state"),
    [
        (("CKF_USER_PIN_INITIALIZED",), State.OK),
        (("CKF_USER_PIN_INITIALIZED", "CKF_USER_PIN_FINAL_TRY"), State.WARNING),
        (("CKF_USER_PIN_INITIALIZED", "CKF_SO_PIN_COUNT_LOW"), State.WARNING),
        (("CKF_USER_PIN_INITIALIZED", "CKF_USER_PIN_LOCKED"), State.WRONG),
        ((), State.WRONG),
    ],
)
def test_each_flag_has_its_weight(flags: tuple[str, ...], state: State) -> None:
    known = {"manufacturer": "m", "model": "m", "hardware_version": "1.0", "firmware_version": "1.0"}
    info = TokenInfo(label="l", serial="s", flags=("CKF_TOKEN_INITIALIZED", *flags), min_pin=6, max_pin=15, **known)
    one = judged("token t", info, "/m.so")
    assert one.state is state
    assert all(flag in one.found for flag in flags)
    assert bool(one.remedy) is (state is not State.OK)


def test_another_serial_is_wrong_and_tells_what_is_there(here: Bench, softhsm: SoftHsm) -> None:
    write(here, tokens={"intermediate": token(softhsm, serial="DENK0100001")})
    code, findings = found(here)
    assert (code, findings["token intermediate"]["state"]) == (4, "wrong")
    assert softhsm.serials[LABEL] in findings["token intermediate"]["found"]


def test_a_missing_module_is_told_with_what_to_do(here: Bench) -> None:
    write(here, tokens={"intermediate": {"module": "/nowhere/opensc-pkcs11.so", "label": LABEL}})
    done = here("doctor", NO_COLOR="1")
    assert done.returncode == 4
    assert re.search(r"^✗ missing  token intermediate: .*/nowhere/opensc-pkcs11\.so", done.stdout, re.MULTILINE)
    assert "→ Install the package that provides the module" in done.stdout
    assert "needed and not usable: token intermediate" in done.stdout
    long = [line for line in done.stdout.splitlines() if len(line) >= 80]
    assert not [line for line in long if " " in line.strip()], "but for paths, which are not broken"
    assert "\x1b" not in done.stdout


def test_no_pcscd_is_missing_where_a_token_needs_one(here: Bench) -> None:
    socket = str(here.folder / "no-pcscd.comm")
    env = {"PCSCLITE_CSOCK_NAME": socket}
    write(here, tokens={"intermediate": {"module": OPENSC, "label": LABEL, "env": env}})
    code, findings = found(here)
    assert code == 4
    assert findings["token intermediate"]["state"] == "missing"
    assert findings["pcscd"]["state"] == "missing"
    assert socket in findings["pcscd"]["found"]
    assert "systemctl start pcscd" in findings["pcscd"]["remedy"]


def test_a_wrong_profile_is_told_and_the_rest_is_looked_at(here: Bench) -> None:
    write(here, tokens={"intermediate": {"modul": MODULE, "label": LABEL}})
    code, findings = found(here)
    assert (code, findings["site profile"]["state"]) == (2, "wrong")
    assert "site.yaml:" in findings["site profile"]["found"]
    assert "runbook validate --site" in findings["site profile"]["remedy"]
    assert findings["git"]["state"] == "ok"


def test_what_the_path_lacks_is_missing_if_it_is_needed(here: Bench) -> None:
    programs = here.folder / "bin"
    programs.mkdir()
    (programs / "openssl").symlink_to(str(shutil.which("openssl")))
    (programs / "ssh").write_text("#!/bin/sh\necho broken >&2\nexit 3\n")
    (programs / "ssh").chmod(0o755)
    write(here, hosts={"ca": {"ssh": "input-b"}})
    code, findings = found(here, PATH=str(programs))
    assert code == 4
    states = {name: findings[name]["state"] for name in ("git", "openssl", "ssh", "ssh-keygen", "sc-hsm-tool")}
    assert states == {
        "git": "missing",
        "openssl": "ok",
        "ssh": "wrong",
        "ssh-keygen": "warning",
        "sc-hsm-tool": "warning",
    }
    assert "failed with exit code 3: broken" in findings["ssh"]["found"]
    assert "apt-get install git" in findings["git"]["remedy"]


def test_what_is_on_a_host_is_not_connected_to(here: Bench) -> None:
    write(
        here,
        hosts={"ca": {"ssh": "nowhere.invalid"}},
        tokens={"intermediate": {"via": "ca", "module": OPENSC, "label": LABEL}},
        engines={"ca": {"on": "ca"}, "mine": {"url": f"unix://{here.folder}/docker.sock"}},
    )
    code, findings = found(here)
    assert code == 4
    assert (findings["token intermediate"]["state"], findings["docker engine ca"]["state"]) == ("ok", "ok")
    assert findings["docker engine mine"]["state"] == "missing", "this one is of this machine"
    assert str(here.folder) in findings["docker engine mine"]["found"]


def test_the_agents_keys_are_named(here: Bench) -> None:
    socket, key = str(here.folder / "agent"), str(here.folder / "key")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "op@desk", "-f", key], check=True)
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.PIPE)
    try:
        assert agent.stdout is not None
        agent.stdout.readline()  # it says where it listens once it does
        assert found(here, SSH_AUTH_SOCK=socket)[1]["SSH agent"]["state"] == "warning", "it has no key yet"
        subprocess.run(["ssh-add", "-q", key], env={**here.env, "SSH_AUTH_SOCK": socket}, check=True)
        one = found(here, SSH_AUTH_SOCK=socket)[1]["SSH agent"]
    finally:
        agent.kill()
        agent.communicate()
    assert (one["state"], one["found"]) == ("ok", "1 key: op@desk")


def test_the_terminal_is_described_and_coloured_unless_told_not_to_be(here: Bench) -> None:
    here.env["NO_COLOR"] = ""  # empty counts as not set
    with here.terminal("doctor") as terminal:
        assert terminal.end() == 0
    assert "terminal: 80 columns, 24 lines" in terminal.shown
    assert "\x1b[32m✓ ok" in terminal.shown
    here.env |= {"NO_COLOR": "1", "LC_ALL": "C"}
    with here.terminal("doctor") as terminal:
        assert terminal.end() == 0
    assert "\x1b[" not in terminal.shown
    assert "! warning  UTF-8: the locale is C" in terminal.shown
    assert "✓" not in terminal.shown


def test_a_run_that_could_not_be_recorded_is_told(here: Bench) -> None:
    here.state.write_text("a file where the folder has to be")
    code, findings = found(here)
    assert (code, findings["record of runs"]["state"]) == (4, "wrong")


async def test_a_part_that_hangs_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent() -> Sequence[Finding]:
        await asyncio.Event().wait()
        return ()

    monkeypatch.setattr(examine, "DEADLINE", 0.01)
    (one,) = await examine._bounded("tokens", silent())
    assert (one.state, one.title) == (State.WRONG, "tokens")
    assert "no answer" in one.found
