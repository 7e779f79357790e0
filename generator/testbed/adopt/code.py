"""Where the application, its models and its settings are."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from .dependencies import read_ini, read_toml, table
from .facts import Evidence, Fact, Seen, agreed, found, unknown
from .repository import Module, Repository, top_level
from .services import Services

Places = dict[str, list[Evidence]]

CLASSES = {
    "fastapi.FastAPI": "fastapi",
    "fastapi.applications.FastAPI": "fastapi",
    "flask.Flask": "flask",
    "flask.app.Flask": "flask",
}
# Not the bed's: with one of them, a repository is somebody else's to test.
_OTHERS = {
    "litestar",
    "sanic",
    "falcon",
    "pyramid",
    "quart",
    "bottle",
    "robyn",
    "blacksheep",
}
# The functions that wiring.py calls; any other it takes for an application.
_FACTORY = re.compile(r"(create|make|build)_")
_SERVERS = (
    r"(.*/)?(Dockerfile[^/]*|Procfile|Makefile|\.flaskenv|pyproject\.toml"
    r"|[^/]+\.(sh|ya?ml|py|cfg|ini))"
)

# What the template takes for `app` and `models`.
_LONGEST = 60

_ASYNC = {"asyncpg", "aiomysql", "asyncmy", "aiopg"}
_SYNC = {"psycopg2", "pymysql", "MySQLdb", "pg8000", "mysql"}
_ENGINES = {
    "sqlalchemy.ext.asyncio.create_async_engine": "async",
    "sqlalchemy.ext.asyncio.async_engine_from_config": "async",
    "sqlalchemy.ext.asyncio.AsyncEngine": "async",
    "databases.Database": "async",
    "asyncpg.create_pool": "async",
    "asyncpg.connect": "async",
    "aiomysql.create_pool": "async",
    "psycopg.AsyncConnection.connect": "async",
    "psycopg_pool.AsyncConnectionPool": "async",
    "sqlalchemy.create_engine": "sync",
    "sqlalchemy.engine_from_config": "sync",
    "sqlmodel.create_engine": "sync",
    "psycopg.connect": "sync",
    "psycopg2.connect": "sync",
    "psycopg_pool.ConnectionPool": "sync",
    "pymysql.connect": "sync",
}


# What runs a project of Django.
_PROGRAMS = r"(.*/)?(manage|wsgi|asgi)\.py"


def _application_classes(repository: Repository) -> dict[str, str]:
    """The classes of applications, the repository's own too, and their frameworks."""
    own = {
        f"{module.name or module.path}.{node.name}": CLASSES[full]
        for module in repository.modules
        for node in module.tree.body
        if isinstance(node, ast.ClassDef)
        for parent in node.bases
        if (full := repository.canonical(module.resolve(parent))) in CLASSES
    }
    return CLASSES | own


def framework(repository: Repository, services: Services) -> Fact:
    """The web framework: a dependency that the code makes an application of."""
    name = "framework"
    made: Places = {}
    known = _application_classes(repository)
    for module in repository.modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call):
                full = repository.canonical(module.resolve(node.func))
                if full in known:
                    words = f"{full.rpartition('.')[2]}()"
                    made.setdefault(known[full], []).append(module.at(node, words))
    for match, path in repository.matches(_PROGRAMS, "DJANGO_SETTINGS_MODULE"):
        place = repository.at(path, match.start(), match[0])
        made.setdefault("django", []).append(place)
    packages = {
        package: places
        for package, places in services.packages.items()
        if package in {"fastapi", "flask", "django"} | _OTHERS
    }
    declared = {
        package: [each for each in places if not each.words.startswith("import ")]
        for package, places in packages.items()
    }
    declared = {package: places for package, places in declared.items() if places}
    seen = declared | made
    if len(seen) > 1:
        return unknown(name, "more than one is there", seen)
    if not made:
        why = "no application is made of it" if packages else "none is there"
        return unknown(name, why, packages)
    (only,) = made
    if services.declares and not any(each.startswith(only) for each in services.listed):
        return unknown(name, "it is not among the dependencies", made)
    return found(name, only, [*seen_places(declared), *seen_places(made)])


def seen_places(seen: Seen) -> Iterator[Evidence]:
    """All places, one kind after the other."""
    for places in seen.values():
        yield from places


