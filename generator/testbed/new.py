"""`testbed new`: render the template into a new folder, wholly or not at all."""

from __future__ import annotations

import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

import copier
from copier.errors import CopierAnswersInterrupt, CopierError, DirtyLocalWarning

from .errors import UserError, one_line
from .template import Template

# What a folder may hold and still count as empty: `git init` may come first.
_HARMLESS = {".git"}


def render_new(
    template: Template, destination: Path, answers: dict[str, Any], *, ask: bool
) -> list[Path]:
    """Render the template into `destination`, and give the paths of the files.

    `ask` asks what `answers` leaves open; otherwise the defaults are taken. Raises
    UserError when an answer is refused or the folder is not empty, KeyboardInterrupt
    when the user stops answering. In every such case nothing has been written.
    """
    template.refuse_bad(answers)
    _refuse_unless_empty(destination)
    parents = [destination.parent, *destination.parents]
    # Beside the destination, so that moving the files there cannot fail half-way.
    with tempfile.TemporaryDirectory(
        dir=next(parent for parent in parents if parent.exists()),
        prefix=f".{destination.name}-",
    ) as temporary:
        rendered = Path(temporary) / destination.name
        _render(template, rendered, answers, ask=ask)
        destination.mkdir(parents=True, exist_ok=True)
        for path in sorted(rendered.iterdir()):
            os.replace(path, destination / path.name)
    files = (p for p in destination.rglob("*") if p.is_file())
    return sorted(p.relative_to(destination) for p in files if ".git" not in p.parts)


def _refuse_unless_empty(destination: Path) -> None:
    if destination.exists() and not destination.is_dir():
        raise UserError(f"{destination} is a file; name a folder")
    if destination.is_dir() and {p.name for p in destination.iterdir()} - _HARMLESS:
        raise UserError(
            f"{destination} is not empty; name a new folder, or call `testbed adopt`"
            " in a repository that exists"
        )


def _render(
    template: Template, destination: Path, answers: dict[str, Any], *, ask: bool
) -> None:
    try:
        with warnings.catch_warnings():
            # A checkout with uncommitted changes is rendered as it is: that is meant.
            warnings.simplefilter("ignore", DirtyLocalWarning)
            copier.run_copy(
                template.source,
                destination,
                data=answers,
                defaults=not ask,
                vcs_ref=template.ref,
                quiet=True,
            )
    except CopierAnswersInterrupt as interrupt:
        raise KeyboardInterrupt from interrupt
    except (CopierError, ValueError, TypeError) as error:
        raise UserError(one_line(error)) from error
    except RecursionError as error:
        raise UserError("an answer is nested too deeply") from error
    except OSError as error:
        # Copier's calls of git fail with an OSError that holds what git printed.
        reason = str(getattr(error, "stderr", "") or error).strip().splitlines()[-1]
        where = f"{template.source} at {template.ref}"
        raise UserError(f"cannot render {where}: {reason}") from error
