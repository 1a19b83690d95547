"""What is known of each drug: every number with its source."""

from __future__ import annotations

from starlette.responses import JSONResponse

from reminders import drugs
from reminders.as_json.drugs import drug_head, drug_json
from reminders.as_json.parts import plainly
from reminders.web.api.door import Caller
from reminders.web.api.routes import family, operation
from reminders.web.api.shapes import DrugAnswer, DrugKey, DrugsAnswer

router = family("drugs")


@operation(router, "GET", "/drugs", DrugsAnswer)
def list_drugs(_: Caller) -> JSONResponse:
    """List the drugs and forms that are known."""
    return JSONResponse({"items": [drug_head(profile) for profile in drugs.all_profiles()]})


@operation(router, "GET", "/drugs/{drug}", DrugAnswer)
def drug(_: Caller, drug: DrugKey) -> JSONResponse:
    """Show all that is known of a drug: each number, its source, how sure it is, and where sources disagree."""
    return JSONResponse(plainly(drug_json(drugs.load(drug))))
