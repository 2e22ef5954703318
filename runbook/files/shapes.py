"""What a model's types say: the keys a place may have, the references in it, and its form in words."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from pathlib import PurePath
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from runbook.files.document import Map, Node, Scalar, Seq
from runbook.kind import Ref

_SIMPLE: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "`true` or `false`",
    type(None): "nothing",
    Any: "any value",
    object: "any value",
}


def key_of(name: str, field: FieldInfo) -> str:
    """The key under which the file gives a field."""
    return field.alias or name


def fields_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by their keys in the file."""
    return {key_of(name, field): field for name, field in model.model_fields.items()}


def arms(annotation: Any) -> Iterator[Any]:
    """The alternatives of a union, without the wrappers of `Annotated` and of type aliases."""
    if isinstance(annotation, typing.TypeVar):
        annotation = annotation.__bound__ or Any
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from arms(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for arm in get_args(annotation):
            yield from arms(arm)
    elif hasattr(annotation, "__value__"):
        yield from arms(annotation.__value__)
    else:
        yield annotation


def is_model(annotation: Any) -> bool:
    """Whether the type is a pydantic model."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _is_list(annotation: Any) -> bool:
    origin = get_origin(annotation) or annotation
    return isinstance(origin, type) and issubclass(origin, Sequence | set | frozenset) and not issubclass(origin, str)


def _is_map(annotation: Any) -> bool:
    origin = get_origin(annotation) or annotation
    return isinstance(origin, type) and issubclass(origin, Mapping)


def item_of(annotation: Any) -> Any:
    """The type of the items of a list (of a tuple: of all its places)."""
    args = [arg for arg in get_args(annotation) if arg is not Ellipsis]
    if not args:
        return Any
    return args[0] if len(args) == 1 else Union[tuple(args)]  # noqa: UP007 - built at run time


def value_of(annotation: Any) -> Any:
    """The type of the values of a mapping."""
    args = get_args(annotation)
    return args[1] if len(args) == 2 else Any


def at(annotation: Any, loc: Sequence[int | str]) -> list[Any]:
    """The types that may stand at a pydantic location; what is no key or index there names a union's arm."""
    found = list(arms(annotation))
    for step in loc:
        below = [inner for arm in found for inner in _into(arm, step)]
        if below:
            found = below
    return found


def _into(arm: Any, step: int | str) -> Iterator[Any]:
    if isinstance(step, int):
        if _is_list(arm):
            yield from arms(item_of(arm))
    elif is_model(arm):
        field = fields_of(arm).get(step)
        if field is not None:
            yield from arms(field.annotation)
    elif _is_map(arm):
        yield from arms(value_of(arm))


def keys_at(annotation: Any, loc: Sequence[int | str]) -> list[str]:
    """The keys that the models at that location know."""
    return sorted({key for arm in at(annotation, loc) if is_model(arm) for key in fields_of(arm)})


def refs(annotation: Any, node: Node, metadata: Iterable[Any] = ()) -> Iterator[tuple[Node, Ref]]:
    """The nodes that name something of the runbook or the site profile, by the types' `Ref` marks."""
    own = [item for item in metadata if isinstance(item, Ref)]
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        yield from refs(inner, node, [*own, *more])
    elif hasattr(annotation, "__value__"):
        yield from refs(annotation.__value__, node, own)
    elif get_origin(annotation) in (Union, types.UnionType):
        for arm in get_args(annotation):
            yield from refs(arm, node, own)
    elif isinstance(node, Scalar):
        yield from ((node, ref) for ref in own)
        if _is_list(annotation):  # one item may stand for a list of one
            yield from refs(item_of(annotation), node)
    elif isinstance(node, Seq) and _is_list(annotation):
        for item in node.items:
            yield from refs(item_of(annotation), item, own)
    elif isinstance(node, Map):
        yield from _refs_in_map(annotation, node)


def _refs_in_map(annotation: Any, node: Map) -> Iterator[tuple[Node, Ref]]:
    if is_model(annotation):
        for key, field in fields_of(annotation).items():
            if key in node.items:
                yield from refs(field.annotation, node.items[key], field.metadata)
    elif _is_map(annotation):
        for item in node.items.values():
            yield from refs(value_of(annotation), item)


def default_refs(model: type[BaseModel], given: Iterable[str]) -> Iterator[tuple[str, Ref]]:
    """References that a model's defaults make, for the keys that are not given."""
    for key, field in fields_of(model).items():
        if key not in set(given) and isinstance(field.default, str) and field.default:
            yield from ((field.default, item) for item in field.metadata if isinstance(item, Ref))


def words(annotation: Any, metadata: Iterable[Any] = ()) -> str:
    """The type for people, for example `a list of text`."""
    for item in metadata:
        if isinstance(item, Ref):
            return f"the name of {'an' if item.to[0] in 'aeiou' else 'a'} {item.to}"
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return words(inner, more)
    if hasattr(annotation, "__value__"):
        return words(annotation.__value__)
    if get_origin(annotation) in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(words(arm) for arm in get_args(annotation) if arm is not type(None)))
    return _words(annotation)


def _words(annotation: Any) -> str:
    if annotation in _SIMPLE:
        return _SIMPLE[annotation]
    if get_origin(annotation) is Literal:
        return one_of(get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return one_of(member.value for member in annotation)
    if isinstance(annotation, type) and issubclass(annotation, PurePath):
        return "a path"
    if _is_list(annotation):
        items = words(item_of(annotation)).removeprefix("a ")
        return "a list" if " or " in items or is_model(item_of(annotation)) else f"a list of {items}"
    if _is_map(annotation):
        return f"keys, each with {words(value_of(annotation))}"
    return "keys with values" if is_model(annotation) else "a value"


def one_of(values: Iterable[Any]) -> str:
    """For example `a`, `b` or `c`, each in backquotes."""
    listed = [f"`{str(value).lower() if isinstance(value, bool) else value}`" for value in values]
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} or {listed[-1]}"
