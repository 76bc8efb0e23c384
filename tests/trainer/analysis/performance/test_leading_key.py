"""Which question is meant where none is named."""

import pytest

from migrations.study.answers import Answered
from trainer.analysis.performance.confidence import leading_key
from trainer.errors import PerformanceError


def said(*keys_and_kinds: tuple[str, str], scope: str = "case") -> list[Answered]:
    return [Answered("r", key, kind, scope, "1", 0) for key, kind in keys_and_kinds]


def test_a_confidence_or_a_text_that_was_answered_first_is_not_the_question() -> None:
    given = {"r": said(("sure", "confidence"), ("why", "text"), ("mass", "single"))}

    assert leading_key(given, []) == "mass"


def test_the_first_question_of_the_form_leads_whichever_was_answered_first() -> None:
    given = {"a": said(("old", "single"), ("second", "scale")), "b": said(("first", "single"))}

    assert leading_key(given, ["first", "second"]) == "first"
    assert leading_key({"a": given["a"]}, ["first", "second"]) == "second"


def test_what_is_said_of_a_mark_is_no_question_of_the_case() -> None:
    given = {"r": [*said(("kind", "single"), scope="mark"), *said(("mass", "single"))]}

    assert leading_key(given, ["kind", "mass"]) == "mass"


def test_where_only_confidences_were_answered_the_question_is_asked_for() -> None:
    with pytest.raises(PerformanceError, match=r'"sure".*--question KEY'):
        leading_key({"r": said(("sure", "confidence"))}, ["sure"])
    with pytest.raises(PerformanceError, match="has an answer"):
        leading_key({}, [])
