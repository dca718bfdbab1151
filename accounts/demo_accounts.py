"""Whether the demo's accounts live in a database; asked at every start, so this module imports little."""

from sqlalchemy import Engine, inspect, text

from core.config import Settings, SettingsError

_NAMED = 3
_LIVING = """
SELECT username FROM users WHERE status = 'active' AND (username LIKE 'demo!_%' ESCAPE '!' OR office_id IN (
    SELECT offices.id FROM offices JOIN enterprises ON enterprises.id = offices.enterprise_id
    WHERE enterprises.source = 'demo'
)) ORDER BY username
"""
"""Asked of any schema, before it is upgraded."""


def living(engine: Engine) -> list[str]:
    """The user names of demo accounts that can sign in."""
    if not all(inspect(engine).has_table(name) for name in ("users", "offices", "enterprises")):
        return []
    with engine.connect() as connection:
        return list(connection.scalars(text(_LIVING)))


def refuse_in_production(settings: Settings, engine: Engine) -> None:
    """Raise `SettingsError` for a production start on a database with living demo accounts."""
    found = living(engine) if settings.production else []
    if found:
        named = f"{'、'.join(found[:_NAMED])}{f' 等 {len(found)} 个' if len(found) > _NAMED else ''}"
        raise SettingsError(
            f"数据库中有演示账号（{named}），其密码曾显示在屏幕上，生产环境不能启动；"
            "请执行 ./manage demo remove 停用演示账号，或把 DATABASE_URL 指向没有演示数据的数据库"
        )
