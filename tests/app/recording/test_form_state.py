"""Where a reader is in a form: what is asked next, what is missing, what falls away."""

from app.recording.form_state import FormState, Said
from migrations.study.forms import Question

FORM = (
    Question("finding", "?", options=("nothing", "mass")),
    Question("shape", "?", options=("round", "oval"), condition="finding = mass"),
    Question("signs", "?", kind="multiple", options=("calc", "skin", "node")),
    Question("score", "?", kind="scale", options=("0", "100")),
    Question("remark", "?", kind="text", required=False),
    Question("size", "?", scope="mark", kind="number"),
)


def now(state: FormState) -> str:
    assert state.current is not None
    return state.current.key


def test_each_answer_asks_the_next_question_and_conditions_open_it() -> None:
    state = FormState(FORM)
    assert state.choose(1) == Said("finding", None, "mass")
    assert now(state) == "shape"
    assert state.choose(0) == Said("shape", None, "round")
    assert state.choose(0) == Said("signs", None, '["calc"]')
    assert state.choose(2) == Said("signs", None, '["calc", "node"]')
    assert state.choose(0) == Said("signs", None, '["node"]')
    assert now(state) == "signs"
    assert state.enter() == Said("signs", None, '["node"]')
    assert now(state) == "score"
    assert state.choose(0) is None  # it is typed
    assert state.put("70") == Said("score", None, "70")
    assert now(state) == "remark"
    assert state.ask_what_is_missing() is None  # a remark may stay open


def test_what_rested_on_a_changed_answer_is_taken_back() -> None:
    state = FormState(FORM)
    state.choose(1)
    state.choose(0)
    state.go_to("finding")
    state.choose(0)
    assert state.withdrawn() == [Said("shape", None, None)]
    assert [q.key for q in state.shown] == ["finding", "signs", "score", "remark"]


def test_a_mark_is_asked_of_at_once_and_then_the_case_goes_on() -> None:
    state = FormState(FORM)
    state.choose(0)
    state.begin_mark("m1")
    assert (now(state), state.mark_number()) == ("size", 1)
    assert state.put("12") == Said("size", "m1", "12")
    assert (now(state), state.mark_number()) == ("signs", 0)
    state.begin_mark("m2")
    assert state.value("size") is None
    state.drop_mark("m2")
    assert (now(state), state.mark) == ("signs", None)


def test_the_first_question_that_is_missing_is_asked_marks_before_the_case() -> None:
    state = FormState(FORM)
    state.begin_mark("m1")
    state.mark = None
    missing = state.ask_what_is_missing()
    assert (missing and missing.key, state.mark) == ("size", "m1")
    state.put("3")
    missing = state.ask_what_is_missing()
    assert missing is not None
    assert missing.key == "finding"


def test_an_answer_taken_back_is_asked_again() -> None:
    state = FormState(FORM)
    state.choose(0)
    state.enter()
    state.forget("finding")
    assert (now(state), state.value("finding")) == ("finding", None)
    state.step(1)
    assert now(state) == "signs"
    state.step(-1)
    state.step(-1)
    assert now(state) == "remark"  # past the first comes the last
