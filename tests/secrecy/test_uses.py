"""What each use of a secret leaves in the memory of a process that does nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from tests.ca.step_ca_lab import encrypted
from tests.secrecy.scan import copies

SECRET = "u4B7k29hD15r3P"


@pytest.mark.parametrize("use", ["redact", "open_key", "ansible", "kept"])
def test_nothing_is_left(use: str) -> None:
    key = ECKey.generate_key("P-256")
    arguments = [json.dumps(key.as_dict(private=False)), encrypted(key, SECRET)] if use == "open_key" else []
    with subprocess.Popen(
        [sys.executable, "-m", "tests.secrecy.user", use, *arguments],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as user:
        try:
            assert user.stdin is not None
            assert user.stdout is not None
            user.stdin.write(f"{SECRET}\n".encode())
            user.stdin.flush()
            assert user.stdout.readline() == b"done\n"
            found = copies(user.pid, SECRET)
        finally:
            user.kill()
    assert [str(copy) for copy in found] == []
