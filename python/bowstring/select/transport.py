"""Exchange of selected rows against a validation set by optimal transport."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import pyarrow as pa

from bowstring import _core
from bowstring.columns import as_option
from bowstring.cutting import need
from bowstring.errors import InvalidInput
from bowstring.frames import as_table, is_table, like
from bowstring.select.rows import as_places, as_rows, as_two

_DISTANCES = ("euclidean", "sqeuclidean", "cosine", "precomputed")


def transport(
    selected: Any,
    candidates: Any,
    validation: Any = None,
    *,
    column: str | None = None,
    validation_column: str | None = None,
    distance: Literal["euclidean", "sqeuclidean", "cosine", "precomputed"] = "euclidean",
    exchanges: int = 100,
    width: int = 30,
    threads: int | None = None,
) -> Any:
    r"""Exchange selected rows for others as long as that brings them nearer to a validation set.

    Near is the cost of optimal transport from the selected rows to those of the validation set,
    all of equal mass. Its dual potentials tell which of the other candidates would lower it most,
    to first order; the exact cost of exchanging each of the `width` selected rows that seem worst
    for each of the `width` candidates that seem best, in that order, decides. The second stage of
    GORACS, after `k_medoids`.

    Parameters
    ----------
    selected
        Numbers of candidates, or a table with `row`, as `k_medoids` gives.
    candidates, validation, column, validation_column, distance
        As in `k_medoids`.
    exchanges
        The most exchanges.
    width
        How many rows are tried against how many.
    threads
        Threads to use for distances; all by default.

    Returns
    -------
    pyarrow.Table
        `row: uint64`, ascending. The schema's metadata has `cost_before`, `cost` and `exchanges`.
        A polars or pandas frame where `selected` is one, without metadata.

    Raises
    ------
    MissingPackage
        If the library POT is not installed: `pip install 'bowstring[transport]'`.
    InvalidInput
        If a row is selected twice, or is none of the candidates.

    Notes
    -----
    O(candidates · validation) memory; a look at an exchange solves a problem of optimal transport
    of `selected` by `validation` exactly, by POT.

    Examples
    --------
    >>> import bowstring as bow, numpy as np
    >>> points = np.array([[0.0], [1.0], [10.0], [11.0]])
    >>> found = bow.select.transport([0, 1], points, np.array([[0.2], [10.9]]))
    >>> found["row"].to_pylist()
    [0, 3]
    """
    ot, numpy = need("ot", "transport"), need("numpy", "sklearn")
    if distance not in _DISTANCES:
        names = ", ".join(f'"{name}"' for name in _DISTANCES)
        raise InvalidInput(f"distance is {distance!r}: give one of {names}")
    if distance == "precomputed":
        if validation is not None or hasattr(candidates, "tocsr"):
            raise InvalidInput("candidates is no dense matrix of distances, alone: give that")
        _, _, values, size = as_rows(candidates, "candidates", column, wide=True)
    else:
        if validation is None:
            raise InvalidInput("validation is None: give the rows to be near to")
        columns = (column, validation_column)
        rows, others = as_two(candidates, validation, ("candidates", "validation"), columns)
        size = len(others[0]) - 1 if others[0] is not None else len(others[2]) // others[3]
        values = _core.select_distances(rows, others, distance, as_option(threads, "threads"))
    costs = pa.array(values).to_numpy().reshape(-1, size)
    if is_table(selected):
        table = as_table(selected, "selected")
        if "row" not in table.column_names:
            raise InvalidInput("selected has no column 'row': give numbers of candidates")
        rows_now = as_places(table["row"], "selected")
    else:
        rows_now = as_places(selected, "selected")
    chosen: list[int] = rows_now.to_pylist()
    if not chosen or len(set(chosen)) < len(chosen) or max(chosen) >= len(costs):
        raise InvalidInput(
            f"selected is {len(chosen)} rows of {len(costs)} candidates: give one or more, each "
            "once, by their numbers"
        )
    found, before, cost, done = _exchange(ot, numpy, costs, chosen, exchanges, width)
    result: Any = pa.table({"row": pa.array(sorted(found), pa.uint64())})
    told = {"cost_before": repr(before), "cost": repr(cost), "exchanges": str(done)}
    return like(result.replace_schema_metadata(told), selected)


def _exchange(
    ot: Any, numpy: Any, costs: Any, chosen: list[int], exchanges: int, width: int
) -> tuple[list[int], float, float, int]:
    exchanges = as_option(exchanges, "exchanges", required=True)
    width = as_option(width, "width", required=True)
    target = numpy.full(costs.shape[1], 1 / costs.shape[1])
    mass = numpy.full(len(chosen), 1 / len(chosen))

    def solved(rows: list[int]) -> tuple[float, Any, Any]:
        with warnings.catch_warnings():
            # The solver says that it stopped early where it did: the cost is one of a plan still.
            warnings.simplefilter("ignore")
            value, log = ot.emd2(mass, target, costs[rows], log=True, return_matrix=False)
        return float(value), numpy.asarray(log["u"]), numpy.asarray(log["v"])

    cost, own, theirs = solved(chosen)
    before, done = cost, 0
    while done < exchanges:
        # What each candidate's mass would cost to move at least, by the potentials of the others.
        reduced = (costs - theirs).min(axis=1)
        held = set(chosen)
        inside = sorted(range(len(chosen)), key=lambda at: (-own[at], chosen[at]))[:width]
        outside = [int(row) for row in numpy.argsort(reduced, kind="stable") if row not in held]
        for row, at in ((row, at) for row in outside[:width] for at in inside):
            # No exchange lowers the cost by more than the potentials say.
            if reduced[row] >= own[at]:
                continue
            other = [*chosen[:at], row, *chosen[at + 1 :]]
            tried = solved(other)
            if tried[0] < cost - 1e-12 * abs(cost):
                chosen, (cost, own, theirs) = other, tried
                done += 1
                break
        else:
            break
    return chosen, before, cost, done
