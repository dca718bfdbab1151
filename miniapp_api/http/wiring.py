"""What `create_app` wires and the endpoints use: database, settings, forms, subjects, files and the rest."""

from dataclasses import dataclass
from typing import cast

from flask import current_app

from accounts.access_log.recording import AccessLog
from accounts.mail.letters import Site
from accounts.sign_in.sessions import SessionPolicy
from assets.files.uploads import Uploads
from assets.paper.made_pictures import MadePictures
from assets.paper.papers import Press
from core.config import Settings
from core.database.disk import DiskWatch
from core.db import Database
from core.forms.library import FormLibrary
from core.gateways.sms import SmsSender
from core.gateways.wechat import WeChat
from core.workflows.events import Events
from core.workflows.subjects import SubjectRegistry
from enterprise.filings.declaring.kinds import Filings
from enterprise.filings.drafts.tries import TryNotes
from enterprise.notices.declarations import NoticeSystems
from enterprise.registrations.declarations import Registrations
from feedback.codes.scan_counts import ScanCounts
from feedback.ratings.rating_window import RatingRules
from inspection.submissions.validation import Tools
from miniapp_api.http.address_counts import InMemory, InRedis
from miniapp_api.http.file_places import FilePlaces
from miniapp_api.http.readiness import Check

KEY = "gongpin"


@dataclass(frozen=True, slots=True)
class Wiring:
    """Made once in `create_app`."""

    settings: Settings
    database: Database
    policy: SessionPolicy
    tools: Tools
    subjects: SubjectRegistry
    uploads: Uploads
    filings: Filings
    registrations: Registrations
    notices: NoticeSystems
    tries: TryNotes
    events: Events
    rules: RatingRules
    pictures: MadePictures
    press: Press
    scans: ScanCounts
    access_log: AccessLog
    disk: DiskWatch
    readiness: list[Check]
    places: FilePlaces
    addresses: InMemory | InRedis
    sms: SmsSender | None
    wechat: WeChat | None

    @property
    def forms(self) -> FormLibrary:
        """The published forms."""
        return self.tools.forms

    @property
    def site(self) -> Site:
        """Where links in mails lead, and whether mails go out."""
        return Site(self.settings.resolved_public_url, bool(self.settings.smtp_host))


def wiring() -> Wiring:
    """The wiring of the running application."""
    return cast(Wiring, current_app.extensions[KEY])
