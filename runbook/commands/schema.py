"""`runbook schema`: the JSON Schema of the files, on stdout."""

from __future__ import annotations

import click


@click.command()
@click.option("--site", is_flag=True, help="Print the schema of the site profile instead.")
def command(site: bool) -> None:
    """Print the JSON Schema of the runbook file, for editors.

    Name it in the first line of a runbook: `# yaml-language-server: $schema=runbook.schema.json`.
    """
    import json

    from runbook.files.schema import json_schema, site_schema
    from runbook.kind import Registry

    click.echo(json.dumps(site_schema() if site else json_schema(Registry()), indent=2, ensure_ascii=False))
