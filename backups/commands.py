"""Commands for backups: make, list, verify and restore them."""

import os
from datetime import datetime
from pathlib import Path
from typing import Protocol

import click
import pyrage

from backups import backup_folder, daily, making, reading, restoring
from backups.archive import BackupError, identities
from core import clock
from core.commands import table
from core.config import Settings, load_settings
from core.db import Database


class HasSettings(Protocol):
    """What these commands use of the command line's object."""

    @property
    def settings(self) -> Settings: ...

    @property
    def database(self) -> Database: ...


@click.group(invoke_without_command=True)
@click.pass_context
def backup(ctx: click.Context) -> None:
    """Backups (备份) of database, uploaded files and keys together, each one encrypted file.

    Without a subcommand: list them, and say whether the newest is too old. A running server makes one every
    night if these are set:

    \b
      BACKUP_DIR        a folder, best on another disk or machine
      BACKUP_RECIPIENT  the public key that ./manage backup key shows
      BACKUP_KEEP       how many are kept (14)

    \b
    Examples:
      ./manage backup key /media/usb/gongpin-backup.key
      ./manage backup make
      ./manage backup
      ./manage backup verify FILE --key /media/usb/gongpin-backup.key
      ./manage restore FILE --key /media/usb/gongpin-backup.key

    \b
    Exit status:
      0  there is one, and it is recent and whole
      1  backups are not set up, or there is none, or it is too old
    """
    if ctx.invoked_subcommand is None:
        settings: Settings = ctx.obj.settings
        if settings.backup_dir and Path(settings.backup_dir).exists():
            rows = [
                [
                    f"{found.made_at.astimezone(clock.LOCAL):%Y-%m-%d %H:%M}",
                    "完整" if found.kind == "full" else "数据库和密钥",
                    amount(found.size),
                    _whose(found, settings),
                    found.path.name,
                ]
                for found in backup_folder.listed(Path(settings.backup_dir))
            ]
            if rows:
                click.echo(settings.backup_dir)
                table(["时间", "内容", "大小", "来自", "文件"], rows)
        warning = backup_folder.state(settings).warning
        if warning is not None:
            click.echo(warning, err=True)
            raise click.exceptions.Exit(1)
        click.echo("备份正常")


def _whose(found: backup_folder.Backup, settings: Settings) -> str:
    if not found.owner:
        return "0.2.0 版，未编号"
    own = backup_folder.owner_of(settings)
    if not own:  # without a key this installation has no number to compare
        return f"系统 {found.owner}"
    return "本系统" if found.owner == own else f"其他系统 {found.owner}"


def amount(size: int) -> str:
    """A number of bytes for people, in MiB or GiB."""
    return f"{size / 1024**2:.1f} MiB" if size < 1024**3 else f"{size / 1024**3:.1f} GiB"


@backup.command("make")
@click.option("--to", "folder", metavar="FOLDER", type=click.Path(path_type=Path, file_okay=False),
              help="Write it here instead of BACKUP_DIR.")  # fmt: skip
@click.option("--without-files", is_flag=True, help="Database and keys alone.")
@click.pass_obj
def make_command(obj: HasSettings, folder: Path | None, without_files: bool) -> None:
    """Make a backup now, while the server may run, and delete old ones beyond BACKUP_KEEP.

    \b
    Examples:
      ./manage backup make
      ./manage backup make --to /media/usb

    \b
    Exit status:
      0  made
      2  not made; the older ones were left alone
      3  made, but the bytes of some files are missing or damaged in the storage
      4  another backup is being made
    """
    try:
        made = making.make(obj.settings, obj.database, files=not without_files, folder=folder)
    except backup_folder.Busy as error:
        click.echo(str(error), err=True)
        raise click.exceptions.Exit(daily.BUSY) from error
    found = made.summary
    files = "" if without_files else f"、文件 {found.files.files} 个（{amount(found.files.bytes)}）"
    click.echo(f"备份完成：数据 {found.rows} 行{files}，{amount(made.size)}\n{made.path}")
    if made.removed:
        click.echo(f"已删除较旧的备份 {made.removed} 个")
    for what, count, keys in (
        ("丢失", found.missing_count, found.missing),
        ("损坏", found.damaged_count, found.damaged),
    ):
        if count:
            click.echo(f"文件存储中有 {count} 个文件已{what}，请尽快从较早的备份中找回：", err=True)
            click.echo("\n".join(f"  {key}" for key in keys), err=True)
    if found.missing_count or found.damaged_count:
        raise click.exceptions.Exit(daily.INCOMPLETE)


