"""What makes many small tests quick without changing what any of them sees.

Each test has an application, a database and forms of its own, as a new process would. What a process works out
once from its code (how addresses are put together, the SQL of statements, the plan of a form) is kept here for all
tests of a process; passwords are hashed with the least work that argon2id allows.
"""

import copy
import gc
import hashlib
import json
import os
import shutil
import subprocess
import threading
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from argon2 import PasswordHasher
from limits.storage import MemoryStorage, Storage
from sqlalchemy import Engine, event, text, util
from sqlalchemy import create_engine as plain_create_engine
from sqlalchemy.orm import Session
from werkzeug.routing import Map, Rule
from werkzeug.routing.matcher import State

from accounts.regions import chain_tables
from accounts.regions import moves as region_moves
from accounts.sign_in import passwords
from assets.files.documents import documents
from assets.files.file_types import FileType
from assets.files.purposes import FilePurpose
from core import db
from core.config import Settings
from core.forms.form import Form
from miniapp_api import blueprints
from miniapp_api.http.redirects import Application
from tests import paperwork

_MEMORY = Path("/dev/shm")
_ROOM = 3 << 30
"""Bytes that must be free in memory before tests write there; a container often has 64 MiB."""


def folder_in_memory() -> Path | None:
    """Where the tests of this run write: in memory, where a disk need not be waited for; None where that is small."""
    try:
        if shutil.disk_usage(_MEMORY).free < _ROOM or os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC:
            return None  # some tests install programs in their folder and run them
        folder = _MEMORY / f"gongpin-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError:
        return None
    return folder


def install() -> None:
    """For this process; servers that tests start as processes of their own run as in production."""
    passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    passwords._DUMMY = passwords._HASHER.hash("nobody has this one")
    _keep_rules()
    _keep_routes()
    _keep_statements()
    _keep_forms()
    _keep_checks_of_documents()
    _keep_chain_tables()
    _keep_no_threads()


def collecting() -> None:
    """What is imported and collected stays until the end: to look through it again and again took a quarter of the
    time of collecting."""
    gc.disable()


def collected() -> None:
    """From here on tests make rubbish; what was made until now is left aside."""
    gc.freeze()
    gc.enable()


def _keep_rules() -> None:
    """werkzeug reads each rule and writes and compiles two functions for it: most of what an application cost."""
    compile_rule, kept = Rule.compile, dict[tuple[Any, ...], tuple[Any, ...]]()

    def compiled(self: Rule) -> None:
        assert self.map is not None
        if self.subdomain or self.map.host_matching or self.host:
            compile_rule(self)
            return
        key = (self.rule, bool(self.merge_slashes), repr(self.defaults))
        if key not in kept:
            compile_rule(self)
            builders = (self._build.__func__, self._build_unknown.__func__)  # type: ignore[attr-defined]
            kept[key] = (self._parts, self._trace, self._converters, self.arguments, *builders)
            return
        parts, trace, self._converters, arguments, build, build_unknown = kept[key]
        self._parts, self._trace, self.arguments = [*parts], [*trace], {*arguments}
        self._build, self._build_unknown = build.__get__(self, None), build_unknown.__get__(self, None)

    Rule.compile = compiled  # type: ignore[method-assign]


_TABLES = (
    "blueprints", "view_functions", "before_request_funcs", "after_request_funcs", "teardown_request_funcs",
    "url_value_preprocessors", "url_default_functions", "template_context_processors", "error_handler_spec",
)  # fmt: skip
"""What registering a blueprint adds to: dictionaries of an application."""


@dataclass(frozen=True)
class _Routes:
    """What registering all blueprints of the product added to an application that had only `begun`."""

    begun: set[str]
    map: Map
    added: dict[str, dict[Any, Any]]


