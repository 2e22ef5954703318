"""Files that a command is said to change: what it does cannot be seen from outside, so the step names them."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from runbook.context import Context
from runbook.fields import Line
from runbook.kind import Params
from runbook.paths import resolve
from runbook.site import LOCAL


class Touches(Params):
    """Keys of an action that runs a command."""

    touches: tuple[Line, ...] = Field(
        (),
        description="Files that it changes, for the record and the check `touched`; on this machine relative to the "
        "runbook's folder.",
        examples=[["{{ repository }}/ansible/vars.yml"]],
    )

    async def tell(self, ctx: Context, *, folder: Path, on: str = LOCAL) -> None:
        """Put them on record, before the command runs."""
        for name in self.touches:
            await ctx.touch("file", str(resolve(folder, name)) if on == LOCAL else name, on=on, how="by its command")
