"""Values for Ansible that stay what they are: `!unsafe` keeps it from reading templates into them.

An operator's input may hold braces; Ansible would take them for Jinja and run what they say, on this machine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def unsafe_yaml(value: Any) -> str:
    """The value in YAML's flow style, every text in it double-quoted, in ASCII and tagged `!unsafe`.

    Raises TypeError for what has no such form.
    """
    match value:
        case str():
            return f"!unsafe {quoted(value)}"
        case None | bool() | int() | float():
            return json.dumps(value)
        case Mapping():
            return f"{{{', '.join(f'{quoted(str(key))}: {unsafe_yaml(item)}' for key, item in value.items())}}}"
        case Sequence():
            return f"[{', '.join(map(unsafe_yaml, value))}]"
        case _:
            raise TypeError(f"no YAML form for {type(value).__name__}")


def quoted(text: str) -> str:
    """A double-quoted scalar (YAML 1.2 §5.7, §7.3.1), printable ASCII alone."""
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    code = ord(character)
    if character in '"\\':
        return f"\\{character}"
    if 0x20 <= code < 0x7F:
        return character
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