def database_access(repository: Repository, services: Services) -> Fact:
    """Whether engines are async: by what is made in code, else by the drivers."""
    name, made = "database_access", Places()
    for module in repository.modules:
        if _is_migration(repository, module.path):
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call):
                full = repository.canonical(module.resolve(node.func))
                if access := _ENGINES.get(full):
                    words = f"{full.rpartition('.')[2]}()"
                    made.setdefault(access, []).append(module.at(node, words))
    if made:
        return agreed(name, made, "")
    drivers: Places = {}
    for package, places in services.packages.items():
        if package in _ASYNC | _SYNC:
            access = "async" if package in _ASYNC else "sync"
            drivers.setdefault(access, []).extend(places)
    return agreed(name, drivers, "no engine is made, and no driver tells")


def _is_migration(repository: Repository, path: str) -> bool:
    """Whether a module belongs to Alembic, which has an engine of its own."""
    folders = path.split("/")[:-1]
    return any(
        "alembic" in repository.texts.get("/".join([*folders[:n], "env.py"]), "")
        for n in range(1, len(folders) + 1)
    )


# ------------------------------------------------------------------------ application
def assignments(module: Module) -> Iterator[tuple[str, ast.expr]]:
    """The names that a module assigns at its top level, and what to."""
    for statement in top_level(module.tree.body):
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target, value = statement.targets[0], statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value:
            target, value = statement.target, statement.value
        else:
            continue
        if isinstance(target, ast.Name):
            yield target.id, value


@dataclass(frozen=True)
class Factory:
    """A function at the top level of a module that makes an application."""

    module: Module
    function: ast.FunctionDef

    @property
    def path(self) -> str:
        return _path(self.module, self.function.name)

    @property
    def is_called_by_wiring(self) -> bool:
        """Whether wiring.py calls it, rather than taking it for an application."""
        return bool(_FACTORY.match(self.function.name))


def _factories(repository: Repository, framework: str) -> dict[str, Factory]:
    """The factories by their full names."""
    known = _application_classes(repository)
    own = {full for full, of in known.items() if of == framework}
    return {
        f"{module.name or module.path}.{statement.name}": Factory(module, statement)
        for module in repository.modules
        for statement in module.tree.body
        if isinstance(statement, ast.FunctionDef)
        and _makes(repository, module, statement, own)
    }


