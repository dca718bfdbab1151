"""The tables of `docs/privacy.md`, made from what rooms declare."""

from core.persons.holdings import Fate, Holding, Holdings

_FATES = {Fate.ERASE: "删除 erase", Fate.PSEUDONYMISE: "去标识 pseudonymise", Fate.KEEP: "留存 keep"}


def table_of_purposes(holdings: Holdings) -> str:
    """A row a table: what is held, what for, by which law, how long."""
    rows = ["| table | what 内容 | purpose 目的 | legal basis 依据 | kept 保存期限 |", "|---|---|---|---|---|"]
    rows += [f"| `{one.table.name}` | {one.title} | {one.purpose} | {one.basis} | {one.kept} |" for one in holdings.all]
    return "\n".join(rows)


def table_of_columns(holdings: Holdings) -> str:
    """A row a column: what becomes of it when the person has it erased, and why."""
    rows = ["| column | what 内容 | fate 处理 | why 理由 |", "|---|---|---|---|"]
    rows += [row for one in holdings.all for row in _columns(one)]
    return "\n".join(rows)


def _columns(holding: Holding) -> list[str]:
    return [
        f"| `{holding.table.name}.{column.name}` | {column.title} | {_FATES[column.fate]} | {column.reason} |"
        for column in holding.columns
    ]
