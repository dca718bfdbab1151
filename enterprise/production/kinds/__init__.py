"""The kinds of filings of production licences; a new one is one file here and one line in this list."""

from enterprise.production.kinds import declaration, rectification, self_check_report, self_check_table

KINDS = (
    declaration.KIND,
    self_check_report.KIND,
    rectification.KIND,
    self_check_table.SALES,
    self_check_table.PRODUCTION,
)
