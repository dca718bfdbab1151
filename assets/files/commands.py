"""Commands for uploaded files."""

from typing import Protocol

import click

from assets.files.storage import StorageUnavailable, open_storage
from assets.files.sweeping import sweep
from core.config import Settings
from core.db import Database


class HasSettings(Protocol):
    """What the command line hands to these commands."""

    @property
    def settings(self) -> Settings: ...

    @property
    def database(self) -> Database: ...


@click.group()
def files() -> None:
    """Uploaded files."""


@files.command("sweep")
@click.pass_obj
def sweep_command(obj: HasSettings) -> None:
    """Remove uploads that no record claimed for `KEEP_UNCLAIMED_FILES_DAYS`, and what interrupted uploads left.

    A running server does it by itself once a day. It is safe beside a running server, and may be
    interrupted. After the database was restored from a backup, first make sure that the stored files
    are as old as the backup: objects that the database does not know are removed.

    \b
    Example:
      ./manage files sweep

    \b
    Exit status:
      0  done
      1  the storage cannot be reached; run it again later
    """
    settings = obj.settings
    try:
        swept = sweep(
            obj.database, open_storage(settings), settings.incoming_dir, settings.kept("keep_unclaimed_files_days")
        )
    except StorageUnavailable as error:
        click.echo(f"无法访问文件存储，请检查存储设置后重试（{error}）", err=True)
        raise click.exceptions.Exit(1) from error
    counts = f"未使用的上传 {swept.files} 个，无记录的存储对象 {swept.objects} 个，残留 {swept.partial_files} 个"
    click.echo(f"已清理：{counts}")
