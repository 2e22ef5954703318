"""The key and the certificate of a login lie in private files, and go."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from checks.ca.login_files import NoPlace, login_files
from checks.ca.ssh_login import SshLoginCheck
from tests.hosts.ssh_bench import until


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
async def files() -> AsyncIterator[Path]:
    async with login_files(b"a key", "a certificate") as made:
        yield made.key.parent


async def test_the_files_are_private(files: Path) -> None:
    assert mode(files) == 0o700
    assert {name: mode(files / name) for name in ("key", "key-cert.pub")} == {"key": 0o600, "key-cert.pub": 0o600}


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


async def test_the_files_go_when_it_is_called_off() -> None:
    made: asyncio.Queue[Path] = asyncio.Queue()

    async def use() -> None:
        async with login_files(b"a key", "a certificate") as files:
            await made.put(files.key.parent)
            await asyncio.sleep(600)

    task = asyncio.create_task(use())
    folder = await made.get()
    assert there(folder)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not there(folder)


async def test_no_place_for_the_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setattr("checks.ca.login_files._PLACES", (str(tmp_path / "nothing"),))
    with pytest.raises(NoPlace):
        async with login_files(b"a key", "a certificate"):
            pass
    assert NoPlace.symptom in SshLoginCheck.symptoms


def there(path: Path) -> bool:
    return path.exists()


def test_the_files_go_when_the_program_is_killed() -> None:
    program = textwrap.dedent("""
        import asyncio
        from checks.ca.login_files import login_files

        async def main():
            async with login_files(b"a key", "a certificate") as files:
                print(files.key.parent, flush=True)
                await asyncio.sleep(600)

        asyncio.run(main())
    """)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        folder = Path(running.stdout.readline().strip())
        assert folder.parent == Path(os.environ["XDG_RUNTIME_DIR"])
        assert (folder / "key").read_bytes() == b"a key"
        running.send_signal(signal.SIGKILL)
    until(lambda: not folder.exists(), "the folder goes")
