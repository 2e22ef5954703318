"""`runbook completion`: the completion script of a shell."""

from __future__ import annotations

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    bash:  runbook completion bash > ~/.local/share/bash-completion/completions/runbook
    zsh:   runbook completion zsh > "${fpath[1]}/_runbook"
    fish:  runbook completion fish > ~/.config/fish/completions/runbook.fish
    """
    from click.shell_completion import get_completion_class

    cls = get_completion_class(shell)
    assert cls is not None  # noqa: S101 - the choices are click's own
    click.echo(cls(click.get_current_context().find_root().command, {}, "runbook", "_RUNBOOK_COMPLETE").source())
