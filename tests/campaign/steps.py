"""Stage A as a runbook of the operations that use the token, and one whose PIN is wrong."""

from __future__ import annotations

from typing import Any

from runbook.model import Runbook
from tests.campaign.cases import Place, Spot

LABEL = "ccat-intermediate"
STEP_DEADLINE = 12.0
"""Seconds; the calls within a step have shorter ones of their own."""

_KEPT = {"sensitive": True, "extractable": False, "local": True}
_IDS = ("01", "02", "03")

_STEPS: dict[str, dict[str, Any]] = {
    "slots": {"check": "slots", "expect": {"count": 1, "label": LABEL}},
    "objects": {"check": "objects", "expect": [{"id": key, "key_type": "EC P-384"} for key in _IDS]},
    "counter": {"check": "pin_counter", "minimum": 2},
    "wrong-pin": {"check": "sign_test", "key": "01", "mechanism": "ECDSA-SHA384"},
    "sign": {"check": "sign_test", "key": "01", "mechanism": "ECDSA-SHA384"},
    "private": {
        "check": "objects",
        "login": True,
        "expect": [{"id": key, "class": "private key", "key_type": "EC P-384", "attributes": _KEPT} for key in _IDS],
    },
    "match-01": {"check": "key_match", "key": "01", "artefact": "export-usb/intermediate_ca.crt"},
    "match-02": {"check": "key_match", "key": "02", "artefact": "export-usb/ssh_user_ca.pub"},
    "match-03": {"check": "key_match", "key": "03", "artefact": "export-usb/ssh_host_ca.pub"},
    "proof": {
        "check": "sign_test",
        "key": "01",
        "mechanism": "ECDSA-SHA384",
        "artefact": "export-usb/intermediate_ca.crt",
    },
}
WRONG_PIN = "wrong-pin"
_ALIKE = {"match-02", "match-03", "proof"}
"""Alone they differ from others in what they compare, and in no APDU."""

SPOTS = tuple(Spot(place, step) for place in Place for step in _STEPS if place is Place.IN_STAGE or step not in _ALIKE)
"""Where the campaign looks."""


def runbook(spot: Spot) -> Runbook:
    """The runbook that ends with this operation."""
    names = list(_STEPS)
    wanted = [spot.step]
    if spot.place is Place.IN_STAGE:
        # The stage itself has no wrong PIN; where one is typed, it ends there.
        wanted = [name for name in names[: names.index(spot.step)] if name != WRONG_PIN] + wanted
    steps = [
        {"id": name, "title": name, "token": "intermediate", "deadline": STEP_DEADLINE} | _STEPS[name]
        for name in wanted
    ]
    stage = {"id": "A", "title": "The token works", "steps": steps}
    return Runbook.model_validate({"runbook": 1, "id": "campaign", "title": "Campaign", "stages": [stage]})
