"""The API as Schemathesis asks it: a real key, a real ledger put back after every change, and ids that are there."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import schemathesis
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from sqlalchemy import Engine
from starlette.types import ASGIApp

from db.engine import make_engine
from reminders.clock import HandClock
from reminders.web.app import create_app
from tests.web.api.asking import CLINIC, OFTEN, a_key, ids, two_clinics
from tests.web.clinic import MORNING
from tests.web.serving import some_parts

CHECKS: Sequence[Callable[..., bool | None]] = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    ignored_auth,
    unsupported_method,
)
"""What is looked at. Not whether all that fits the schema is taken: that a zone, a drug or a number exists, no schema can say."""

TABLES = {"patient": "patient", "plan": "plan", "dose": "dose", "alert": "alert", "member": "staff"}
ROW_ID = re.compile(r"[0-9a-f]{32}")
CONFIG = {"checks": {"negative_data_rejection": {"expected-statuses": ["401", "404", "409", "413", "415", "422"]}}}
"""How what does not fit the description may be refused: what is too long for a field can be too long for a body first."""
Operation: TypeAlias = APIOperation[Any, Any, Any, Any]

DRUG = re.compile(r"[a-z0-9-]{1,80}")
SHARE = 5
"""A law that asks an app takes a fifth of the profile's examples."""
MOST = 200


@dataclass
class Target:
    """An app on a ledger that is put back after every change; `real`: the ids that are there, by the name of a path's parameter."""

    file: Path
    kept: Path
    engine: Engine
    app: ASGIApp
    key: str
    real: dict[str, list[str]]

    def put_back(self) -> None:
        """Let nothing have happened."""
        self.engine.dispose()
        for more in ("-wal", "-shm"):
            self.file.with_name(self.file.name + more).unlink(missing_ok=True)
        shutil.copy(self.kept, self.file)

    @property
    def operations(self) -> dict[str, Operation]:
        """The operations of its description, by method and path."""
        schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", self.app, config=SchemathesisConfig.from_dict(CONFIG))
        schema.validate()
        found = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
        return {operation.label: operation for operation in found}


def a_target(template: Path, folder: Path) -> Target:
    """Make an app with two clinics in a ledger of its own."""
    kept, file = folder / "kept.db", folder / "ledger.db"
    shutil.copy(template, kept)
    made = make_engine(f"sqlite:///{kept}")
    two_clinics(made)
    key, real = a_key(made), {name: ids(made, table, clinic=CLINIC) for name, table in TABLES.items()}
    made.dispose()
    shutil.copy(kept, file)
    engine = make_engine(f"sqlite:///{file}")
    app = create_app(replace(some_parts(engine=engine, clock=HandClock(MORNING)), calls_a_minute=OFTEN))
    return Target(file, kept, engine, app, key, real)


def ask(target: Target, operation: Operation, *, examples: int | None = None) -> int:
    """Ask one operation with what fits its description and with what does not; return how often. Raises what a check finds."""
    most = examples or min(MOST, max(1, settings().max_examples // SHARE))
    asked = 0

    @settings(
        max_examples=most, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate], database=None
    )
    @given(case=_cases(operation), known=st.integers(0, 9), which=st.integers(0, 9))
    def run(case: Case[Any], known: int, which: int) -> None:
        nonlocal asked
        assume([] not in (case.query or {}).values())  # no address holds a list of nothing: what would be amiss is not sent
        asked += 1
        if known:
            _point(case, target, which)
        answer = case.call_and_validate(headers={"Authorization": f"Bearer {target.key}"}, checks=list(CHECKS))
        if case.method not in {"GET", "HEAD"} and answer.status_code < 300:
            target.put_back()

    run()
    target.put_back()
    return asked


def _cases(operation: Operation) -> st.SearchStrategy[Case[Any]]:
    return st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)))


def _point(case: Case[Any], target: Target, which: int) -> None:
    """Let a path that could be one lead to a row that is there: else nearly nothing would be."""
    path: dict[str, Any] = case.path_parameters or {}
    for name, value in path.items():
        if name in target.real and isinstance(value, str) and ROW_ID.fullmatch(value):
            path[name] = target.real[name][which % len(target.real[name])]
        if name == "drug" and which % 2 and isinstance(value, str) and DRUG.fullmatch(value):
            path[name] = "baclofen-tablet"
