"""The portal: the rooms in which a clinic's people watch, decide and talk. Each module is a room, and has its routes."""

from __future__ import annotations

from fastapi import APIRouter

from reminders.web.parts import Parts


def portal(parts: Parts) -> tuple[APIRouter, ...]:  # noqa: ARG001 - its rooms take them
    """Make the rooms."""
    return ()
