"""Commands for the keys of the installation. In this room because sealing anew concerns the tables of all others."""

from typing import Protocol

import click
from tqdm import tqdm  # type: ignore[import-untyped]

from composition.sealed_contents import BEFORE
from core import clock
from core.commands import HasDatabase, table
from core.config import Settings
from core.keys import rotation, stored
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
    secret = obj.settings.data_key.get_secret_value()
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
