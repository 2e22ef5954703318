"""Attachments: under the hash of their bytes, without any secret, on the disk or not at all."""

from __future__ import annotations

import hashlib
import os
import stat
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook.errors import JournalError
from runbook.record import attachments
from runbook.record.attachments import PIECE, load, names, path_of, store, wrong
from runbook.secrets import MASK, Redactor, Secret


def _knowing(*secrets: str) -> Redactor:
    redactor = Redactor()
    for secret in secrets:
        redactor.learn(Secret.from_text(secret))
    return redactor


@pytest.mark.parametrize("content", [b"", b"text\n", b"\xff\x00\xed\xa0\x80 no UTF-8 \xc3", os.urandom(3 * PIECE + 1)])
def test_what_was_stored_is_there_byte_for_byte(tmp_path: Path, content: bytes) -> None:
    stored = store(tmp_path, content, _knowing("648219"))
    assert stored.sha256 == hashlib.sha256(content).hexdigest()
    assert stored.size == len(content)
    assert load(tmp_path, stored.sha256) == content
    assert wrong(tmp_path, stored.sha256, stored.size) == ""
    assert names(tmp_path) == [stored.sha256]
    assert stat.S_IMODE(path_of(tmp_path, stored.sha256).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / attachments.FOLDER).stat().st_mode) == 0o700


def test_the_same_bytes_are_stored_once(tmp_path: Path) -> None:
    assert store(tmp_path, b"same", Redactor()) == store(tmp_path, b"same", Redactor())
    assert len(names(tmp_path)) == 1


@settings(deadline=None)
@given(st.integers(1, 40), st.binary(max_size=30))
def test_a_secret_is_removed_wherever_it_is_cut(
    tmp_path_factory: pytest.TempPathFactory, piece: int, rest: bytes
) -> None:
    folder = tmp_path_factory.mktemp("run")
    content = b"the PIN is s3cret&pin. " + rest.replace(b"s", b"t")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attachments, "PIECE", piece)
        stored = store(folder, content, _knowing("s3cret&pin"))
    assert load(folder, stored.sha256) == content.replace(b"s3cret&pin", MASK.encode())


@pytest.mark.parametrize("size", [1, 7, PIECE - 1, PIECE, PIECE + 1])
def test_pieces_of_any_size_are_the_whole(tmp_path: Path, size: int) -> None:
    content = os.urandom(2 * PIECE + 11)
    stored = store(tmp_path, (content[start : start + size] for start in range(0, len(content), size)), Redactor())
    assert load(tmp_path, stored.sha256) == content


def test_a_secret_across_the_pieces_of_a_file_is_removed(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x" * (PIECE - 3) + b"s3cret&pin" + b"y" * PIECE)
    stored = store(tmp_path, source, _knowing("s3cret&pin"))
    assert load(tmp_path, stored.sha256) == source.read_bytes().replace(b"s3cret&pin", MASK.encode())


def test_what_is_changed_or_missing_is_told(tmp_path: Path) -> None:
    stored = store(tmp_path, b"content", Redactor())
    path = path_of(tmp_path, stored.sha256)
    assert "has 7 bytes, and the record says 8" in wrong(tmp_path, stored.sha256, 8)
    path.write_bytes(b"c0ntent")
    assert "not those that were stored" in wrong(tmp_path, stored.sha256, 7)
    with pytest.raises(JournalError, match="not the one that was stored"):
        load(tmp_path, stored.sha256)
    path.unlink()
    assert "No such file" in wrong(tmp_path, stored.sha256, 7)
    with pytest.raises(JournalError, match="missing: No such file"):
        load(tmp_path, stored.sha256)
    path.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_bytes(b"content")
    assert "cannot be read" in wrong(tmp_path, stored.sha256, 7)
    path.unlink()
    os.mkfifo(path)
    assert "no plain file" in wrong(tmp_path, stored.sha256, 7)
    assert "its hash is none" in wrong(tmp_path, "../../etc/passwd", 7)


def test_storing_again_mends_what_was_damaged(tmp_path: Path) -> None:
    stored = store(tmp_path, b"content", Redactor())
    path_of(tmp_path, stored.sha256).write_bytes(b"c0ntent")
    assert load(tmp_path, store(tmp_path, b"content", Redactor()).sha256) == b"content"


def test_a_full_disk_leaves_nothing(full_disk: Path) -> None:
    kept = store(full_disk, b"kept", Redactor())
    with pytest.raises(JournalError, match="No space left"):
        store(full_disk, b"x" * 100_000, Redactor())
    assert names(full_disk) == [kept.sha256]


def test_a_link_in_the_place_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / attachments.FOLDER).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JournalError, match="a link stands"):
        store(tmp_path, b"content", Redactor())
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_memory_does_not_grow_with_what_is_stored(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        for number in range(512):
            yield bytes([number % 251]) * PIECE

    redactor = _knowing("s3cret&pin")
    store(tmp_path, b"x" * PIECE, redactor)
    tracemalloc.start()
    stored = store(tmp_path, pieces(), redactor)
    assert wrong(tmp_path, stored.sha256, 512 * PIECE) == ""
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 32 * PIECE
