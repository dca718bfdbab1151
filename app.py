"""create_app(): wires the rooms together; nothing else. WSGI entry: `app:create_app()`."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from apiflask import APIFlask
from werkzeug.middleware.proxy_fix import ProxyFix

from accounts.access_log.recording import AccessLog
from accounts.demo_accounts import refuse_in_production
from accounts.sign_in.sessions import SessionPolicy
from accounts.verbs import Role
from assets.files.uploads import open_uploads
from assets.paper.made_pictures import MadePictures
from assets.paper.papers import Press
from backups.interrupted import refuse_to_open
from composition.file_purposes import file_purposes
from composition.listeners import connected
from composition.subjects import subject_registry
from core import logs
from core.config import Settings, SettingsError, give_key, load_settings
from core.database.disk import DiskWatch
from core.db import Database
from core.forms.library import FormLibrary
from core.gateways.opening import open_sms, open_wechat
from core.keys import stored
from enterprise.filings.drafts.tries import TryNotes
from enterprise.systems import NOTICES, filing_engine, registrations
from feedback.codes.scan_counts import ScanCounts
from feedback.ratings import word_list
from feedback.ratings.rating_window import RatingRules
from inspection.campaigns import CampaignCalendar
from inspection.dictionaries.lookup import Dictionary
from inspection.submissions.validation import Tools
from miniapp_api import blueprints
from miniapp_api.http import limits, openapi, problems, readiness, requests
from miniapp_api.http.address_counts import InMemory, InRedis
from miniapp_api.http.bodies import MAX_BODY, ApiRequest, OrjsonProvider
from miniapp_api.http.file_places import FilePlaces
from miniapp_api.http.redirects import Application
from miniapp_api.http.wiring import KEY, Wiring


def create_app(settings: Settings | None = None) -> APIFlask:
    """The WSGI application; raises `SettingsError` naming what is missing."""
    prepared = settings is not None
    settings = settings or load_settings(make_key=False)
    logs.configure(settings.log_level)
    database = Database(settings.resolved_database_url, pool_size=settings.database_pool_size)
    if not prepared:
        refuse_to_open(settings, database.engine)
        give_key(settings)
    refuse_in_production(settings, database.engine)
    stored.open_keys(database.engine, settings.secret)

    # No route for files that nothing guards; APIFlask's annotation forgets that Flask takes None here.
    no_folder: Any = None
    app = Application(
        "app", title="工品查 API", version="1", spec_path=openapi.SPEC_PATH, docs_path=None, static_folder=no_folder
    )
    app.json = OrjsonProvider(app)
    app.request_class = ApiRequest
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY,
        RATELIMIT_STORAGE_URI=settings.redis_url or "memory://",
        RATELIMIT_STORAGE_OPTIONS={"socket_timeout": 0.5, "socket_connect_timeout": 0.5} if settings.redis_url else {},
        AUTO_404_RESPONSE=False,
        AUTO_AUTH_ERROR_RESPONSE=False,
    )
    library, subjects, events = FormLibrary(database), subject_registry(), connected()
    filings = filing_engine(library, subjects, events)
    word_list.install(Path(settings.rating_words) if settings.rating_words else None)
    uploads = open_uploads(settings, file_purposes())
    disk = DiskWatch.of_installation(settings, database.engine)
    app.extensions[KEY] = Wiring(
        settings=settings,
        database=database,
        policy=SessionPolicy(
            settings.session_idle,
            settings.session_longest,
            settings.enterprise_captcha == "always",
            _roles(settings.otp_role_names),
        ),
        tools=Tools(library, Dictionary(), CampaignCalendar()),
        subjects=subjects,
        uploads=uploads,
        filings=filings,
        registrations=registrations(filings),
        notices=NOTICES,
        tries=TryNotes(settings.data_dir / "sending-tries"),
        events=events,
        rules=RatingRules(
            settings.rating_limit_scope,
            shows_harmless_texts=settings.rating_publication == "automatic",
            staff_within=timedelta(minutes=settings.rating_staff_minutes),
        ),
        press=Press(
            settings.data_dir / "papers",
            settings.data_dir / "fonts",
            lambda key: b"".join(uploads.storage.chunks(key)[1]),
        ),
        pictures=MadePictures(uploads.storage, settings.incoming_dir),
        scans=ScanCounts(database),
        access_log=AccessLog(database),
        disk=disk,
        places=FilePlaces(),
        readiness=readiness.checks(settings, database, uploads, disk, lambda: limits.where_counted(settings)),
        addresses=InRedis(limits.limiter) if settings.redis_url else InMemory(),
        sms=open_sms(settings),
        wechat=open_wechat(settings),
    )
    limits.install(app)
    requests.install(app, settings)
    problems.install(app)
    for blueprint in blueprints.API:
        app.register_blueprint(blueprint, url_prefix="/api/v1")
    for blueprint in blueprints.ROOT:
        app.register_blueprint(blueprint)
    openapi.install(app)
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies, x_proto=1)  # type: ignore[method-assign]
    return app


def _roles(names: frozenset[str]) -> frozenset[str]:
    unknown = sorted(names.difference(role.value for role in Role))
    if unknown:
        raise SettingsError(f"OTP_ROLES names no roles: {', '.join(unknown)}; there are {', '.join(Role)}")
    return names
