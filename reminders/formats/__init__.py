"""The files people give Doseline and get from it: strict shapes, each fault named with its path. `docs/files.md` is their contract."""

from __future__ import annotations
