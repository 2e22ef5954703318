"""What is said when the program itself is at fault: where, never with which values."""

from __future__ import annotations

import traceback
from pathlib import Path

FRAMES = 12
"""Innermost calls named."""


def report(error: BaseException, run_folder: Path) -> str:
    """The kind of the error and the calls that led to it.

    No local variable and no message of the exception: either could hold what was typed at a prompt.
    """
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    places = [f"    {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
    return "\n".join(
        [
            f"The program has a defect: {type(error).__name__} was not expected.",
            f"Nothing is lost: the record of the run is in {run_folder}",
            "No PIN is sent again by itself. Please report the lines below; they hold no value that was typed.",
            *places,
        ]
    )
