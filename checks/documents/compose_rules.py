"""The rules of the check `compose`, one function each: what it looks at, and what it says of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase

from checks.documents import compose_values as values
from checks.documents.compose_expect import Expect, Tmpfs
from checks.documents.judging import Finding, remark, right, wrong
from checks.documents.veil import is_reference, is_secret_name
from runbook.files.document import Map, Node, Scalar, Seq
from runbook.files.problems import Mark

ENGINE_TIMEOUT = "30s"
"""What Docker takes where a health check says none (Dockerfile reference, HEALTHCHECK)."""


class Service:
    """A service of the file, and the file."""

    def __init__(self, root: Map, name: str, service: Map) -> None:
        self.root = root
        self.name = name
        self.map = service

    def place(self, key: str) -> Mark:
        """Where the key's value stands; where there is none, the service."""
        node = self.map.get(key)
        if isinstance(node, Scalar) and node.mark.line == self.map.keys[key].line:
            return node.mark
        services = self.root.map("services")
        own = services.keys.get(self.name) if services else None
        return self.map.keys.get(key) or own or self.map.mark

    def text(self, key: str) -> str | None:
        """The key's value as it is spelled."""
        return spelled(self.map.get(key))


def spelled(node: Node | None) -> str | None:
    """A scalar as it is spelled; None: there is none."""
    return node.text if isinstance(node, Scalar) and node.value is not None else None


def build(service: Service, expect: Expect) -> Iterator[Finding]:
    """The image is built here, and not one that is pulled."""
    if expect.build is None:
        return
    if "image" in service.map.items:
        yield wrong("image", f"`image: {service.text('image')}` stands beside the build", service.place("image"))
    node = service.map.get("build")
    if node is None:
        yield wrong("build", "there is no `build`", service.place("build"))
        return
    own = node if isinstance(node, Map) else None
    context = spelled(own.get("context")) if own else spelled(node)
    dockerfile = spelled(own.get("dockerfile")) if own else None
    for name, found, wanted in (
        ("context", _project(context), _project(expect.build.context)),
        ("dockerfile", dockerfile or "Dockerfile", expect.build.dockerfile),
    ):
        mark = _inner(own, name) or service.place("build")
        place = f"build.{name} is {found}"
        yield right(place) if found == wanted else wrong("build", f"{place}, expected {wanted}", mark)
    given = {name: (text, mark) for name, text, mark in _arguments(own)}
    for name, value in expect.build.args.items():
        if name not in given:
            yield right(f"the build argument {name} is left to the Dockerfile")
            continue
        text, mark = given[name]
        said = f"the build argument {name} is {text}"
        yield right(said) if text == value else wrong("build argument", f"{said}, expected {value}", mark)


def _project(text: str | None) -> str:
    """A path of the project: `./x`, `x` and `x/` are one."""
    plain = text or "."
    return values.path(plain if plain.startswith((".", "/", "~", "$")) or "://" in plain else f"./{plain}")


def _inner(holder: Map | None, key: str) -> Mark | None:
    node = holder.get(key) if holder else None
    return node.mark if node else None


def _arguments(own: Map | None) -> Iterator[tuple[str, str | None, Mark]]:
    node = own.get("args") if own else None
    if isinstance(node, Map):
        for name, item in node.items.items():
            yield name, spelled(item), item.mark
    elif isinstance(node, Seq):
        for text, mark in values.texts(node):
            name, equals, value = text.partition("=")
            yield name, value if equals else None, mark


def plain_keys(service: Service, expect: Expect) -> Iterator[Finding]:
    """`user` and `restart` are exactly so."""
    for key, wanted in (("user", expect.user), ("restart", expect.restart)):
        if wanted is None:
            continue
        found = service.text(key)
        if found == wanted:
            yield right(f"{key} is {found}")
        else:
            said = f"{key} is {found}" if found is not None else f"there is no `{key}`"
            yield wrong(key, f"{said}, expected {wanted}", service.place(key))


