"""The files a machine of the lab has beside those of the machine below."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.ssh_lab.plan import ACCOUNTS, ALPHA, FIRST_UID, INNER, PASSWORD, TOKEN_FOLDERS, UNITS

SSHD_CONFIG = """\
Port 22
AddressFamily inet
HostKey /etc/ssh/{host_key}
{ecdsa}
{certificate}
PidFile /run/sshd.pid
LogLevel VERBOSE
UsePAM yes
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitUserEnvironment no
TrustedUserCAKeys /etc/ssh/user-ca.pub
PrintMotd no
UseDNS no
{version}
Subsystem sftp internal-sftp
Match User otp
  KbdInteractiveAuthentication yes
  AuthenticationMethods publickey,keyboard-interactive
"""

PAM_SSHD = """\
auth required pam_unix.so
account required pam_unix.so
session optional pam_env.so
"""

PAM_SUDO = """\
auth [success=1 default=ignore] pam_succeed_if.so quiet user != silent
auth required pam_exec.so quiet /bin/sleep 600
auth required pam_unix.so nullok
account required pam_unix.so
session optional pam_permit.so
"""

SUDOERS = """\
Defaults env_reset, secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", passwd_tries=3
root ALL=(ALL:ALL) ALL
"""

SOFTHSM2_CONF = "directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"


@dataclass(frozen=True, slots=True)
class File:
    """One file (`content` None: a folder) of a machine."""

    path: str
    content: str | None = None
    mode: int = 0o644
    owner: int = 0
    """Number of the account and of its group."""


def files_of(machine: str, keys: Path, extra_sshd: str) -> list[File]:
    """Everything that is written over the copy of the machine below."""
    return [
        *_accounts(keys),
        *_sudo(),
        *_sshd(machine, keys, extra_sshd),
        *_tokens(),
        File("/etc/hostname", f"{machine}\n"),
        File("/etc/hosts", "127.0.0.1 localhost\n" + "".join(f"{ip} {name}\n" for name, ip in INNER.items())),
        File("/usr/local/bin/systemctl", Path(__file__).with_name("systemctl.sh").read_text(), 0o755),
        File(UNITS, mode=0o755),
    ]


def _accounts(keys: Path) -> list[File]:
    hashed = subprocess.run(
        ["openssl", "passwd", "-6", "-stdin"], input=PASSWORD, capture_output=True, text=True, timeout=30, check=True
    ).stdout.strip()
    passwd = _system_lines("/etc/passwd")
    group = _system_lines("/etc/group")
    shadow = [f"{line.split(':')[0]}:*:19000:0:99999:7:::" for line in passwd]
    authorized = "".join((keys / f"{name}.pub").read_text() for name in ("operator", "passphrase"))
    files = [
        File("/root", mode=0o700),
        File("/root/.ssh", mode=0o700),
        File("/root/.ssh/authorized_keys", authorized, 0o600),
    ]
    for uid, account in enumerate(ACCOUNTS, FIRST_UID):
        home = f"/home/{account.name}"
        passwd.append(f"{account.name}:x:{uid}:{uid}::{home}:{account.login_shell}")
        group.append(f"{account.name}:x:{uid}:")
        shadow.append(f"{account.name}:{hashed}:19000:0:99999:7:::")
        files += [
            File(home, mode=0o700, owner=uid),
            File(f"{home}/.ssh", mode=0o700, owner=uid),
            File(f"{home}/.ssh/authorized_keys", authorized, 0o600, uid),
            File(f"{home}/.ssh/environment", "LAB_USER_ENVIRONMENT=read\n", 0o600, uid),
        ]
        if account.bashrc:
            files.append(File(f"{home}/.bashrc", account.bashrc, owner=uid))
    return [
        File("/etc/passwd", "\n".join(passwd) + "\n"),
        File("/etc/group", "\n".join(group) + "\n"),
        File("/etc/shadow", "\n".join(shadow) + "\n", 0o640),
        *files,
    ]


def _system_lines(path: str) -> list[str]:
    """The lines of the accounts or groups that Debian's packages made, such as sshd's own."""
    lines = Path(path).read_text().splitlines()
    return [line for line in lines if int(line.split(":")[2]) < 1000]


def _sudo() -> list[File]:
    lines = [SUDOERS, *(account.sudoers + "\n" for account in ACCOUNTS if account.sudoers)]
    return [File("/etc/sudoers", "".join(lines), 0o440), File("/etc/pam.d/sudo", PAM_SUDO)]


def _sshd(machine: str, keys: Path, extra: str) -> list[File]:
    def config(host_key: str, ecdsa: str = "", certificate: str = "") -> str:
        return SSHD_CONFIG.format(host_key=host_key, ecdsa=ecdsa, certificate=certificate, version=extra)

    certified = machine == ALPHA
    own = f"host-{machine}"
    files = [
        File("/run/sshd", mode=0o755),
        File("/etc/pam.d/sshd", PAM_SSHD),
        File("/etc/ssh/user-ca.pub", (keys / "user-ca.pub").read_text()),
        File(
            "/etc/ssh/sshd_config",
            config(own, f"HostKey /etc/ssh/{own}-ecdsa", f"HostCertificate /etc/ssh/{own}-cert.pub" * certified),
        ),
        # Another sshd in the same place, with a key of its own: the man in the middle.
        File("/etc/ssh/impostor_config", config("other-host-key")),
    ]
    for name in (own, f"{own}-ecdsa", "other-host-key"):
        files.append(File(f"/etc/ssh/{name}", (keys / name).read_text(), 0o600))
        files.append(File(f"/etc/ssh/{name}.pub", (keys / f"{name}.pub").read_text()))
    if certified:
        files.append(File(f"/etc/ssh/{own}-cert.pub", (keys / f"{own}-cert.pub").read_text()))
    return files


def _tokens() -> list[File]:
    made = []
    for name, folder in TOKEN_FOLDERS.items():
        mode = 0o700 if name.endswith("root") else 0o777
        conf = File(f"{folder}/softhsm2.conf", SOFTHSM2_CONF.format(folder=folder))
        made += [File(folder, mode=mode), File(f"{folder}/tokens", mode=mode), conf]
    return made
