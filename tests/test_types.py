"""The stub of the core says what the core has, and the package what it promises."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import bowstring as bow
from bowstring import _core

FOLDER = Path(bow.__file__).parent


def _stub() -> ast.Module:
    # `type` statements need CPython 3.12, and say nothing that could be missing.
    text = re.sub(r"(?m)^type .*$", "", (FOLDER / "_core.pyi").read_text())
    return ast.parse(text)


def _public(names: Any) -> set[str]:
    return {name for name in names if not name.startswith("_")}


def _classes() -> dict[str, ast.ClassDef]:
    return {
        node.name: node
        for node in _stub().body
        if isinstance(node, ast.ClassDef)
        # Protocols are for the type checker alone.
        and not any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases)
    }


def _functions() -> Iterator[tuple[str, Any, ast.FunctionDef]]:
    for node in _stub().body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, getattr(_core, node.name), node
    for name, cls in _classes().items():
        for node in cls.body:
            if isinstance(node, ast.FunctionDef):
                yield f"{name}.{node.name}", getattr(getattr(_core, name), node.name), node


def _decorators(node: ast.FunctionDef | ast.ClassDef) -> set[str]:
    return {part.id for part in node.decorator_list if isinstance(part, ast.Name)}


def test_the_stub_names_what_the_core_has() -> None:
    described = {
        node.name if isinstance(node, ast.FunctionDef) else node.target.id
        for node in _stub().body
        if isinstance(node, ast.FunctionDef)
        or (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name))
    }
    described |= set(_classes())
    assert _public(described) == _public(dir(_core))
    assert "__version__" in described
    assert hasattr(_core, "__version__")


@pytest.mark.parametrize("name", sorted(_classes()))
def test_the_stub_names_what_each_class_has(name: str) -> None:
    node, cls = _classes()[name], getattr(_core, name)
    methods = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
    assert methods >= _public(dir(cls))
    assert all(hasattr(cls, method) for method in methods)
    # Special methods too, those of `object` aside.
    own = {method for method in vars(cls) if method.startswith("__")} - {"__doc__", "__module__"}
    assert methods >= {method for method in own if not hasattr(object, method)}
    if "final" in _decorators(node):
        with pytest.raises(TypeError):
            type("Derived", (cls,), {})


@pytest.mark.parametrize(
    ("function", "node"),
    [case[1:] for case in _functions()],
    ids=[case[0] for case in _functions()],
)
def test_the_stub_names_the_parameters(function: Any, node: ast.FunctionDef) -> None:
    if node.name == "__len__":
        assert list(inspect.signature(function).parameters) == ["self"]
        return
    stub = node.args
    described = [argument.arg for argument in (*stub.posonlyargs, *stub.args, *stub.kwonlyargs)]
    defaults = dict(
        zip(
            [argument.arg for argument in stub.args[len(stub.args) - len(stub.defaults) :]],
            [ast.literal_eval(default) for default in stub.defaults],
            strict=True,
        )
    )
    signature = inspect.signature(function)
    assert list(signature.parameters) == described
    empty = inspect.Parameter.empty
    found = {
        name: parameter.default
        for name, parameter in signature.parameters.items()
        if parameter.default is not empty
    }
    assert found == defaults


def test_static_methods_are_static() -> None:
    for name, cls in _classes().items():
        for node in cls.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("__"):
                held = inspect.getattr_static(getattr(_core, name), node.name)
                assert isinstance(held, staticmethod) == ("staticmethod" in _decorators(node))


def test_the_package_is_typed_and_whole() -> None:
    assert (FOLDER / "py.typed").exists()
    assert bow.__all__ == sorted(bow.__all__)
    for name in bow.__all__:
        assert getattr(bow, name) is not None
    assert bow.__version__ == _core.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", bow.__version__)


def test_every_public_name_is_documented() -> None:
    for name in bow.__all__:
        value = getattr(bow, name)
        if not (inspect.isclass(value) or inspect.isfunction(value)):
            continue
        assert inspect.getdoc(value), name
        if inspect.isclass(value):
            for method, member in vars(value).items():
                if not method.startswith("_") and callable(member):
                    assert inspect.getdoc(member), f"{name}.{method}"


def test_errors_are_of_one_family() -> None:
    for name in (
        "InvalidInput",
        "UnsupportedType",
        "CorruptIndex",
        "IndexFormatError",
        "OutOfBudget",
    ):
        assert issubclass(getattr(bow, name), bow.BowstringError)
    assert issubclass(bow.InvalidInput, ValueError)
    assert issubclass(bow.UnsupportedType, TypeError)


def test_importing_the_package_imports_no_frame_library(run_python: Any) -> None:
    script = """
import sys
import pyarrow as pa
import bowstring
assert not {"polars", "pandas", "duckdb"} & set(sys.modules)
# A list becomes an array, for which pyarrow itself looks for pandas.
before = set(sys.modules)
pa.array(["a"])
before |= {name for name in sys.modules if name.partition(".")[0] in ("numpy", "pandas")}
bowstring.index(["a"]).count(["a"])
assert not {"polars", "pandas", "duckdb"} & (set(sys.modules) - before)
"""
    run_python(script)
