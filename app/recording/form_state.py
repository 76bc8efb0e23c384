"""The reader's position in a case's form: the current question, the answers, what is missing.

The form has one subject at a time: the case, or a mark that was just made.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from migrations.study.forms import Question, asked, chosen_of, many

Place = tuple[str, str | None]
"""A question's key and the mark it is about; None: the case."""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer to write; with `value` None, the earlier one is undone."""

    key: str
    mark: str | None
    value: str | None


class FormState:
    """The answers to one case's form so far, and the current question.

    Attributes
    ----------
    questions
        All of the form.
    mark
        The mark in question; None: the case.
    """

    def __init__(self, questions: Sequence[Question]) -> None:
        self.questions = tuple(questions)
        self.mark: str | None = None
        self._given: dict[Place, str] = {}
        self._marks: list[str] = []
        self._current = self.questions[0].key if self.questions else ""

    @property
    def shown(self) -> list[Question]:
        """The questions about the current subject."""
        return self._asked_of(self.mark)

    @property
    def current(self) -> Question | None:
        """The question that the next key answers."""
        return next((q for q in self.shown if q.key == self._current), None)

    @property
    def waits(self) -> bool:
        """Whether a question about the current subject has no answer."""
        return bool(self._waiting(self.mark))

    def value(self, key: str) -> str | None:
        """Return the answer to a question about the current subject."""
        return self._given.get(self._place(key))

    def go_to(self, key: str) -> None:
        """Ask this question now."""
        self._current = key

    def step(self, by: int) -> None:
        """Ask the question after (1) or before (-1) this one; the first follows the last."""
        keys = [q.key for q in self.shown]
        if keys:
            at = keys.index(self._current) if self._current in keys else 0
            self._current = keys[(at + by) % len(keys)]

    def choose(self, index: int) -> Said | None:
        """Answer the current question with its `index`-th choice; None if it has no such choice."""
        question = self.current
        if question is None or index >= len(question.choices):
            return None
        word = question.choices[index]
        if question.kind != "multiple":
            return self.put(word)
        before = set(chosen_of("multiple", self.value(question.key) or "[]"))
        value = many(before ^ {word}, question)
        self._given[self._place(question.key)] = value
        return Said(question.key, self._of(question), value)

    def put(self, value: str) -> Said | None:
        """Answer the current question, and ask the next unanswered one."""
        question = self.current
        if question is None:
            return None
        self._given[self._place(question.key)] = value
        said = Said(question.key, self._of(question), value)
        self._on()
        return said

    def enter(self) -> Said | None:
        """Accept the choices made, even none, and ask the next question."""
        question = self.current
        if question is None or question.kind != "multiple":
            return None
        return self.put(self.value(question.key) or "[]")

    def forget(self, key: str, mark: str | None = None) -> None:
        """Undo an answer, and ask that question again."""
        self._given.pop((key, mark), None)
        self.mark, self._current = mark, key

    def begin_mark(self, mark: str) -> None:
        """Ask about a mark, if the form has questions about marks."""
        self._marks.append(mark)
        self.mark = mark
        self._on()

    def drop_mark(self, mark: str) -> None:
        """Stop asking about a mark that was undone."""
        self._marks = [m for m in self._marks if m != mark]
        self._given = {place: v for place, v in self._given.items() if place[1] != mark}
        if self.mark == mark:
            self.mark = None
            self._on()

    def withdrawn(self) -> list[Said]:
        """Return the answers to questions that no longer apply, as undone; they are forgotten."""
        shown = {(q.key, m) for m in (None, *self._marks) for q in self._asked_of(m)}
        gone = [place for place in self._given if place not in shown]
        for place in gone:
            del self._given[place]
        return [Said(key, mark, None) for key, mark in gone]

    def ask_what_is_missing(self) -> Question | None:
        """Ask the first required question without an answer; return None if there is none."""
        for mark in (*self._marks, None):
            for question in self._asked_of(mark):
                if question.required and (question.key, mark) not in self._given:
                    self.mark, self._current = mark, question.key
                    return question
        return None

    def mark_number(self) -> int:
        """Return the number of the mark in question, from 1; 0 for the case."""
        return self._marks.index(self.mark) + 1 if self.mark in self._marks else 0

    def _on(self) -> None:
        """Ask the next question without an answer; after a mark's last question, the case's."""
        waiting = self._waiting(self.mark)
        if not waiting and self.mark is not None:
            self.mark = None
            waiting = self._waiting(None)
        if waiting:
            self._current = waiting[0].key

    def _waiting(self, mark: str | None) -> list[Question]:
        return [q for q in self._asked_of(mark) if (q.key, mark) not in self._given]

    def _asked_of(self, mark: str | None) -> list[Question]:
        given = {key: value for (key, m), value in self._given.items() if m in (None, mark)}
        scope = "case" if mark is None else "mark"
        return [q for q in asked(self.questions, given) if q.scope == scope]

    def _place(self, key: str) -> Place:
        return key, self.mark

    def _of(self, question: Question) -> str | None:
        return self.mark if question.scope == "mark" else None
