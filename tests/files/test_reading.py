"""Reading files that others made: every way in which there is none."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from checks.files.reading import LIMIT, SYMPTOMS, FileProblem, read_file
from runbook.paths import resolve


async def problem(path: Path, **how: float) -> FileProblem:
    with pytest.raises(FileProblem) as caught:
        await read_file(path, **how)  # type: ignore[arg-type]
    assert caught.value.symptom in SYMPTOMS
    assert caught.value.where == str(path)
    return caught.value


async def test_the_bytes_as_they_are(tmp_path: Path) -> None:
    data = bytes(range(256)) * 4096
    (tmp_path / "f").write_bytes(data)
    (tmp_path / "link").symlink_to("f")
    assert await read_file(tmp_path / "link", limit=len(data)) == data


async def test_missing(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "plain").write_text("x")
    for name, words in (
        ("absent", "no such file"),
        ("no/folder", "the folder"),
        ("dangling", "a link to nowhere"),
        ("plain/below", "the folder"),
        ("x" * 300, "too long"),
        ("nul\0byte", "name"),
    ):
        found = await problem(tmp_path / name)
        assert found.symptom == "file missing", name
        assert words in found.what, name


async def test_a_circle_of_links(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    found = await problem(tmp_path / "a")
    assert (found.symptom, found.what) == ("file unreadable", "this link leads round in a circle")


async def test_empty(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    assert (await problem(tmp_path / "f")).symptom == "file empty"


async def test_too_large(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(100 * 2**30)
    found = await problem(tmp_path / "huge")
    assert (found.symptom, found.what) == ("file too large", "the file is far too large: 107374182400 bytes")
    (tmp_path / "edge").write_bytes(b"x" * LIMIT)
    assert len(await read_file(tmp_path / "edge")) == LIMIT
    # Its size is said to be 0.
    assert (await problem(Path("/proc/kallsyms"))).symptom == "file too large"


async def test_what_is_no_file_does_not_hold_us_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "socket"))
    started = time.monotonic()
    assert (await problem(tmp_path)).what == "this is a folder, not a file"
    assert (await problem(tmp_path / "pipe")).what == "this is a named pipe, not a file"
    assert (await problem(Path("/dev/zero"))).what == "this is a device, not a file"
    assert (await problem(tmp_path / "socket")).symptom == "file unreadable"
    assert time.monotonic() - started < 5
    server.close()


NOBODY = """
import asyncio, os, sys
from pathlib import Path
from checks.files.reading import FileProblem, read_file
# The folders above may be closed to others, so we go there before we become nobody.
os.chdir(sys.argv[1])
os.setuid(65534)
try:
    asyncio.run(read_file(Path("f")))
except FileProblem as error:
    print(error.symptom, "|", error.what)
"""


def test_no_permission(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    (tmp_path / "f").chmod(0)
    tmp_path.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", NOBODY, str(tmp_path)], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "file unreadable | cannot be read: Permission denied\n"


async def test_a_disk_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "f").write_text("x")
    released = asyncio.Event()
    loop = asyncio.get_running_loop()
    real = os.open

    def slow(*arguments: object, **more: object) -> int:
        asyncio.run_coroutine_threadsafe(released.wait(), loop).result(20)
        return real(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", slow)
    found = await problem(tmp_path / "f", deadline=0.2)
    released.set()
    assert found.what == "reading took longer than 0.2 seconds"


def test_paths_start_at_the_runbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    assert resolve(tmp_path, "a/b") == tmp_path / "a/b"
    assert resolve(tmp_path, "/a/b") == Path("/a/b")
    assert resolve(tmp_path, "~/b") == Path("/home/someone/b")
    assert resolve(tmp_path, "") == tmp_path
