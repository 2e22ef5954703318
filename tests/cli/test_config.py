"""`runbook config`: places, what is used of them, and values."""

from __future__ import annotations

import json
from typing import Any

from tests.cli.bench import Bench


def told(bench: Bench, *arguments: str) -> dict[str, Any]:
    done = bench("config", "--json", *arguments, XDG_CACHE_HOME=str(bench.folder / "cache"))
    assert (done.returncode, done.stderr) == (0, "")
    known = json.loads(done.stdout)
    assert isinstance(known, dict)
    return known


def test_every_place_is_named_with_what_is_there(bench: Bench) -> None:
    done = bench("config", XDG_CACHE_HOME=str(bench.folder / "cache"))
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    folder = bench.folder
    assert f"  not there  {folder}/config/hsm-runbook" in lines
    assert f"  used       {folder}/site.yaml" in lines
    assert f"  not there  {folder}/config/hsm-runbook/site.yaml" in lines
    assert f"  used       {folder}/runbook.yaml" in lines
    assert f"  not there  {folder}/state/hsm-runbook/runs" in lines
    assert f"  not there  {folder}/cache/hsm-runbook" in lines
    assert f"  XDG_STATE_HOME={folder}/state" in lines
    assert lines[lines.index("values in force") + 1 :] == [
        "  word: asked for in the run",
        "  folder = /tmp  (site)",
        "  seconds = 0  (site)",
    ]
    assert not bench.state.exists(), "nothing was made"


def test_the_profile_of_the_configuration_is_used_where_none_lies_beside(bench: Bench) -> None:
    mine = bench.folder / "config/hsm-runbook/site.yaml"
    mine.parent.mkdir(parents=True)
    (bench.folder / "site.yaml").rename(mine)
    profiles = [place for place in told(bench)["places"] if place["what"] == "site profile"]
    assert [(place["there"], place["used"]) for place in profiles] == [(False, False), (True, True)]
    assert profiles[1]["path"] == str(mine)


def test_a_profile_beside_the_runbook_comes_before_the_other(bench: Bench) -> None:
    mine = bench.folder / "config/hsm-runbook/site.yaml"
    mine.parent.mkdir(parents=True)
    mine.write_text("site: 1\nname: mine\ninputs: {folder: /var}\n")
    known = told(bench)
    profiles = [place for place in known["places"] if place["what"] == "site profile"]
    assert [(place["there"], place["used"]) for place in profiles] == [(True, True), (True, False)]
    assert {"name": "folder", "value": "/tmp", "source": "site"} in known["values"]


def test_a_named_profile_is_the_only_one(bench: Bench) -> None:
    (bench.folder / "other.yaml").write_text("site: 1\nname: other\ninputs: {folder: /var}\n")
    known = told(bench, "--site", "other.yaml")
    profiles = [place["path"] for place in known["places"] if place["what"] == "site profile"]
    assert profiles == [str(bench.folder / "other.yaml")]
    assert {"name": "folder", "value": "/var", "source": "site"} in known["values"]


def test_a_wrong_profile_hides_no_place(bench: Bench) -> None:
    (bench.folder / "site.yaml").write_text("site: 1\nnam: here\n")
    done = bench("config")
    assert done.returncode == 2
    assert f"  used       {bench.folder}/site.yaml" in done.stdout.splitlines()
    assert "the values in force are not known" in done.stderr
    assert "site.yaml:2" in done.stderr
