"""Form definitions as files on disk."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


class UnreadableForm(Exception):
    """A file that holds no JSON object; the text is a Chinese sentence with the file's name."""


def read_definition(path: Path) -> dict[str, Any]:
    """The definition in a file, not yet validated; raises UnreadableForm."""
    try:
        definition = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UnreadableForm(f"{path.name}: 无法打开文件，请检查文件是否存在、是否有读取权限") from error
    except json.JSONDecodeError as error:
        raise UnreadableForm(f"{path.name}: 第 {error.lineno} 行第 {error.colno} 列不是有效的 JSON，请更正") from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise UnreadableForm(f"{path.name}: 不是 UTF-8 编码的 JSON 文件，请更正") from error
    if not isinstance(definition, dict):
        raise UnreadableForm(f"{path.name}: 表单文件应为一个 JSON 对象")
    return definition


def in_order(definitions: Iterable[tuple[Path, dict[str, Any]]]) -> list[tuple[Path, dict[str, Any]]]:
    """Older versions first, because an older version cannot be published after a newer one."""

    def key(entry: tuple[Path, dict[str, Any]]) -> tuple[str, int]:
        version = entry[1].get("version")
        return str(entry[1].get("code")), version if isinstance(version, int) else 0

    return sorted(definitions, key=key)
