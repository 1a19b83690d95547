"""For each operation that sends something, a body that is in order; and each path with the ids of a clinic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Engine

from reminders.domain.acting import StaffAction
from reminders.web.access import Access
from reminders.web.api.rows import API, API_ROUTES
from tests.files import a_clinic, a_consent, a_patient, a_plan_file, an_import_file
from tests.web.api.asking import CLINIC, Program, ids

Body = object
REASON = {"reason": "agreed by phone"}
STEPS = {"from": "5", "to": "20", "step": "5", "every_days": 3, "basis": "per_dose"}
RECIPE = {
    "drug": "baclofen-tablet",
    "kind": "titration",
    "zone": "America/New_York",
    "start": "2026-03-10",
    "advance": "ask_provider",
    "times": ["08:00", "14:00", "20:00"],
    "formula": {"steps": STEPS},
}
EDITED = a_plan_file(start="2026-03-02")
ANOTHER = a_plan_file(drug="pregabalin", start="2026-03-10", label="B, red box", strengths=["75", "150"])
ANOTHER["phases"] = [
    {"days": 7, "doses": [{"at": "08:00", "amount": "75", "unit": "mg"}, {"at": "20:00", "amount": "75", "unit": "mg"}]},
    {"days": None, "doses": [{"at": "08:00", "amount": "150", "unit": "mg"}, {"at": "20:00", "amount": "150", "unit": "mg"}]},
]
CAROL = a_patient(ref="carol", name="Carol Diaz", phone="+12025550103", consent=a_consent("Carol Diaz"), caregivers=[], plans=[])
BODIES: Mapping[str, Body] = {
    "/alerts/{alert}/acknowledge": {},
    "/alerts/{alert}/give-back": None,
    "/alerts/{alert}/resolve": {"note": "she meant the cat"},
    "/patients/search": {"text": "ana", "state": "active", "drug": "baclofen-tablet", "severity": "info"},
    "/doses/{dose}/correct": {"state": "taken", "reason": "told by phone"},
    "/imports": an_import_file(CAROL, clinic=a_clinic(staff=[])),
    "/patients": CAROL,
    "/patients/{patient}": {"kidney": "weak", "born": None, "quiet_hours": {"from": "22:00", "until": "07:30"}},
    "/patients/{patient}/hand-back": None,
    "/patients/{patient}/take-over": None,
    "/patients/{patient}/texts": {"words": "Please call us before your evening dose.", "takes_over": True},
    "/patients/{patient}/plans/look": {"document": ANOTHER},
    "/plans/build": RECIPE,
    "/plans/check": {"document": EDITED, "age": 70, "kidney": "weak", "medicines": ["diazepam"]},
    "/plans/table": {"document": EDITED},
    "/plans/{plan}/acts/acknowledge": {},
    "/plans/{plan}/acts/add-medicine": {"medicine": "diazepam"},
    "/plans/{plan}/acts/advance": REASON,
    "/plans/{plan}/acts/move-zone": {"zone": "Europe/London"},
    "/plans/{plan}/acts/mute": {},
    "/plans/{plan}/acts/remove-medicine": {"medicine": "vitamin D", "reason": "not taken any more"},
    "/plans/{plan}/acts/restart": {"phase": 1, "reason": "rash is gone"},
    "/plans/{plan}/acts/resume": {},
    "/plans/{plan}/acts/slow-down": {"days": 2, "reason": "sleepy"},
    "/plans/{plan}/acts/stay": {},
    "/plans/{plan}/acts/step-back": REASON,
    "/plans/{plan}/acts/stop": REASON,
    "/plans/{plan}/acts/suspend": REASON,
    "/plans/{plan}/acts/unmute": {},
    "/plans/{plan}/edit/preview": {"document": EDITED},
    "/plans/{plan}/supply": {"kind": "counted", "tablets": [{"strength": "5", "tablets": 60}, {"strength": "10", "tablets": 90}]},
    "/staff": {"name": "Nurse Diaz", "roles": ["staff"]},
    "/staff/{member}/end": None,
}

FIRST: Mapping[StaffAction, StaffAction] = {
    StaffAction.RESUME: StaffAction.STAY,
    StaffAction.UNMUTE: StaffAction.MUTE,
    StaffAction.RESTART: StaffAction.SUSPEND,
}
"""What must have been done before."""

ROWS = {"patient": "patient", "plan": "plan", "dose": "dose", "alert": "alert", "member": "staff"}


@dataclass(frozen=True)
class Operation:
    """An operation, by its method and its path."""

    method: str
    path: str
    access: Access

    def __str__(self) -> str:
        """How it is called in a test's name."""
        return f"{self.method} {self.path}"

    @property
    def has_ids(self) -> bool:
        """Whether its path leads to a row of a clinic."""
        return any(f"{{{name}}}" in self.path for name in ROWS)

    def to(self, engine: Engine, *, clinic: str = CLINIC) -> str:
        """Its path, to the rows of a clinic."""
        path = self.path.replace("{drug}", "baclofen-tablet").replace("{queue}", "replies")
        for name, table in ROWS.items():
            if f"{{{name}}}" in path:
                path = path.replace(f"{{{name}}}", ids(engine, table, clinic=clinic)[0])
        return path

    def body(self, program: Program, engine: Engine) -> Body:
        """What is sent with it: None for nothing."""
        made = MADE.get(str(self))
        return made(program, engine) if made else BODIES.get(self.path) if self.method != "GET" else None


def _approval(program: Program, engine: Engine) -> Body:
    """Look at a plan, and sign it as it is."""
    looked = program.post(f"/patients/{ids(engine, 'patient')[0]}/plans/look", {"document": ANOTHER}).json()
    reasons = {finding["key"]: "agreed" for finding in looked["findings"] if finding["key"]}
    beside = {one["key"]: {"reason": "agreed"} for one in looked["interacting"]}
    return {"draft": looked["draft"], "seal": looked["seal"], "reasons": reasons, "beside": beside}


def _edit(program: Program, engine: Engine) -> Body:
    """Look at a new document of a plan, and sign it as it is."""
    seen = program.post(f"/plans/{ids(engine, 'plan')[0]}/edit/preview", {"document": EDITED}).json()
    return {"document": EDITED, "seal": seen["seal"], "reason": "same again"}


MADE: Mapping[str, Callable[[Program, Engine], Body]] = {"POST /patients/{patient}/plans": _approval, "POST /plans/{plan}/edit": _edit}
"""What is made of an answer to another operation: a seal is of what was looked at."""

OPERATIONS = tuple(
    Operation(method, path.removeprefix(API), access) for (method, path), access in sorted(API_ROUTES.items(), key=lambda row: row[0][::-1])
)


def prepare(program: Program, engine: Engine, operation: Operation) -> None:
    """Do what an operation needs to have been done before."""
    for after, before in FIRST.items():
        if operation.path.endswith(f"/acts/{after.value}"):
            path = f"/plans/{{plan}}/acts/{before.value}"
            answer = program.post(Operation("POST", path, operation.access).to(engine), BODIES[path])
            assert answer.status_code == 200, answer.text
    if operation.path.endswith("/give-back"):
        program.post(f"/alerts/{ids(engine, 'alert')[0]}/acknowledge", {})
    if operation.path.endswith("/step-back"):
        for name, body in (("suspend", REASON), ("restart", {"phase": 2, **REASON})):
            program.post(f"/plans/{ids(engine, 'plan')[0]}/acts/{name}", body)
