"""The examples in the docstrings of the installed package run."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from typing import Any

import pytest

import bowstring

MODULES = ["bowstring"] + [
    module.name
    for module in pkgutil.walk_packages(bowstring.__path__, "bowstring.")
    if not module.name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name), raise_on_error=False)
    assert result.failed == 0


PUBLIC = [
    *("aliases", "categories", "contamination", "counts", "coverage", "duplicates"),
    *("hamming.estimates", "hamming.exact"),
    *("index", "kneser_ney", "language", "lexicon", "link", "membership", "overlap", "pandas"),
    *("plot", "polars", "profiles", "rank", "repetition", "tokens", "vectors"),
]


@pytest.mark.parametrize("name", [f"bowstring.{module}" for module in PUBLIC])
def test_what_people_call_has_an_example(name: str) -> None:
    module = importlib.import_module(name)
    callables: list[Any] = [
        one
        for key, one in vars(module).items()
        if _ours(one, name) and (inspect.isclass(one) or key in bowstring.__all__)
    ]
    for one in list(callables):
        if inspect.isclass(one):
            callables += [member for member in vars(one).values() if _ours(member, name)]
    without = [
        one.__qualname__
        for one in callables
        if not inspect.isclass(one) and ">>>" not in (one.__doc__ or "")
    ]
    assert callables
    assert without == []


def _ours(one: object, module: str) -> bool:
    return (
        (inspect.isfunction(one) or inspect.isclass(one))
        and one.__module__ == module
        and not one.__name__.startswith("_")
    )
