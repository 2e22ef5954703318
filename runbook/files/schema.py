"""JSON Schema 2020-12 of the file formats, so that editors complete and check while one writes.

The models describe what the program works with; in the file a step's kind and its own keys stand beside the common
ones. So a step is: the common keys, one of `check`, `action` and `attest`, and, by the kind that is named, its keys.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from runbook.backout import AFTERWARDS_KEYS, WAY_KEYS
from runbook.kind import Kind, Registry
from runbook.model import COMMON_KEYS, Role, Runbook
from runbook.site import Site

DIALECT = "https://json-schema.org/draft/2020-12/schema"

SITE_SCHEMA = "site.schema.json"
"""The file beside a site profile that its modeline names."""

MADE_BY = "Made by `runbook schema`; it is made anew, not changed by hand."

Schema = dict[str, Any]

_INSERTED = {"type": "string", "pattern": r"\{\{.*\}\}", "description": "A value that is inserted when the step runs."}
_SUBSCHEMAS = ("items", "additionalProperties", "contains", "propertyNames", "not", "if", "then", "else")
_SUBSCHEMA_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SUBSCHEMA_MAPS = ("properties", "patternProperties", "$defs")


def json_schema(registry: Registry) -> Schema:
    """The schema of the runbook file, with every kind that is installed."""
    schema = Runbook.model_json_schema(by_alias=True)
    definitions: Schema = schema["$defs"]
    kinds, _ = registry.all()
    probe, step = definitions["Probe"], definitions["Step"]
    checks = [kind for kind in kinds if kind.role is Role.CHECK]
    actions = [kind for kind in kinds if kind.role is Role.ACTION]
    definitions["Step"] = _step(step, kinds)
    definitions["Probe"] = _by_kind(
        {"check": _names(checks, "The name of the check.")}, ["check"], checks, probe.get("description", "")
    )
    definitions["WayBack"] = _way(definitions["WayBack"], actions)
    definitions["Afterwards"] = _afterwards(definitions["Afterwards"], checks)
    for kind in kinds:
        definitions.update(_kind_definitions(kind))
    when = definitions["Hint"]["properties"]["when"]
    about = _take(when, "description", "examples")
    definitions["Hint"]["properties"]["when"] = {"anyOf": [when, {"type": "string"}], **about}
    return _finished(schema, "A runbook for `runbook run`")


def site_schema() -> Schema:
    """The schema of the site profile."""
    return _finished(Site.model_json_schema(by_alias=True), "A site profile for `runbook run --site`")


def configuration_schema() -> Schema:
    """The schema of the user's configuration file."""
    from runbook.files.preferences_file import Configuration

    return _finished(Configuration.model_json_schema(by_alias=True), "The configuration that `runbook config` names")


def schema_text(schema: Schema) -> str:
    """The schema as a file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def modeline(schema_file: str) -> str:
    """The comment by which an editor's YAML language server finds the schema: a path, from the file's own folder."""
    return f"yaml-language-server: $schema={schema_file}"


def _finished(schema: Schema, title: str) -> Schema:
    tidy = _tidy(schema)
    # No title: an editor would put it above what it tells of every single key.
    return {
        "$schema": DIALECT,
        "$comment": MADE_BY,
        **tidy,
        "description": f"{title}. {tidy.get('description', '')}".strip(),
    }


def _step(step: Schema, kinds: list[type[Kind[Any]]]) -> Schema:
    """A step as the file has it."""
    own = step["properties"]
    common = {key: own[key] for key in own if key in COMMON_KEYS}
    by_role = {role: [kind for kind in kinds if kind.role is role] for role in Role}
    roles = {
        "check": _names(by_role[Role.CHECK], "A check reads and judges: its name."),
        "action": _names(by_role[Role.ACTION], "An action changes something: its name."),
        "attest": _statements(by_role[Role.ATTESTATION]),
    }
    required = [key for key in step["required"] if key in COMMON_KEYS]
    schema = _by_kind({**common, **roles}, required, kinds, step.get("description", ""))
    schema["anyOf"] = [{"required": [role.value]} for role in Role]
    schema["allOf"] += [_alone(role) for role in Role]
    return schema


def _alone(role: Role) -> Schema:
    """A step of this role has none of the others: said of each key, so that an editor underlines that key."""
    others = {other.value: False for other in Role if other is not role}
    return {"if": {"required": [role.value]}, "then": {"properties": others}}


def _way(way: Schema, actions: list[type[Kind[Any]]]) -> Schema:
    """A way back as the file has it."""
    own = {key: value for key, value in way["properties"].items() if key in WAY_KEYS}
    own["action"] = _names(actions, "The action that undoes: its name.")
    return _by_kind(own, ["action", "title"], actions, way.get("description", ""))


def _afterwards(check: Schema, checks: list[type[Kind[Any]]]) -> Schema:
    """A check on the way back as the file has it."""
    own = {key: value for key, value in check["properties"].items() if key in AFTERWARDS_KEYS}
    own["check"] = _names(checks, "The check of what is so then: its name.")
    return _by_kind(own, ["check", "title"], checks, check.get("description", ""))


def _by_kind(properties: Schema, required: list[str], kinds: list[type[Kind[Any]]], description: str) -> Schema:
    """An object with these keys and, by the kind that is named, the kind's own."""
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": required,
        "allOf": [_condition(kind) for kind in kinds],
        "unevaluatedProperties": False,
    }


