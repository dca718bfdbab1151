"""Numbers that may not rate yet (同一手机号5天内只能填报一次), freed by an office on request."""

from typing import Any

from apiflask import APIBlueprint
from sqlalchemy.orm import Session

from accounts.verbs import Verb
from core.actor import Actor
from feedback.ratings import freed_numbers
from miniapp_api.http.answers import Untyped, answers
from miniapp_api.http.bodies import ID_FIELD, DescribedBody, PageQuery, described, text_field
from miniapp_api.http.gates import gate
from miniapp_api.http.passed_over import passed_over

bp = APIBlueprint("rating_numbers", __name__, tag="Ratings")


class FreedNumberBody(DescribedBody):
    """The number to free and why, judged by the room."""

    model_config = described(
        ("mobile", "reason"),
        id={**ID_FIELD, "description": "made by the caller, so that a repetition is one row of the list; optional"},
        mobile=text_field(40, "the number (手机号); its owner is asked for it"),
        reason=text_field(freed_numbers.LONGEST_REASON, "why, for example that another used the number (被他人冒用)"),
    )


@bp.post("/rating-numbers/free")
@gate(Verb.RATINGS_SUPERVISE)
@answers(Untyped, 200, 201)
@bp.input(FreedNumberBody, arg_name="body")
def free_rating_number(session: Session, actor: Actor, body: FreedNumberBody) -> tuple[dict[str, Any], int]:
    """解除限制: the number may rate again at once. The answer is the same whether or not it had rated.

    With an `id` the same call again answers the same row; to free a number twice changes nothing more.
    """
    row, new = freed_numbers.free(session, actor, body.root)
    shown = freed_numbers.show(row)
    return {**shown, "warnings": passed_over(body, {}, shown)}, 201 if new else 200


@bp.get("/rating-numbers/freed")
@gate(Verb.RATINGS_SUPERVISE)
@bp.input(PageQuery, location="query", arg_name="query")
def list_freed_numbers(session: Session, actor: Actor, query: PageQuery) -> dict[str, Any]:
    """What offices of the caller's regions freed, with reason, user and time; numbers masked."""
    return freed_numbers.freed(session, actor, query.request()).as_json(freed_numbers.show)
