"""The ceremony's export: five good files, and everything that can be wrong with each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from checks.evidence.files import FileFinding, FileTable
from checks.files.export import Files
from runbook.errors import StepError
from runbook.outcome import Outcome, Verdict
from tests.artefacts.conftest import INTERMEDIATE, Authority, Ceremony, tool
from tests.stand_in import StandIn


async def judge(folder: Path, **names: str) -> tuple[Outcome, dict[str, FileFinding]]:
    outcome = await StandIn(folder.parent).run(Files, folder=str(folder), **names)
    assert outcome.symptom in {"", *Files.symptoms}
    table = outcome.evidence[0]
    assert isinstance(table, FileTable)
    assert len(table.files) == 5
    return outcome, {finding.name: finding for finding in table.files}


async def test_a_good_export(ceremony: Ceremony) -> None:
    outcome, files = await judge(ceremony.folder)
    assert (outcome.verdict, outcome.summary) == (Verdict.PASSED, "all 5 files are there and agree")
    assert all(finding.ok and not finding.problem for finding in files.values())
    assert "signed by the root" in files["intermediate_ca.crt"].details
    assert files["FINGERPRINT.txt"].details == ("agrees with root_ca.crt",)
    assert files["ssh_user_ca.pub"].details == ("key EC P-384, comment ssh_user_ca 2026",)


async def test_the_fingerprint_itself_is_never_shown(ceremony: Ceremony) -> None:
    value = ceremony.root_sha256
    for spoil in ("", "x", "another"):
        if spoil == "another":
            ceremony["FINGERPRINT.txt"].write_text(hashlib.sha256(b"another").hexdigest())
        elif spoil:
            ceremony["FINGERPRINT.txt"].write_text(f"{value}\n{value[::-1]}\n")
        outcome, _ = await judge(ceremony.folder)
        shown = "\n".join([outcome.summary, outcome.remedy, *outcome.evidence[0].plain()])
        shown += outcome.evidence[0].model_dump_json()
        bare = shown.lower().replace(":", "").replace(" ", "")
        assert not [at for at in range(57) if value[at : at + 8] in bare]


Spoil = Callable[[Ceremony], None]


def write(name: str, data: bytes | Callable[[Ceremony], bytes]) -> Spoil:
    def spoil(ceremony: Ceremony) -> None:
        path = ceremony.folder / name
        made = data(ceremony) if callable(data) else data
        path.unlink()
        path.write_bytes(made)

    return spoil


def copy(target: str, source: str) -> Spoil:
    return write(target, lambda ceremony: ceremony[source].read_bytes())


def cut(name: str) -> Spoil:
    return write(name, lambda ceremony: ceremony[name].read_bytes()[:-40])


def as_der(name: str) -> Spoil:
    return write(name, lambda ceremony: tool("openssl", "x509", "-in", str(ceremony[name]), "-outform", "DER"))


def remove(name: str) -> Spoil:
    return lambda ceremony: (ceremony.folder / name).unlink()


def loop(name: str) -> Spoil:
    def spoil(ceremony: Ceremony) -> None:
        (ceremony.folder / name).unlink()
        (ceremony.folder / name).symlink_to(name)

    return spoil


SPOILED: dict[str, tuple[str, Spoil, str, str]] = {
    "missing root": ("root_ca.crt", remove("root_ca.crt"), "file missing", "no such file"),
    "empty key": ("ssh_user_ca.pub", write("ssh_user_ca.pub", b""), "file empty", "is empty"),
    "blank fingerprint": ("FINGERPRINT.txt", write("FINGERPRINT.txt", b" \n"), "file empty", "empty file"),
    "cut certificate": ("intermediate_ca.crt", cut("intermediate_ca.crt"), "damaged file", "truncated PEM"),
    "cut key": ("ssh_host_ca.pub", cut("ssh_host_ca.pub"), "damaged file", "cut short"),
    "DER for PEM": ("root_ca.crt", as_der("root_ca.crt"), "wrong format", "X.509 certificate (DER); expected"),
    "SSH key for certificate": (
        "intermediate_ca.crt",
        copy("intermediate_ca.crt", "ssh_user_ca.pub"),
        "wrong format",
        "this is: OpenSSH public key, ecdsa-sha2-nistp384; expected: X.509 certificate (PEM)",
    ),
    "certificate for SSH key": (
        "ssh_host_ca.pub",
        copy("ssh_host_ca.pub", "intermediate_ca.crt"),
        "wrong format",
        "this is: X.509 certificate (PEM); expected: OpenSSH public key",
    ),
    "certificate for fingerprint": ("FINGERPRINT.txt", copy("FINGERPRINT.txt", "root_ca.crt"), "wrong format", "X.509"),
    "private key": ("ssh_user_ca.pub", copy("ssh_user_ca.pub", "ssh_user_ca"), "private key", "ALARM"),
    "circle of links": ("root_ca.crt", loop("root_ca.crt"), "file unreadable", "round in a circle"),
    "intermediate for root": ("root_ca.crt", copy("root_ca.crt", "intermediate.crt"), "not a root", "not self-signed"),
    "root for intermediate": (
        "intermediate_ca.crt",
        copy("intermediate_ca.crt", "root.crt"),
        "not the intermediate",
        "self-signed",
    ),
    "no fingerprint": ("FINGERPRINT.txt", write("FINGERPRINT.txt", b"on paper\n"), "no fingerprint", "no SHA-256"),
    "two fingerprints": (
        "FINGERPRINT.txt",
        write("FINGERPRINT.txt", b"%b\n%b\n" % (b"a1" * 32, b"b2" * 32)),
        "several fingerprints",
        "2 different",
    ),
    "wrong fingerprint": (
        "FINGERPRINT.txt",
        write("FINGERPRINT.txt", b"a1" * 32),
        "fingerprint differs",
        "does not agree with root_ca.crt",
    ),
    "fingerprint of the file": (
        "FINGERPRINT.txt",
        write("FINGERPRINT.txt", lambda ceremony: tool("sha256sum", str(ceremony["root_ca.crt"]))),
        "fingerprint differs",
        "the root's file as it stands",
    ),
    "fingerprint of the intermediate": (
        "FINGERPRINT.txt",
        write(
            "FINGERPRINT.txt",
            lambda ceremony: tool(
                "openssl", "x509", "-in", str(ceremony["intermediate.crt"]), "-noout", "-fingerprint", "-sha256"
            ),
        ),
        "fingerprint differs",
        "it is the SHA-256 of the intermediate certificate",
    ),
}


@pytest.mark.parametrize("name", SPOILED)
async def test_one_spoiled_file(ceremony: Ceremony, name: str) -> None:
    file, spoil, symptom, words = SPOILED[name]
    spoil(ceremony)
    outcome, files = await judge(ceremony.folder)
    assert outcome.verdict is Verdict.FAILED
    assert outcome.symptom == symptom
    assert not files[file].ok
    assert words in files[file].problem
    assert file in outcome.summary


async def test_everything_is_said_at_once(ceremony: Ceremony) -> None:
    for spoil in (
        remove("root_ca.crt"),
        cut("intermediate_ca.crt"),
        write("ssh_user_ca.pub", b""),
        copy("ssh_host_ca.pub", "ssh_host_ca"),
        write("FINGERPRINT.txt", b"\x00\x01\x02\x03"),
    ):
        spoil(ceremony)
    outcome, files = await judge(ceremony.folder)
    assert [finding.ok for finding in files.values()] == [False] * 5
    assert "5 of 5" in outcome.summary
    assert outcome.symptom == "private key", "the gravest of them"
    assert outcome.remedy == (
        "ssh_host_ca.pub: Treat that key as exposed: find out where it comes from and who could read it. "
        "Stop until then. "
        "root_ca.crt: Look at the folder and the name. "
        "intermediate_ca.crt, FINGERPRINT.txt: Copy the right file again from where it was made. "
        "ssh_user_ca.pub: Copy it again from where it was made."
    )


async def test_an_intermediate_of_another_root(ceremony: Ceremony, authority: Authority) -> None:
    authority.certificate("root", extensions=INTERMEDIATE.replace("pathlen:0", "pathlen:2").replace("keyid", "none"))
    (ceremony.folder / "root_ca.crt").write_bytes((authority.folder / "root.crt").read_bytes())
    outcome, files = await judge(ceremony.folder)
    assert outcome.verdict is Verdict.FAILED
    assert "the root's key did not sign it" in files["intermediate_ca.crt"].problem
    assert "does not agree" in files["FINGERPRINT.txt"].problem


async def test_the_same_ssh_key_twice_is_a_warning(ceremony: Ceremony) -> None:
    copy("ssh_host_ca.pub", "ssh_user_ca.pub")(ceremony)
    outcome, _ = await judge(ceremony.folder)
    assert (outcome.verdict, outcome.symptom) == (Verdict.WARNED, "weak")
    assert "ssh_host_ca.pub: the same key as ssh_user_ca.pub" in outcome.summary


async def test_fingerprint_saved_by_a_windows_editor(ceremony: Ceremony) -> None:
    text = ceremony["FINGERPRINT.txt"].read_text().replace("\n", "\r\n")
    for encoding in ("utf-16", "utf-8-sig"):
        ceremony["FINGERPRINT.txt"].write_bytes(text.encode(encoding))
        assert (await judge(ceremony.folder))[0].verdict is Verdict.PASSED


async def test_names_are_parameters(ceremony: Ceremony) -> None:
    ceremony["root_ca.crt"].rename(ceremony.folder / "root.pem")
    outcome, files = await judge(ceremony.folder, root="root.pem")
    assert outcome.verdict is Verdict.PASSED
    assert "root.pem" in files


async def test_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for name, said in (("absent", "there is no such folder"), ("file", "this is a file, not a folder")):
        with pytest.raises(StepError) as caught:
            await judge(tmp_path / name)
        assert (caught.value.symptom, caught.value.what) == ("folder missing", said)


async def test_foreign_names_and_comments_are_harmless(ceremony: Ceremony) -> None:
    line = ceremony["ssh_user_ca.pub"].read_text().split()
    (ceremony.folder / "ssh_user_ca.pub").write_text(f"{line[0]} {line[1]} \x1b[2J[red]boo[/red]\u202e\n")
    outcome, files = await judge(ceremony.folder)
    assert outcome.verdict is Verdict.PASSED
    assert "␛[2J[red]boo[/red]⟨U+202E⟩" in files["ssh_user_ca.pub"].details[0]
