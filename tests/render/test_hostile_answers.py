"""A hostile answer is refused in one sentence, or changes the structure of no file.

In the menu, with `--data` and from data files; with `testbed` and with plain `copier`.

An everyday run tries the same few hundred answers each time. For thousands of others:
`HYPOTHESIS_PROFILE=soak pytest tests/render/test_hostile_answers.py`.
"""

from __future__ import annotations

import ast
import bisect
import contextlib
import io
import itertools
import json
import keyword
import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import copier
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement
from testbed import cli
from testbed.template import Template

from .structure import answers_of, structure

ROOT = Path(__file__).parents[2]

# A render takes half a second: no deadline, and few examples in everyday runs.
_UNHURRIED = {"deadline": None, "suppress_health_check": list(HealthCheck)}
settings.register_profile(
    "everyday", max_examples=10, derandomize=True, database=None, **_UNHURRIED
)
settings.register_profile("soak", max_examples=300, **_UNHURRIED)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "everyday"))

QUESTIONS: dict[str, dict[str, Any]] = {
    name: question
    for name, question in yaml.safe_load((ROOT / "copier.yml").read_text()).items()
    if not name.startswith("_")
}
COMPUTED = [name for name in QUESTIONS if QUESTIONS[name].get("when") is False]
ANSWERABLE = [name for name in QUESTIONS if name not in COMPUTED]
# What has to be answered for a question to be asked.
BESIDE: dict[str, dict[str, object]] = {
    "app": {"starter": False},
    "models": {"starter": False},
    "settings_module": {"framework": "django", "starter": False},
    "gitlab_services": {"ci": ["gitlab"]},
}


def choices(question: dict[str, Any]) -> list[Any]:
    """What a question has to choose from, with or without a title for each."""
    offered = question["choices"]
    return list(offered.values() if isinstance(offered, dict) else offered)


CHOICES = {
    name: choices(QUESTIONS[name])
    for name in ANSWERABLE
    if "choices" in QUESTIONS[name]
}
LISTS = [name for name in CHOICES if QUESTIONS[name].get("multiselect")]
RESERVED = set(yaml.safe_load((ROOT / "template/reserved_names.yml").read_text()))
YES = {"true", "yes", "y", "on"}

# Made if any answer is ever run by a shell, evaluated, or taken for a path.
CANARY = Path(tempfile.gettempdir()) / f"testbed-canary-{os.getpid()}"

HOSTILE = [
    *("'", '"', '"""', "\\", "\\n", "`", "``` ", "|", "<b>", "[x](y)", "]", "}", ","),
    *("\n", "\r", "\r\n", "\t", "\0", "\x07", "\x1b[31m", "\x1b]0;x\x07", "\x7f"),
    *("\x85", "\u2028", "\u2029", "\xa0", "\u3000", "\u200b", "\ufeff", "\u00ad"),
    *("\u202e", "\u2066", "\u200f", "\u061c", "\ud800", "\udcff", "\U000e0041"),
    *("é", "e\u0301", "ß", "İ", "ı", "ſ", "\u212a", "ａ", "Ｓｈｏｐ", "ѕhор", "٣", "²"),  # noqa: RUF001
    *("店", "שלום", "مرحبا", "🛒", "\U0001d4d0"),
    *("{{ 7 * 7 }}", "{% raw %}", "{% endraw %}", "{{", "}}", "{#", "#}", "{{ self }}"),
    *("{{ ''.__class__ }}", "{% include 'copier.yml' %}", "#}{{ cache }}{#"),
    *(f"$(touch {CANARY})", f"`touch {CANARY}`", f"; touch {CANARY}", str(CANARY)),
    *("${X}", "$X", "$$", "${X:-}", "%s", "%(x)s", "{0}", "{x}", "&&", ">", "!"),
    *(": ", ": x", " #", "# x", "- ", "-", "--", "---", "\n---\n", "...", "\nx: y"),
    *("&a", "*a", "&a *a", "<<", "? ", "!!python/name:os.system", "!!binary x", "@"),
    *(f"!!python/object/apply:os.system ['touch {CANARY}']", "!!bool x", "!!int x"),
    *("null", "~", "true", "True", "no", "off", "1", "1e3", "0x10", "0o7", "1_8", "-1"),
    *(".inf", ".nan", "1:30", "2020-01-01", "2020-99-99", "=", "[]", "{}", "[" * 90),
    *("None", "class", "def", "match", "import os", "__import__('os')", "self"),
    *("os", "json", "redis", "sqlalchemy", "shop", "tests", "src", "conftest", "build"),
    *("CON", "nul", "aux", "COM1", "HEAD", ".git", "-x", "--help", "x.lock", "@{"),
    *("..", "../", "/", "//", "./", "~/", "\\\\x\\y", "C:\\", "file:///x"),
    *("../" * 20 + str(CANARY)[1:], "tests/unit", "src/shop", "a/../b", "x" * 300),
]
WORDS = ["shop", "Shop", "Web Shop", "web_shop", "tests", "tests/api", "a", "x9"]