def _condition(kind: type[Kind[Any]]) -> Schema:
    role = kind.role.value
    named: Schema = {"required": [role]}
    if kind.role is not Role.ATTESTATION:
        named["properties"] = {role: {"const": kind.name}}
    return {"if": named, "then": {"$ref": f"#/$defs/{_prefix(kind)}"}}


def _names(kinds: list[type[Kind[Any]]], description: str) -> Schema:
    """The kinds' names, each with what it does."""
    options = [{"const": kind.name, "description": first_paragraph(kind)} for kind in kinds]
    return {"description": description, "type": "string", **({"oneOf": options} if options else {})}


def _statements(kinds: list[type[Kind[Any]]]) -> Schema:
    described: Schema = {
        "description": "A person says that these statements are so, each on its own.",
        "examples": ["The chassis is closed", ["The chassis is closed", "The paper sheet lies on the table"]],
    }
    lists = [kind.Params.model_json_schema()["properties"].get("statements", {"type": "array"}) for kind in kinds]
    return {**described, "anyOf": [{"type": "string", "minLength": 1}, *lists]}


def first_paragraph(thing: type[Any]) -> str:
    """The first paragraph of a docstring as one line."""
    return " ".join((thing.__doc__ or "").strip().split("\n\n")[0].split())


def _prefix(kind: type[Kind[Any]]) -> str:
    return f"{kind.role.value}.{kind.name}"


def _kind_definitions(kind: type[Kind[Any]]) -> Schema:
    """The kind's own keys under its name, and the models they use under names that begin with it."""
    prefix = _prefix(kind)
    schema = kind.Params.model_json_schema(by_alias=True, ref_template=f"#/$defs/{prefix}.{{model}}")
    inner = schema.pop("$defs", {})
    schema.pop("additionalProperties", None)  # the common keys stand beside them
    schema["description"] = first_paragraph(kind)
    if kind.role is Role.ATTESTATION:
        schema["properties"] = {k: v for k, v in schema["properties"].items() if k != "statements"}
        schema["required"] = [key for key in schema.get("required", []) if key != "statements"]
    definitions = {prefix: schema, **{f"{prefix}.{name}": definition for name, definition in inner.items()}}
    return {name: _insertable(definition) for name, definition in definitions.items()}


def _insertable(schema: Any) -> Any:
    """The schema, with `{{ }}` possible in place of each value that is no plain text, list or object."""
    changed = _each(schema, _insertable)
    if not isinstance(schema, Mapping) or schema.get("type") in ("object", "array", "null"):
        return changed
    free_text = schema.get("type") == "string" and not {"enum", "const", "pattern", "format", "maxLength"} & set(schema)
    scalar = "type" in schema or "enum" in schema or "const" in schema
    if not scalar or free_text:
        return changed
    about = _take(changed, "description", "default", "examples")
    return {"anyOf": [{key: value for key, value in changed.items() if key not in about}, _INSERTED], **about}


def _tidy(schema: Any) -> Any:
    """Without the titles that pydantic makes of names, and with the names of a mapping's keys enforced."""
    changed = _each(schema, _tidy)
    if not isinstance(changed, dict):
        return changed
    changed.pop("title", None)
    if "patternProperties" in changed:
        changed.setdefault("additionalProperties", False)
    return changed


def _each(schema: Any, change: Any) -> Any:
    """The schema with the change made in every schema directly inside it."""
    if not isinstance(schema, Mapping):
        return schema
    return dict(_changed(schema, change))


def _changed(schema: Mapping[str, Any], change: Any) -> Iterator[tuple[str, Any]]:
    for key, value in schema.items():
        if key in _SUBSCHEMA_MAPS:
            yield key, {name: change(item) for name, item in value.items()}
        elif key in _SUBSCHEMA_LISTS:
            yield key, [change(item) for item in value]
        elif key in _SUBSCHEMAS:
            yield key, change(value)
        else:
            yield key, value


def _take(schema: Schema, *keys: str) -> Schema:
    return {key: schema[key] for key in keys if key in schema}
