"""The check `dockerfile`: what an image is built from, as whom it runs, and that no secret stays in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar

from pydantic import Field

from checks.documents.dockerfile_text import Dockerfile, Stage, assigned, read_dockerfile
from checks.documents.judging import SYMPTOMS, DocumentCheck, DocumentsParams, Finding, Source, remark, right, wrong
from checks.documents.veil import is_secret_name
from checks.hosts.command import Patterns
from checks.hosts.machine import Machine
from runbook.context import Context
from runbook.fields import Line, Model
from runbook.files.problems import Mark
from runbook.threads import in_thread

DOCKERFILE_SYMPTOMS: Mapping[str, str] = {
    "other base": "It is built on another image.",
    "floating tag": "The base image is not pinned: its tag may mean another image tomorrow.",
    "suffix": "The tag's suffix does not stand literally in the FROM line.",
    "argument missing": "An ARG is missing before FROM, or has no default.",
    "other version": "The default of an ARG is another.",
    "user": "The image does not end as the user it should.",
    "run missing": "No RUN instruction does what must be done.",
    "secret": "A variable or build argument that looks like a secret is in the image or its history.",
}

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_VERSION = re.compile(r"[0-9]+\.[0-9]+|[0-9]{6,}")
"""What a tag must have to name one version: `0.30.2-hsm`, `bookworm-20240701`, and not `latest`, `1` or `stable`."""

_ROOT = frozenset({"root", "0"})


class Expect(Model):
    """What is expected beside a pinned base image and no secret, which always are."""

    base: Line | None = Field(
        None,
        description="The repository of the last stage's image, without tag or digest.",
        examples=["smallstep/step-ca"],
    )
    suffix: Line | None = Field(
        None,
        description="How the tag in the FROM line ends, literally and not by an ARG, for example `-hsm`.",
        examples=["-hsm"],
    )
    args: Mapping[str, str] = Field(
        default_factory=dict,
        description="ARGs before FROM and their exact defaults.",
        examples=[{"STEP_CA_VERSION": "{{ step_ca_version }}"}],
    )
    user: Line | None = Field(None, description="The last USER of the last stage.", examples=["step"])
    runs: Patterns = Field(
        (),
        description="Patterns, each of which some RUN of the last stage must match.",
        examples=[["apt-get install .*opensc"]],
    )


class Params(DocumentsParams):
    """A Dockerfile, and what it must be."""

    expect: Expect = Field(
        Expect(), description="What it must say.", examples=[{"base": "smallstep/step-ca", "suffix": "-hsm"}]
    )


class DockerfileCheck(DocumentCheck[Params]):
    """A Dockerfile's base image is pinned, its user restored at the end, and no secret in it.

    A pinned image has a digest, or a tag with a version; ARGs are resolved by their defaults.
    """

    name = "dockerfile"
    format = "Dockerfile"
    Params = Params
    symptoms: ClassVar = {**SYMPTOMS, **DOCKERFILE_SYMPTOMS}

    async def judge(self, source: Source, _machine: Machine, _ctx: Context) -> Iterable[Finding]:
        return await in_thread(lambda: list(self._rules(read_dockerfile(source.text))))

    def _rules(self, found: Dockerfile) -> Iterator[Finding]:
        expect, last = self.params.expect, found.stages[-1]
        for number, stage in enumerate(found.stages):
            earlier = {other.name for other in found.stages[:number] if other.name}
            if stage.image.lower() not in earlier and stage.image.lower() != "scratch":
                yield pinned(found, stage)
        yield from _base(last, expect)
        yield from _arguments(found, expect)
        yield from _user(last, expect)
        yield from _runs(last, expect)
        yield from _secrets(found)


def split_image(image: str) -> tuple[str, str, str]:
    """Repository, tag and digest of an image's name; a colon before a slash belongs to a port, one in `${…}` to it."""
    name, _, digest = image.partition("@")
    match = re.fullmatch(r"(?P<name>.*?)(?::(?P<tag>(?:\$\{[^}]*\}|[^/:{}])*))?", name)
    return (match["name"], match["tag"] or "", digest) if match else (name, "", digest)