# What a question might well allow, and what is only just too much.
PLAUSIBLE: dict[str, st.SearchStrategy[str]] = {
    "project_name": st.from_regex(r"[A-Za-z][aZ9 _.-]{0,42}", fullmatch=True),
    "package_name": st.from_regex(r"[a-z][az9_]{0,42}", fullmatch=True),
    "tests_dir": st.lists(
        st.sampled_from(["tests", "Tests", "unit", "src", "_", "e2e", "os", "A_9"]),
        min_size=1,
        max_size=6,
    ).map("/".join),
    "image_registry": st.text("az09.-:/", max_size=20)
    | st.sampled_from(["", "localhost:5000", "a/b_c/d.e", "a:1/b", "x" * 100]),
    "starter": st.sampled_from([*YES, "no", "False", "OFF", "n", "0", "1", "t"]),
    "versions": st.dictionaries(
        st.sampled_from(["postgres", "redis", "rabbitmq", "mysql", "__class__"]),
        st.sampled_from([16, 17, "18", 8, 4, "4", 16.0, None, True, [16], "16\n"]),
        max_size=2,
    ).map(json.dumps)
    | st.sampled_from(["{postgres: 0x10}", "{postgres: 1_8}", "postgres: '18'", "{}"]),
    **dict.fromkeys(
        ["app", "models"],
        st.from_regex(r"[aB_][z9_]?([.][aB_]{1,2}){0,3}:[aBz_]{1,3}", fullmatch=True)
        | st.sampled_from(["", "shop.main:app", "if:x", "x.None:x", "x" * 58 + ":xx"]),
    ),
    "settings_module": st.from_regex(r"[aB_][z9_]?([.][aB_]{1,2}){0,3}", fullmatch=True)
    | st.sampled_from(["shop.settings", "config.settings.test", "a.if", "x" * 61]),
    "ci_shards": st.sampled_from(["1", "2", "20", "21", "0", "-1", "1_0", "01", "2.0"]),
    **{name: st.sampled_from(CHOICES[name]) for name in CHOICES if name not in LISTS},
    **{
        name: st.lists(st.sampled_from(CHOICES[name]), min_size=1, max_size=3).map(
            json.dumps
        )
        for name in LISTS
    },
}
HARMLESS: dict[str, object] = {
    "project_name": "Web Shop",
    "package_name": "web_shop",
    "tests_dir": "checks/services",
    "image_registry": "registry.example.com",
    "versions": {},
    "app": "shop.main:app",
    "models": "shop.models:Base",
    "settings_module": "config.settings",
}


def texts(name: str) -> st.SearchStrategy[str]:
    """Answers to a question: hostile, also mixed with harmless and plausible ones."""
    hostile = st.sampled_from(HOSTILE)
    mixed = st.lists(hostile | st.sampled_from(WORDS) | st.text(max_size=3), max_size=5)
    long = hostile.map(lambda text: (text * 300)[:300])
    spoilt = st.tuples(PLAUSIBLE[name], hostile).map("".join)
    return hostile | mixed.map("".join) | long | spoilt


SCALARS: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.sampled_from([0, 1, 18, -1, 10**400, 1e3, float("inf"), float("nan"), b"\xff"])
    | st.dates()
    | st.sampled_from(HOSTILE)
    | st.sampled_from(WORDS)
)
# What a data file can hold, beside text.
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["postgres", "redis", "\x1b[31m", "x", "{{ 1 }}", 1, None]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=5,
)


# ------------------------------------------------------------------------ ways in


