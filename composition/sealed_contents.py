"""What is to be kept of contents before their personal data is sealed anew, by table."""

from core.keys.resealing import Before
from enterprise.filings import integrity as filing_integrity
from inspection import integrity as inspection_integrity

BEFORE: dict[str, Before] = {
    "inspections": inspection_integrity.attest_contents,
    "filing_versions": filing_integrity.attest_contents,
}
