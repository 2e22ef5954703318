"""A Dockerfile's instructions with their lines, read by dockerfile-parse."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from checks.documents.malformed import Malformed
from runbook.files.problems import Mark

KNOWN = frozenset(
    {
        *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK"),
        *("LABEL", "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
    }
)
"""Instructions (docs.docker.com, Dockerfile reference)."""

_HEREDOC = re.compile(r"<<(-?)([\"']?)([A-Za-z_][A-Za-z0-9_]*)\2")
_REFERENCE = re.compile(r"\$(?:(\w+)|\{(\w+)(?:(:?[-+])([^}]*))?\})")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction; its lines are joined."""

    name: str
    value: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Stage:
    """From one FROM to the next."""

    image: str
    """As the FROM line spells it."""
    name: str
    """What `AS` calls it, in lower case."""
    mark: Mark
    """Of the image."""
    instructions: tuple[Instruction, ...]

    def all(self, name: str) -> tuple[Instruction, ...]:
        """Its instructions of that name."""
        return tuple(item for item in self.instructions if item.name == name)


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """What is before the first FROM, and the stages."""

    instructions: tuple[Instruction, ...]
    args: Mapping[str, tuple[str | None, Mark]]
    """Defaults of the ARGs before the first FROM, which are the ones that FROM lines see."""
    stages: tuple[Stage, ...]

    def resolved(self, text: str) -> str | None:
        """`text` with the defaults inserted; None: a name in it has none."""
        missing = False

        def insert(match: re.Match[str]) -> str:
            nonlocal missing
            default = self.args.get(match[1] or match[2], (None, None))[0]
            if match[3] in ("-", ":-"):
                return default or match[4]
            missing = missing or not default
            return default or ""

        done = _REFERENCE.sub(insert, text)
        return None if missing else done


def read_dockerfile(text: str) -> Dockerfile:
    """Raises Malformed."""
    instructions = tuple(_instructions(text))
    for item in instructions:
        if item.name not in KNOWN:
            raise Malformed(
                item.mark, "this is no instruction of a Dockerfile", "Is a `\\` missing in the line before?"
            )
    froms = [number for number, item in enumerate(instructions) if item.name == "FROM"]
    if not froms:
        raise Malformed(Mark(1, 1), "there is no FROM line")
    args = {
        name: (value, item.mark)
        for item in instructions[: froms[0]]
        if item.name == "ARG"
        for name, value in assigned(item.value)
    }
    ends = [*froms[1:], len(instructions)]
    stages = tuple(_stage(instructions[begin:end], text) for begin, end in zip(froms, ends, strict=True))
    return Dockerfile(instructions, args, stages)


def _stage(instructions: tuple[Instruction, ...], text: str) -> Stage:
    first = instructions[0]
    words = [word for word in first.value.split() if not word.startswith("--")]
    if not words:
        raise Malformed(first.mark, "FROM names no image")
    line = text.splitlines()[first.mark.line - 1]
    name = words[2].lower() if len(words) > 2 and words[1].lower() == "as" else ""
    mark = Mark(first.mark.line, max(line.find(words[0]), 0) + 1)
    return Stage(words[0], name, mark, instructions[1:])


def _instructions(text: str) -> Iterator[Instruction]:
    from dockerfile_parse import DockerfileParser
    from dockerfile_parse.constants import COMMENT_INSTRUCTION

    parser = DockerfileParser(fileobj=io.BytesIO(_without_heredocs(text).encode()))
    for item in parser.structure:
        if item["instruction"] != COMMENT_INSTRUCTION:
            indent = len(item["content"]) - len(item["content"].lstrip())
            yield Instruction(item["instruction"], item["value"].strip(), Mark(item["startline"] + 1, indent + 1))


def _without_heredocs(text: str) -> str:
    """The bodies of here-documents made empty lines: the parser would take them for instructions."""
    lines: list[str] = []
    ends: list[tuple[str, bool]] = []
    for line in text.splitlines():
        if ends:
            word, tabs = ends[0]
            if (line.lstrip("\t") if tabs else line) == word:
                ends.pop(0)
            lines.append("")
            continue
        lines.append(line)
        if re.match(r"\s*(RUN|COPY|ADD|ONBUILD)\s", line, re.IGNORECASE):
            ends = [(match[3], bool(match[1])) for match in _HEREDOC.finditer(line)]
    return "\n".join([*lines, ""])


def assigned(value: str) -> Iterator[tuple[str, str | None]]:
    """Names and values of an ARG or ENV instruction; None: an ARG without a default."""
    words = [match.group() for match in re.finditer(r"(?:\"(?:[^\"\\]|\\.)*\"|'[^']*'|\\.|[^\s\"'\\])+", value)]
    if words and "=" not in words[0] and len(words) > 1:  # the older form, `ENV NAME the whole rest`
        yield words[0], value.split(None, 1)[1]
        return
    for word in words:
        name, equals, rest = word.partition("=")
        yield name, re.sub(r"[\"']", "", rest) if equals else None