def environment(service: Service, expect: Expect) -> Iterator[Finding]:
    """Variables that must be there have their exact text, and others are not there."""
    given = {name: (text, mark) for name, text, mark in values.environment(service.map)}
    for name, wanted in expect.environment.present.items():
        if name not in given:
            yield wrong("variable missing", f"{name} is not passed on, expected {wanted}", service.place("environment"))
            continue
        text, mark = given[name]
        if text == wanted:
            yield right(f"{name} is {wanted}")
        else:
            yield wrong("variable", f"{name} is {_shown(name, text)}, expected {wanted}", mark)
    for pattern in expect.environment.absent:
        hits = [(name, mark) for name, (_, mark) in given.items() if fnmatchcase(name, pattern)]
        for name, mark in hits:
            yield wrong("forbidden variable", f"{name} is set; no {pattern} may be", mark)
        if not hits:
            yield right(f"no {pattern} is set")
    for pattern in expect.environment.discouraged:
        for name, (_, mark) in given.items():
            if fnmatchcase(name, pattern):
                yield remark(f"{name} is set; better no {pattern} is", mark, "discouraged variable")


def _shown(name: str, text: str | None) -> str:
    if text is None:
        return "passed on whatever it is, or empty"
    hidden = is_secret_name(name) and not is_reference(text)
    return "written into the file (the value is not shown)" if hidden else text


def devices(service: Service, expect: Expect) -> Iterator[Finding]:
    """The devices are passed on."""
    found = list(values.devices(service.map))
    for wanted in expect.devices:
        source, *rest = values.split(wanted)
        target = values.path((rest or [source])[0])
        permissions = (rest[1:] or ["rwm"])[0]
        hit = next((item for item in found if (item.source, item.target) == (values.path(source), target)), None)
        if hit is None:
            listed = ", ".join(f"{item.source}:{item.target}" for item in found) or "none"
            yield wrong("device", f"the device {wanted} is not passed on ({listed} is)", service.place("devices"))
        elif not set(permissions) <= set(hit.options["permissions"]):
            said = f"the device {wanted} is passed on with {hit.options['permissions']}, expected {permissions}"
            yield wrong("device", said, hit.mark)
        else:
            yield right(f"the device {wanted} is passed on")


def tmpfs(service: Service, expect: Expect) -> Iterator[Finding]:
    """A tmpfs is mounted there, with these options."""
    found = {item.target: item for item in values.tmpfs(service.map)}
    for target, wanted in expect.tmpfs.items():
        item = found.get(values.path(target))
        if item is None:
            yield wrong("tmpfs", f"no tmpfs is mounted on {target}", service.place("tmpfs"))
            continue
        bad = list(_options(item.options, wanted))
        yield from (wrong("tmpfs option", f"the tmpfs on {target} has {said}", item.mark) for said in bad)
        if not bad:
            options = ", ".join(f"{name}={value}" for name, value in item.options.items()) or "no options"
            yield right(f"a tmpfs is mounted on {target} ({options})")


def _options(given: Mapping[str, str], wanted: Tmpfs) -> Iterator[str]:
    for name, read in _OPTIONS.items():
        expected = getattr(wanted, name)
        if expected is None:
            continue
        spelled_as = given.get(name)
        if spelled_as is None:
            yield f"no {name}, expected {name}={expected}"
        elif read(spelled_as) != read(str(expected)):
            yield f"{name}={spelled_as}, expected {name}={expected}"


def _octal(text: str) -> int | None:
    return int(text, 8) if re.fullmatch("[0-7]+", text) else None


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch("[0-9]+", text) else None


_OPTIONS: Mapping[str, Callable[[str], int | None]] = {
    "mode": _octal,
    "uid": _number,
    "gid": _number,
    "size": values.size,
}


def entrypoint(service: Service, expect: Expect) -> Iterator[Finding]:
    """The container begins with exactly these words."""
    if expect.entrypoint is None:
        return
    words = values.command(service.map.get("entrypoint"))
    said = f"the entrypoint is {' '.join(words)}" if words else "there is no `entrypoint`"
    wanted = " ".join(expect.entrypoint)
    if words == list(expect.entrypoint):
        yield right(said)
    else:
        yield wrong("entrypoint", f"{said}, expected {wanted}", service.place("entrypoint"))


