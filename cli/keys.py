"""Commands for the keys of the installation. In this room because sealing anew concerns the tables of all others."""

import os
import time
from pathlib import Path
from typing import Protocol

import click
from tqdm import tqdm  # type: ignore[import-untyped]

from composition.sealed_contents import BEFORE
from core import clock
from core.commands import HasDatabase, table
from core.config import MINIMUM_SECRET, Settings, SettingsError, make_secret
from core.keys import rewrapping, rotation, stored
from core.keys.resealing import Tally


class HasSecret(HasDatabase, Protocol):
    """What the command line hands to these commands."""

    @property
    def settings(self) -> Settings:
        """The settings, with the installation's secret."""


_PURPOSES = {"sealing": "加密", "hashing": "散列", "receipts": "重发识别", "history": "操作记录"}


@click.group("keys")
def keys_group() -> None:
    """The keys (密钥) of the installation, which stand in its database, wrapped by DATA_KEY or data.key."""


@keys_group.command("list")
@click.pass_obj
def list_command(obj: HasSecret) -> None:
    """List the keys: purpose, id, the secret that wraps them, when they were made and retired.

    \b
    Example:
      ./manage keys list
    """
    rows = [
        [
            _PURPOSES[row.purpose], row.id, row.secret_id, f"{row.made_at.astimezone(clock.LOCAL):%Y-%m-%d %H:%M}",
            "" if row.retired_at is None else f"{row.retired_at.astimezone(clock.LOCAL):%Y-%m-%d %H:%M}",
        ]
        for row in stored.listed(obj.database.engine)
    ]  # fmt: skip
    table(["用途", "编号", "主密钥编号", "生成时间", "停用时间"], rows)


@keys_group.command("rotate")
@click.pass_obj
def rotate_command(obj: HasSecret) -> None:
    """Make new keys for sealing and the history, and seal all personal data anew; servers may run and write meanwhile.

    Interrupted, it goes on when it is called again. The older sealing key opens what is left until all is done, and is
    deleted by a rotation a day or more later. Keys of hashing and older keys of the history stay: query codes (查询码)
    and histories remain valid. Take a backup before.

    \b
    Example:
      ./manage keys rotate
    """
    secret = obj.settings.secret
    with tqdm(unit="行", disable=None) as bar:
        seen: dict[str, int] = {}

        def show(name: str, tally: Tally) -> None:
            bar.set_description(f"重新加密 {name}")
            bar.update(tally.rows - seen.get(name, 0) if tally.rows >= seen.get(name, 0) else tally.rows)
            seen[name] = tally.rows

        try:
            done = rotation.rotate(obj.database.engine, secret, BEFORE, show)
        except KeyboardInterrupt:
            click.echo("已中断，已完成的部分有效；请再次执行 ./manage keys rotate 继续", err=True)
            raise click.exceptions.Exit(1) from None
    click.echo(f"已换用新密钥（编号 {done.key}），重新加密 {done.changed} 行；旧密钥已停用，一天后再次轮换时删除")
    for one in done.forgotten:
        click.echo(f"已删除先前停用的密钥 {one}")
    if done.unopened:
        click.echo(f"有 {done.unopened} 处密文无法解密（已损坏、被移动，或是有人输入的类似文字），保持原样", err=True)


@keys_group.command("change-secret")
@click.option(
    "--write-to",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the secret stands in DATA_KEY: the file, not there yet, that gets the new one.",
)
@click.option("--discard", is_flag=True, help="Give up a change that was begun; only with the former secret.")
@click.pass_obj
def change_secret_command(obj: HasSecret, target: Path | None, discard: bool) -> None:
    """Change the installation's secret (主密钥); servers may run and write meanwhile.

    The secret of `data.key` is replaced, and servers of this folder go over to it by themselves. Where DATA_KEY gives
    it: call with --write-to, give all servers the content of the file as DATA_KEY and restart them, call again without.
    Interrupted, it goes on when it is called again. Take a backup afterwards: older ones hold the former secret. Rotate
    the keys too where somebody else had the secret.

    \b
    Examples:
      ./manage keys change-secret
      ./manage keys change-secret --write-to /root/new-data-key
    """
    engine, secret = obj.database.engine, obj.settings.secret
    file = obj.settings.key_file
    if discard:
        _discard(obj, secret)
        return
    if rewrapping.is_successor(engine, secret):
        if file is not None:
            _let_servers_follow()
    elif file is not None:
        secret = _replace_file(obj, file)
        _let_servers_follow()
    else:
        _hand_out(obj, secret, target)
        return
    rewrapping.finish(engine, secret)
    click.echo(f"主密钥已更换，编号 {stored.secret_id(secret)}；原来的主密钥不再能打开数据库")
    click.echo("请立即备份一次（./manage backup make）；更换之前的备份仍须用其中保存的原密钥恢复，不会再自动清理")
    click.echo("如原密钥可能已泄露，请接着执行 ./manage keys rotate")


def _replace_file(obj: HasSecret, file: Path) -> str:
    """Wrap the keys by a new secret, then put it in the place of the former one."""
    successor = file.with_name(f"{file.name}.next")
    if not successor.exists():
        make_secret(successor)
    new = successor.read_text().strip()
    rewrapping.begin(obj.database.engine, obj.settings.secret, new)
    successor.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return new


def _hand_out(obj: HasSecret, secret: str, target: Path | None) -> None:
    """Write a new secret to a file and wrap the keys by it too; the former one opens them until all servers have it."""
    if target is None:
        raise click.UsageError("主密钥由 DATA_KEY 给出：请用 --write-to 指定存放新密钥的文件（只有本人可读的位置）")
    if not target.exists():
        if len(rewrapping.secrets_of(obj.database.engine)) > 1:
            raise SettingsError(rewrapping.NOT_FINISHED)
        make_secret(target)
    new = target.read_text().strip()
    if len(new) < MINIMUM_SECRET or new == secret:
        raise click.UsageError(f"{target} 中不是新的密钥；请指定一个尚不存在的文件")
    rewrapping.begin(obj.database.engine, secret, new)
    click.echo(f"新的主密钥（编号 {stored.secret_id(new)}）已写入 {target}，新旧密钥此时都能打开数据库")
    click.echo("请把其内容设为各台服务器的 DATA_KEY 并重启，再用新的 DATA_KEY 执行 ./manage keys change-secret")


def _discard(obj: HasSecret, secret: str) -> None:
    if rewrapping.is_successor(obj.database.engine, secret):
        raise SettingsError("这里已在使用新的主密钥，不能放弃更换；请执行 ./manage keys change-secret 完成")
    given_up = rewrapping.finish(obj.database.engine, secret)
    if obj.settings.key_file is not None:
        obj.settings.key_file.with_name(f"{obj.settings.key_file.name}.next").unlink(missing_ok=True)
    click.echo("已放弃更换，主密钥不变" if given_up else "没有正在进行的更换，主密钥不变")


def _let_servers_follow() -> None:
    """Servers of this folder read the file again every few seconds."""
    seconds = rotation.GRACE.total_seconds()
    click.echo(f"新的主密钥已写入，等待 {seconds:g} 秒让运行中的服务改用它……")
    time.sleep(seconds)
