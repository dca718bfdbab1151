"""`python -m bench`: prints ratios, as medians of several interleaved runs; it asserts nothing."""

import argparse
from pathlib import Path

from bench import (
    certificates,
    files,
    filing_engine,
    filings,
    growth,
    history,
    memory,
    papers,
    phone,
    photos,
    plans,
    ratings,
    submission,
)
from bench.databases import DIALECTS, postgres_answers

PARTS = {
    "submission": submission, "filings": filings, "filing_engine": filing_engine, "certificates": certificates,
    "ratings": ratings, "files": files,
    "growth": growth, "memory": memory, "history": history, "papers": papers,
    "phone": phone,
}  # fmt: skip


def main() -> None:
    """Run the parts that were asked for; by default all but the plans."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", choices=[*PARTS, "photos", "plans"])
    parser.add_argument("--database", choices=[*DIALECTS, "both"], default="both")
    parser.add_argument("--quick", action="store_true", help="fewer records and rounds: for a look, not for a figure")
    parser.add_argument("--write", type=Path, help="with --only plans: the page to write")
    parser.add_argument("--before", type=Path, help="photos: another checkout of the product, to be measured as well")
    asked = parser.parse_args()
    dialects = list(DIALECTS) if asked.database == "both" else [asked.database]
    if "postgresql" in dialects and not postgres_answers():
        print("PostgreSQL does not answer: skipped")
        dialects.remove("postgresql")
    if asked.only == "plans":
        plans.report(dialects, quick=asked.quick, write=asked.write)
        return
    for name, part in PARTS.items():
        if asked.only in (None, name):
            part.report(dialects, quick=asked.quick)
    if asked.only in (None, "photos"):
        photos.report(dialects, quick=asked.quick, before=asked.before and asked.before.absolute())


if __name__ == "__main__":
    main()