@backup.command("key")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def key_command(file: Path) -> None:
    """Make a pair of keys: the secret one into FILE, the public one is shown and goes into BACKUP_RECIPIENT.

    The server needs the public key only, and cannot read its own backups. Keep FILE elsewhere, twice: printed in a
    safe, and on another medium. Without it no backup can be read, by anyone.

    \b
    Example:
      ./manage backup key /media/usb/gongpin-backup.key
    """
    secret = pyrage.x25519.Identity.generate()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise BackupError(f"{file} 已存在，不会覆盖：它可能是旧备份的私钥") from error
    except OSError as error:
        raise BackupError(f"无法写入 {file}：{error.strerror}") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as target:
        target.write(f"# 工品查备份私钥，{clock.today()}；公钥 {secret.to_public()}\n{secret}\n")
        target.flush()
        os.fsync(target.fileno())
    click.echo(f"私钥已写入 {file}")
    click.echo("请打印一份锁入保险柜，另存一份到别处，然后从服务器上删除。私钥丢失后，任何人都打不开备份。")
    click.echo(f"\n公钥（写入设置）：\nBACKUP_RECIPIENT={secret.to_public()}")


def _keys(file: Path | None) -> list[pyrage.x25519.Identity]:
    if file is None:
        return identities(click.prompt("请输入私钥（AGE-SECRET-KEY-1…，不显示）", hide_input=True, err=True))
    try:
        return identities(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BackupError(f"无法读取私钥文件 {file}") from error


_KEY = click.option(
    "--key", "key", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
    help="File with the secret key; without it the key is asked for, and may be typed from paper.",
)  # fmt: skip


@backup.command("verify")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_KEY
def verify_command(file: Path, key: Path | None) -> None:
    """Read a backup to its end and check all sums, without restoring anything.

    \b
    Example:
      ./manage backup verify /backup/gongpin-20261129T183000Z-full.tar.age --key gongpin-backup.key

    \b
    Exit status:
      0  it is whole
      2  it is damaged, cut off, or made for another key
    """
    _tell("备份完好", reading.verify(file, _keys(key)))


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_KEY
def restore(file: Path, key: Path | None) -> None:
    """Restore a backup into an empty place: the database, files and DATA_DIR that the settings name.

    Nothing is overwritten: a database with tables, or a storage with uploads, is refused. All is read back and compared
    before it says done. The database may be of the other kind. A backup of an older version is upgraded.

    \b
    Examples:
      DATA_DIR=/srv/gongpin/var ./manage restore FILE --key gongpin-backup.key
      DATABASE_URL=postgresql:///gongpin ./manage restore FILE --key gongpin-backup.key

    \b
    Exit status:
      0  restored, and compared
      2  not restored; the place is as empty as it was
    """
    settings = load_settings(make_key=False)
    restored = restoring.restore(settings, file, _keys(key), click.echo)
    compared = "已逐表、逐个文件核对" if restored.files else "已逐表核对；其中没有上传的文件"
    _tell(f"恢复完成，{compared}", restored)
    click.echo("现在可以启动服务。备份之后录入的数据不在其中，请通知使用人员补录")


def _tell(what: str, found: reading.Restored) -> None:
    made = f"{datetime.fromisoformat(found.made_at).astimezone(clock.LOCAL):%Y-%m-%d %H:%M}"
    amounts = f"数据 {found.rows} 行，文件 {found.files} 个（{amount(found.bytes)}）"
    click.echo(f"{what}：版本 {found.version}，{made} 制作，{amounts}")
    if found.missing:
        click.echo(f"其中 {found.missing} 个文件在制作备份时就已丢失或损坏", err=True)