def pinned(found: Dockerfile, stage: Stage) -> Finding:
    """The image means the same tomorrow."""
    _, tag, digest = split_image(stage.image)
    if digest:
        if _DIGEST.fullmatch(digest):
            return right(f"{stage.image} is pinned by its digest")
        return wrong("floating tag", f"{digest} is no complete digest", stage.mark)
    if not tag and "$" in stage.image:
        return wrong("floating tag", f"which image {stage.image} is cannot be told from the file", stage.mark)
    resolved = found.resolved(tag)
    if resolved is None:
        said = f"the tag of {stage.image} depends on an ARG without a default before FROM"
        return wrong("floating tag", said, stage.mark)
    if not resolved:
        return wrong("floating tag", f"{stage.image} has no tag, which means `latest`", stage.mark)
    if not _VERSION.search(resolved):
        return wrong("floating tag", f"the tag `{resolved}` of {stage.image} names no version", stage.mark)
    return right(f"{stage.image} is pinned ({resolved})")


def _base(last: Stage, expect: Expect) -> Iterator[Finding]:
    name, tag, _ = split_image(last.image)
    if expect.base is not None:
        said = f"the base image is {name}"
        yield right(said) if name == expect.base else wrong("other base", f"{said}, expected {expect.base}", last.mark)
    if expect.suffix is not None:
        literal = re.sub(r"\$\{[^}]*\}|\$\w+", "\0", tag)
        if literal.endswith(expect.suffix):
            yield right(f"`{expect.suffix}` stands in the FROM line")
        else:
            because = "From an ARG it could get lost with the next version."
            yield wrong("suffix", f"the tag `{tag}` does not end with `{expect.suffix}` literally", last.mark, because)


def _arguments(found: Dockerfile, expect: Expect) -> Iterator[Finding]:
    for name, wanted in expect.args.items():
        default, mark = found.args.get(name, (None, found.stages[0].mark))
        if default is None:
            yield wrong(
                "argument missing", f"there is no `ARG {name}` with a default before FROM, expected {wanted}", mark
            )
        elif default != wanted:
            yield wrong("other version", f"{name} is {default}, expected {wanted}", mark)
        else:
            yield right(f"{name} is {wanted}")


def _user(last: Stage, expect: Expect) -> Iterator[Finding]:
    users = last.all("USER")
    end = users[-1] if users else None
    if expect.user is None:
        if end is not None and end.value.partition(":")[0] in _ROOT:
            yield remark(f"the image ends as {end.value}", end.mark)
        return
    if end is None:
        yield wrong("user", f"the last stage has no USER, expected {expect.user} at its end", last.mark)
    elif end.value != expect.user:
        yield wrong("user", f"the image ends as {end.value}, expected {expect.user}", end.mark)
    else:
        yield right(f"the image ends as {expect.user}")


def _runs(last: Stage, expect: Expect) -> Iterator[Finding]:
    for pattern in expect.runs:
        hit = any(re.search(pattern, item.value) for item in last.all("RUN"))
        yield right(f"a RUN does {pattern}") if hit else wrong("run missing", f"no RUN matches {pattern}", last.mark)


def _secrets(found: Dockerfile) -> Iterator[Finding]:
    hits: list[tuple[str, str, Mark]] = [
        (item.name, name, item.mark)
        for item in found.instructions
        if item.name in ("ENV", "ARG")
        for name, _ in assigned(item.value)
        if is_secret_name(name)
    ]
    because = "ENV stays in the image and ARG in its history; whoever has the image has the secret."
    yield from (wrong("secret", f"{kind} {name} looks like a secret", mark, because) for kind, name, mark in hits)
    if not hits:
        yield right("no ENV and no ARG looks like a secret")
