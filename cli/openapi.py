"""The command that prints the OpenAPI document, of which the types of `client/` are generated."""

import json
import tempfile
from pathlib import Path

import click
from pydantic import SecretStr


@click.command("openapi")
def openapi() -> None:
    """Print the OpenAPI document; needs no server, database or settings.

    \b
    Example:
      ./manage openapi > openapi.json
    """
    from app import create_app
    from core.config import Settings
    from miniapp_api.http.openapi import SPEC_PATH

    with tempfile.TemporaryDirectory() as folder:
        # The document is the same whatever the settings are; nothing is stored under this key.
        settings = Settings(data_dir=Path(folder), database_url="", data_key=SecretStr("0" * 32), log_level="ERROR")
        document = create_app(settings).test_client().get(SPEC_PATH).json
    click.echo(json.dumps(document, ensure_ascii=False, indent=1))
