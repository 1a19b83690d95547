"""Who asks, behind a proxy: the word of a proxy that is named is taken, and nobody else's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine, select

from db.engine import reading, writing
from db.tables import metadata
from reminders.clock import HandClock
from reminders.domain.signing_in import GUESSES_OF_ADDRESS
from reminders.services.signing_in import kept
from tests.web.serving import NOW, OLD_TOKEN, Heard, a_carrier, a_text, asking, post, some_parts
from tests.web.signed_in import OURS

PROXY, OUTER, NETWORK = "10.0.0.1", "172.18.0.9", "172.18.0.0/16"
CLIENT, FORGED = "203.0.113.7", "198.51.100.1"
BOTH = (PROXY, NETWORK)


def tried_from(engine: Engine) -> set[str]:
    """The addresses that a try was counted for, of those in these tests."""
    with reading(engine) as c:
        keys = set(c.scalars(select(metadata.tables["sign_in_guard"].c.key)))
    return {address for address in (PROXY, OUTER, CLIENT, FORGED, "2001:db8::7", "172.18.0.1") if kept(f"address {address}") in keys}


def a_try(engine: Engine, headers: list[tuple[str, str]], *, peer: str = PROXY, proxies: tuple[str, ...] = BOTH, name: str = "x") -> int:
    """Try to sign in, and be refused: the status."""
    parts = replace(some_parts(engine=engine, clock=HandClock(NOW)), trusted_proxies=proxies)
    given = [*OURS.items(), *headers]
    return asking(parts, peer=peer).post("/sign-in", data={"login": name, "password": "x", "code": "x"}, headers=given).status_code


@pytest.mark.parametrize(
    ("headers", "peer", "proxies", "found"),
    [
        ([], PROXY, BOTH, PROXY),
        ([("X-Forwarded-For", CLIENT)], PROXY, BOTH, CLIENT),
        ([("X-Forwarded-For", f"{FORGED}, {CLIENT}")], PROXY, BOTH, CLIENT),
        ([("X-Forwarded-For", f"{FORGED}, {CLIENT}, {OUTER}")], PROXY, BOTH, CLIENT),
        ([("X-Forwarded-For", FORGED), ("X-Forwarded-For", CLIENT)], PROXY, BOTH, CLIENT),
        ([("X-Forwarded-For", f"{PROXY}, {CLIENT}")], PROXY, BOTH, CLIENT),
        ([("X-Forwarded-For", f"{CLIENT}:50123")], PROXY, BOTH, CLIENT),
        ([("X-Forwarded-For", "[2001:db8::7]:50123")], PROXY, BOTH, "2001:db8::7"),
        ([("X-Forwarded-For", FORGED)], CLIENT, BOTH, CLIENT),
        ([("X-Forwarded-For", FORGED)], PROXY, (), PROXY),
        ([("X-Forwarded-For", FORGED)], PROXY, (NETWORK,), PROXY),
        ([("X-Real-IP", FORGED), ("Forwarded", f"for={FORGED}"), ("X-Client-IP", FORGED)], PROXY, BOTH, PROXY),
        ([("X-Forwarded-For", "")], PROXY, BOTH, PROXY),
    ],
    ids=[
        "nothing said",
        "one proxy",
        "what the client said of itself",
        "two proxies",
        "two lines",
        "the client calls itself our proxy",
        "a port",
        "a port in IPv6",
        "no proxy in front",
        "none is named",
        "another is named",
        "other headers",
        "an empty one",
    ],
)
def test_whose_try_it_is(sqlite_engine: Engine, headers: list[tuple[str, str]], peer: str, proxies: tuple[str, ...], found: str) -> None:
    """The last address in line that is none of the proxies', if a proxy says so; else the peer's own."""
    a_try(sqlite_engine, headers, peer=peer, proxies=proxies)

    assert tried_from(sqlite_engine) == {found}


def test_the_fifty_tries_are_each_address_own(sqlite_engine: Engine) -> None:
    """Who guesses from one address behind the proxy uses up that address's tries; what they say of themselves is counted nowhere."""
    guard, seconds = metadata.tables["sign_in_guard"], str(int(NOW.timestamp()))
    with writing(sqlite_engine) as c:
        row = {"key": kept(f"address {CLIENT}"), "tries": " ".join([seconds] * (GUESSES_OF_ADDRESS - 1)), "last_at": NOW}
        c.execute(guard.insert().values(row))
    for number in range(2):
        a_try(sqlite_engine, [("X-Forwarded-For", f"{FORGED}, {CLIENT}")], name=f"name {number}")
    with reading(sqlite_engine) as c:
        (tries,) = c.scalars(select(guard.c.tries).where(guard.c.key == kept(f"address {CLIENT}")))

    assert (len(tries.split()), tried_from(sqlite_engine)) == (GUESSES_OF_ADDRESS, {CLIENT})


@pytest.mark.parametrize("token", ["right", "wrong"])
def test_webhooks_go_by_their_signature(token: str) -> None:
    """What a proxy says of address, scheme or host changes nothing of which address was signed."""
    heard = Heard()
    parts = replace(some_parts(heard, carrier=a_carrier()), trusted_proxies=("127.0.0.1",))
    says = {"X_Forwarded_For": CLIENT, "X_Forwarded_Host": "elsewhere.example", "X_Forwarded_Proto": "http"}
    given = {} if token == "right" else {"token": OLD_TOKEN, "signed_as": "http://elsewhere.example/sms/inbound"}
    answer = post(asking(parts), "/sms/inbound", a_text(), **given, **says)

    assert (answer.status_code, len(heard.texts)) == ((200, 1) if token == "right" else (403, 0))


def test_the_overview_of_this_machine_is_not_for_who_came_through_a_proxy(sqlite_engine: Engine) -> None:
    """Not even for a client that the proxy calls by a loopback address."""
    parts = replace(some_parts(engine=sqlite_engine), trusted_proxies=("127.0.0.1",))

    assert asking(parts).get("/", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 303
