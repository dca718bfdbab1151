"""The page behind the code on a print (打印件核验), whatever it was printed of."""

from apiflask import APIBlueprint
from flask import Response

from core.prints import operations as prints
from enterprise.certificates import printing as certificate_papers
from enterprise.filings.reading import papers
from inspection.enforcement import printing as enforcement
from inspection.printing import record_paper
from miniapp_api.http.gates import public
from miniapp_api.http.limits import per_origin
from miniapp_api.http.pages import page
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("print_pages", __name__, enable_openapi=False, template_folder="templates")

MOST_LOOKS = "120 per minute"
"""Openings of `/v/{code}` from one line; somebody who guesses needs 2^127."""


@bp.get("/v/<string:code>")
@public(transaction=False)
@per_origin(MOST_LOOKS)
def show_print(code: str) -> Response:
    """Whether a print is genuine and the newest: number, date, enterprise and digest, and no more."""
    services = wiring()
    looks = {**record_paper.looks(services.forms), "filing": papers.look(services.filings)}
    looks["enforcement_paper"] = enforcement.look(services.forms)
    looks["certificate"] = certificate_papers.look(services.forms, services.filings.kinds.certificates)
    with services.database.read() as session:
        found = prints.verify(session, looks, code[:64])
    response = page("print/verification.html", 200 if found else 404, found=found)
    response.headers["Cache-Control"] = "no-store"
    return response
