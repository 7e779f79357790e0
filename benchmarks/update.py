"""How long does an update take, by `copier update` and by `testbed update`?

Both as commands, in turns, on copies of the same repositories, each of another stack
and with an edit. The trees have to be the same afterwards.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import copier

from tests.stacks import every_stack
from tests.update.conftest import commit, git, tree

from .repository import ROOT, progress

EDITED = "tests/integration/support/guard.py"


def make_template(folder: Path) -> None:
    """The template with two releases; the second adds a line to many managed files."""
    shutil.copytree(ROOT / "template", folder / "template")
    shutil.copy(ROOT / "copier.yml", folder)
    git(folder, "init", "--quiet")
    commit(folder, "one")
    git(folder, "tag", "v1.0.0")
    support = folder / "template" / "project" / "{{ tests_dir }}" / "support"
    for module in support.glob("*.py"):
        module.write_text(f"{module.read_text()}# of version two\n")
    commit(folder, "two")
    git(folder, "tag", "v2.0.0")


def main() -> None:
    """Measure both for each repository, and print medians and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repositories", type=int, default=20)
    count = parser.parse_args().repositories
    stacks = every_stack()
    ways = {
        "copier update": ["copier", "update", "--defaults", "--quiet"],
        "testbed update": ["testbed", "update"],
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    equal = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_template(folder / "template")
        os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
        for number in progress(range(count), "repositories"):
            made = folder / f"made-{number}"
            copier.run_copy(
                str(folder / "template"),
                made,
                data=stacks[number * len(stacks) // count],
                vcs_ref="v1.0.0",
                defaults=True,
                quiet=True,
            )
            (made / EDITED).write_text(f"# My own line.\n{(made / EDITED).read_text()}")
            git(made, "init", "--quiet")
            commit(made, "made")
            trees = []
            for name, (module, *arguments) in ways.items():
                copy = Path(shutil.copytree(made, folder / f"{name} {number}"))
                command = [str(Path(sys.executable).parent / module), *arguments]
                begin = time.perf_counter()
                subprocess.run(command, cwd=copy, check=True, capture_output=True)
                seconds[name].append(time.perf_counter() - begin)
                trees.append(tree(copy))
            equal += trees[0] == trees[1]
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    fastest = min(medians.values())
    for name, median in medians.items():
        print(f"{name:14} {median:.2f} s, ratio {median / fastest:.2f}")
    print(f"{equal} of {count} trees are the same")


if __name__ == "__main__":
    main()
