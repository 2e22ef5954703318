"""The reader around the card: private, several at once, without privilege, nothing left over."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rehearsal.card import fitness
from rehearsal.card.errors import ReaderUnavailable
from rehearsal.card.virtual_reader import VirtualReader
from tests.card.bench import Bench, field, make_card

NOBODY = 65534


def processes(folder: Path) -> list[str]:
    """Command lines that name the folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(folder) in line:
                found.append(line)
    return found


def state_of(pid: int) -> tuple[str, bool]:
    """A process's name, and whether it runs; one that nobody has reaped does not."""
    try:
        name, _, rest = Path(f"/proc/{pid}/stat").read_text().partition("(")[2].rpartition(")")
    except OSError:
        return "", False
    return name, rest.split()[0] != "Z"


def for_nobody(folder: Path) -> list[str]:
    """A Python that another user may run, with this one's packages, as that user."""
    subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", folder / "venv"], check=True)
    (packages,) = folder.glob("venv/lib/python*/site-packages")
    root = str(Path(__file__).parents[2])
    (packages / "ours.pth").write_text("\n".join([root, *(path for path in sys.path if "site-packages" in path)]))
    for path in (folder, folder / "r", folder / "one.card"):
        os.chown(path, NOBODY, NOBODY)
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", str(folder / "venv/bin/python")]


async def test_two_cards_stand_in_two_readers_and_two_such_pairs_do_not_meet(short: Path) -> None:
    states = [make_card(short / f"{n}.card", serial=f"DENK000000{n}", label=f"card-{n}") for n in range(4)]
    for name in ("a", "b"):
        (short / name).mkdir()
    async with VirtualReader(short / "a", states[:2]) as left, VirtualReader(short / "b", states[2:]) as right:
        for reader, serials in ((left, ["DENK0000000", "DENK0000001"]), (right, ["DENK0000002", "DENK0000003"])):
            listed = await Bench(reader, short).pkcs11("-L")
            assert re.findall(r"serial num +: (\S+)", listed.out) == serials


def run_pcscd() -> list[Path] | None:
    """What is in the folder of the machine's own pcscd."""
    folder = Path("/run/pcscd")
    return sorted(folder.iterdir()) if folder.exists() else None


def sockets(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_socket()]


async def test_nothing_is_left_over(short: Path) -> None:
    before = run_pcscd()
    (short / "r").mkdir()
    async with VirtualReader(short / "r", [make_card(short / "one.card")]) as reader:
        assert len(processes(short)) == 2  # the holder and the card
        await Bench(reader, short).run("sc-hsm-tool")
    assert processes(short) == []
    assert sockets(short) == []
    assert run_pcscd() == before


async def test_all_processes_die_with_a_killed_program(short: Path) -> None:
    make_card(short / "one.card")
    (short / "r").mkdir()
    script = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom rehearsal.card.virtual_reader import VirtualReader\n"
        "async def main():\n"
        "    async with VirtualReader(Path(sys.argv[1]) / 'r', [Path(sys.argv[1]) / 'one.card']) as reader:\n"
        "        print(reader.pcscd.pid, flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script, str(short)), stdout=asyncio.subprocess.PIPE
    )
    assert program.stdout
    pcscd = int(await program.stdout.readline())
    assert state_of(pcscd) == ("pcscd", True)
    program.kill()
    await program.wait()
    async with asyncio.timeout(5):
        while processes(short) or state_of(pcscd)[1]:  # noqa: ASYNC110 - their end is the event
            await asyncio.sleep(0.02)


async def test_it_runs_without_privilege(short: Path) -> None:
    """As the user nobody, with a state file and a folder of that user's own."""
    script = (
        "import asyncio, subprocess, sys, os\nfrom pathlib import Path\n"
        "from rehearsal.card.virtual_reader import VirtualReader\n"
        "async def main():\n"
        "    folder = Path(sys.argv[1])\n"
        "    async with VirtualReader(folder / 'r', [folder / 'one.card']) as reader:\n"
        "        print(os.geteuid(), subprocess.run(['sc-hsm-tool'], env={**os.environ, **reader.environment},\n"
        "              capture_output=True, text=True).stdout)\n"
        "asyncio.run(main())\n"
    )
    make_card(short / "one.card")
    (short / "r").mkdir()
    user, python = (NOBODY, for_nobody(short)) if os.geteuid() == 0 else (os.geteuid(), [sys.executable])
    done = await asyncio.create_subprocess_exec(
        *(*python, "-c", script, str(short)), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd="/"
    )
    out, err = await done.communicate()
    assert f"{user} Version" in out.decode(), err.decode()
    assert "User PIN tries left  : 3" in out.decode()


async def test_pcscd_is_stopped_and_started_under_the_card(bench: Bench) -> None:
    await bench.reader.pcscd.stop()
    shown = await bench.run("sc-hsm-tool")
    assert (shown.code, "Version" in shown.out) == (0, False)
    listed = await bench.pkcs11("-L")
    assert (listed.code, listed.err) == (1, "No slots.\n")
    await bench.reader.pcscd.start()
    await bench.reader.pcscd.wait_for_cards(1)
    assert field((await bench.pkcs11("-L")).out, "serial num") == "DENK0123456"


async def test_the_drivers_port_is_not_reachable_from_the_machine(bench: Bench) -> None:
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection("127.0.0.1", 35963)


async def test_a_card_that_cannot_be_read_ends_the_start_with_its_reason(short: Path) -> None:
    (short / "r").mkdir()
    (short / "bad.card").write_text("no card")
    with pytest.raises(ReaderUnavailable, match="corrupt"):
        async with VirtualReader(short / "r", [short / "bad.card"]):
            pass
    assert processes(short) == []


async def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, short: Path) -> None:
    assert await fitness.obstacle() is None
    monkeypatch.setattr(fitness, "DRIVER", short / "none.so")
    assert await fitness.obstacle() == "packages are missing: vsmartcard-vpcd"
    with pytest.raises(ReaderUnavailable, match="vsmartcard-vpcd"):
        async with VirtualReader(short / "r", [short / "one.card"]):
            pass
