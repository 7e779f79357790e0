"""The migrated database that others are copied from: its name, and how long it lasts.

Managed by Testbed: updates change this file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from .. import wiring
from .endpoints import Endpoint
from .processes import KEPT_TEMPLATE, Process
from .reaper import started


def template_name(process: Process, server: Endpoint) -> str:
    """What the template is called: it belongs to the run, or it outlasts it.

    Services that are kept keep it, too, if wiring.py tells what it is made of. Then it
    has the name of that: whatever changes there leads to another template.
    """
    files = list(_migration_files())
    is_kept = not server.external and server.service.name not in started()
    if not files or not is_kept:
        return f"{process.run}_template"
    fingerprint = hashlib.sha256()
    here = Path(__file__)
    for file in (
        Path(wiring.__file__),
        here.with_name(f"{server.service.name}.py"),  # how it is made
        *sorted(files),
    ):
        content = file.read_bytes()
        fingerprint.update(f"{file.name} {len(content)}\n".encode() + content)
    return f"{KEPT_TEMPLATE}_{fingerprint.hexdigest()[:12]}"


def _migration_files() -> Iterable[Path]:
    # A wiring.py from before there was such a function is as good.
    none: Callable[[], Iterable[Path]] = tuple
    return getattr(wiring, "migration_files", none)()
