"""The first process of a machine of the lab, in namespaces of its own: makes its file system, starts sshd, reaps.

Called by `lab_init` under `unshare`: FOLDER NAME, with the machine's files as JSON in FOLDER/NAME.json.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
COVERED = (
    "tmp",
    "run",
    "home",
    "root",
    "srv",
    "var/tmp",
    "var/log",
    "var/lib/sudo",
    "work",
    "etc/ssh",
    "etc/sudoers.d",
)
"""Folders in which nothing of the machine below is seen."""


def mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True, timeout=30)


def make_root(folder: Path, name: str) -> Path:
    """The machine below, copy-on-write in memory."""
    memory = folder / f"{name}.memory"
    memory.mkdir()
    mount("-t", "tmpfs", f"lab-{name}", memory)
    upper, work, root = (memory / part for part in ("upper", "work", "root"))
    for part in (upper, work, root):
        part.mkdir()
    mount("-t", "overlay", f"lab-{name}", "-o", f"lowerdir=/,upperdir={upper},workdir={work}", root)
    for covered in COVERED:
        if (root / covered).is_dir():
            mount("-t", "tmpfs", "lab", root / covered)
    (root / "tmp").chmod(0o1777)
    (root / "var/tmp").chmod(0o1777)
    mount("-t", "proc", "proc", root / "proc")
    mount("-t", "sysfs", "-o", "ro", "sysfs", root / "sys")
    make_devices(root / "dev")
    return root


def make_devices(dev: Path) -> None:
    mount("-t", "tmpfs", "-o", "mode=755", "lab", dev)
    for device in DEVICES:
        (dev / device).touch()
        mount("--bind", f"/dev/{device}", dev / device)
    for name, target in {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}.items():
        (dev / name).symlink_to(target)
    (dev / "shm").mkdir()
    (dev / "shm").chmod(0o1777)
    (dev / "pts").mkdir()
    mount("-t", "devpts", "-o", "newinstance,ptmxmode=0666,mode=620", "devpts", dev / "pts")
    (dev / "ptmx").symlink_to("pts/ptmx")


def write_files(root: Path, files: list[dict[str, object]]) -> None:
    for file in files:
        path = root / str(file["path"]).lstrip("/")
        if file["content"] is None:
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.write_text(str(file["content"]))
        path.chmod(int(str(file["mode"])))
        os.chown(path, int(str(file["owner"])), int(str(file["owner"])))


def enter(root: Path) -> None:
    """`root` becomes the root of this mount namespace, and the machine below is out of reach (pivot_root(8))."""
    os.chdir(root)
    subprocess.run(["pivot_root", ".", "mnt"], check=True, timeout=30)
    os.chroot(".")
    os.chdir("/")
    subprocess.run(["umount", "--lazy", "/mnt"], check=True, timeout=30)


def main() -> None:
    folder, name = Path(sys.argv[1]), sys.argv[2]
    files = json.loads((folder / f"{name}.json").read_text())
    root = make_root(folder, name)
    write_files(root, files)
    enter(root)
    socket.sethostname(name)
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
    subprocess.run(
        ["/usr/sbin/sshd", "-E", "/var/log/sshd.log"], env=environment, check=True, timeout=30, stdin=subprocess.DEVNULL
    )
    print("ready", flush=True)  # noqa: T201 - lab_init waits for it
    # What loses its parent here becomes our child, as with every init.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    while True:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
        signal.sigwait({signal.SIGCHLD})


if __name__ == "__main__":
    main()
