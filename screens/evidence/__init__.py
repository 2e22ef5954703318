"""One widget for each kind of evidence, found by the evidence's class."""

from __future__ import annotations

from importlib import import_module

from runbook.outcome import Evidence
from screens.evidence.pane import Pane, pane_class

_MODULES = (
    "ansible",
    "ca",
    "chain",
    "command",
    "containers",
    "document",
    "files",
    "fingerprints",
    "git",
    "hosts_table",
    "machines",
    "objects",
    "people",
    "pin_counter",
    "sign_test",
    "signing",
    "slots",
    "ssh_login",
    "statements",
    "touched",
)


def pane_for(evidence: Evidence) -> Pane[Evidence]:
    """The widget that draws this evidence; its plain lines where no widget is made for it."""
    for module in _MODULES:
        import_module(f"screens.evidence.{module}")
    return pane_class(type(evidence))(evidence)
