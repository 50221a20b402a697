"""Imports go down only, heavy libraries stay where they belong, and importing Stele loads none of them."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src"

FLOORS = {
    "stele.collector": 0,
    "stele.errors": 0,
    "stele.limits": 0,
    "stele.settings": 0,
    "stele.registry": 0,
    "stele.schema": 1,
    "stele.search": 2,
    "stele.transport": 2,
    "stele.stores": 3,
    "stele.artifacts": 3,
    "stele.data": 4,
    "stele.client": 4,
    "stele.entities": 4,
    "stele.config": 4,
    "stele.exceptions": 4,
    "stele.tracking": 4,
    "stele.server": 4,
    "stele.models": 5,
    "stele.pyfunc": 5,
    "stele.lightgbm": 5,
    "stele.onnx": 5,
    "stele.pytorch": 5,
    "stele.sklearn": 5,
    "stele.statsmodels": 5,
    "stele.xgboost": 5,
    "stele.types": 5,
    "stele.serving": 6,
    "stele.cli": 7,
    "stele.testing": 8,
}
"""A package may import its own modules and lower floors."""

GROUPS = (
    {"stele.errors", "stele.limits", "stele.settings", "stele.registry"},
    {"stele.client", "stele.config", "stele.data", "stele.entities", "stele.exceptions", "stele.tracking"},
    {
        "stele.models",
        "stele.types",
        "stele.pyfunc",
        "stele.sklearn",
        "stele.xgboost",
        "stele.lightgbm",
        "stele.pytorch",
        "stele.onnx",
        "stele.statsmodels",
    },
)
"""Packages of one floor that make one part, and may import each other (without cycles)."""

TERMINAL = {"console.py", "doctor.py"}
"""The modules whose work is to print."""

LAZY_TABLES = {"stele", "stele.registry", "stele.cli"}
"""The modules that import others by name when they are used."""

HOMES = {
    "sqlalchemy": ("stele.stores.sql",),
    "alembic": ("stele.stores.sql",),
    "lark": ("stele.search",),
    "starlette": ("stele.server",),
    "uvicorn": ("stele.server",),
    "httptools": ("stele.server",),
    "prometheus_client": ("stele.server", "stele.serving"),
    "urllib3": ("stele.transport",),
    "click": ("stele.cli",),
    "numpy": (
        "stele.schema.ingest_wire",  # decodes columns for servers; clients import it and call nothing of it
        "stele.stores.sql",
        "stele.stores.journal",
        "stele.client",
        "stele.data",
        "stele.models",
        "stele.serving",
        "stele.testing",
    ),
    "pandas": ("stele.client", "stele.data", "stele.models", "stele.serving"),
    "filelock": ("stele.stores.sql", "stele.client", "stele.artifacts", "stele.serving"),
    "psutil": ("stele.client", "stele.cli"),
    "yaml": ("stele.models", "stele.client", "stele.serving"),
    "packaging": ("stele.models", "stele.serving"),
}
"""Third-party package -> where it may be imported."""

INSIDE_FUNCTIONS_ONLY = set(
    """
    cloudpickle datasets lightgbm matplotlib onnx onnxruntime pandas PIL plotly polars psutil pyarrow pyspark
    sklearn skops statsmodels torch xgboost
    """.split()
)
NUMPY_INSIDE_FUNCTIONS = ("stele.client", "stele.data", "stele.schema.ingest_wire", "stele.stores.journal")
NOT_AFTER_IMPORT = {
    "sqlalchemy",
    "numpy",
    "pandas",
    "starlette",
    "uvicorn",
    "urllib3",
    "click",
    "rich",
    "lark",
    "psutil",
}


RUNS_CODE = {
    f"{module}.{name}"
    for module in ("pickle", "cloudpickle", "joblib", "torch", "dill", "marshal", "runpy", "io", "skops.io", "onnx")
    for name in ("load", "loads", "run_path", "run_module")
} | {"pickle.Unpickler", "load_pickle", "__import__"}
"""What runs code of a file. Only the gate of models may, and flavors pass such functions to it."""


def modules() -> Iterator[tuple[str, Path, ast.Module]]:
    for path in sorted((SRC / "stele").rglob("*.py")):
        if "migrations" in path.parts or path.name.endswith("_pb2.py"):
            continue
        name = ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__")
        yield name, path, ast.parse(path.read_text())


MODULES = list(modules())
NAMES = {name for name, _, _ in MODULES}


def package_of(module: str) -> str:
    """The entry of FLOORS that a module belongs to."""
    return ".".join(module.split(".")[:2])


def imports(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    """Every imported module, and whether the import stands in a function."""

    def visit(node: ast.AST, inside: bool) -> Iterator[tuple[str, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            if isinstance(child, ast.Import):
                yield from ((alias.name, inside) for alias in child.names)
            elif isinstance(child, ast.ImportFrom) and child.module:
                for alias in child.names:
                    full = f"{child.module}.{alias.name}"
                    yield (full if full in NAMES else child.module), inside
            yield from visit(child, inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda))

    return visit(tree, False)


@pytest.mark.parametrize(("name", "tree"), [(name, tree) for name, _, tree in MODULES if name != "stele"])
def test_imports_go_down(name, tree):
    package = package_of(name)
    floor = FLOORS[package]
    for imported, inside in imports(tree):
        if not imported.startswith("stele") or package_of(imported) == package:
            assert not (imported.startswith("stele.") and inside and name not in LAZY_TABLES), (
                f"{name} imports {imported} in a function"
            )
            continue
        assert imported != "stele", f"{name} imports the top"
        assert not inside or name in LAZY_TABLES, f"{name} imports {imported} in a function"
        lower = FLOORS[package_of(imported)] < floor
        beside = any({package, package_of(imported)} <= group for group in GROUPS)
        assert lower or beside, f"{name} imports {imported}"


def test_no_cycles():
    graph = {
        name: {imported for imported, inside in imports(tree) if imported in NAMES and not inside and imported != name}
        for name, _, tree in MODULES
    }
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"cycle: {' -> '.join([*path[path.index(name) :], name])}"
        if name not in done:
            for imported in graph[name]:
                # A package's door may re-export what its modules define.
                if not name.startswith(f"{imported}."):
                    visit(imported, (*path, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize(("name", "tree"), [(name, tree) for name, _, tree in MODULES])
def test_third_parties_have_homes(name, tree):
    for imported, inside in imports(tree):
        top = imported.split(".")[0]
        if top in HOMES:
            assert name.startswith(HOMES[top]), f"{name} imports {imported}"
        if top in INSIDE_FUNCTIONS_ONLY or (top == "numpy" and name.startswith(NUMPY_INSIDE_FUNCTIONS)):
            assert inside, f"{name} imports {imported} at its top"


@pytest.mark.parametrize(("path", "tree"), [(path, tree) for _, path, tree in MODULES])
def test_no_dangerous_calls(path, tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("eval", "exec", "os.system", "os.popen"), path
            assert called not in RUNS_CODE or (called, path.name) == ("pickle.load", "trust.py"), path
            assert called != "print" or path.name in TERMINAL, path
            for keyword in node.keywords:
                assert not (keyword.arg == "shell" and getattr(keyword.value, "value", None) is True), path


@pytest.mark.parametrize(
    ("path", "tree"), [(path, tree) for name, path, tree in MODULES if not name.startswith("stele.testing")]
)
def test_files_and_functions_fit(path, tree):
    assert len(path.read_text().splitlines()) <= 600, path
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno <= 90, f"{path}: {node.name}"


IMPORTERS = {
    "stele",
    "stele.registry",
    "stele.cli",
    "stele.cli.lazy",
    "stele.models",
    "stele.client.shim",
    "stele.models.stand_ins",
    "stele.models.trust",
}
"""The modules that import by a name that is not written there: tables of our own names, and the gate."""


@pytest.mark.parametrize(("name", "tree"), [(name, tree) for name, _, tree in MODULES])
def test_no_import_by_a_name_from_data(name, tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "spec_from_file_location")):
            assert name in IMPORTERS or isinstance(node.args[0], ast.Constant) or _through_the_gate(node), name


def _through_the_gate(node: ast.Call) -> bool:
    return ast.unparse(node.func) == "admitted.import_module"


def _loaded_after(code: str) -> set[str]:
    program = f"import sys; {code}; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("code", ["import stele", "import stele; stele.log_metric", "import stele; stele.Client"])
def test_import_loads_nothing_heavy(code):
    loaded = _loaded_after(code)
    assert not {name for name in NOT_AFTER_IMPORT if name in loaded}
    assert len([name for name in loaded if name.startswith("stele")]) <= 59
    assert len(loaded) <= 400


@pytest.mark.parametrize("module", ["stele.models", "stele.pyfunc", "stele.sklearn", "stele.pytorch"])
def test_a_module_of_models_loads_little_before_it_is_used(module):
    loaded = _loaded_after(f"import {module}")
    assert {name for name in loaded if name.startswith("stele")} <= {"stele", "stele.registry", "stele.errors", module}


def test_help_loads_no_command():
    program = (
        "import sys; from stele.cli import main; sys.argv = ['stele', '--help']\n"
        "try: main()\nexcept SystemExit: pass\nprint('\\n'.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split()) - {"stele.cli.lazy", "stele.cli.teaching"}  # what groups are made of
    assert not {
        name for name in loaded if name.startswith(("stele.cli.", "stele.server", "stele.stores", "sqlalchemy"))
    }


def test_modules_of_tests_have_names_of_their_own():
    """pytest imports them by their names alone, and stops at the second of the same name when it collects all."""
    names = Counter(path.name for path in Path(__file__).parents[1].rglob("test_*.py"))
    assert [name for name, times in names.items() if times > 1] == []
