"""The errors, their messages and their tree."""

from __future__ import annotations

import inspect

from reminders import errors
from reminders.errors import BadFile, DoselineError, Fault, LedgerBehind


def test_a_docstring_is_the_default_message() -> None:
    """An error raised without words says its own sentence."""
    assert str(LedgerBehind()) == "The database is not at the newest migration; run `doseline migrate`."


def test_words_given_win_over_the_docstring() -> None:
    """The place that raises knows more than the class."""
    assert str(LedgerBehind("at 0001, not 0002")) == "at 0001, not 0002"


def test_a_bad_file_names_every_fault_with_its_path() -> None:
    """One line a fault, so that nobody corrects a file one start at a time."""
    error = BadFile([Fault("patients[0].phone", "not a phone number"), Fault("", "no clinic")])

    assert str(error) == "patients[0].phone: not a phone number\nno clinic"


def test_the_tree_in_the_docstring_names_every_error() -> None:
    """The drawing at the top of the module is complete."""
    classes = [name for name, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, DoselineError)]

    assert [name for name in classes if name not in (errors.__doc__ or "")] == []