class Workspace:
    """A place to answer from, where everything that is written shows."""

    def __init__(self, template: Path, folder: Path) -> None:
        self.template = template
        self.folder = folder
        self.file = folder / "answers.yml"
        self.destination = folder / "new" / "shop"

    def testbed(self, *options: str) -> str | None:
        """`testbed new`, in this process: the sentence with which it refuses."""
        arguments = ["testbed", "new", str(self.destination), "--defaults", *options]
        source = Template(str(self.template), "HEAD", QUESTIONS)
        output, errors = io.StringIO(), io.StringIO()
        with (
            patch.object(sys, "argv", arguments),
            patch.object(cli, "installed_template", lambda: source),
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(errors),
            pytest.raises(SystemExit) as stopped,
        ):
            cli.run()
        if stopped.value.code == 0:
            return None
        assert stopped.value.code == 1
        assert output.getvalue() == ""
        return one_sentence(errors.getvalue())

    def copier(self, data: Any) -> str | None:
        """`copier copy`, in this process; the error with which it refuses."""
        try:
            copier.run_copy(
                str(self.template),
                self.destination,
                data=data,
                defaults=True,
                quiet=True,
            )
        except Exception as error:  # its own words will do, whichever they are
            return repr(error)
        return None

    def check_nothing_else_was_written(self, *, rendered: bool) -> None:
        written = {*self.folder.glob("*"), *self.folder.glob("*/*")} - {self.file}
        mine = {self.destination.parent, self.destination}
        assert written == (mine if rendered else set())
        assert not CANARY.exists()


def one_sentence(message: str) -> str:
    """The message, if a terminal shows it as one line, of a length that can be read."""
    line = message.removesuffix("\n")
    assert line.isprintable(), ascii(message)
    assert line.startswith("testbed: ")
    assert len(line) <= 1000 + len("testbed: ")
    return line


@contextlib.contextmanager
def workspace(template: Path) -> Iterator[Workspace]:
    with tempfile.TemporaryDirectory() as folder:
        yield Workspace(template, Path(folder))


UNREADABLE = object()


def by_option(space: Workspace, name: str, answer: str) -> tuple[str | None, object]:
    beside = BESIDE.get(name, {}).items()
    options = [f"--data={other}={value}" for other, value in beside]
    return space.testbed("--data", f"{name}={answer}", *options), answer


def by_file(space: Workspace, name: str, answer: object) -> tuple[str | None, object]:
    space.file.write_text(yaml.safe_dump({**BESIDE.get(name, {}), name: answer}))
    return space.testbed("--data-file", str(space.file)), answer


def by_raw_file(space: Workspace, name: str, answer: str) -> tuple[str | None, object]:
    """Unquoted: YAML says what the answer is, and whether there is one."""
    meant = _write_raw(space, name, answer)
    return space.testbed("--data-file", str(space.file)), meant


def by_copier(space: Workspace, name: str, answer: object) -> tuple[str | None, object]:
    return space.copier({**BESIDE.get(name, {}), name: answer}), answer


def by_raw_file_for_copier(
    space: Workspace, name: str, answer: str
) -> tuple[str | None, object]:
    meant = _write_raw(space, name, answer)
    if meant is UNREADABLE:
        return "Copier reads the file in the same way", meant
    return space.copier(yaml.safe_load(space.file.read_bytes())), meant


def _write_raw(space: Workspace, name: str, answer: str) -> object:
    text = yaml.safe_dump(BESIDE[name]) if name in BESIDE else ""
    text += f"{name}: {answer}\n"
    space.file.write_bytes(text.encode(errors="surrogatepass"))
    try:
        return yaml.safe_load(space.file.read_bytes())[name]
    except Exception:  # whatever PyYAML does not catch
        return UNREADABLE


Way = Callable[[Workspace, str, Any], tuple[str | None, object]]
BY_TESTBED: list[Way] = [by_option, by_file, by_raw_file]
FOR_TEXT: list[Way] = [*BY_TESTBED, by_copier, by_raw_file_for_copier]
FOR_VALUES: list[Way] = [by_file, by_copier]


# --------------------------------------------------------------------- what must hold


