"""The volumes and containers that steps name, against what the site profile's engine lets them touch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from runbook.files.document import Document
from runbook.files.kind_checks import Use
from runbook.files.problems import Problem, did_you_mean
from runbook.site import Site

_LISTS: Mapping[str, str] = {"volume": "volumes", "container": "containers"}
"""What a reference names → the engine's key that has to list it."""


def not_allowed(document: Document, used: Sequence[Use], site: Site, shown: object) -> Iterator[Problem]:
    """What one step or probe names and its engine in the profile does not; `shown` is the profile as people know it.

    The step itself refuses it too (`not in the profile`); here it is told before a run begins.
    """
    for engine in (use.name for use in used if use.ref.to == "engine"):
        profile = site.engines.get(engine)
        for use in used if profile is not None else ():
            key = _LISTS.get(use.ref.to, "")
            allowed: tuple[str, ...] = getattr(profile, key) if key else ()
            if key and use.name not in allowed:
                said = f"the engine `{engine}` of the site profile {shown} does not name the {use.ref.to} `{use.name}`"
                hint = (
                    did_you_mean(use.name, allowed, f"Its {key} are") or f"Add it under `{key}` of that engine there."
                )
                yield document.problem(use.node, f"{said}: no step may touch it", hint)
