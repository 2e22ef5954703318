"""`runbook rehearse --clean`: what full labs share on this machine goes, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from rehearsal.full import engines
from rehearsal.full.cache import the_cache
from rehearsal.stay import unfinished
from runbook.errors import UsageError


def clean_up(say: Callable[[str], None]) -> None:
    """Remove the shared parts, and the engines of labs that are gone or over.

    An engine that an unfinished run needs stays, and it is said how to go on. Raises UsageError while a full lab runs.
    """
    cache = the_cache()
    if not cache.folder.is_dir():
        say(f"nothing to remove: there is no {cache.folder}")
        return
    with cache.locked(cache.making), cache.locked():
        running = engines.running(cache)
        if running:
            raise UsageError(
                f"a full rehearsal runs now: {', '.join(running)}",
                where=str(cache.folder),
                remedy="Wait for its end, or end it; then call this again.",
            )
        kept = 0
        for engine in engines.all_of(cache):
            lab = Path(engines.lab_of(engine) or engine.folder)
            runs = unfinished(lab) if lab.is_dir() else []
            if runs:
                kept += 1
                say(f"kept: the engine of {lab}; its run {runs[-1]} has not come to its end")
                say(f"  go on with `runbook resume {runs[-1]}`, or delete the lab and call this again")
            else:
                engines.remove(engine)
        for part in cache.folder.iterdir():
            if part not in (cache.lock, cache.making) and not (kept and part == cache.engines):
                shutil.rmtree(part, ignore_errors=True)
        if not kept:
            shutil.rmtree(cache.folder, ignore_errors=True)
    say(f"removed: {cache.folder}" if not kept else f"removed: the shared parts in {cache.folder}")
