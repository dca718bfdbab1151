"""Running commands of the command line in the installation of a test."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from click.testing import CliRunner, Result

from cli.commands import Installation, cli
from core.config import Settings

Run = Callable[..., Result]
"""`run(*arguments, status=0)`: fails on anything but the expected exit status."""


@contextmanager
def command_line(settings: Settings) -> Iterator[Run]:
    """Commands share one installation, closed at the end."""
    installation = Installation(settings)

    def run(*arguments: Any, status: int = 0) -> Result:
        answer = CliRunner().invoke(cli, [str(argument) for argument in arguments], obj=installation)
        assert answer.exit_code == status, answer.output + repr(answer.exception)
        return answer

    yield run
    if "database" in vars(installation):  # a command may have refused to open it
        installation.database.dispose()
