"""The files of a volume: what they must be, what an archive says they are, and the archive that makes them so."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Final

from pydantic import AfterValidator, Field, model_validator

from checks.containers.carrier import ROOT
from checks.evidence.containers import VolumeEntry
from checks.files.reading import read_file
from runbook.context import Context
from runbook.fields import Model
from runbook.kind import EngineName, Params, VolumeName
from runbook.paths import resolve

_PIECE: Final = 1 << 20

Mode = Annotated[str, Field(pattern=r"^0?[0-7]{3,4}$")]
"""Octal, in quotes: `"0640"`."""

Id = Annotated[int, Field(ge=0, le=4_294_967_294)]
"""A user's or group's number in the container."""


def _inside(path: str) -> str:
    parts = PurePosixPath(path).parts
    if path.startswith("/") or not parts or ".." in parts or "\0" in path:
        raise ValueError("give a path within the volume, as `certs/root_ca.crt`")
    return "/".join(parts)


Inside = Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(_inside)]


class VolumeFile(Model):
    """One file of a volume."""

    path: Inside = Field(description="Within the volume, as `certs/root_ca.crt`.", examples=["certs/root_ca.crt"])
    source: str = Field(
        "",
        max_length=4096,
        description="The file on this machine, by the runbook's folder.",
        examples=["{{ export_usb }}/root_ca.crt"],
    )
    content: str = Field(
        "",
        max_length=65_536,
        description="Instead of `source`: its text. Never a secret.",
        examples=["unused-but-required\n"],
    )
    owner: Id | None = Field(None, description="The user's number; without it, the volume's `owner`.", examples=[1000])
    group: Id | None = Field(None, description="The group's number; without it, the volume's `group`.", examples=[1000])
    mode: Mode | None = Field(
        None, description="Octal and in quotes; without it, the volume's `mode`.", examples=["0600"]
    )

    @model_validator(mode="after")
    def _one_origin(self) -> VolumeFile:
        if bool(self.source) == bool(self.content):
            raise ValueError("say what is in it: either `source` or `content`")
        return self


class VolumeParams(Params):
    """A volume of an engine."""

    engine: EngineName
    volume: VolumeName = Field(
        description="Its name; the site profile must have it under the engine's `volumes`.",
        examples=["ccat-ca_step-ca-data"],
    )


class TreeParams(VolumeParams):
    """A volume and the files in it."""

    files: tuple[VolumeFile, ...] = Field(
        (),
        description="What is to be in the volume, file by file.",
        examples=[[{"path": "config/ca.json", "source": "{{ repository }}/step-ca/ca.json.hsm"}]],
    )
    owner: Id = Field(
        0, description="The user's number for the volume's root, its folders and its files.", examples=[1000]
    )
    group: Id = Field(0, description="The group's number for them.", examples=[1000])
    mode: Mode = Field("0600", description="The files' permissions, octal and in quotes.", examples=["0644"])
    folder_mode: Mode = Field(
        "0755", description="The folders' permissions, also of the volume's root.", examples=["0755"]
    )

    @model_validator(mode="after")
    def _no_clash(self) -> TreeParams:
        paths = [file.path for file in self.files]
        folders = {str(parent) for path in paths for parent in PurePosixPath(path).parents}
        for number, path in enumerate(paths):
            if path in paths[:number] or path in folders:
                raise ValueError(f"`{path}` is there twice")
        return self


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file as it must be, or a folder."""

    path: str
    """`.` is the volume's root."""
    owner: int
    group: int
    mode: str
    """Four octal digits."""
    content: bytes | None
    """None: a folder."""

    @property
    def sha256(self) -> str:
        return "" if self.content is None else hashlib.sha256(self.content).hexdigest()


async def wanted(ctx: Context, params: TreeParams) -> tuple[Wanted, ...]:
    """Root, folders and files, each folder before what is in it. Raises FileProblem."""
    folders = {"."} | {str(parent) for file in params.files for parent in PurePosixPath(file.path).parents}
    found = [
        Wanted(path, params.owner, params.group, params.folder_mode.zfill(4), None)
        for path in sorted(folders, key=lambda path: "" if path == "." else path)
    ]
    for file in params.files:
        content = file.content.encode() or await read_file(resolve(ctx.folder, file.source))
        owner = params.owner if file.owner is None else file.owner
        group = params.group if file.group is None else file.group
        found.append(Wanted(file.path, owner, group, (file.mode or params.mode).zfill(4), content))
    return tuple(found)


