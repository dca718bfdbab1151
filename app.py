"""create_app(): wires the rooms together; nothing else. WSGI entry (`app:create_app()`) and CLI entry."""

if __name__ == "__main__":
    # Before anything else is imported: most commands need no Flask, and `serve` must set where the
    # figures of its workers stand before the library that keeps them is imported.
    import gc

    # Importing makes much and throws little away: collecting meanwhile would take a fifth of the time.
    gc.disable()
    from commands import main

    gc.enable()
    main()

import tempfile
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from apiflask import APIFlask
from werkzeug.middleware.proxy_fix import ProxyFix

from accounts import queries as account_queries
from accounts import sweeping as account_sweeping
from accounts.regions import moves as region_moves
from accounts.sign_in.sessions import SessionPolicy
from assets.files import form_files, sweeping
from assets.files.purposes import FilePurposes
from assets.files.uploads import open_uploads
from assets.paper import made_pictures
from assets.paper.made_pictures import MadePictures
from backups import daily as daily_backup
from backups.interrupted import refuse_to_open
from core import logs, privacy
from core.config import Settings, give_key, load_settings
from core.database.disk import DiskWatch
from core.db import Database
from core.deadlines import calendar_years
from core.forms.library import FormLibrary
from core.gateways.opening import open_sms, open_wechat
from core.jobs import sweeping as key_sweeping
from core.jobs.scheduler import Job, RareJob, Scheduler
from core.subjects import SubjectRegistry
from enterprise.filings import clock_jobs
from enterprise.systems import filing_engine, register_file_purposes
from feedback import queries as rating_queries
from feedback import sweeping as rating_sweeping
from feedback.codes import operations as rating_codes
from feedback.codes.scan_counts import ScanCounts
from feedback.follow_ups import recounting as rating_recounting
from feedback.ratings import word_list
from feedback.ratings.gates import RatingRules
from feedback.statistics import tallies as rating_tallies
from inspection.campaigns import CampaignCalendar
from inspection.corrections import request_queries
from inspection.dictionaries import entries as dictionaries
from inspection.dictionaries.entries import Dictionary
from inspection.kinds import CHECK, SPOT_CHECK
from inspection.records import access as record_access
from inspection.submissions.validation import Tools
from listeners import connected
from miniapp_api import blueprints
from miniapp_api.http import limits, openapi, problems, readiness, requests
from miniapp_api.http.address_counts import InMemory, InRedis
from miniapp_api.http.bodies import MAX_BODY, ApiRequest, OrjsonProvider
from miniapp_api.http.file_places import FilePlaces
from miniapp_api.http.redirects import Application
from miniapp_api.http.wiring import KEY, Wiring


def subject_registry() -> SubjectRegistry:
    """Who may read what, by subject type; the filing engine adds what filings are about."""
    subjects = SubjectRegistry()
    subjects.register("account_application", account_queries.may_read_application)
    subjects.register("user", account_queries.may_read_user)
    subjects.register("inspection", partial(record_access.may_read, CHECK))
    subjects.register("spot_check", partial(record_access.may_read, SPOT_CHECK))
    subjects.register("dictionary_entry", dictionaries.may_read)
    subjects.register("correction_request", request_queries.may_read)
    subjects.register("rating", rating_queries.may_read_rating)
    subjects.register("rating_code", rating_queries.may_read_code)
    return subjects


def file_purposes() -> FilePurposes:
    """What files may be uploaded for: in the items of forms, and in filings and what they are about."""
    purposes = FilePurposes()
    purposes.register(*form_files.PURPOSES)
    register_file_purposes(purposes)
    return purposes


def background_jobs(app: APIFlask) -> Scheduler:
    """What the server does by itself, in one of its workers at a time."""
    wiring: Wiring = app.extensions[KEY]
    return Scheduler(
        wiring.database,
        [
            calendar_years.job(),
            # Before the clocks ring: days that are known now count.
            Job("rating deadlines", rating_recounting.recounting().run),
            Job("filing deadlines", clock_jobs.recounting().run),
            Job("filing clocks", clock_jobs.ring_clocks(wiring.filings).run),
            RareJob("throttles and old sessions", account_sweeping.sweep, every=timedelta(hours=1)),
            RareJob("rating figures", rating_tallies.fold_everything, every=timedelta(seconds=50)),
            Job("rating codes", rating_codes.expiry().run),
            region_moves.job(),
            RareJob("rating gates and SMS codes", rating_sweeping.sweep, every=timedelta(hours=1)),
            sweeping.daily(wiring.uploads.storage, wiring.uploads.incoming),
            made_pictures.daily(wiring.uploads.storage),
            key_sweeping.daily(),
            account_sweeping.daily(),
            daily_backup.job(wiring.settings),
        ],
        watch=wiring.disk.look,
    )


def _disk_watch(settings: Settings, database: Database) -> DiskWatch:
    folders = [settings.data_dir.absolute(), Path(tempfile.gettempdir())]
    if database.engine.dialect.name == "sqlite" and database.engine.url.database:
        folders.append(Path(database.engine.url.database).parent)
    return DiskWatch(folders, settings.disk_warning_percent, settings.disk_warning_mib)


def create_app(settings: Settings | None = None) -> APIFlask:
    """The WSGI application; raises `SettingsError` naming what is missing."""
    prepared = settings is not None
    settings = settings or load_settings(make_key=False)
    logs.configure(settings.log_level)
    database = Database(settings.resolved_database_url, pool_size=settings.database_pool_size)
    if not prepared:
        refuse_to_open(settings, database.engine)
        give_key(settings)
    privacy.install(settings.data_key.get_secret_value())

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
    word_list.install(Path(settings.rating_words) if settings.rating_words else None)
    uploads, disk = open_uploads(settings, file_purposes()), _disk_watch(settings, database)
    app.extensions[KEY] = Wiring(
        settings=settings,
        database=database,
        policy=SessionPolicy(settings.session_idle, settings.session_longest, settings.enterprise_captcha == "always"),
        tools=Tools(library, Dictionary(), CampaignCalendar()),
        subjects=subjects,
        uploads=uploads,
        filings=filing_engine(library, subjects, events),
        events=events,
        rules=RatingRules(
            settings.rating_limit_scope,
            shows_harmless_texts=settings.rating_publication == "automatic",
            staff_within=timedelta(minutes=settings.rating_staff_minutes),
        ),
        pictures=MadePictures(uploads.storage, settings.incoming_dir),
        scans=ScanCounts(database),
        disk=disk,
        places=FilePlaces(),
        readiness=readiness.checks(settings, database, uploads, disk, lambda: limits.where_counted(settings)),
        addresses=InRedis(limits.limiter) if settings.redis_url else InMemory(),
        sms=open_sms(settings),
        wechat=open_wechat(settings),
    )
    limits.install(app)
    requests.install(app)
    problems.install(app)
    for blueprint in blueprints.API:
        app.register_blueprint(blueprint, url_prefix="/api/v1")
    for blueprint in blueprints.ROOT:
        app.register_blueprint(blueprint)
    openapi.install(app)
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies, x_proto=1)  # type: ignore[method-assign]
    return app
