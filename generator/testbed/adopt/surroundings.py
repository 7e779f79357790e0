"""What is around the application: its name, tests, CI, installer and Pythons."""

from __future__ import annotations

import ast
import re

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from .dependencies import read_ini, read_toml, setup_arguments, table
from .facts import Evidence, Fact, agreed, found, unknown
from .repository import Repository

Places = dict[str, list[Evidence]]

_WORKFLOWS = r"\.github/workflows/[^/]+\.ya?ml"
_GITLAB = r"\.gitlab-ci\.yml"
_IN_FOLDER = re.compile(r"[^./][^/]*/.*\.py$")
_PROJECT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9 _.-]{0,39}")


def project_name(repository: Repository) -> Fact:
    """What the project calls itself, in the file that says how it is built."""
    name = "project_name"
    data = read_toml(repository, "pyproject.toml")
    arguments = setup_arguments(repository).get("name")
    declared = [
        ("pyproject.toml", table(data, "project").get("name")),
        ("pyproject.toml", table(data, "tool", "poetry").get("name")),
        (
            "setup.cfg",
            read_ini(repository, "setup.cfg").get("metadata", "name", fallback=None),
        ),
        ("setup.py", arguments.value if isinstance(arguments, ast.Constant) else None),
    ]
    for path, value in declared:
        if isinstance(value, str) and _PROJECT_NAME.fullmatch(value):
            return found(name, value, [_named(repository, path, value)])
    # The name of a checkout is anybody's choice.
    folder = repository.folder_name
    likely = {folder: list[Evidence]()} if _PROJECT_NAME.fullmatch(folder) else {}
    return unknown(name, "no file gives it a name", likely)


def _named(repository: Repository, path: str, value: str) -> Evidence:
    pattern = rf"name\s*=\s*[\"']?{re.escape(value)}"
    place = re.search(pattern, repository.texts[path])
    return repository.at(path, place.start() if place else value, value)


def tests_dir(repository: Repository) -> Fact:
    """Where the bed's tests go: not among tests that are there already."""
    name = "tests_dir"
    for folder in ("tests/integration", "tests/testbed", "tests/integration_testbed"):
        there = [
            path
            for path in sorted(repository.paths)
            if path.startswith(f"{folder}/") and path != f"{folder}/__init__.py"
        ]
        if not there:
            break
    else:
        return unknown(name, "the folders that it could be are there already")
    taken = [path for path in repository.paths if path.startswith("tests/integration/")]
    if folder != "tests/integration":
        return found(name, folder, [Evidence(min(taken), 0, "yours")])
    beside = min((p for p in repository.paths if p.startswith("tests/")), default="")
    words = "beside your tests" if beside else "nothing is there yet"
    return found(name, folder, [Evidence(beside or "tests", 0, words)])


def ci(repository: Repository) -> Fact:
    """The CI systems that have a file here."""
    if not repository.is_root:
        # GitHub and GitLab look for files at the root alone.
        evidence = Evidence(".", 0, "not the root of its git repository")
        return found("ci", [], [evidence])
    seen: Places = {}
    for system, pattern in (("github", _WORKFLOWS), ("gitlab", _GITLAB)):
        for path, _ in repository.find(pattern):
            seen.setdefault(system, []).append(Evidence(path, 1, system))
    if not seen:
        return unknown("ci", "no file of GitHub Actions or GitLab CI is there")
    return found("ci", list(seen), [place[0] for place in seen.values()])


def updates(repository: Repository, ci: object) -> Fact | None:
    """What proposes updates already; nothing, where nothing does that can here."""
    seen: Places = {}
    for path in sorted(repository.paths):
        if re.fullmatch(r"(\.github/|\.gitlab/)?\.?renovate(rc)?(\.json5?)?", path):
            seen.setdefault("renovate", []).append(Evidence(path, 0, "renovate"))
        elif re.fullmatch(r"\.github/dependabot\.ya?ml", path):
            seen.setdefault("dependabot", []).append(Evidence(path, 0, "dependabot"))
    if ci == ["gitlab"]:  # a mirror's, perhaps: GitLab itself does not have it
        seen.pop("dependabot", None)
    return agreed("updates", seen, "") if seen else None


