"""The steps that an officer is offered: each can be taken as it is drawn, and what would be refused is not offered."""

from typing import Any

from core.workflows import history
from feedback import queries
from feedback.follow_ups import forms
from feedback.ratings import word_list
from feedback.workflows import RATING
from tests.feedback.room import Room
from tests.problems import ONE_DATABASE


def shown(room: Room, person: str, rating_id: Any) -> dict[str, Any]:
    with room.database.read() as session:
        actor = room.people[person]
        return queries.rating_answer(session, actor, queries.get_readable(session, actor, rating_id))


def offered(room: Room, person: str, rating_id: Any) -> dict[str, dict[str, Any]]:
    return {step["action"]: step for step in shown(room, person, rating_id)["steps"]}


@ONE_DATABASE
def test_a_bad_rating_under_a_real_name_is_called_back_before_anything_else(room: Room) -> None:
    rating_id = room.bad(room.code(), real_name=True)
    steps = offered(room, "handler", rating_id)
    assert next(iter(steps)) == "contact" and steps["contact"]["leads_on"]
    assert "登记至少一次回访" in steps["verify"]["waits"] and not steps["verify"]["leads_on"]
    room.act("handler", rating_id, "contact")
    steps = offered(room, "handler", rating_id)
    assert next(iter(steps)) == "verify" and steps["verify"]["waits"] is None


@ONE_DATABASE
def test_only_the_way_that_was_found_when_verifying_is_offered(room: Room) -> None:
    code = room.code()
    rectified = room.lead(room.bad(code), "contact", "verify")
    explained = room.lead(room.bad(code), "contact", "verify", verify={"classification": "explain"})
    longer = room.lead(room.bad(code), "contact", "verify", verify={"classification": "deadline"})
    assert {"rectify", "explain"} & offered(room, "handler", rectified).keys() == {"rectify"}
    assert {"rectify", "explain"} & offered(room, "handler", explained).keys() == {"explain"}
    fields = [one["name"] for one in offered(room, "handler", longer)["rectify"]["fields"]]
    assert fields == ["measures", "extension_reason"]


@ONE_DATABASE
def test_each_form_holds_what_its_step_demands(room: Room) -> None:
    """Filled in as it is drawn, with the first of each choice, every step that leads on is accepted to the end."""
    rating_id = room.bad(room.code())
    taken = []
    for person in ("handler", "handler", "handler", "handler", "supervisor"):
        step = next(iter(offered(room, person, rating_id).values()))
        body = {
            one["name"]: one["options"][0]["value"] if one["type"] == "choice" else "已按要求办理"
            for one in step["fields"]
        }
        room.act(person, rating_id, step["action"], **body)
        taken.append(step["action"])
    assert taken == ["contact", "verify", "rectify", "reply", "close"]
    assert room.rating(rating_id).status == "closed"
    said = {one["label"]: one["text"] for one in shown(room, "supervisor", rating_id)["said"]}
    assert said["核实结果"] == "属实" and said["是否按期"] == "按期办结"


@ONE_DATABASE
def test_handlers_of_the_rated_office_alone_are_named_for_assigning(room: Room) -> None:
    rating_id = room.bad(room.code())
    (field,) = offered(room, "supervisor", rating_id)["assign"]["fields"]
    assert {one["label"] for one in field["options"]} == {"handler", "other_handler"}
    assert offered(room, "officer", rating_id) == {}


def test_listed_words_are_pieces_of_their_own_whatever_stands_between_their_characters() -> None:
    word = sorted((one for one in word_list._words() if len(one) == 2 and one.isalpha()), key=str)[0]
    text = f"窗口人员说{word[0]} {word[1]}，很生气"
    parts = word_list.parts_of(text)
    assert "".join(piece for piece, _ in parts) == text
    assert [piece for piece, listed in parts if listed] == [f"{word[0]} {word[1]}"]


def test_every_move_of_a_rating_has_a_name_also_an_erasure_by_law() -> None:
    assert {step.action for step in RATING.steps.values()} | {history.ERASE} <= forms.LABELS.keys()
