"""The values of inputs that are known before a run starts: of the command line, the site profile and defaults."""

from __future__ import annotations

from collections.abc import Mapping

from runbook.errors import UsageError
from runbook.files import inputs
from runbook.files.loader import Loaded
from runbook.files.problems import did_you_mean
from runbook.input_types import SecretInput, Source
from runbook.model import Runbook
from runbook.site import Site


def given_values(runbook: Runbook, values: Mapping[str, str]) -> dict[str, str]:
    """The values of the command line in their normal form; raises UsageError."""
    found: dict[str, str] = {}
    for name, text in values.items():
        declared = runbook.inputs.get(name)
        if declared is None:
            raise UsageError(
                f"the runbook has no input `{name}`",
                where="--set",
                remedy=did_you_mean(name, runbook.inputs, "Its inputs are"),
            )
        if isinstance(declared, SecretInput):
            raise UsageError(
                f"`{name}` is secret: on a command line everybody on this machine can read it",
                where="--set",
                remedy="Leave it out; it is asked for when it is needed. Treat the value as known to others.",
            )
        if declared.source is Source.PAPER:
            raise UsageError(
                f"`{name}` comes from paper and is typed blind",
                where="--set",
                remedy="Leave it out; it is asked for when it is needed.",
            )
        try:
            found[name] = inputs.parse(declared, text)
        except ValueError as error:
            raise UsageError(str(error), where=f"--set {name}", remedy=declared.help) from error
    return found


def _text(value: object) -> str:
    """A value of the site profile as it would be typed."""
    return inputs.list_text(value) if isinstance(value, list | tuple) else str(value)


def values_at_start(runbook: Runbook, site: Loaded[Site], given: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Command line before site profile before the default of what only a site can know."""
    found = {name: (value, "set") for name, value in given.items()}
    folder = site.path.absolute().parent
    for name, declared in runbook.inputs.items():
        if name in found:
            continue
        if name in site.model.inputs:
            text, source = _text(site.model.inputs[name]), "site"
        elif declared.source is Source.SITE and getattr(declared, "default", None) is not None:
            text, source = str(declared.default), "default"  # type: ignore[union-attr]  # asked in the line above
        else:
            continue
        # Whether a path is there is for the step that reads it: a stick may be plugged in later.
        found[name] = (inputs.parse(declared, text, base=folder, exists=False), source)
    return found
