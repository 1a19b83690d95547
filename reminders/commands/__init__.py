"""The commands of `doseline`, a module each: they read what was typed, call one service, and show what it says."""

from __future__ import annotations
