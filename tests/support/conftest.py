"""The rendered package `support`, to be tested without a service."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def support(
    render: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ModuleType]:
    """The package `support` of a rendered repository, under another name."""
    # A copy: what is imported writes there, and other tests compare renders.
    repository = tmp_path_factory.mktemp("repository") / "shop"
    shutil.copytree(render(broker="kafka"), repository)
    folder = repository / "tests" / "integration" / "support"
    spec = importlib.util.spec_from_file_location("bed", folder / "__init__.py")
    assert spec
    assert spec.loader
    package = importlib.util.module_from_spec(spec)
    sys.modules["bed"] = package
    spec.loader.exec_module(package)
    for name in ("endpoints", "proxy", "recording"):
        importlib.import_module(f"bed.{name}")
    yield package
    for name in [name for name in sys.modules if name.split(".")[0] == "bed"]:
        del sys.modules[name]
