"""What is to be kept of contents before their personal data is sealed anew, by table."""

# All tables, also those that a command does not need: what is not known is not sealed anew, and its key is deleted.
import accounts.access_log.models
import accounts.mail.models
import accounts.models  # noqa: F401
import assets.files.models  # noqa: F401
import core.deliveries.models
import core.long_jobs.models
import core.models
import core.prints.models
import core.retention.models  # noqa: F401
import enterprise.catalogues.models
import enterprise.certificates.models
import enterprise.imports.uploads.models
import enterprise.notices.models
import enterprise.registrations.models  # noqa: F401
import feedback.models
import feedback.statistics.counts  # noqa: F401
import inspection.dictionaries.models
import inspection.enforcement.models
import inspection.models
import inspection.statistics.models  # noqa: F401
from core.keys.resealing import Before
from enterprise.filings import integrity as filing_integrity
from inspection import integrity as inspection_integrity

BEFORE: dict[str, Before] = {
    "inspections": inspection_integrity.attest_contents,
    "filing_versions": filing_integrity.attest_contents,
}
