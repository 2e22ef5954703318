"""`runbook schema`: the JSON Schema of the files, on stdout."""

from __future__ import annotations

import click


@click.command()
@click.option("--site", "of", flag_value="site", help="Print the schema of the site profile instead.")
@click.option("--config", "of", flag_value="config", help="Print the schema of your configuration file instead.")
def command(of: str | None) -> None:
    """Print the JSON Schema of the runbook file, for editors.

    Put it beside the runbook (`runbook schema > runbook.schema.json`) and name it in the runbook's first line:
    `# yaml-language-server: $schema=runbook.schema.json`. Then an editor with the YAML language server completes keys
    and kinds, tells what each means, and underlines what does not fit.
    """
    from runbook.files.schema import configuration_schema, json_schema, schema_text, site_schema
    from runbook.kind import Registry

    match of:
        case "site":
            schema = site_schema()
        case "config":
            schema = configuration_schema()
        case _:
            schema = json_schema(Registry())
    click.echo(schema_text(schema), nl=False)
