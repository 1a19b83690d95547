"""The figures at `/metrics`, for a Prometheus on this machine: what this process counted, and how the ledger stands when it is asked.

No name or label of a figure is about a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from http import HTTPStatus

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from reminders.services import measuring
from reminders.services.measuring import Figures
from reminders.web.counting import PATHS, Counts, Outcome
from reminders.web.from_here import is_from_here
from reminders.web.parts import Parts


def metrics(parts: Parts, counts: Counts) -> APIRouter:
    """Make the route, with a registry of its own."""
    router = APIRouter()
    registry = CollectorRegistry()
    registry.register(_Collected(parts, counts))

    @router.get("/metrics")
    def figures(request: Request) -> Response:
        """Show the figures."""
        if not is_from_here(request):
            raise HTTPException(HTTPStatus.FORBIDDEN)
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return router


class _Collected(Collector):
    """What is read anew each time the figures are asked for."""

    def __init__(self, parts: Parts, counts: Counts) -> None:
        self._parts = parts
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """Count, and look into the ledger; if that is away, say so and nothing of it."""
        yield from _counted(self._counts)
        try:
            found = measuring.figures(self._parts.engine, now=self._parts.clock.now())
        except SQLAlchemyError:
            yield GaugeMetricFamily("doseline_ledger_answers", "Whether the database answers.", 0)
        else:
            yield GaugeMetricFamily("doseline_ledger_answers", "Whether the database answers.", 1)
            yield from _measured(found)


def _counted(counts: Counts) -> Iterator[Metric]:
    webhooks = CounterMetricFamily("doseline_webhooks", "Webhooks by path and what became of them.", labels=["path", "outcome"])
    found = counts.webhooks()
    for path in PATHS.values():
        for outcome in Outcome:
            webhooks.add_metric([path, outcome.value], found.get((path, outcome), 0))
    yield webhooks
    yield CounterMetricFamily("doseline_strangers_answered", "Texts of unknown numbers that were answered.", counts.answered())


def _measured(found: Figures) -> Iterator[Metric]:
    heard = {name: age for name, age in found.heard.items() if age is not None}
    yield _each("doseline_texts", "Texts in a state that is not their last.", "state", found.waiting)
    yield _each("doseline_texts_lately", "Texts that were to go out in the last hour, by state.", "state", found.lately)
    yield _each("doseline_trouble", "Whether a trouble of the installation stands.", "kind", found.troubles)
    yield _each("doseline_sender_rests", "Whether a sender rests.", "sender", found.resting)
    yield _each("doseline_watermark_age_seconds", "Since when a list of the carrier's has not been read without a gap.", "list", heard)
    yield _each("doseline_pass_age_seconds", "Since the last pass of a part of the loop, in any process.", "chore", found.passes)
    yield _one("doseline_oldest_text_in_doubt_seconds", "Since the claim of the oldest text on its way without proof.", found.doubt)
    yield _one("doseline_oldest_overdue_dose_seconds", "Since the oldest dose that waits to be decided was due.", found.overdue)


def _each(name: str, words: str, label: str, values: Mapping[str, float | timedelta]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=[label])
    for key, value in values.items():
        family.add_metric([key], _number(value))
    return family


def _one(name: str, words: str, value: timedelta) -> Metric:
    return GaugeMetricFamily(name, words, _number(value))


def _number(value: float | timedelta) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else value
