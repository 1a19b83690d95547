from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Engine, Integer, MetaData, Table, insert, select
from sqlalchemy.exc import StatementError

from db.engine import make_engine, reading, writing
from db.types import ExactDecimal, NaiveTime, UtcDateTime

THING = Table("thing", MetaData(), Column("no", Integer, primary_key=True), Column("at", UtcDateTime), Column("amount", ExactDecimal))

instants = st.datetimes(
    min_value=datetime(1970, 1, 2),  # noqa: DTZ001 - Hypothesis wants naive bounds, and adds the zone itself
    max_value=datetime(2199, 12, 30),  # noqa: DTZ001 - as above
    timezones=st.sampled_from([UTC, ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata"), timezone(timedelta(hours=-11, minutes=-30))]),
)
amounts = st.decimals(min_value=Decimal(-99999999), max_value=Decimal(99999999), places=6)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def things(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A table of one instant and one amount, on each kind of database in turn."""
    url = "sqlite://" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    engine = make_engine(url)
    THING.metadata.drop_all(engine)
    THING.metadata.create_all(engine)
    yield engine
    THING.metadata.drop_all(engine)
    engine.dispose()


def kept(engine: Engine, **values: object) -> object:
    """Write one value, and return what is read back."""
    with writing(engine) as connection:
        no = connection.execute(insert(THING).values(values).returning(THING.c.no)).scalar_one()
    with reading(engine) as connection:
        return connection.execute(select(THING.c[next(iter(values))]).where(THING.c.no == no)).scalar_one()


@given(instant=instants)
def test_an_instant_comes_back_the_same(things: Engine, instant: datetime) -> None:
    """An instant written in any zone is read back as the same instant."""
    assert kept(things, at=instant) == instant.astimezone(UTC)  # a local time in a spring gap equals nothing, itself in UTC included


@given(instant=instants)
def test_an_instant_comes_back_in_utc(things: Engine, instant: datetime) -> None:
    """An instant is read back aware, in UTC, whatever zone it was written in."""
    read = kept(things, at=instant)

    assert isinstance(read, datetime)
    assert read.tzinfo is UTC


def test_a_naive_datetime_is_refused(things: Engine) -> None:
    """A datetime without a zone names no instant, and is never guessed at."""
    with pytest.raises(StatementError) as refused:
        kept(things, at=datetime(2026, 3, 2, 8))  # noqa: DTZ001 - the fault under test

    assert isinstance(refused.value.orig, NaiveTime)


def test_instants_compare_in_the_database(things: Engine) -> None:
    """A comparison in SQL is one of instants: nine in New York is after one in the afternoon, UTC."""
    nine = datetime(2026, 3, 2, 9, tzinfo=ZoneInfo("America/New_York"))
    with writing(things) as connection:
        no = connection.execute(insert(THING).values(at=nine).returning(THING.c.no)).scalar_one()
    with reading(things) as connection:
        later = connection.scalars(select(THING.c.no).where(THING.c.no == no, THING.c.at > datetime(2026, 3, 2, 13, tzinfo=UTC))).all()

    assert later == [no]


@given(amount=amounts)
def test_an_amount_comes_back_exact(things: Engine, amount: Decimal) -> None:
    """An amount keeps every digit, the zeros at its end too."""
    assert str(kept(things, amount=amount)) == f"{amount:f}"


def test_an_amount_with_an_exponent_is_written_out(things: Engine) -> None:
    """What Python writes as 1E+1 is kept as the plain number."""
    assert str(kept(things, amount=Decimal("1E+1"))) == "10"


def test_an_amount_is_not_a_float_on_disk(sqlite_engine: Engine) -> None:
    """SQLite keeps an amount as text: as a float, a tenth three times over would not be three tenths."""
    THING.metadata.create_all(sqlite_engine)
    kept(sqlite_engine, amount=Decimal("0.1"))
    with reading(sqlite_engine) as connection:
        kind = connection.exec_driver_sql("SELECT typeof(amount) FROM thing").scalar_one()

    assert kind == "text"


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_what_is_not_a_number_is_refused(things: Engine, text: str) -> None:
    """No amount is infinite or undefined."""
    with pytest.raises(StatementError, match="not a finite decimal"):
        kept(things, amount=Decimal(text))


@pytest.mark.parametrize("column", ["at", "amount"])
def test_nothing_comes_back_as_nothing(things: Engine, column: str) -> None:
    """An empty column is read back as None."""
    assert kept(things, **{column: None}) is None