class Judge:
    """Tries answers, checks what became of them, and counts."""

    def __init__(self, template: Path, render: Callable[..., Path]) -> None:
        self.template = template
        self.counts: Counter[str] = Counter()
        # The structure of what harmless answers render.
        self.harmless = cache(lambda answers: structure(render(**json.loads(answers))))

    def tries_many(
        self, ways: list[Way], name: str, answers: st.SearchStrategy[Any], share: float
    ) -> None:
        """Try answers of the kind: of the profile's number of examples, this share."""

        @settings(max_examples=round(share * settings.default.max_examples))
        @given(st.sampled_from(ways), answers)
        def try_one(way: Way, answer: object) -> None:
            self.tries(way, name, answer)

        try_one()

    def tries(self, way: Way, name: str, answer: object) -> None:
        """Fail unless the answer is refused, or rendered without any further effect."""
        with workspace(self.template) as space:
            refusal, meant = way(space, name, answer)
            self.counts["rendered" if refusal is None else "refused"] += 1
            space.check_nothing_else_was_written(rendered=refusal is None)
            if refusal is None:
                assert meant is not UNREADABLE
                self.check(space.destination, name, meant, exact=way in BY_TESTBED)

    def check(
        self,
        repository: Path,
        name: str,
        meant: object,
        *,
        exact: bool,
        beside: dict[str, object] | None = None,
    ) -> None:
        """The answer landed where it belongs, as it was meant, and did nothing else.

        Without `exact`, Copier may have made a text of a number, or a yes of anything.
        What was answered `beside` it shows in the structure, too.
        """
        recorded = answers_of(repository)[name]
        match QUESTIONS[name]["type"]:
            case _ if name in LISTS:
                wanted = yaml.safe_load(meant) if isinstance(meant, str) else meant
                assert recorded == [str(each) for each in wanted]
            case "int" if isinstance(meant, str) or not exact:
                assert recorded == int(meant)
            case "yaml" if isinstance(meant, str):
                assert recorded == yaml.safe_load(meant)
            case "bool" if isinstance(meant, str) and exact:
                assert recorded is (meant.lower() in YES)
            case "bool" if not exact:
                assert isinstance(recorded, bool)
            case "str" if not exact:
                assert recorded == (meant if isinstance(meant, str) else str(meant))
            case _:
                assert recorded == meant
        harmless = HARMLESS.get(name, recorded) if recorded != "" else recorded
        is_default = harmless == QUESTIONS[name]["default"]
        answers = {**BESIDE.get(name, {}), **(beside or {})}
        answers |= {} if is_default else {name: harmless}
        assert structure(repository) == self.harmless(json.dumps(answers))
        check_it_landed(repository, name, recorded)
        check_no_jinja_is_left(repository)


def check_it_landed(repository: Path, name: str, answer: Any) -> None:
    """The answer, to the letter, is what parsers of the rendered files find."""
    compose = yaml.safe_load((repository / "docker-compose.test.yml").read_text())
    images = {key: each["image"] for key, each in compose["services"].items()}
    if answers_of(repository)["starter"]:
        pyproject = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]
    match name:
        case "project_name":
            title, *_ = (repository / "README.md").read_text().splitlines()
            assert title == f"# {answer}"
        case "package_name":
            wheel = pyproject["hatch"]["build"]["targets"]["wheel"]
            assert wheel["packages"] == [f"src/{answer}"]
        case "tests_dir":
            assert pyproject["pytest"]["ini_options"]["testpaths"][1] == answer
        case "image_registry":
            start = f"{answer}/" if answer else ""
            assert all(f":-{start}" in image for image in images.values())
        case "app" | "models" if answer:
            module, _, attribute = answer.partition(":")
            wiring = repository / "tests" / "integration" / "wiring.py"
            assert f"from {module} import {attribute}\n" in wiring.read_text()
        case "settings_module":
            support = repository / "tests" / "integration" / "support"
            found = (support / "deployments.py").read_text()
            assert f'"DJANGO_SETTINGS_MODULE", "{answer}")\n' in found
        case "versions":
            for service, major in answer.items():
                assert re.search(rf":{major}\.[^/]*\}}$", images[service])


def check_no_jinja_is_left(repository: Path) -> None:
    for path in repository.rglob("*"):
        left = str(path.relative_to(repository))
        left += path.read_text() if path.is_file() else ""
        # GitHub's expressions have braces, too: `${{ ... }}`.
        assert not re.search(r"(?<!\$)\{\{|\{%|%\}|\{#", left), path