def mounts(service: Service, expect: Expect) -> Iterator[Finding]:
    """Volumes and files are mounted where they should be, and read-only or not."""
    found = list(values.mounts(service.map))
    for wanted in expect.mounts:
        source, target = values.path(wanted.source), values.path(wanted.target)
        there = next((item for item in reversed(found) if item.target == target), None)
        if there is None:
            yield wrong("mount", f"nothing is mounted on {target}, expected {source}", service.place("volumes"))
        elif there.source != source:
            yield wrong(
                "mount", f"{there.source or 'a nameless volume'} is mounted on {target}, expected {source}", there.mark
            )
        elif there.read_only != wanted.read_only:
            said = "read-only, expected writable" if there.read_only else "writable, expected read-only"
            yield wrong("read-only", f"{source} is mounted on {target} {said}", there.mark)
        else:
            yield right(f"{source} is mounted on {target}{', read-only' if there.read_only else ''}")


def healthcheck(service: Service, expect: Expect) -> Iterator[Finding]:
    """The health check asks what it should, and waits long enough for the answer."""
    if expect.healthcheck is None:
        return
    own = service.map.map("healthcheck")
    test = values.command(own.get("test")) if own else []
    if own is None or spelled(own.get("disable")) == "true" or test[:1] == ["NONE"]:
        yield wrong("health check", "there is no health check", service.place("healthcheck"))
        return
    least, limit = expect.healthcheck.timeout_at_least, own.get("timeout")
    if least is not None:
        text = spelled(limit) or ENGINE_TIMEOUT
        took, mark = values.seconds(text), limit.mark if limit else service.place("healthcheck")
        if took is None:
            yield wrong("health check", f"the health check's time-out `{text}` is no duration with a unit", mark)
        elif took < (values.seconds(least) or 0):
            yield wrong("time-out", f"the health check gives up after {text}, expected at least {least}", mark)
        else:
            yield right(f"the health check waits {text}")
    line = " ".join(test)
    for pattern in expect.healthcheck.contains:
        mark = _inner(own, "test") or service.place("healthcheck")
        hit = re.search(pattern, line) is not None
        yield (
            right(f"the health check asks {pattern}")
            if hit
            else wrong("health check", f"the health check does not ask {pattern}", mark)
        )


def surplus(service: Service, expect: Expect) -> Iterator[Finding]:
    """Keys and leftovers that must be gone."""
    for key in expect.without_keys:
        there = key in service.map.items
        yield wrong("surplus key", f"`{key}` is still there", service.place(key)) if there else right(f"no `{key}`")
    for pattern in expect.without:
        hits = [(said, mark) for said, names, mark in _named(service) if _matches(pattern, names)]
        yield from (wrong("leftover", f"{said} is still there ({pattern})", mark) for said, mark in hits)
        if not hits:
            yield right(f"no mount, device, variable or volume is {pattern}")


def _matches(pattern: str, names: Iterable[str]) -> bool:
    return any(fnmatchcase(name.casefold(), pattern.casefold()) for name in names)


def _named(service: Service) -> Iterator[tuple[str, tuple[str, ...], Mark]]:
    """What the service and the file's `volumes` name."""
    for item in (*values.mounts(service.map), *values.tmpfs(service.map)):
        yield f"the mount {item.source}:{item.target}".replace(" :", " "), (item.source, item.target), item.mark
    for item in values.devices(service.map):
        yield f"the device {item.source}", (item.source, item.target), item.mark
    for name, text, mark in values.environment(service.map):
        yield f"the variable {name}", (name, text or ""), mark
    declared = service.root.map("volumes")
    for name in declared.items if declared else ():
        mark = declared.keys[name] if declared else Mark(1, 1)
        yield f"the volume {name}", (name,), mark


RULES: tuple[Callable[[Service, Expect], Iterator[Finding]], ...] = (
    build,
    plain_keys,
    environment,
    devices,
    tmpfs,
    entrypoint,
    mounts,
    healthcheck,
    surplus,
)
