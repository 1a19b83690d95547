"""A copy of the tree whose rules hold every mutant of themselves, each to be woken by its name."""

from __future__ import annotations

import ast
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.utils.format_utils import mangled_name_from_mutant_name, orig_function_and_class_names_from_key

from tests.mutation.survivors import Change

ROOT = Path(__file__).parents[2]
DOMAIN = Path("reminders/domain")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change, and the name that wakes it."""

    name: str
    change: Change


def make(tree: Path, modules: Sequence[str]) -> list[Mutant]:
    """Copy what git knows of the repository into a new folder, and put in the mutants of these modules of the domain, or of all."""
    shutil.rmtree(tree, ignore_errors=True)
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, listing.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tree / name)
    files = [tree / DOMAIN / f"{module}.py" for module in modules] or sorted((tree / DOMAIN).glob("*.py"))
    return [mutant for file in files for mutant in _mutants_of(file)]


def _mutants_of(file: Path) -> Iterator[Mutant]:
    made = mutate_file_contents(str(file), with_open_properties(file.read_text(encoding="utf-8")))
    file.write_text(made.code, encoding="utf-8")
    lines = made.code.splitlines()

    def body(name: str) -> list[str]:
        span = made.line_span_by_function_name[name]
        return [line.replace(name, orig_function_and_class_names_from_key(name)[0]) for line in lines[span.start - 1 : span.end]]

    for name in made.mutant_names:
        function, of_class = orig_function_and_class_names_from_key(name)
        path = ".".join(filter(None, [file.stem, of_class, function]))
        change = Change.between(path, body(f"{mangled_name_from_mutant_name(name)}__mutmut_orig"), body(name))
        yield Mutant(f"reminders.domain.{file.stem}.{name}", change)


def with_open_properties(source: str) -> str:
    """Write a property as a method and an assignment, since mutmut leaves alone what is decorated."""
    lines = source.splitlines()
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    methods = [method for of in classes for method in of.body if isinstance(method, ast.FunctionDef)]
    for method in reversed(methods):
        match method.decorator_list:
            case [ast.Name(id="property" | "cached_property" as kind) as decorator] if method.end_lineno is not None:
                lines.insert(method.end_lineno, f"    {method.name} = {kind}({method.name})")
                del lines[decorator.lineno - 1]
            case _:
                pass
    return "\n".join(lines) + "\n"