# ------------------------------------------------------------------------------ tests


@pytest.fixture
def judge(template: Path, render: Callable[..., Path]) -> Judge:
    return Judge(template, render)


@pytest.mark.parametrize("name", ANSWERABLE)
def test_a_text_is_refused_in_one_sentence_or_changes_no_structure(
    name: str, judge: Judge, record_property: Callable[[str, object], None]
) -> None:
    less = 2 if name in CHOICES else 1  # there is less to try
    judge.tries_many(FOR_TEXT, name, texts(name), share=2 / 3 / less)
    judge.tries_many(FOR_TEXT, name, PLAUSIBLE[name], share=1 / 3 / less**2)
    record_property("hostile answers", dict(judge.counts))
    assert judge.counts["refused"]
    assert judge.counts["rendered"]


def test_a_value_of_any_type_is_refused_or_changes_no_structure(
    judge: Judge, record_property: Callable[[str, object], None]
) -> None:
    for name in ANSWERABLE:
        judge.tries_many(FOR_VALUES, name, VALUES, share=1 / 3)
    record_property("hostile answers", dict(judge.counts))
    assert judge.counts["refused"]
    assert judge.counts["rendered"]


LAUGHS = [f"&{b} [{', '.join([f'*{a}'] * 8)}]" for a, b in itertools.pairwise("abcdef")]
LAUGH = f"[&a [x, x, x, x, x, x, x, x], {', '.join(LAUGHS)}]"


@pytest.mark.parametrize(
    "document",
    [
        *(f"{name}: {LAUGH}" for name in ANSWERABLE),
        *(f"{name}: &a [*a]" for name in ANSWERABLE),
        f"versions: {{postgres: {LAUGH}}}",
        "versions: &a {postgres: *a}",
        f"project_name: !!python/object/apply:os.system ['touch {CANARY}']",
        f"versions: !!python/object/new:os.system ['touch {CANARY}']",
        "project_name: Shop\n---\nproject_name: Shop",
        "project_name: Shop\u2028tests_dir: ..",
        "? [project_name]\n: Shop",
        "versions: !!set {postgres}",
        "versions: !!omap [postgres: 18]",
        "versions: !!binary /w==",
        "versions: " + "[" * 999,
        "project_name: !!bool x",
        "package_name: 2020-99-99",
        "project_name: yes",
        "image_registry: 1.10",
        "starter: [no]",
        "starter: 2",
        "\x1b[31m: x",
        '"\\e[31m": x',
        "null: x",
        "null",
        "",
    ],
    ids=itertools.count(),
)
def test_a_data_file_that_plays_tricks_is_refused(
    template: Path, document: str
) -> None:
    with workspace(template) as space:
        space.file.write_text(document)
        assert space.testbed("--data-file", str(space.file))
        space.check_nothing_else_was_written(rendered=False)


@pytest.mark.parametrize(
    "option",
    [
        "project_name=Shop\n",
        "package_name=shop\n",
        "tests_dir=tests\n",
        "image_registry=x.example\n",
        "versions=!!bool x",
        "versions=!!timestamp x",
        "versions=2020-99-99",
        "versions={postgres: !!int x}",
        "versions=" + "[" * 999,
        'versions={"\\e[31m\\u202e": 1}',
        "starter=\x1b]0;x\x07\x1b[31m\u202eon\n",
        "starter=" + "x" * 100_000,
        "starter=" + "\x07" * 300,
        "colour\r\nx\x1b[2J=red",
        "\x1b[31m",
    ],
    ids=itertools.count(),
)
def test_an_option_that_plays_tricks_is_refused_in_one_sentence(
    template: Path, option: str
) -> None:
    with workspace(template) as space:
        assert space.testbed("--data", option)
        space.check_nothing_else_was_written(rendered=False)


def test_the_deepest_answer_that_is_yaml_is_refused_in_one_sentence(
    template: Path,
) -> None:
    """Copier reads it again, with less of the stack left."""

    def refusal(depth: int) -> str:
        answer = "{a: " * depth + "1" + "}" * depth
        return str(space.testbed("--data", f"versions={answer}"))

    with workspace(template) as space:
        limit = bisect.bisect_left(
            range(1000), True, key=lambda depth: "that can be read" in refusal(depth)
        )
        refusals = {refusal(depth) for depth in range(limit - 5, limit)}
    assert "testbed: an answer is nested too deeply" in refusals


