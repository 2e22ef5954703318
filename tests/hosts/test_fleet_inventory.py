"""Groups of the site profile and of an Ansible inventory, read by the real `ansible-inventory`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from checks.hosts import inventory
from checks.hosts.command import CommandCheck
from checks.hosts.errors import HostError, UnknownHost
from checks.hosts.hosts import Hosts
from runbook.errors import EnvironmentLacks
from runbook.outcome import Verdict
from runbook.secrets import Redactor
from runbook.site import Site
from tests.fake_context import ScriptedPins
from tests.hosts.fleet_bench import table_of
from tests.ssh_lab.lab import Lab
from tests.stand_in import StandIn

INI = """\
here ansible_connection=local
boxed ansible_connection=community.docker.docker
[web]
web1 ansible_host=192.0.2.1 ansible_port=2222 ansible_user=deploy
web2
[db]
db1 ansible_host=2001:db8::7
odd ansible_port="{{ own_port }}"
[production:children]
web
db
"""


def site(folder: Path, text: str = INI, **more: Any) -> Site:
    (folder / "hosts.ini").write_text(text)
    return Site.model_validate({"site": 1, "name": "x", "inventory": str(folder / "hosts.ini"), **more})


def opened(site: Site) -> Hosts:
    """No host of them is connected to."""
    return Hosts(site, Redactor())


async def test_groups_and_hosts_of_an_inventory(tmp_path: Path) -> None:
    hosts = opened(site(tmp_path, hosts={"web2": {"ssh": "ours"}}, groups={"mixed": ["db1", "web"]}))
    assert await hosts.members("web2") == ("web2",)
    assert await hosts.members("production") == ("web1", "web2", "db1", "odd")
    assert await hosts.members("mixed") == ("db1", "web1", "web2")
    assert await hosts.members("here") == ("local",)
    profile = hosts.profile("web1")
    assert (profile.ssh, profile.port, profile.user) == ("192.0.2.1", 2222, "deploy")
    assert hosts.profile("db1").ssh == "2001:db8::7"
    assert hosts.profile("web2").ssh == "ours", "the site profile comes first"


async def test_what_cannot_be_reached_from_an_inventory(tmp_path: Path) -> None:
    hosts = opened(site(tmp_path))
    with pytest.raises(UnknownHost, match="no host `nobody`"):
        await hosts.members("nobody")
    for name, words in (("odd", "ansible_port of the host odd"), ("boxed", "by `community.docker.docker`")):
        assert await hosts.members(name) == (name,)
        with pytest.raises(HostError, match=words):
            hosts.profile(name)


async def test_the_inventory_is_read_when_it_is_needed_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = opened(site(tmp_path, hosts={"ca": {}}, groups={"ours": ["ca"]}))
    times = 0
    read = inventory.read

    async def counted(path: str) -> inventory.Inventory:
        nonlocal times
        times += 1
        return await read(path)

    monkeypatch.setattr(inventory, "read", counted)
    assert (await hosts.members("ours"), await hosts.members("local"), times) == (("ca",), ("local",), 0)
    await hosts.members("web")
    (tmp_path / "hosts.ini").write_text("[web]\nanother\n")
    assert (await hosts.members("web"), times) == (("web1", "web2"), 1)


@pytest.mark.parametrize(("text", "words"), [("plugin: nonsense\n", "cannot read"), (None, "cannot read")])
async def test_an_inventory_that_is_none(tmp_path: Path, text: str | None, words: str) -> None:
    (tmp_path / "hosts.yml").write_text(text or "")
    if text is None:
        (tmp_path / "hosts.yml").unlink()
    hosts = opened(Site(site=1, name="x", inventory=str(tmp_path / "hosts.yml")))
    with pytest.raises(HostError, match=words) as caught:
        await hosts.members("web")
    assert "ansible-inventory -i" in caught.value.remedy


async def test_without_ansible_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *args, **more: None)
    with pytest.raises(EnvironmentLacks, match="no `ansible-inventory`") as caught:
        await opened(site(tmp_path)).members("web")
    assert "hsm-runbook[ansible]" in caught.value.remedy


@pytest.mark.parametrize("engine", ["ssh", "ansible"])
async def test_a_check_on_a_group_of_an_inventory(ssh_lab: Lab, tmp_path: Path, engine: str) -> None:
    """`alpha-ops` is reached by its alias, `two` by an alias, an account and a port of the inventory's own."""
    client = ssh_lab.client()
    text = "[fleet]\nalpha-ops\ntwo ansible_host=beta ansible_user=ops ansible_port=22\n"
    context = StandIn(
        tmp_path, ScriptedPins(), site=site(tmp_path, text, ssh_config=str(client.config)), seconds_left=90
    )
    try:
        run = {"run": ["id", "-un"], "expect": {"stdout": "^ops$"}, "engine": engine}
        outcome = await context.run(CommandCheck, on="fleet", **run)
    finally:
        await (await context.use(Hosts)).close()
    assert outcome.verdict is Verdict.PASSED, list(table_of(outcome).plain())
    assert [row.host for row in table_of(outcome).rows] == ["alpha-ops", "two"]
