from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from tests.spec.page import HERE, PAGE, SECTIONS, Table, documented, page, told

MODULES = sorted(file.stem for file in HERE.glob("test_*.py") if file.stem != Path(__file__).stem)
ON_THE_PAGE = [table for section in SECTIONS for table in section.tables]


def test_the_page_is_what_the_tables_say() -> None:
    """Whoever changes a table writes the page again."""
    assert PAGE.read_text(encoding="utf-8") == page(), "docs/dosing-rules.md is not what tests/spec says: run `make rules` and commit it"


@pytest.mark.parametrize("module", MODULES)
def test_every_table_has_its_place_on_the_page(module: str) -> None:
    """A new table needs a title and a place in tests/spec/page.py; what the page no longer finds has none."""
    source, here = _source(module), import_module(f"tests.spec.{module}")
    tables = {name for name in documented(source) if isinstance(getattr(here, name), (tuple, list))}

    assert tables == {table.name for table in ON_THE_PAGE if table.module == module}


@pytest.mark.parametrize("module", MODULES)
def test_no_rows_are_without_a_docstring(module: str) -> None:
    """What a test is drawn from is a named table that says what it shows, so that it comes on the page."""
    assert nameless(_source(module)) == []


PLANTED = """
TOLD = ((1, 2), (3, 4))
\"\"\"A table.\"\"\"
UNTOLD = ((1, 2), (3, 4))
DRAWN = drawn("1 | 2")

@pytest.mark.parametrize(("a", "b"), TOLD)
def test_told(): ...

@pytest.mark.parametrize(("a", "b"), [pytest.param(*row) for row in TOLD])
def test_from_told(): ...

@pytest.mark.parametrize("row", TOLD[1:])
@pytest.mark.parametrize(("column", "sign"), [("a", "+"), ("b", "-")])
def test_told_by_column(): ...

@pytest.mark.parametrize("case", ["a", "b"])
def test_cases(): ...

@pytest.mark.parametrize(("a", "b"), UNTOLD)
def test_untold(): ...

@pytest.mark.parametrize("row", DRAWN[1:])
def test_drawn(): ...

@pytest.mark.parametrize(("a", "b"), [(1, 2)])
def test_inline(): ...
"""


def test_rows_without_a_docstring_are_found() -> None:
    """Rows in a decorator, and rows in a constant that says nothing, are found; single cases and told tables are not."""
    assert nameless(PLANTED) == ["test_untold", "test_drawn", "test_inline"]


@pytest.mark.parametrize("table", ON_THE_PAGE, ids=lambda table: f"{table.module} {table.name}")
def test_every_table_names_its_source(table: Table) -> None:
    """A table says where it comes from and how sure that is."""
    words, source = told(table)

    assert words
    assert re.search("sourced|second-hand|default", source)


def test_the_page_shows_words_and_no_code() -> None:
    """Nothing on the page is what Python would print."""
    values = re.findall(r"\b(?:None|True|False|Decimal|Fraction|datetime|timedelta)\b|<[A-Z]\w+|\w+\(\w*=|'\w+', '", page())

    assert values == []


def nameless(source: str) -> list[str]:
    """The tests that are drawn from rows, and from no table with a docstring."""
    module = ast.parse(source)
    made = dict(_constants(module))
    said = documented(source)
    tests = [node for node in module.body if isinstance(node, ast.FunctionDef) and list(_drawn_from(node))]
    return [
        test.name
        for test in tests
        if any(_is_rows(argument, values, made) for argument, values in _drawn_from(test))
        and not any(_reaches(values, made) & set(said) for _, values in _drawn_from(test))
    ]


def _constants(module: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in module.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target if isinstance(node, ast.AnnAssign) else None
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if isinstance(target, ast.Name) and value is not None:
            yield target.id, value


def _drawn_from(test: ast.FunctionDef) -> Iterator[tuple[ast.expr, ast.expr]]:
    """The names and the values of each `parametrize` of a test."""
    for decorator in test.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.parametrize":
            yield decorator.args[0], decorator.args[1]


def _is_rows(argument: ast.expr, values: ast.expr, made: dict[str, ast.expr]) -> bool:
    """Whether rows are written out here, or in a constant: several values a case, or one that is a drawn row."""
    while isinstance(values, ast.Subscript):
        values = values.value
    if isinstance(values, ast.Name) and values.id in made:
        values = made[values.id]
    several = isinstance(argument, ast.Tuple) and isinstance(values, ast.List | ast.Tuple)
    return several or (isinstance(values, ast.Call) and ast.unparse(values.func) == "drawn")


def _reaches(values: ast.expr, made: dict[str, ast.expr]) -> set[str]:
    """The constants that values come from, at however many removes."""
    reached: set[str] = set()
    ahead = [values]
    while ahead:
        names = {node.id for node in ast.walk(ahead.pop()) if isinstance(node, ast.Name)} & set(made) - reached
        reached |= names
        ahead += [made[name] for name in names]
    return reached


def _source(module: str) -> str:
    return (HERE / f"{module}.py").read_text(encoding="utf-8")
