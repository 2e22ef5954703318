"""The hosts of a site profile: what its own names refer to, and what a runbook's steps do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runbook.files.document import Document, Map
from runbook.files.kind_checks import Use
from runbook.files.problems import Problem, Severity, did_you_mean
from runbook.files.templates import is_template
from runbook.site import LOCAL, Site


def host_problems(document: Document, site: Site) -> Iterator[Problem]:
    """Groups, tokens and engines of the profile that name a host it does not have."""
    groups, tokens = document.root.map("groups"), document.root.map("tokens")
    if groups is not None:
        for name in groups.items:
            if name in site.hosts or name == LOCAL:
                hint = "A name is a host's or a group's; rename one of them."
                yield document.problem(groups.keys[name], f"`{name}` is a host already", hint)
            for member, node in groups.texts(name):
                if not _known(member, site):
                    yield document.problem(node, f"there is no host or group `{member}`", _hint(member, site))
                elif circle := _circle(member, (name,), site):
                    said = f"the group `{name}` is a member of itself: {' → '.join(circle)}"
                    yield document.problem(node, said, "Take one of them out of the others.")
    yield from _places(document, tokens, "via", site)
    yield from _places(document, document.root.map("engines"), "on", site)


def _places(document: Document, named: Map | None, key: str, site: Site) -> Iterator[Problem]:
    """Tokens or engines on a host that the profile does not have; a group is no place."""
    for item in named.items.values() if named is not None else ():
        host = item.text(key) if isinstance(item, Map) else None
        if isinstance(item, Map) and host and host != LOCAL and host not in site.hosts and not site.inventory:
            hint = did_you_mean(host, site.hosts, "Its hosts are") or "Add it under `hosts`."
            yield document.problem(item.items[key], f"there is no host `{host}`", hint)


def _circle(member: str, way: tuple[str, ...], site: Site) -> tuple[str, ...]:
    """The way from a group's member back to the group; empty where none leads there."""
    if member == way[0]:
        return (*way, member)
    if member in way or member in site.hosts:
        return ()
    ways = (_circle(below, (*way, member), site) for below in site.groups.get(member, ()))
    return next((found for found in ways if found), ())


def unknown_in_hints(document: Document, step: Map, site: Site, shown: object) -> Iterator[Problem]:
    """Commands of a step's hints for hosts that the profile does not have: only people run them, so a warning."""
    for hint in step.entries("hints"):
        for action in hint.entries("try") if isinstance(hint, Map) else ():
            name = action.text("on") if isinstance(action, Map) else None
            if isinstance(action, Map) and name and not is_template(name) and not _known(name, site):
                said = f"the site profile {shown} has no host or group `{name}`"
                yield document.problem(action.items["on"], said, _hint(name, site), severity=Severity.WARNING)


def unknown_hosts(document: Document, used: Iterable[Use], site: Site, shown: object) -> Iterator[Problem]:
    """Steps that name a host or group the profile does not have; `shown` is the profile as people know it."""
    for use in used:
        if use.ref.to == "host" and use.name and not _known(use.name, site):
            yield document.problem(
                use.node, f"the site profile {shown} has no host or group `{use.name}`", _hint(use.name, site)
            )


def _known(name: str, site: Site) -> bool:
    """What an inventory knows is seen when it is read, by the step."""
    return name == LOCAL or name in site.hosts or name in site.groups or bool(site.inventory)


def _hint(name: str, site: Site) -> str:
    return did_you_mean(name, [LOCAL, *site.hosts, *site.groups], "It has") or "Add it under `hosts` there."
