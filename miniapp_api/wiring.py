"""What the endpoints find in the application: database, settings, forms, subjects, files."""

from dataclasses import dataclass
from typing import cast

from flask import current_app

from accounts.sign_in import SessionPolicy
from assets.operations import Desk
from core.config import Settings
from core.db import Database
from core.forms.library import FormLibrary
from core.subjects import SubjectRegistry
from enterprise.filings.engine import Filings
from inspection.entry import Tools

KEY = "gongpin"


@dataclass(frozen=True, slots=True)
class Wiring:
    """Made once in `create_app`."""

    settings: Settings
    database: Database
    policy: SessionPolicy
    tools: Tools
    subjects: SubjectRegistry
    desk: Desk
    filings: Filings

    @property
    def forms(self) -> FormLibrary:
        """The published forms."""
        return self.tools.forms


def wiring() -> Wiring:
    """The wiring of the running application."""
    return cast(Wiring, current_app.extensions[KEY])
