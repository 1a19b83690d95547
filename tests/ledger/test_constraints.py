from __future__ import annotations

import pytest
from sqlalchemy import Connection, Engine, delete, insert, update
from sqlalchemy.exc import IntegrityError

from db.engine import writing
from db.tables import metadata
from tests.ledger.rows import a_row, fill, lists

ANOTHER = {"tag": "two", "token_hash": "two", "login": "two", "key_hash": "two"}
"""What is unique over all clinics."""


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """A ledger with one row in every table."""
    with writing(engine) as connection:
        fill(connection)
    return engine


def refusal(connection: Connection, statement: object) -> str:
    """Return why the database refuses a statement, or nothing if it does not; either way leave no trace."""
    nested = connection.begin_nested()
    try:
        connection.execute(statement)  # type: ignore[call-overload]  # any executable
    except IntegrityError as error:
        return str(error.orig).lower()
    finally:
        nested.rollback()
    return ""


def test_every_list_refuses_a_stranger(filled: Engine) -> None:
    """A column with a CHECK list takes no word that is not on it."""
    with writing(filled) as connection:
        told = {
            f"{table.name}.{column}": refusal(connection, update(table).values({column: "stranger"}))
            for table in metadata.sorted_tables
            for column in lists(table)
        }

    assert [column for column, why in told.items() if "check constraint" not in why] == []


def test_every_list_takes_its_members(filled: Engine) -> None:
    """A column with a CHECK list takes each word on it."""
    with writing(filled) as connection:
        told = {
            f"{table.name}.{column} {member}": refusal(connection, update(table).values({column: member}))
            for table in metadata.sorted_tables
            for column, members in lists(table).items()
            for member in members
        }

    assert [word for word, why in told.items() if why] == []


def test_no_reference_leaves_its_clinic(filled: Engine) -> None:
    """A row of one clinic cannot refer to a row of another, though the ids are the same."""
    with writing(filled) as connection:
        connection.execute(insert(metadata.tables["clinic"]).values(a_row(metadata.tables["clinic"], id="two")))
        told = {
            table.name: refusal(connection, insert(table).values(a_row(table, clinic_id="two", **ANOTHER)))
            for table in metadata.sorted_tables
            if table.foreign_keys and "clinic" not in {key.referred_table.name for key in table.foreign_key_constraints}
        }

    assert [name for name, why in told.items() if "foreign key" not in why] == []


def test_every_reference_carries_the_clinic() -> None:
    """Each reference names the clinic as well as the row, so that the database itself keeps clinics apart."""
    keys = [key for table in metadata.sorted_tables for key in table.foreign_key_constraints]

    assert [key.name for key in keys if "clinic_id" not in key.column_keys] == []


def test_every_row_of_a_clinic_belongs_to_one_that_exists(filled: Engine) -> None:
    """Nothing can be kept under a clinic that is not there."""
    with writing(filled) as connection:
        told = {
            table.name: refusal(connection, insert(table).values(a_row(table, clinic_id="none", **ANOTHER)))
            for table in metadata.sorted_tables
            if "clinic_id" in table.primary_key.columns
        }

    assert [name for name, why in told.items() if "foreign key" not in why] == []


@pytest.mark.parametrize("name", ["clinic", "contact_point", "patient", "plan", "dose", "text_out"])
def test_what_is_referred_to_stays(filled: Engine, name: str) -> None:
    """A row that others refer to cannot be deleted from under them."""
    with writing(filled) as connection:
        why = refusal(connection, delete(metadata.tables[name]))

    assert "foreign key" in why


def test_a_slot_has_one_dose(filled: Engine) -> None:
    """A plan, a date and a slot number name one dose, however often it falls due."""
    dose = metadata.tables["dose"]
    with writing(filled) as connection:
        why = refusal(connection, insert(dose).values(a_row(dose, id="two")))

    assert "unique" in why


def test_a_cause_speaks_once(filled: Engine) -> None:
    """A cause has one text of a kind."""
    text = metadata.tables["text_out"]
    with writing(filled) as connection:
        why = refusal(connection, insert(text).values(a_row(text, id="two")))

    assert "unique" in why


def test_a_dose_is_announced_once(filled: Engine) -> None:
    """A dose has one item of a kind, whichever text carries it."""
    text, item = metadata.tables["text_out"], metadata.tables["text_item"]
    with writing(filled) as connection:
        connection.execute(insert(text).values(a_row(text, id="two", cause="another")))
        why = refusal(connection, insert(item).values(a_row(item, text_id="two")))

    assert "unique" in why