def installer(repository: Repository) -> Fact:
    """How the project is installed: by its lock file, else by what can be installed."""
    name, seen = "installer", Places()
    for tool, lock in (
        ("uv", "uv.lock"),
        ("poetry", "poetry.lock"),
        ("pdm", "pdm.lock"),
    ):
        if lock in repository.paths:
            seen[tool] = [Evidence(lock, 1, "lock file")]
    if seen:
        return agreed(name, seen, "")
    if "Pipfile" in repository.paths:
        return unknown(name, "the bed's CI does not know Pipenv")
    data = read_toml(repository, "pyproject.toml")
    for tool in ("uv", "poetry", "pdm"):
        if table(data, "tool", tool):
            at = repository.at("pyproject.toml", f"[tool.{tool}", f"[tool.{tool}]")
            return unknown(name, f"{tool} has no lock file", {tool: [at], "pip": [at]})
    project = table(data, "project")
    is_dynamic = "dependencies" in str(project.get("dynamic"))
    if project.get("dependencies") or is_dynamic:
        at = repository.at("pyproject.toml", "[project]")
        if not _can_be_built(repository):
            why = "setuptools refuses several packages side by side, unless it is told"
            return unknown(name, why, {"pip": [at]})
        seen["pip"] = [at]
    elif {"setup.py", "setup.cfg"} & repository.paths and (
        setup_arguments(repository).get("install_requires") is not None
        or read_ini(repository, "setup.cfg").has_option("options", "install_requires")
    ):
        if "pyproject.toml" not in repository.paths:
            return unknown(name, "there is no pyproject.toml for pip to install from")
        seen["pip"] = [Evidence("pyproject.toml", 1, "beside setup.py or setup.cfg")]
    is_read = is_dynamic and "requirements.txt" in repository.texts["pyproject.toml"]
    if "requirements.txt" in repository.texts and not is_read:
        words = "requirements.txt"
        seen["requirements"] = [Evidence("requirements.txt", 1, words)]
    return agreed(name, seen, "neither a lock file nor requirements.txt is there")


# What setuptools takes for no package.
_NO_PACKAGE = re.compile(
    r"ci|bin|debian|docs?|documentation|manpages|news|newsfragments|changelog|tests?"
    r"|unit_tests?|examples?|scripts|tools|utils?|python|build|benchmarks?|exercises?"
    r"|htmlcov|tasks|fabfile|site_scons"
)


def _can_be_built(repository: Repository) -> bool:
    """Whether `pip install .` finds out what to install."""
    data = read_toml(repository, "pyproject.toml")
    backend = table(data, "build-system").get("build-backend", "setuptools")
    is_told = table(data, "tool", "setuptools") or {"setup.py", "setup.cfg"} & (
        repository.paths
    )
    if "setuptools" not in str(backend) or is_told or repository.has_folder("src"):
        return True
    folders = {
        path.split("/")[0] for path in repository.paths if _IN_FOLDER.match(path)
    }
    return sum(not _NO_PACKAGE.fullmatch(folder) for folder in folders) < 2


def python_versions(repository: Repository, choices: list[str]) -> Fact:
    """The Pythons that it is run on, as far as the bed knows them.

    What CI and images run tells more than what a package would admit.
    """
    name = "python_versions"
    declared = _specifier(repository)

    def is_admitted(version: str) -> bool:
        # A patch of any height: `>3.11.2` admits 3.11, too.
        return declared is None or declared[0].contains(f"{version}.99")

    for read in (_of_workflows, _of_images, _of_classifiers):
        # A linter, say, may run on one that the project does not admit.
        seen = {v: places for v, places in read(repository).items() if is_admitted(v)}
        versions = [version for version in choices if version in seen]
        if versions:
            return found(name, versions, [seen[version][0] for version in versions])
        if seen:
            return unknown(name, f"the bed needs Python {choices[0]} or newer", seen)
    if declared is None:
        return unknown(name, "no file says")
    specifier, at = declared
    if admitted := [version for version in choices if is_admitted(version)]:
        # The oldest: of newer ones, nobody says that they work.
        return found(name, admitted[:1], [at])
    why = f"the bed needs Python {choices[0]} or newer"
    return unknown(name, why, {str(specifier): [at]})