def _keep_routes() -> None:
    """Each application gets the same blueprints: registered one by one the first time, taken over whole afterwards."""
    register, first, last = Application.register_blueprint, blueprints.API[0], blueprints.ROOT[-1]
    product = {id(blueprint) for blueprint in (*blueprints.API, *blueprints.ROOT)}
    kept: list[_Routes] = []
    before: dict[str, set[Any]] = {}

    def registered(self: Application, blueprint: Any, **options: Any) -> None:
        begun = {rule.rule for rule in self.url_map.iter_rules()} if blueprint is first else set()
        if blueprint is first and kept and begun == kept[0].begun:
            self.url_map = _copied(kept[0].map)
            for name, added in kept[0].added.items():
                getattr(self, name).update(copy.deepcopy(added) if name == "error_handler_spec" else added)
            return
        if id(blueprint) in product and self.blueprints.get(blueprint.name) is blueprint:
            return  # taken over with the first
        if blueprint is first:
            before.update({name: set(getattr(self, name)) for name in _TABLES}, begun=begun)
        register(self, blueprint, **options)
        if blueprint is last and not kept:
            added = {
                name: {key: value for key, value in getattr(self, name).items() if key not in before[name]}
                for name in _TABLES
            }
            kept.append(_Routes(before["begun"], _copied(self.url_map), added))

    Application.register_blueprint = registered  # type: ignore[method-assign, assignment]


def _copied(routes: Map) -> Map:
    """Rules are shared, not what a further rule would be added to."""
    routes.update()
    twin = copy.copy(routes)
    twin._rules_by_endpoint = {endpoint: [*rules] for endpoint, rules in routes._rules_by_endpoint.items()}
    twin._matcher = copy.copy(routes._matcher)
    twin._matcher._root = _copied_state(routes._matcher._root)
    twin._remap_lock = twin.lock_class()
    return twin


def _copied_state(state: State) -> State:
    return State(
        dynamic=[(part, _copied_state(after)) for part, after in state.dynamic],
        rules=[*state.rules],
        static={text: _copied_state(after) for text, after in state.static.items()},
    )


_SETTINGS: dict[Any, Settings] = {}


def settings(**given: Any) -> Settings:
    """Settings, read once for each environment: to read it costs as much as a few requests. To be copied."""
    # pytest says in the environment which test runs: nothing that settings read.
    environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    key = (repr(sorted(given.items())), *sorted(environment.items()))
    if key not in _SETTINGS:
        _SETTINGS[key] = Settings(**given)
    return _SETTINGS[key]


class _Statements(util.LRUCache[Any, Any]):
    """Compiled statements of all engines of one dialect: what differs between these is where they connect."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(key[1:], default)

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(key[1:])

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key[1:], value)


_STATEMENTS = {"sqlite": _Statements(4000), "postgresql": _Statements(4000)}


def _keep_statements() -> None:
    def create_engine(*args: Any, **options: Any) -> Engine:
        engine = plain_create_engine(*args, **options)
        engine._compiled_cache = _STATEMENTS[engine.dialect.name]
        kept = KEPT.get(engine.url.database or "")
        if kept is not None:
            event.listen(engine, "do_connect", kept.take)
            engine.dialect.do_close = kept.give_back  # type: ignore[method-assign]
        return engine

    db.create_engine = create_engine  # type: ignore[attr-defined]


class KeptConnections:
    """Connections to a PostgreSQL database that tests use in turn: to begin one costs its server as much as many
    statements. What a test set or prepared is discarded; one that is broken or within a transaction is closed."""

    MOST = 6

    def __init__(self) -> None:
        self._idle: list[tuple[Any, Any]] = []
        self._process = os.getpid()
        # Threads of one test connect at the same moment: none may get the connection of another.
        self._lock = threading.Lock()

    def pids(self) -> list[int]:
        """The server's processes behind those that nobody uses."""
        return [connection.info.backend_pid for _, connection in self._idle if not connection.closed]

    def take(self, _dialect: Any, _record: Any, arguments: Any, options: dict[str, Any]) -> Any:
        """One that was opened with the same options; None to open another."""
        if os.getpid() != self._process:  # a child does not share its parent's
            return None
        wanted = (tuple(arguments), frozenset(options.items()))
        with self._lock:
            for place, (opened_with, connection) in enumerate(self._idle):
                if opened_with == wanted:
                    del self._idle[place]
                    return connection
        return self._remembered(wanted)

    def _remembered(self, opened_with: Any) -> Any:
        connection = psycopg.connect(*opened_with[0], **dict(opened_with[1]))
        connection._opened_with = opened_with  # type: ignore[attr-defined]
        return connection

    def give_back(self, connection: Any) -> None:
        """What an engine no longer needs."""
        opened_with = getattr(connection, "_opened_with", None)
        idle = connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        if opened_with is None or not idle or len(self._idle) >= self.MOST or os.getpid() != self._process:
            connection.close()
            return
        try:
            connection.autocommit = True
            connection.execute("DISCARD ALL", prepare=False)
            connection.autocommit = False
        except psycopg.Error:
            connection.close()
            return
        # As in a new connection: else the driver would deallocate all once more, after it prepared something anew.
        connection._prepared = type(connection._prepared)()
        connection._notice_handlers.clear()
        with self._lock:
            self._idle.append((opened_with, connection))

    def close(self) -> None:
        """All that are idle."""
        while self._idle:
            self._idle.pop()[1].close()