@pytest.mark.parametrize("name", COMPUTED)
def test_a_computed_value_cannot_be_answered(template: Path, name: str) -> None:
    with workspace(template) as space:
        refusal = str(space.copier({name: f"x\n$(touch {CANARY})"}))
        assert f"'{name}': It is computed from the answers" in refusal
        space.check_nothing_else_was_written(rendered=False)


# ----------------------------------------------------------------- as a user does it


@pytest.mark.parametrize(
    "options",
    [
        ("--data", f"project_name=Shop\n$(touch {CANARY})"),
        ("--data-file", f"package_name: !!python/name:os.system\nx: `touch {CANARY}`"),
    ],
    ids=itertools.count(),
)
@pytest.mark.parametrize("command", ["testbed new", "copier copy"])
def test_a_command_refuses(
    template: Path, command: str, options: tuple[str, str]
) -> None:
    with workspace(template) as space:
        result = call(space, command, options)
        assert result.returncode != 0
        if command == "testbed new":
            assert "Traceback" not in one_sentence(result.stderr)
        space.check_nothing_else_was_written(rendered=False)


@pytest.mark.parametrize("command", ["testbed new", "copier copy"])
def test_a_command_renders(command: str, judge: Judge) -> None:
    with workspace(judge.template) as space:
        result = call(space, command, ("--data", "project_name=null"))
        assert result.returncode == 0, result.stderr
        space.check_nothing_else_was_written(rendered=True)
        judge.check(space.destination, "project_name", "null", exact=True)


