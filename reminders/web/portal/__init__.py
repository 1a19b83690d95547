"""The portal: the rooms in which a clinic's people watch, decide and talk. Each module is a room, and has its routes."""

from __future__ import annotations

from fastapi import APIRouter

from reminders.web.parts import Parts
from reminders.web.portal.plan_pages import plan_pages


def portal(parts: Parts) -> tuple[APIRouter, ...]:
    """Make the rooms."""
    return (plan_pages(parts),)