def _makes(
    repository: Repository,
    module: Module,
    function: ast.FunctionDef,
    classes: Collection[str],
) -> bool:
    """Whether a function makes an application, of one of `classes`, and returns it."""

    def is_application(node: ast.AST | None) -> bool:
        if not isinstance(node, ast.Call):
            return False
        return repository.canonical(module.resolve(node.func)) in classes

    made, returned = set(), []
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and is_application(node.value):
            made |= {each.id for each in node.targets if isinstance(each, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and is_application(node.value):
            made |= {node.target.id} if isinstance(node.target, ast.Name) else set()
        elif isinstance(node, ast.Return):
            returned.append(node.value)
    return any(
        is_application(value) or (isinstance(value, ast.Name) and value.id in made)
        for value in returned
    )


def needs_arguments(function: ast.FunctionDef) -> bool:
    """Whether it cannot be called without any."""
    arguments = function.args
    positional = len(arguments.posonlyargs) + len(arguments.args)
    return positional > len(arguments.defaults) or None in arguments.kw_defaults


def app(repository: Repository, framework: str) -> Fact:
    """The application's object, or the function that makes it."""
    factories = _factories(repository, framework)
    known = _application_classes(repository)
    objects: Places = {}
    used: Places = {}
    made_by: set[str] = set()
    for module in repository.modules:
        assigned: dict[str, list[ast.expr]] = {}
        for variable, value in assignments(module):
            assigned.setdefault(variable, []).append(value)
        for variable, values in assigned.items():
            calls = [value for value in values if isinstance(value, ast.Call)]
            made = [repository.canonical(module.resolve(c.func)) for c in calls]
            if not any(known.get(m) == framework or m in factories for m in made):
                continue
            if (
                len(values) > 1
            ):  # wrapped, or made anew: what it is in the end, who knows
                return unknown(
                    "app",
                    "it is assigned more than once",
                    {_path(module, variable): [module.at(calls[0], variable)]},
                )
            place = module.at(calls[0], f"{variable} = {ast.unparse(calls[0].func)}()")
            if factory := factories.get(made[0]):
                if (
                    factory.module is not module
                    and factory.is_called_by_wiring
                    and not needs_arguments(factory.function)
                ):
                    # The same application, without importing what serves it.
                    used.setdefault(factory.path, []).append(place)
                    continue
                made_by.add(made[0])
            objects.setdefault(_path(module, variable), []).append(place)
    candidates = objects
    for full, factory in factories.items():
        if full not in made_by:
            place = factory.module.at(factory.function, f"{factory.function.name}()")
            candidates[factory.path] = [place, *used.get(factory.path, [])]
    mounted = _mounted(repository)
    candidates = {p: places for p, places in candidates.items() if p not in mounted}
    if len(candidates) > 1:
        served = _served(repository, candidates)
        if len(served) == 1:
            candidates = served
    nothing = "none is made where a module is imported"
    fact = _of_length(agreed("app", candidates, nothing))
    if not fact.is_found:
        return fact
    module_name = str(fact.value).partition(":")[0]
    if not module_name or "/" in module_name:
        return unknown("app", "how it is imported is not certain", candidates)
    factory = next((f for f in factories.values() if f.path == fact.value), None)
    if factory and not factory.is_called_by_wiring:
        why = "wiring.py calls functions named create_, make_ or build_ alone"
        return unknown("app", why, candidates)
    if factory and needs_arguments(factory.function):
        return replace(fact, why="it needs arguments: give them in wiring.py")
    return fact


def _of_length(fact: Fact) -> Fact:
    """Where an object is, if the template takes a path that is so long."""
    if len(str(fact.value)) <= _LONGEST:
        return fact
    why = f"it is longer than {_LONGEST} characters"
    return unknown(fact.name, why, {str(fact.value): list(fact.evidence)})


def _path(module: Module, attribute: str) -> str:
    return f"{module.name or module.path}:{attribute}"


def _mounted(repository: Repository) -> set[str]:
    """The applications that are a part of another one."""
    mounted = set()
    for module in repository.modules:
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Call):
                continue
            named = [each.value for each in node.keywords if each.arg == "app"]
            if getattr(node.func, "attr", "") == "mount":
                for value in [*node.args[1:2], *named]:
                    full = repository.canonical(module.resolve(value))
                    mounted.add(":".join(full.rsplit(".", 1)))
    return mounted


def _served(repository: Repository, candidates: Places) -> Places:
    """Those that a server is told to serve."""
    served: Places = {}
    for path, places in candidates.items():
        # `uvicorn shop.main:app`, `fastapi run src/shop/main.py`
        file = re.escape(f"{path.partition(':')[0].replace('.', '/')}.py")
        pattern = rf"(?<![\w.:]){re.escape(path)}(?![\w.])|\brun [^\n]*{file}\b"
        for match, where in repository.matches(_SERVERS, pattern):
            place = repository.at(where, match.start(), f"serves {path}")
            served.setdefault(path, list(places)).append(place)
    return served


# ----------------------------------------------------------------------------- models
_BASES = {
    "sqlalchemy.orm.DeclarativeBase",
    "sqlalchemy.orm.DeclarativeBaseNoMeta",
    "sqlalchemy.orm.decl_api.DeclarativeBase",
}
_TABLES = {"sqlalchemy.Table", "sqlalchemy.schema.Table"}
_BASE_CALLS = {
    "sqlalchemy.orm.declarative_base": "",
    "sqlalchemy.ext.declarative.declarative_base": "",
    "sqlalchemy.orm.registry.generate_base": "",
    "sqlalchemy.MetaData": "Table",
    "sqlalchemy.schema.MetaData": "Table",
    "flask_sqlalchemy.SQLAlchemy": ".Model",
}


def models(repository: Repository) -> Fact:
    """Where importing the models' base, or metadata, brings all their tables."""
    for path, text in repository.find(r"(.*/)?env\.py"):
        if "alembic" in text:
            # They make the schema, rather than the models.
            words = "migrations make the schema"
            return found("models", "", [repository.at(path, "alembic", words)])
    bases = dict(_bases(repository))
    derived = _derived(repository, bases)
    tables: dict[str, list[tuple[Module, ast.AST]]] = {}
    for module in repository.modules:
        for base, node in _tables(repository, module, bases, derived):
            tables.setdefault(base, []).append((module, node))
    if not tables:
        return unknown("models", "no tables of SQLAlchemy are there")
    if len(tables) > 1:
        return unknown(
            "models",
            "more than one base is there",
            {
                base: [m.at(n, "table") for m, n in each]
                for base, each in tables.items()
            },
        )
    ((base, owned),) = tables.items()
    owners = {module.path: module for module, _ in owned}
    if len(owners) == 1:
        candidates = list(owners.values())
    else:
        candidates = [m for m in repository.modules if _brings(m, owners)]
    seen = {
        _path(module, local): [module.at(node, "table") for _, node in owned[:1]]
        for module in candidates
        if module.name and (local := _local_name(repository, module, base))
    }
    for path, module in ((p, m) for p in seen for m in candidates):
        if path.startswith(f"{module.name}:"):
            words = "has all tables"
            seen[path] = [Evidence(module.path, 0, words)] + [
                owner.at(node, "table") for owner, node in owned
            ]
    nothing = "no module has all tables and their base"
    return _of_length(agreed("models", seen, nothing))


def _bases(repository: Repository) -> Iterator[tuple[str, str]]:
    """The full name of each base, and what its tables are told by."""
    for module in repository.modules:
        for statement in module.tree.body:
            if isinstance(statement, ast.ClassDef):
                parents = {
                    repository.canonical(module.resolve(p)) for p in statement.bases
                }
                if parents & _BASES:
                    yield f"{module.name}.{statement.name}", ""
        for variable, value in assignments(module):
            if isinstance(value, ast.Call):
                full = repository.canonical(module.resolve(value.func))
                if full in _BASE_CALLS:
                    yield f"{module.name}.{variable}", _BASE_CALLS[full]
    yield "sqlmodel.SQLModel", ""
    yield "sqlmodel.main.SQLModel", ""


def _derived(repository: Repository, bases: dict[str, str]) -> dict[str, str]:
    """The base of each class that has one, by way of others where it has to be."""
    derived = {base: base for base, kind in bases.items() if not kind}
    derived |= {
        f"{base}.Model": base for base, kind in bases.items() if kind == ".Model"
    }
    while True:
        before = len(derived)
        for module in repository.modules:
            for node in module.tree.body:
                if not isinstance(node, ast.ClassDef):
                    continue
                for parent in node.bases:
                    full = _parent(repository, module, parent)
                    if full in derived:
                        own = f"{module.name or module.path}.{node.name}"
                        derived.setdefault(own, derived[full])
        if len(derived) == before:
            return derived


def _parent(repository: Repository, module: Module, node: ast.expr) -> str:
    full = repository.canonical(module.resolve(node))
    owner, _, attribute = full.rpartition(".")
    return f"{repository.canonical(owner)}.{attribute}" if owner else full


def _tables(
    repository: Repository,
    module: Module,
    bases: dict[str, str],
    derived: dict[str, str],
) -> Iterator[tuple[str, ast.AST]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef):
            base = next(
                (
                    derived[full]
                    for parent in node.bases
                    if (full := _parent(repository, module, parent)) in derived
                ),
                "",
            )
            own = {
                t.id
                for a in node.body
                if isinstance(a, ast.Assign)
                for t in a.targets
                if isinstance(t, ast.Name)
            }
            is_sqlmodel = base.startswith("sqlmodel.")
            is_table = any(keyword.arg == "table" for keyword in node.keywords)
            if base and "__abstract__" not in own and (is_table or not is_sqlmodel):
                yield base, node
        elif isinstance(node, ast.Call) and len(node.args) > 1:
            called = repository.canonical(module.resolve(node.func))
            full = repository.canonical(module.resolve(node.args[1]))
            if called in _TABLES and bases.get(full) == "Table":
                yield full, node


def _local_name(repository: Repository, module: Module, base: str) -> str:
    """What a module calls the base; empty, where it does not have it."""
    owner, _, attribute = base.rpartition(".")
    if owner == module.name:
        return attribute
    for local, full in module.imports.items():
        if repository.canonical(full) == base:
            return local
    return ""


def _brings(module: Module, owners: dict[str, Module]) -> bool:
    """Whether importing a module imports all of the others, calling nothing."""
    names = {
        part for full in module.imported for part in (full, full.rpartition(".")[0])
    }
    others = [owner for owner in owners.values() if owner is not module]
    return all(owner.name and owner.name in names for owner in others)


# --------------------------------------------------------------------------- settings
_SETTINGS = r"DJANGO_SETTINGS_MODULE[\"']?\s*[,=]\s*[\"']?([A-Za-z_][\w.]*)"
_SETTINGS_IN_CODE = (
    r"DJANGO_SETTINGS_MODULE[\"']\]?\s*[,=]\s*[\"']([A-Za-z_][\w.]*)[\"']"
)


def _settings_named(repository: Repository) -> Places:
    """What DJANGO_SETTINGS_MODULE is, in the files that run the project."""
    named: Places = {}
    for match, path in repository.matches(_PROGRAMS, _SETTINGS_IN_CODE):
        place = repository.at(path, match.start(), match[1])
        named.setdefault(match[1], []).append(place)
    return named


def _settings_of_tests(repository: Repository) -> Places:
    named: Places = {}
    pattern = rf"^[^#\n]*(?:{_SETTINGS}|--ds[= ]([A-Za-z_][\w.]*))"
    files = r"pytest\.ini|\.pytest\.ini|setup\.cfg|tox\.ini|pyproject\.toml"
    for match, path in repository.matches(files, pattern):
        module = match[1] or match[2]
        above = re.findall(r"^\[(.+)\]", match.string[: match.start()], re.MULTILINE)
        if above and above[-1].startswith("testenv:"):
            continue  # what tox runs may be anything
        place = repository.at(path, match.start(), f"pytest: {module}")
        named.setdefault(module, []).append(place)
    return named


def settings_module(repository: Repository) -> Fact:
    """The settings of Django that pytest is told, else those that all programs have."""
    name = "settings_module"
    seen = _settings_of_tests(repository)
    if not seen:
        seen = _settings_named(repository)
        for module in repository.modules:
            if re.fullmatch(r"(.+\.)?settings([._]\w+)*[._]tests?(ing)?", module.name):
                seen.setdefault(module.name, []).append(module.at(module.tree, "tests"))
        for path in repository.paths:
            match = re.fullmatch(
                r"((?:\w+/)*settings/(?:test|tests|testing))\.py", path
            )
            if match:
                place = Evidence(path, 0, "settings for tests")
                seen.setdefault(match[1].replace("/", "."), []).append(place)
    fact = agreed(name, seen, "no DJANGO_SETTINGS_MODULE is there")
    if fact.is_found:
        path = str(fact.value).replace(".", "/")
        places = (f"{path}.py", f"{path}/__init__.py", f"src/{path}.py")
        if not any(place in repository.paths for place in places):
            return unknown(name, "no such module is there", seen)
    return fact


# ---------------------------------------------------------------------------- package
_PACKAGE = re.compile(r"[a-z][a-z0-9_]{0,39}")


def package_name(
    repository: Repository, declared: str, app: Fact, reserved: Collection[str]
) -> Fact:
    """What `import` says: the only package, the project's by name, or the app's."""
    seen: Places = {}
    for module in repository.modules:
        top = module.name.split(".")[0]
        if module.path.endswith("/__init__.py") and top and module.name == top:
            seen[top] = [Evidence(module.path, 0, "package")]
    wanted = re.sub(r"[^a-z0-9]+", "_", declared.lower())
    of_app = str(app.value).split(":")[0].split(".")[0] if app.is_found else ""
    for name in (wanted, of_app):
        if name in seen:
            seen = {name: seen[name]}
    fact = agreed("package_name", seen, "no package is there")
    if fact.is_found and (fact.value in reserved or not _PACKAGE.fullmatch(fact.value)):
        return unknown("package_name", "the bed cannot take that name", seen)
    return fact


# As pytest finds them: the file, and where they are in it.
_PYTEST_SETTINGS = (
    ("pytest.toml", ["pytest"]),
    (".pytest.toml", ["pytest"]),
    ("pytest.ini", "pytest"),
    (".pytest.ini", "pytest"),
    ("pyproject.toml", ["tool", "pytest", "ini_options"]),
    ("pyproject.toml", ["tool", "pytest"]),
    ("tox.ini", "pytest"),
    ("setup.cfg", "tool:pytest"),
)


def pytest_settings(repository: Repository) -> tuple[str, dict[str, object]]:
    """The file that has pytest's settings, and these."""
    for path, section in _PYTEST_SETTINGS:
        if isinstance(section, list):
            if options := table(read_toml(repository, path), *section):
                return path, options
        else:
            parser = read_ini(repository, path)
            if parser.has_section(section):
                return path, dict(parser.items(section))
    return "", {}
