"""Sizes, import direction, docstrings and public names of the source. `pytest -k house -s` prints the sizes."""

import ast
import importlib
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "etalage"
FILES = sorted(PACKAGE.rglob("*.py"))
RECIPE = sorted((ROOT / "pretraining").rglob("*.py"))

MAX_FILE_LINES, MEDIAN_FILE_LINES, MAX_FUNCTION_LINES = 400, 150, 60

ROOMS = [
    {"errors", "rgb"},
    {"console", "interrupts", "locks", "wording"},
    {"arguments", "atomic", "chunks", "flatten", "processes", "progress", "versions"},
    {"folders", "json_files", "schema"},
    {"config", "answer_template"},
    {"task", "recipes", "recorded", "devices"},
    {"runs"},
    {"html", "failures"},
    {"catalogue"},
    {"sample"},
    {"phi3v"},
    {"pretrained"},
    {"fused"},
    {"models"},
    {"data"},
    {"generate"},
    {"train", "evaluate"},
    {"commands"},
    {"cli"},
    {"__main__"},
]
"""What a room may import: itself and the rooms before it, and of those beside it nothing."""

FRAGMENTS = ("As ", "How ", "Of ", "That ", "The same ", "What ", "Where ", "Whether ", "With ", "Likewise")


def trees(files: list[Path]) -> Iterator[tuple[Path, ast.Module]]:
    for file in files:
        yield file, ast.parse(file.read_text(encoding="utf-8"))


def room_of(module: str) -> str:
    """`etalage.train.loop` is in the room `train`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            if node.module == "etalage":
                yield from (f"etalage.{alias.name}" for alias in node.names if not alias.name.startswith("__"))
            elif node.module:
                yield node.module


def test_files_and_functions_are_short() -> None:
    long, lengths = [], []
    for file, tree in trees([*FILES, *RECIPE]):
        num_lines = len(file.read_text(encoding="utf-8").splitlines())
        lengths += [num_lines] if num_lines else []
        if num_lines > MAX_FILE_LINES:
            long.append(f"{file.relative_to(ROOT)}: {num_lines} lines")
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                num_lines = node.end_lineno - node.lineno + 1
                if num_lines > MAX_FUNCTION_LINES:
                    long.append(f"{file.relative_to(ROOT)}: {node.name} has {num_lines} lines")
    print(f"{len(lengths)} files, median {statistics.median(lengths):.0f} lines, longest {max(lengths)}")
    assert not long
    assert statistics.median(lengths) <= MEDIAN_FILE_LINES


def test_imports_run_downwards() -> None:
    rank = {room: number for number, rooms in enumerate(ROOMS) for room in rooms}
    upwards = []
    for file, tree in trees(FILES):
        room = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        for module in imported(tree):
            other = room_of(module) if module.split(".")[0] == "etalage" else room
            # phi3v can be used on its own, with one file more: how any picture becomes RGB
            if other and other != room and (rank[other] >= rank[room] or (room == "phi3v" and other != "rgb")):
                upwards.append(f"{file.relative_to(ROOT)} imports {module}")
            if module.split(".")[0] == "pretraining":
                upwards.append(f"{file.relative_to(ROOT)} imports {module}, which is not in the wheel")
    assert not upwards


Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def public_definitions(tree: ast.Module) -> Iterator[tuple[str, Definition]]:
    """Public classes and functions at the top of a module, and public methods of public classes."""
    for node in tree.body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, Definition) and not inner.name.startswith("_"):
                        yield f"{node.name}.{inner.name}", inner


def parameters(node: Definition) -> list[str]:
    """Names of a function's parameters, or of a class's own __init__."""
    if isinstance(node, ast.ClassDef):
        init = next((n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"), None)
        return parameters(init) if init else []
    named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return [argument.arg for argument in named if argument.arg not in ("self", "cls") and argument.arg[0] != "_"]


def section(docstring: str, title: str) -> str | None:
    """The indented lines after `Args:` and the like."""
    found = re.search(rf"^{title}:\n((?:(?: +[^\n]*)?\n?)*)", docstring, re.MULTILINE)
    return found and found[1]


def documented(docstring: str) -> set[str]:
    """Names before the colons of an Args section; one line may name several."""
    lines = re.findall(r"^ {4}(\S[^:\n]*):", section(docstring, "Args") or "", re.MULTILINE)
    return {name.strip().lstrip("*").split(" ")[0] for line in lines for name in line.split(",")}


def is_property(node: Definition) -> bool:
    names = {ast.unparse(decorator).split(".")[-1] for decorator in node.decorator_list}
    return bool(names & {"property", "cached_property", "setter"})


def complaints(node: Definition) -> Iterator[str]:
    docstring = ast.get_docstring(node)
    if not docstring:
        yield "no docstring"
        return
    if docstring.startswith(FRAGMENTS):
        yield f"opens with a fragment: {docstring.splitlines()[0]}"
    names = parameters(node)
    has_args = section(docstring, "Args") is not None
    if len(names) > 1 and not has_args and not is_property(node):
        yield f"no Args: {', '.join(names)}"
    if has_args and (missing := [name for name in names if name not in documented(docstring)]):
        yield f"Args: leaves out {', '.join(missing)}"


def test_every_public_definition_is_documented() -> None:
    found = []
    for file, tree in trees([*FILES, *RECIPE]):
        if any(part.startswith("_") and part not in ("__init__.py", "__main__.py") for part in file.parts):
            continue
        if tree.body and not ast.get_docstring(tree):
            found.append(f"{file.relative_to(ROOT)}: no docstring")
        for name, node in public_definitions(tree):
            found += [f"{file.relative_to(ROOT)}:{node.lineno} {name}: {what}" for what in complaints(node)]
    assert not found, "\n".join([f"{len(found)} complaints", *found])


PUBLIC = {
    "BenchConfig",
    "DemoConfig",
    "EtalageError",
    "EvaluateConfig",
    "PredictConfig",
    "PrepareConfig",
    "Product",
    "ReportConfig",
    "SampleConfig",
    "Task",
    "TaskConfig",
    "TrainConfig",
    "__version__",
}


def test_the_package_has_these_public_names() -> None:
    import etalage

    assert set(etalage.__all__) == PUBLIC
    assert list(etalage.__all__) == sorted(etalage.__all__)


MODULES = [
    ".".join(("etalage", *file.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
    for file in FILES
    if file.name != "__main__.py" and not file.relative_to(PACKAGE).as_posix().startswith("fused/triton/")
]


@pytest.mark.parametrize("name", MODULES)
def test_all_names_what_is_there(name: str) -> None:
    module = importlib.import_module(name)
    for public in getattr(module, "__all__", ()):
        assert hasattr(module, public), f"{name}.__all__ names {public}"


def test_no_file_imports_anothers_private_name() -> None:
    private = [
        f"{file.relative_to(ROOT)}: {alias.name} of {node.module}"
        for file, tree in trees(FILES)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("etalage")
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.startswith("__")
    ]
    assert not private