KEPT: dict[str, KeptConnections] = {}
"""By the name of the database."""


def _keep_forms() -> None:
    """A compiled form never changes; a definition that is broken is read again each time."""
    compile_form, kept = Form.compile.__func__, dict[str, Form]()  # type: ignore[attr-defined]

    def compiled(cls: type[Form], definition: Mapping[str, Any]) -> Form:
        try:
            key = json.dumps(definition, ensure_ascii=False)
        except (TypeError, ValueError, RecursionError):
            return compile_form(cls, definition)
        if key not in kept:
            if len(kept) > 300:  # generated ones
                kept.clear()
            kept[key] = compile_form(cls, copy.deepcopy(definition))
        return kept[key]

    Form.compile = classmethod(compiled)  # type: ignore[assignment, method-assign]


def _keep_chain_tables() -> None:
    """The tables with a chain of regions are read from the schema, table by table, each time a region moves: here once
    for each schema of SQLite. Most of what a reorganisation in a test cost."""
    read, kept = chain_tables.chain_tables, dict[tuple[Any, ...], list[chain_tables.ChainTable]]()

    def found(session: Session) -> list[chain_tables.ChainTable]:
        if session.get_bind().dialect.name != "sqlite":
            return read(session)
        schema = tuple(session.scalars(text("SELECT sql FROM sqlite_schema ORDER BY name")))
        if schema not in kept:
            kept[schema] = read(session)
        return [*kept[schema]]

    for module in (chain_tables, region_moves):
        module.chain_tables = found  # type: ignore[attr-defined]


def _keep_no_threads() -> None:
    """What counts calls starts a thread when it is made, to drop what is over; here not before something is counted."""

    def made(self: MemoryStorage, uri: str | None = None, wrap_exceptions: bool = False, **_options: Any) -> None:
        self.storage, self.locks = Counter(), defaultdict(threading.RLock)
        self.expirations, self.events = {}, {}
        self.timer = threading.Timer(0.01, lambda: None)  # one that is not alive: the next count starts another
        Storage.__init__(self, uri, wrap_exceptions=wrap_exceptions)

    MemoryStorage.__init__ = made  # type: ignore[method-assign]


_ANY_MACHINE = 120.0
"""Seconds that a machine with much else to do may take for what takes a third of one."""


def _keep_checks_of_documents() -> None:
    """A child that finds nothing wrong with a document of `paperwork.py` is not asked about such a one again: to start
    it costs more than the rest of a test. What it refuses, and what tests of the child itself ask, it is asked."""
    run, program, start = documents._run, documents._PROGRAM, subprocess.run
    kept: dict[Any, dict[str, str]] = {}

    def checked(source: Path, named: FileType, purpose: FilePurpose, seconds: float) -> dict[str, str]:
        asked = paperwork.MADE.get(hashlib.sha256(source.read_bytes()).digest())
        as_in_production = program == documents._PROGRAM and subprocess.run is start and seconds > 1
        if asked is None or not as_in_production or "tests/assets/" in os.environ.get("PYTEST_CURRENT_TEST", ""):
            return run(source, named, purpose, seconds)
        key = (asked, named.extension, tuple(purpose.extensions))
        if key not in kept:
            answer = run(source, named, purpose, _ANY_MACHINE)
            if "code" in answer:
                return answer
            kept[key] = answer
        return kept[key]

    documents._run = checked
