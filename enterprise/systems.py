"""The systems whose filings the engine carries, and the engine as the server and the command line make it."""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from accounts.verbs import FILING_VERBS, Verb
from assets.files.purposes import FilePurposes
from core.actor import Scope
from core.db import Database
from core.forms.library import FormLibrary
from core.workflows.events import Events
from core.workflows.subjects import SubjectRegistry
from enterprise.filings.declaring.kinds import FilingKinds, Filings
from enterprise.filings.operations import follow_enterprise
from enterprise.filings.queries import may_fetch
from enterprise.filings.results.certificate_readers import may_read_certificate
from enterprise.filings.sides.access import may_read_filing
from enterprise.imports.register_import import open_register
from enterprise.imports.table_import import TableImport
from enterprise.imports.uploads.staging import Register
from enterprise.notices import operations as notice_operations
from enterprise.notices.declarations import NoticeSystem, NoticeSystems
from enterprise.notices.queries import may_read_notice
from enterprise.production import kinds as production
from enterprise.production import operations as production_operations
from enterprise.production import queries as production_queries
from enterprise.production.kinds import declaration
from enterprise.production.licence_import import open_licences
from enterprise.registrations.declarations import Registration, Registrations
from enterprise.registrations.joining import may_read_registration

KINDS = (*production.KINDS,)
"""The kinds of all systems; a further system is one line here."""


REGISTRATIONS: tuple[Registration, ...] = ()
"""Who may register without an account (自行登记), of all systems; none takes anybody so far."""


NOTICES = NoticeSystems((NoticeSystem("production", "工业产品生产许可", Verb.FILINGS_REVIEW),))
"""The systems that have notices (通知公告); a further one is one line here."""


REGISTERS = {"enterprises": "企业名录", "licences": "生产许可证名录"}
"""The registers that can be uploaded, as the command line calls them."""


def registers(database: Database, engine: Filings) -> dict[str, Register]:
    """How a file of each register is opened."""

    def of_enterprises(path: Path, sheet: str | None, scope: Scope) -> TableImport[Any]:
        return open_register(database, path, on_move=follow_register, sheet=sheet, scope=scope)

    def of_licences(path: Path, sheet: str | None, scope: Scope) -> TableImport[Any]:
        return open_licences(database, engine, path, sheet=sheet, scope=scope)

    opening = {"enterprises": of_enterprises, "licences": of_licences}
    return {code: Register(code, title, opening[code]) for code, title in REGISTERS.items()}


def follow_register(session: Session, enterprise: Mapping[str, Any]) -> None:
    """Take along to a new name or region what filings and their systems keep of an enterprise: `OnMove`."""
    follow_enterprise(session, enterprise)
    declaration.refresh_untouched(session, enterprise)


def register_file_purposes(purposes: FilePurposes) -> None:
    """Add what files are uploaded for: the documents of all kinds, and what their systems take besides."""
    for kind in KINDS:
        of_steps = (document for step in kind.steps for document in step.documents)
        for document in (*kind.documents, *of_steps):
            purposes.register(*sorted(document.category.purposes, key=lambda purpose: purpose.code))
    purposes.register(production_operations.TEMPLATE, notice_operations.FILE)


def filing_engine(forms: FormLibrary, subjects: SubjectRegistry, events: Events) -> Filings:
    """The engine with all kinds; what filings can be about joins the given subjects."""
    sides = {Verb.FILINGS_WRITE, Verb.FILINGS_REVIEW}
    engine = Filings(FilingKinds(KINDS, form_definitions()), forms, events, subjects)
    subjects.register(
        "filing", FILING_VERBS, lambda session, *asked: may_read_filing(session, engine, *asked),
        lambda session, *asked: may_fetch(session, engine, *asked),
    )  # fmt: skip
    subjects.register(
        "certificate", FILING_VERBS, lambda session, *asked: may_read_certificate(session, engine, *asked)
    )  # fmt: skip
    subjects.register("licence", {*sides, Verb.ENTERPRISES_READ}, production_queries.may_read_licence)
    writers = {one.verb for one in NOTICES.values()}
    subjects.register("notice", writers, functools.partial(may_read_notice, NOTICES))
    subjects.register("registration", {Verb.ENTERPRISES_MANAGE, Verb.FILINGS_WRITE}, may_read_registration)
    subjects.register("self_check_topic", sides, production_queries.may_read_topic)
    return engine


@functools.cache
def form_definitions() -> dict[str, dict[str, Any]]:
    """The newest version of each form that comes with a system, by its code."""
    files = sorted(Path(__file__).parent.glob("*/forms/*.json"))
    read = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    return {form["code"]: form for form in sorted(read, key=lambda form: form["version"])}


def registrations(engine: Filings) -> Registrations:
    """The registrations that the systems declare; raises BrokenRegistration."""
    return Registrations(REGISTRATIONS, engine.kinds)