def call(
    space: Workspace, command: str, options: tuple[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a command for real; of a data file the text is given."""
    option, value = options
    if option == "--data-file":
        space.file.write_text(value)
        value = str(space.file)
    program = {"testbed new": TESTBED, "copier copy": COPIER}[command]
    source = [str(space.template)] if command == "copier copy" else []
    arguments = ["--defaults", option, value, *source, str(space.destination)]
    return subprocess.run([*program, *arguments], capture_output=True, text=True)


TESTBED = [sys.executable, "-c", "from testbed.cli import run; run()", "new"]
COPIER = [sys.executable, "-m", "copier", "copy"]

# What is tried in the menu: every answer but the last of a question is to be refused.
MENU = {
    "project_name": [
        "Shop\nx: {{ 7 * 7 }}",
        f"$(touch {CANARY}) `touch {CANARY}`",
        "Shop\x1b]0;x\x07\x1b[31m\u202e",
        "שלום: ${X} # {% raw %}",
        "x" * 300,
        "",
        "null",
    ],
    "package_name": ["{{ project_name }}", "class", "null\n", "no_1"],
    "tests_dir": ["../../x", str(CANARY), "tests/no_1", "tests/unit", "tests/x_1"],
    "image_registry": ["https://x", "x\n    privileged: true", "x" * 300, "x.y:1/z"],
    "versions": ["!!bool x", "[" * 90, "{postgres: 9}", "{'\x1b[31m': 1}", "{}"],
}


def test_the_menu_refuses_hostile_answers_and_asks_again(judge: Judge) -> None:
    with workspace(judge.template) as space:
        shown = answer_menu([*TESTBED, str(space.destination)], MENU)
        assert b"\x1b]" not in shown  # what an answer tells the terminal
        space.check_nothing_else_was_written(rendered=True)
        answers = {name: HARMLESS.get(name) for name in MENU}
        for name, (*_, last) in MENU.items():
            judge.check(space.destination, name, last, exact=True, beside=answers)


def answer_menu(command: list[str], answers: dict[str, list[str]]) -> bytes:
    """Paste answers into the menu, each in place of the one before, to its end.

    What is not answered is left at its default. Gives what the terminal was sent.
    """
    terminal, theirs = pty.openpty()
    # Without it, each prompt first asks the terminal where the cursor is.
    environment = {**os.environ, "PROMPT_TOOLKIT_NO_CPR": "1"}
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    shown = b""
    for name in [name for name in ANSWERABLE if name not in BESIDE]:
        question = QUESTIONS[name]["help"][:25].encode()
        while question not in shown:
            readable, _, _ = select.select([terminal], [], [], 30)
            assert readable, f"{name} is not asked, after:\n{shown.decode()}"
            shown += os.read(terminal, 65536)
        # An answer that is wrongly accepted brings up the next question too early, and
        # is recorded.
        for answer in answers.get(name, []):
            clear = b"\x15" * 6  # Ctrl-U, once for each line of a text and its end
            pasted = b"\x1b[200~" + answer.encode() + b"\x1b[201~"
            os.write(terminal, clear + pasted + b"\r")
        if name not in answers:
            os.write(terminal, b"\r")
    with contextlib.suppress(OSError):  # the other side is closed
        while data := os.read(terminal, 65536):
            shown += data
    os.close(terminal)
    assert process.wait(timeout=20) == 0, shown.decode()
    return shown


# ------------------------------------------------------- names that something else has


@pytest.fixture
def stacks(render: Callable[..., Path]) -> list[Path]:
    """Repositories that have, between them, every cache and every broker."""
    pairs = itertools.zip_longest(CHOICES["cache"], CHOICES["broker"], fillvalue="none")
    return [render(cache=cache, broker=broker) for cache, broker in pairs]


def test_every_name_that_a_rendered_file_imports_is_reserved(
    stacks: list[Path],
) -> None:
    for repository in stacks:
        for path in repository.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom) and not node.level:
                    imported = [str(node.module)]
                elif isinstance(node, ast.Import):
                    imported = [alias.name for alias in node.names]
                else:
                    continue
                names = {name.partition(".")[0] for name in imported}
                assert names - {"shop", "__future__"} <= RESERVED, path


def test_every_module_of_python_is_reserved() -> None:
    names = {*sys.stdlib_module_names, *keyword.kwlist, *keyword.softkwlist}
    assert {name for name in names if re.match("[a-z][a-z0-9_]*$", name)} <= RESERVED


def test_every_distribution_that_is_required_is_reserved(stacks: list[Path]) -> None:
    """A project of that name would have to be installed to install it."""
    for repository in stacks:
        pyproject = tomllib.loads((repository / "pyproject.toml").read_text())
        file = repository / "tests" / "integration" / "requirements.txt"
        lines = [line for line in file.read_text().splitlines() if line[:1] != "#"]
        for line in [*pyproject["project"]["dependencies"], *filter(None, lines)]:
            assert Requirement(line).name.lower().replace("-", "_") in RESERVED


def test_a_project_may_have_the_name_of_a_library(render: Callable[..., Path]) -> None:
    repository = render(project_name="AIO-Pika")
    assert answers_of(repository)["package_name"] == "aio_pika_app"
    pyproject = tomllib.loads((repository / "pyproject.toml").read_text())
    assert pyproject["project"]["name"] == "aio-pika-app"


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"tests_dir": "tests/unit"}, "must not be in src or tests/unit"),
        ({"tests_dir": "src/shop"}, "must not be in src or tests/unit"),
        ({"tests_dir": "SRC/shop/x"}, "must not be in src or tests/unit"),
        ({"tests_dir": "tests/shop"}, 'must not end in "shop"'),
        ({"tests_dir": "redis"}, 'must not end in "redis"'),
        ({"tests_dir": "tests/class"}, 'must not end in "class"'),
        ({"package_name": "build"}, 'must not be "build"'),
        ({"package_name": "jwt"}, 'must not be "jwt"'),
        ({"image_registry": "x" * 101}, "in up to 100 characters"),
    ],
)
def test_a_name_that_something_else_has_is_refused(
    template: Path, answers: dict[str, str], reason: str
) -> None:
    with workspace(template) as space:
        options = [f"--data={name}={answer}" for name, answer in answers.items()]
        assert reason in str(space.testbed(*options))
        space.check_nothing_else_was_written(rendered=False)


@pytest.mark.parametrize(
    "answers",
    [
        {"tests_dir": "Tests"},
        {"tests_dir": "src/shop/test", "starter": "no"},
    ],
)
def test_a_name_that_nothing_else_has_is_not_refused(
    template: Path, answers: dict[str, str]
) -> None:
    with workspace(template) as space:
        options = [f"--data={name}={answer}" for name, answer in answers.items()]
        assert space.testbed(*options) is None
        space.check_nothing_else_was_written(rendered=True)
