"""What a step will do, exactly: the commands of its kind with the values that are known. Nothing is touched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from runbook.errors import RunbookError
from runbook.files.templates import names, render_params
from runbook.kind import Registry
from runbook.model import Step
from runbook.text import clean_line


def exact(step: Step, values: Mapping[str, str | None], registry: Registry) -> tuple[str, ...]:
    """The lines of the kind's `plan`; what is not known yet stands as `{{ name }}`. It loads the kind: it may block.

    Where a value that is missing, or a kind that cannot be loaded, leaves no plan, the step's own keys are given.
    """
    known = {name: values.get(name) or f"{{{{ {name} }}}}" for name in names(step.params)}
    params = render_params(step.params, known)
    try:
        kind = registry.get(step.role, step.kind)
        lines = kind(kind.Params.model_validate(params)).plan()
    except ValidationError:
        lines = _keys(step, params)  # a name stands in the place of a number or the like
    except RunbookError as error:
        lines = (f"{error.what}; its keys are:", *_keys(step, params))
    return tuple(clean_line(line, max(2_000, len(line))) for line in lines)


def _keys(step: Step, params: Mapping[str, Any]) -> tuple[str, ...]:
    return (step.kind, *(f"  {key}: {json.dumps(value, ensure_ascii=False)}" for key, value in params.items()))
