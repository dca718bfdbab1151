"""Form definitions (表单), cacheable."""

from typing import Any

from apiflask import APIBlueprint
from flask import Response, current_app, request

from core.actor import Actor
from core.database.paging import whole
from core.forms.library import Published
from miniapp_api.form_answers import FormDefinition, FormSummary
from miniapp_api.http.answers import Page, answers
from miniapp_api.http.gates import gate
from miniapp_api.http.wiring import wiring

bp = APIBlueprint("forms", __name__, tag="Inspection")


@bp.get("/forms")
@gate(transaction=False)
@answers(Page[FormSummary])
def list_forms(actor: Actor) -> dict[str, Any]:
    """The newest version of every form, without its items."""
    return whole(
        [
            {
                "code": p.form.code,
                "version": p.form.version,
                "title": p.form.title,
                "kind": p.form.kind,
                "accept_until": p.form.accept_until.isoformat() if p.form.accept_until else None,
            }
            for p in wiring().forms.newest()
        ]
    )


@bp.get("/forms/<string:code>")
@gate(transaction=False)
@answers(FormDefinition, 200, 304)
def read_newest_form(actor: Actor, code: str) -> Response:
    """The newest version of a form."""
    return _definition(wiring().forms.get(code), immutable=False)


@bp.get("/forms/<string:code>/<int:version>")
@gate(transaction=False)
@answers(FormDefinition, 200, 304)
def read_form(actor: Actor, code: str, version: int) -> Response:
    """One version of a form; it never changes."""
    return _definition(wiring().forms.get(code, version), immutable=True)


def _definition(published: Published, *, immutable: bool) -> Response:
    response = current_app.response_class(
        current_app.json.dumps(published.form.definition), mimetype="application/json"
    )
    response.set_etag(published.digest)
    # `private`: the phone may keep it, proxies may not, because it needs a sign-in.
    lasting = "private, max-age=31536000, immutable" if immutable else "private, no-cache"
    response.headers["Cache-Control"] = lasting
    response.make_conditional(request)
    return response