def _of_workflows(repository: Repository) -> Places:
    """Those of matrices; where there is none, the single ones."""
    lists, singles = Places(), Places()
    pattern = (
        r"^([ -]*)(?:python-versions?|PYTHON_VERSION|python)\s*:[ ]*"
        r"(.*(?:\n\1 *(?:- |#).*)*)"
    )
    for match, path in repository.matches(f"{_WORKFLOWS}|{_GITLAB}", pattern):
        if re.search(r"exclude:\s*(-.*\s*)*$", match.string[: match.start()]):
            continue
        # Comments as blanks, so that what follows stays where it is.
        text = re.sub(r"(^|\s)#.*", lambda comment: " " * len(comment[0]), match[2])
        for version in re.finditer(r"(?<![\d.])3\.\d+(?![\d])", text):
            place = repository.at(path, match.start(2) + version.start(), version[0])
            into = lists if "[" in text or "\n" in text else singles
            into.setdefault(version[0], []).append(place)
    return lists or singles


def _of_images(repository: Repository) -> Places:
    seen: Places = {}
    image = r"^\s*(?:FROM|image:)\s+(?:--\S+ )?[\"']?(?:\S+/)?python:(3\.\d+)"
    for files, pattern in (
        (_GITLAB + r"|(.*/)?Dockerfile[^/]*", image),
        (r"\.python-version", r"^(3\.\d+)"),
        (r"runtime\.txt", r"^python-(3\.\d+)"),
    ):
        for match, path in repository.matches(files, pattern):
            place = repository.at(path, match.start(1), f"Python {match[1]}")
            seen.setdefault(match[1], []).append(place)
    return seen


def _of_classifiers(repository: Repository) -> Places:
    seen: Places = {}
    pattern = r"Programming Language :: Python :: (3\.\d+)"
    for match, path in repository.matches(r"pyproject\.toml|setup\.(py|cfg)", pattern):
        place = repository.at(path, match.start(), f"classifier {match[1]}")
        seen.setdefault(match[1], []).append(place)
    return seen


def _specifier(repository: Repository) -> tuple[SpecifierSet, Evidence] | None:
    """What the project says that it needs, and where."""
    data = read_toml(repository, "pyproject.toml")
    poetry = table(data, "tool", "poetry", "dependencies").get("python")
    setup = setup_arguments(repository).get("python_requires")
    setup_cfg = read_ini(repository, "setup.cfg")
    for path, text in (
        ("pyproject.toml", table(data, "project").get("requires-python")),
        ("pyproject.toml", _from_poetry(poetry) if isinstance(poetry, str) else None),
        ("setup.cfg", setup_cfg.get("options", "python_requires", fallback=None)),
        ("setup.py", getattr(setup, "value", None)),
    ):
        if not isinstance(text, str):
            continue
        try:
            specifier = SpecifierSet(text)
        except InvalidSpecifier:
            continue
        place = re.search(
            r"(requires-python|python_requires|^python)\s*=.*",
            repository.texts[path],
            re.MULTILINE,
        )
        return specifier, repository.at(path, place.start() if place else 0, text)
    return None


def _from_poetry(text: str) -> str:
    """A constraint of Poetry's in the words of PEP 440: `^3.11` is `>=3.11,<4`."""
    if caret := re.fullmatch(r"\^\s*3((?:\.\d+)*)", text.strip()):
        return f">=3{caret[1]},<4"
    if tilde := re.fullmatch(r"~\s*3\.(\d+)((?:\.\d+)?)", text.strip()):
        return f">=3.{tilde[1]}{tilde[2]},<3.{int(tilde[1]) + 1}"
    return f"=={text}" if re.fullmatch(r"3\.[\d.*]+", text.strip()) else text