def archive(tree: Iterable[Wanted]) -> bytes:
    """The tree as an archive that is unpacked at the carrier's root: so the volume's own root is set too."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for item in tree:
            info = tarfile.TarInfo(ROOT if item.path == "." else f"{ROOT}/{item.path}")
            info.uid, info.gid, info.mode = item.owner, item.group, int(item.mode, 8)
            if item.content is None:
                info.type = tarfile.DIRTYPE
                tar.addfile(info)
            else:
                info.size = len(item.content)
                tar.addfile(info, io.BytesIO(item.content))
    return packed.getvalue()


def listing(pieces: Iterable[bytes]) -> tuple[VolumeEntry, ...]:
    """What is in an archive of a volume, root first, by path. Raises ValueError for what is no such archive."""
    try:
        with tarfile.open(fileobj=_Stream(pieces), mode="r|") as tar:
            found = [_entry(tar, member) for member in tar]
    except tarfile.TarError as error:
        raise ValueError(f"the archive cannot be read: {error}") from None
    return tuple(sorted(found, key=lambda entry: "" if entry.path == "." else entry.path))


def _entry(tar: tarfile.TarFile, member: tarfile.TarInfo) -> VolumeEntry:
    parts = PurePosixPath(member.name).parts
    if not parts or parts[0] != ROOT or ".." in parts:
        raise ValueError(f"the archive is not one of a volume: it holds {member.name!r}")
    digest = ""
    if member.isreg():
        content, hashed = tar.extractfile(member), hashlib.sha256()
        while content and (piece := content.read(_PIECE)):
            hashed.update(piece)
        digest = hashed.hexdigest()
    return VolumeEntry(
        path="/".join(parts[1:]) or ".",
        type=_type(member),
        owner=member.uid,
        group=member.gid,
        mode=f"{member.mode & 0o7777:04o}",
        size=member.size,
        sha256=digest,
        target=member.linkname,
    )


def _type(member: tarfile.TarInfo) -> str:
    for kind, said in (
        (member.isreg, "file"),
        (member.isdir, "folder"),
        (member.issym, "symbolic link"),
        (member.islnk, "hard link"),
    ):
        if kind():
            return said
    return "device or pipe"


def problems(tree: Iterable[Wanted], found: Iterable[VolumeEntry], *, others: bool) -> Iterator[tuple[str, str]]:
    """Symptom and sentence for everything that is not as wanted; `others`: more may be there."""
    there: Mapping[str, VolumeEntry] = {entry.path: entry for entry in found}
    named = set()
    for item in tree:
        named.add(item.path)
        yield from _differences(item, there.get(item.path))
    if not others:
        for path in there:
            if path not in named:
                yield "others", f"{path} is there, and should not be"


def _differences(item: Wanted, entry: VolumeEntry | None) -> Iterator[tuple[str, str]]:
    name = "the volume's root" if item.path == "." else item.path
    if entry is None:
        yield "missing", f"{name} is not there"
        return
    expected = "folder" if item.content is None else "file"
    if entry.type != expected:
        yield "type", f"{name} is a {entry.type}, expected a {expected}"
        return
    if entry.sha256 != item.sha256:
        yield "content", f"{name} has another content than it should"
    if (entry.owner, entry.group) != (item.owner, item.group):
        yield "owner", f"{name} belongs to {entry.owner}:{entry.group}, expected {item.owner}:{item.group}"
    if entry.mode != item.mode:
        yield "mode", f"{name} has mode {entry.mode}, expected {item.mode}"


class _Stream(io.RawIOBase):
    """Pieces as a file that is read once, from its beginning."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        taken = bytearray()
        while size < 0 or len(taken) < size:
            if not self._rest:
                self._rest = next(self._pieces, b"")
                if not self._rest:
                    break
            part = self._rest if size < 0 else self._rest[: size - len(taken)]
            taken += part
            self._rest = self._rest[len(part) :]
        return bytes(taken)
