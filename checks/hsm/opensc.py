"""OpenSC as a worker needs it: without its PIN cache.

OpenSC keeps the PIN of a login and presents it again by itself whenever the card has forgotten it: after a reset, or
after another program selected the applet. That is an attempt nobody just made, perhaps on another card.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

HOST_FILES: Final = ("/etc/opensc/opensc.conf", "/etc/opensc.conf")
"""Where OpenSC looks by itself, as distributions build it."""

_NO_CACHE: Final = "framework pkcs15 { use_pin_caching = false; }"
_DRIVERS: Final = "card_drivers = sc-hsm, internal;"
"""The SmartCard-HSM's driver first: those before it ask the card two questions of theirs, two APDUs in 33."""
_TOOL_FILE: Final = Path(__file__).with_name("sc-hsm-tool.conf")

_COMMENT = re.compile(r"#[^\n]*")
_CHOSEN_DRIVERS = re.compile(r"^[^#\n]*\bcard_drivers\b", re.MULTILINE)
_MODULE_BLOCK = re.compile(r"^[ \t]*app[ \t]+opensc-pkcs11[ \t]*\{", re.MULTILINE)


def forbid_pin_cache() -> None:
    """Give OpenSC in this process the host's configuration with the cache off, unless the site gave it its own."""
    if "OPENSC_CONF" in os.environ:
        return
    fd = os.memfd_create("opensc.conf")
    os.write(fd, without_cache(_host_text()).encode())
    os.environ["OPENSC_CONF"] = f"/proc/self/fd/{fd}"


def without_cache(text: str) -> str:
    """The configuration `text` with the PIN cache off: OpenSC takes the first block of a name that it finds."""
    block = _MODULE_BLOCK.search(text)
    if block is None:
        return f"app opensc-pkcs11 {{ {_settings(text)} }}\n{text}"
    return f"{text[: block.end()]} {_settings(text)}\n{text[block.end() :]}"


def tool_environment() -> dict[str, str]:
    """For `sc-hsm-tool`: only its own driver asks the card, where the host has not configured OpenSC. Reads a file."""
    configured = "=" in _COMMENT.sub("", _host_text())
    return {} if configured else {"OPENSC_CONF": str(_TOOL_FILE)}


def _settings(text: str) -> str:
    """What this program sets; the host's own choice of drivers stays."""
    return _NO_CACHE if _CHOSEN_DRIVERS.search(text) else f"{_DRIVERS} {_NO_CACHE}"


def _host_text() -> str:
    for path in HOST_FILES:
        try:
            with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - pathlib would cost start-up
                return file.read()
        except OSError:
            continue
    return ""
