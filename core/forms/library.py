"""The library of published forms: kept in the database, compiled once a process.

A published version is frozen: publishing the same version with another content is refused, and an
answer keeps showing the version it answered. A new version takes effect in every running worker
within `REFRESH_SECONDS`, without a restart.
"""

import hashlib
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from core import clock
from core.db import Database
from core.errors import Fault, Problem, invalid
from core.forms.form import BrokenForm, Form
from core.models import FormVersion

REFRESH_SECONDS = 5.0


class FrozenForm(Exception):
    """That version is published already, with another content; give the file a new version number."""


@dataclass(frozen=True, slots=True)
class Published:
    """A compiled form with its digest (for ETag)."""

    form: Form
    digest: str


def _digest(definition: Mapping[str, Any]) -> str:
    text = json.dumps(definition, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class FormLibrary:
    """Published forms by code and version."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._forms: dict[tuple[str, int], Published] = {}
        self._newest: dict[str, int] = {}
        self._lock = threading.Lock()
        self._loaded_at = float("-inf")

    def publish(self, definition: Mapping[str, Any]) -> bool:
        """Publish a version; False when just that is published already.

        Raises `BrokenForm` with all faults, or `FrozenForm`.
        """
        form = Form.compile(definition)
        digest = _digest(definition)
        with self._database.read() as session:
            known = session.scalar(
                select(FormVersion.digest).where(FormVersion.code == form.code, FormVersion.version == form.version)
            )
            newest = session.scalar(
                select(FormVersion.version)
                .where(FormVersion.code == form.code)
                .order_by(FormVersion.version.desc())
                .limit(1)
            )
        if known is not None:
            if known != digest:
                raise FrozenForm(f"{form.code} version {form.version} is published with another content")
            return False
        if newest is not None and newest > form.version:
            message = f"版本号须大于已发布的版本 {newest}"
            raise BrokenForm([Fault("/version", "old_version", message)])
        try:
            with self._database.write() as session:
                session.add(
                    FormVersion(
                        code=form.code,
                        version=form.version,
                        digest=digest,
                        definition=json.dumps(definition, ensure_ascii=False),
                        published_at=clock.now(),
                    )
                )
        except IntegrityError as error:  # published by another process at this moment
            raise FrozenForm(f"{form.code} version {form.version} was published just now") from error
        self._loaded_at = float("-inf")
        return True

    def _fresh(self) -> None:
        if time.monotonic() - self._loaded_at < REFRESH_SECONDS:
            return
        with self._lock:
            if time.monotonic() - self._loaded_at < REFRESH_SECONDS:
                return
            with self._database.read_apart() as session:
                present = session.execute(select(FormVersion.code, FormVersion.version, FormVersion.digest)).all()
                missing = [row for row in present if (row.code, row.version) not in self._forms]
                for row in missing:
                    stored = session.scalar(
                        select(FormVersion.definition).where(
                            FormVersion.code == row.code, FormVersion.version == row.version
                        )
                    )
                    assert stored is not None
                    self._forms[row.code, row.version] = Published(Form.compile(json.loads(stored)), row.digest)
            newest: dict[str, int] = {}
            for row in present:
                newest[row.code] = max(row.version, newest.get(row.code, 0))
            self._newest = newest
            self._loaded_at = time.monotonic()

    def newest(self) -> list[Published]:
        """The newest version of every form, by code."""
        self._fresh()
        return [self._forms[code, version] for code, version in sorted(self._newest.items())]

    def get(self, code: str, version: int | None = None) -> Published:
        """One version, the newest by default; 404 when there is none."""
        self._fresh()
        chosen = version if version is not None else self._newest.get(code)
        found = self._forms.get((code, chosen)) if chosen is not None else None
        if found is None:
            raise Problem("not_found")
        return found

    def answerable(self, code: str, version: int | None, today: date) -> Form:
        """The version by which a submission is validated.

        A phone that was offline may answer an older version until the newest one's `accept_until`
        (without such a date: without limit). Raises 422 at `/form_version`.
        """
        try:
            form = self.get(code, version).form
        except Problem as problem:
            raise invalid("/form_version", "unknown_form_version", "没有这个版本的表单，请更新后重试") from problem
        newest = self.get(code).form
        if form.version < newest.version and newest.accept_until is not None and today > newest.accept_until:
            raise invalid(
                "/form_version",
                "form_version_expired",
                f"该表单第 {form.version} 版已于 {newest.accept_until} 停用，请按第 {newest.version} 版重新核对后提交",
            )
        return form
