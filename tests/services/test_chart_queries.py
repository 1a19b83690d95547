"""What a patient's page asks the ledger: a bounded number of questions, each answered by an index."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, Engine, event, text

from reminders.domain.roles import StaffRole
from reminders.services import charting, conversing
from tests.stage import Stage, patient, phase, plan

CLINIC, HADDAD = "harbor-clinic", "Dr. Noor Haddad"
SMALL = {"clinic", "staff", "staff_role"}
"""As many rows as a machine has clinics, and people at work."""


class Asked:
    """The statements that an engine runs while it is looked at."""

    def __init__(self, engine: Engine) -> None:
        """Begin to look."""
        self.engine = engine
        self.statements: list[tuple[str, object]] = []
        event.listen(engine, "before_cursor_execute", self._keep)

    def _keep(self, _: Connection, __: object, statement: str, parameters: object, ___: object, many: bool) -> None:  # noqa: FBT001 - SQLAlchemy calls it so
        if not many and statement.startswith("SELECT"):
            self.statements.append((statement, parameters))

    def end(self) -> list[tuple[str, object]]:
        """Look no more; return what was asked."""
        event.remove(self.engine, "before_cursor_execute", self._keep)
        return self.statements


def page_of(stage: Stage) -> list[tuple[str, object]]:
    """What the page, the timeline, the conversation and a dose of Ana's ask."""
    row = next(row for row in stage.rows("patient") if row["ref"] == "ana")
    mine = next(one for one in stage.rows("plan") if one["patient_id"] == row["id"])
    look = Asked(stage.engine)
    charting.page(stage.engine, CLINIC, row["id"], by=HADDAD, now=stage.now)
    charting.timeline(stage.engine, CLINIC, row["id"], by=HADDAD, now=stage.now)
    conversing.conversation(stage.engine, CLINIC, row["id"], by=HADDAD, now=stage.now)
    charting.to_act_on(stage.engine, CLINIC, row["id"], mine["id"], by=HADDAD, roles={StaffRole.PROVIDER}, now=stage.now)
    return look.end()


def test_no_more_is_asked_of_a_long_story() -> None:
    """After three weeks the page asks as many questions as after one."""
    with Stage.on_paper(patient(plan(phase("5/5/5"), advance="as_prescribed"), told=True)) as stage:
        asked = []
        for week in (range(2, 9), range(9, 23)):
            stage.answers(*(f"03-{day:02} {clock}" for day in week for clock in ("14:05", "20:05")))
            asked.append(len(page_of(stage)))
        early, late = asked

        assert late == early
        assert late <= 90


def test_each_is_answered_by_an_index(postgres_engine: Engine) -> None:
    """With sequential scans made dear, no question has one, but of tables as small as a clinic: what has no index would."""
    with Stage(postgres_engine, patient(plan(phase("5/5/5"), advance="as_prescribed"), told=True, medicines=["aspirin"])) as stage:
        stage.answers("03-02 08:05", "03-02 14:05")
        stage.run_until(stage.now + timedelta(days=2))
        asked = page_of(stage)
        scans: dict[str, str] = {}
        with postgres_engine.connect() as c:
            c.execute(text("SET enable_seqscan = off"))
            for statement, parameters in asked:
                found = "\n".join(line for (line,) in c.exec_driver_sql(f"EXPLAIN {statement}", parameters))  # type: ignore[arg-type]
                for line in found.splitlines():
                    if "Seq Scan on " in line and line.split("Seq Scan on ")[1].split()[0] not in SMALL:
                        scans[statement] = found

        assert len(asked) > 30
        assert list(scans.values()) == []
