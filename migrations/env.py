"""Alembic's environment: the engine comes from the caller (`core/database/migrate.py`) or from the settings."""

import warnings
from typing import Any, Literal

from alembic import context

from accounts import models as accounts_models
from accounts.access_log import models as access_log_models
from accounts.mail import models as mail_models
from assets.files import models as assets_models
from core import models as core_models
from core.config import load_settings
from core.db import Base, UTCDateTime, make_engine
from core.deliveries import models as delivery_models
from core.keys import stored
from core.long_jobs import models as long_job_models
from core.prints import models as print_models
from core.privacy import EncryptedText, SealedJSON
from core.retention import models as retention_models
from enterprise import models as enterprise_models
from enterprise.catalogues import models as catalogue_models
from enterprise.certificates import models as certificate_models
from enterprise.filings import models as filing_models
from enterprise.imports.uploads import models as import_models
from enterprise.notices import models as notice_models
from enterprise.production import models as production_models
from enterprise.registrations import models as registration_models
from feedback import models as feedback_models
from feedback.statistics import counts as figure_models
from inspection import models as inspection_models
from inspection.dictionaries import models as dictionary_models
from inspection.enforcement import models as enforcement_models
from inspection.statistics import models as tally_models

ROOMS_WITH_TABLES = (
    core_models,
    delivery_models,
    long_job_models,
    print_models,
    retention_models,
    accounts_models,
    access_log_models,
    mail_models,
    assets_models,
    enterprise_models,
    catalogue_models,
    certificate_models,
    inspection_models,
    dictionary_models,
    enforcement_models,
    tally_models,
    filing_models,
    production_models,
    registration_models,
    import_models,
    notice_models,
    feedback_models,
    figure_models,
)


def plain_types(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write our column types as the plain ones they are in the database, so that migrations import no room."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, EncryptedText):
        return "sa.Text()"
    if kind == "type" and isinstance(item, SealedJSON):
        return "sa.JSON()"
    return False


def run() -> None:
    """Run the migrations over one connection, in one transaction."""
    engine = context.config.attributes.get("engine")
    if engine is None:  # called by alembic itself
        settings = load_settings()
        engine = make_engine(settings.resolved_database_url)
        stored.open_keys(engine, settings.secret)
    with engine.connect() as connection, warnings.catch_warnings():
        # SQLite does not tell of them: they are compared on PostgreSQL only.
        warnings.filterwarnings("ignore", ".*expression-based index")
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=connection.dialect.name == "sqlite",
            compare_type=True,
            render_item=plain_types,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
