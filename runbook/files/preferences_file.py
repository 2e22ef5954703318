"""The user's configuration file, `config.yaml`: read as strictly as a runbook, with all its problems at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from pydantic import BaseModel, Field, JsonValue

from runbook.fields import Line, Model
from runbook.files.document import Document
from runbook.files.key_checks import key_problems
from runbook.files.loader import load_document
from runbook.files.problems import Problem
from runbook.keys import DOINGS, changeable, names
from runbook.preferences import Preferences, ThemeName

Keys = Annotated[Line, Field(description="Names of keys with commas between, for example `f5,c`.")]


_CHANGEABLE: dict[str, JsonValue] = {
    name: {"type": "string", "minLength": 1, "description": DOINGS[name].told, "examples": [DOINGS[name].keys]}
    for name in changeable()
}
"""For editors, which propose the names and tell of each."""


class Configuration(Model):
    """What a person may set once for all their runs."""

    theme: ThemeName = Field(
        ThemeName.AUTO,
        description="The look of the screens. `auto`: by what the terminal says of itself; `terminal`: its own 16 "
        "colours.",
    )
    mouse: bool = Field(True, description="Whether the screens listen to the mouse.")
    plain: bool = Field(False, description="Numbered lines and questions instead of screens.")
    keys: Mapping[str, Keys] = Field(
        default_factory=dict,
        description="Other keys for what the screens can do, by its name: `runbook config --keys` lists them.",
        examples=[{"run.continue": "f5,c"}],
        json_schema_extra={"properties": _CHANGEABLE, "additionalProperties": False},
    )


def load_preferences(path: Path) -> tuple[Preferences, frozenset[str]]:
    """What the file says, and the names of what it sets; raises InvalidDocument with every problem."""
    model = load_document(path, Configuration, check=_check).model
    keys = MappingProxyType({action: ",".join(names(given)) for action, given in model.keys.items()})
    return Preferences(model.theme, model.mouse, model.plain, keys), frozenset(model.model_fields_set)


def _check(document: Document, _model: BaseModel | None) -> Iterable[Problem]:
    return key_problems(document)
