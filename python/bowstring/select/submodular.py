"""Subsets of rows that inform most: submodular functions, maximised greedily.

Every function takes rows (a SciPy sparse matrix such as `bowstring.counts` gives, a dense matrix
of floats, a column of embeddings, or a column of text, which becomes TF-IDF rows) and gives a
table of `row, gain, rank`. Similarities are computed when they are needed, never n by n of them.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import pyarrow as pa

from bowstring import _core
from bowstring.columns import as_float, as_option
from bowstring.cutting import need
from bowstring.errors import InvalidInput
from bowstring.frames import as_table, is_table, like
from bowstring.report import progress_callback
from bowstring.select.rows import as_floats, as_places, as_rows, as_two

Similarity: TypeAlias = Literal["cosine", "dot", "euclidean", "precomputed"]
Method: TypeAlias = Literal["lazy", "stochastic", "naive"]
Concave: TypeAlias = Literal["sqrt", "log", "inverse", "saturate"]
Distance: TypeAlias = Literal["euclidean", "sqeuclidean", "cosine", "precomputed"]
Progress: TypeAlias = Any

_pa: Any = pa
_SIMILARITIES = ("cosine", "dot", "euclidean", "precomputed")
_DISTANCES = ("euclidean", "sqeuclidean", "cosine", "precomputed")


def facility_location(
    data: Any,
    k: int | None = None,
    *,
    column: str | None = None,
    similarity: Similarity = "cosine",
    neighbours: int | None = None,
    weights: Any = None,
    costs: Any = None,
    budget: float | None = None,
    initial: Any = None,
    method: Method = "lazy",
    epsilon: float = 0.1,
    seed: int = 0,
    min_gain: float | None = None,
    partitions: int = 1,
    merge: bool = True,
    threads: int | None = None,
    progress: Progress = None,
) -> Any:
    r"""Select rows that represent all rows: each row counts as much as its most similar one does.

    Maximises `f(S) = Σ_i w_i max(0, max_{j in S} s_ij)` over sets S of `k` rows, greedily: each
    row is the one that adds most, of equal ones the first. The result is at least 1 - 1/e = 0.63
    of the best possible (Nemhauser, Wolsey and Fisher 1978).

    Parameters
    ----------
    data
        Rows: a SciPy sparse matrix, a dense matrix, a column of lists of floats, or a column of
        text (TF-IDF rows then); of pyarrow, polars, pandas, NumPy. With
        `similarity="precomputed"` a matrix of similarities, sparse or dense: row j says how well
        j represents each column; it need not be square.
    k
        How many rows; may be left out where a budget says when to end.
    column
        The name of the column, where `data` is a table of several.
    similarity
        `"cosine"`, `"dot"` (inner product), `"euclidean"` (1 / (1 + distance)), or
        `"precomputed"`. What is below 0 counts as 0.
    neighbours
        How many of the most similar rows count for each row, itself among them; and it for them.
        All by default, exactly.
    weights
        How much each represented row counts; 1 by default.
    costs, budget
        What each row costs (a column, or the name of one of `data`), and what all may cost. Rows
        are taken by what they add for what they cost, and once more by what they add; the better
        of both is at least (1 - 1/e) / 2 of the best possible (Leskovec et al. 2007).
    initial
        Numbers of rows that are selected already: gains are what is added to them, and they are
        not in the answer.
    method
        `"lazy"`: the rows that `"naive"` takes, which looks at all in each step, but a row is
        looked at only while what it added before exceeds the best (Minoux 1978). `"stochastic"`:
        in each step the best of a sample of `n / k · ln(1 / epsilon)` rows; the expected value is
        at least 1 - 1/e - epsilon of the best possible (Mirzasoleiman et al. 2015).
    epsilon, seed
        Of stochastic greedy; `seed` also of partitions.
    min_gain
        End before a row that adds less.
    partitions
        Deal the rows to this many parts at random, and select in each part by itself, side by
        side: time and memory of n / partitions rows each.
    merge
        Whether `k` rows are selected once more of those that the parts selected (`k` of each), by
        all rows, or the best part's are taken if they are worth more (Barbosa et al. 2015). If
        not, each part selects its share of `k`, and gains are within the part, greatest first.
    threads
        Threads to use; all by default. The answer is the same.
    progress
        True for a bar, or a callable that takes the phase, the rows selected and their total.

    Returns
    -------
    pyarrow.Table
        `row: uint64, gain: double, rank: uint64`, in the order of selection, ranks from 1 on; the
        gains add up to f. A polars or pandas frame where `data` is one.

    Raises
    ------
    InvalidInput
        If `k` is larger than there are rows, a cost is negative, a number is not finite, there
        are no rows, or an option has a value that cannot be meant.
    UnsupportedType
        If `data` holds no rows of numbers or text.

    Notes
    -----
    A look at a row costs its similarities: of a graph its edges, of sparse rows the entries of
    the columns that it has, of dense rows all of `data`. Memory: twice `data` and 8 bytes a row.

    Examples
    --------
    >>> import bowstring as bow, numpy as np
    >>> points = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [1.0, 0.1]])
    >>> bow.select.facility_location(points, 2)["row"].to_pylist()
    [1, 2]
    >>> rows = ["a red apple", "red apple", "blue sky"]
    >>> bow.select.facility_location(rows, 2)["row"].to_pylist()
    [0, 2]
    """
    return _select(
        data,
        column,
        ("facility_location", "", 0.0),
        k=k,
        similarity=similarity,
        neighbours=neighbours,
        weights=weights,
        costs=costs,
        budget=budget,
        initial=initial,
        method=method,
        epsilon=epsilon,
        seed=seed,
        min_gain=min_gain,
        partitions=partitions,
        merge=merge,
        threads=threads,
        progress=progress,
    )


def graph_cut(
    data: Any,
    k: int | None = None,
    *,
    column: str | None = None,
    penalty: float = 0.5,
    similarity: Similarity = "cosine",
    neighbours: int | None = None,
    costs: Any = None,
    budget: float | None = None,
    initial: Any = None,
    method: Method = "lazy",
    epsilon: float = 0.1,
    seed: int = 0,
    min_gain: float | None = None,
    partitions: int = 1,
    merge: bool = True,
    threads: int | None = None,
    progress: Progress = None,
) -> Any:
    r"""Select rows similar to all rows, and not to each other.

    Maximises `f(S) = Σ_{i, j in S} s_ij - penalty · Σ_{i in S, j in S} s_ij`, the first sum over
    all rows i, greedily. With a `penalty` of at most 0.5 no row takes away (of symmetric
    similarities), and the result is at least 1 - 1/e of the best possible; with more, rows may,
    and `min_gain=0` ends there.

    Parameters
    ----------
    penalty
        How much similarity among the selected rows counts against them.
    data, k, column, similarity, neighbours, costs, budget, initial, method, epsilon, seed, min_gain
        As in `facility_location`. A precomputed graph has as many rows as columns; an edge one
        way counts half among the selected.
    partitions, merge, threads, progress
        As in `facility_location`.

    Returns
    -------
    pyarrow.Table
        As `facility_location`.

    Raises
    ------
    InvalidInput, UnsupportedType
        As `facility_location`; also for a negative precomputed similarity.

    Notes
    -----
    Of cosines and inner products of rows without negative numbers, sums of similarities are
    products with sums of rows: O(entries) in all, and a look costs a row's entries. Otherwise all
    similarities are computed once, and those of each row that is selected.

    Examples
    --------
    >>> import bowstring as bow
    >>> rows = ["red apple", "red apple", "red sky", "blue sea"]
    >>> bow.select.graph_cut(rows, 3, penalty=1.0)["row"].to_pylist()
    [0, 2, 3]
    """
    return _select(
        data,
        column,
        ("graph_cut", "", as_float(penalty, "penalty")),
        k=k,
        similarity=similarity,
        neighbours=neighbours,
        costs=costs,
        budget=budget,
        initial=initial,
        method=method,
        epsilon=epsilon,
        seed=seed,
        min_gain=min_gain,
        partitions=partitions,
        merge=merge,
        threads=threads,
        progress=progress,
    )


def feature_based(
    data: Any,
    k: int | None = None,
    *,
    column: str | None = None,
    concave: Concave = "sqrt",
    saturation: float = 1.0,
    weights: Any = None,
    costs: Any = None,
    budget: float | None = None,
    initial: Any = None,
    method: Method = "lazy",
    epsilon: float = 0.1,
    seed: int = 0,
    min_gain: float | None = None,
    partitions: int = 1,
    merge: bool = True,
    threads: int | None = None,
    progress: Progress = None,
) -> Any:
    r"""Select rows that together have much of every column, with diminishing returns.

    Maximises `f(S) = Σ_u w_u g(Σ_{j in S} x_ju)` over columns u, for a concave g, greedily: at
    least 1 - 1/e of the best possible (Wei et al. 2014).

    Parameters
    ----------
    data
        Rows of numbers from 0 on, or text, as in `facility_location`.
    concave, saturation
        g: `"sqrt"`, `"log"` (of 1 + x), `"inverse"` (x / (1 + x)), or `"saturate"` (x up to
        `saturation`).
    weights
        How much each column counts; 1 by default.
    k, column, costs, budget, initial, method, epsilon, seed, min_gain, partitions, merge
        As in `facility_location`.
    threads, progress
        As in `facility_location`.

    Returns
    -------
    pyarrow.Table
        As `facility_location`.

    Raises
    ------
    InvalidInput, UnsupportedType
        As `facility_location`; also for a negative number.

    Notes
    -----
    A look at a row costs its entries. Partitions with `merge` keep, in expectation, at least half
    of what greedy promises (Barbosa et al. 2015).

    Examples
    --------
    >>> import bowstring as bow, scipy.sparse
    >>> rows = scipy.sparse.csr_matrix([[4, 0, 0], [3, 1, 0], [0, 0, 2]])
    >>> chosen = bow.select.feature_based(rows, 2)
    >>> chosen["row"].to_pylist(), [round(gain, 3) for gain in chosen["gain"].to_pylist()]
    ([1, 2], [2.732, 1.414])
    """
    return _select(
        data,
        column,
        ("feature_based", concave, as_float(saturation, "saturation")),
        k=k,
        weights=weights,
        costs=costs,
        budget=budget,
        initial=initial,
        method=method,
        epsilon=epsilon,
        seed=seed,
        min_gain=min_gain,
        partitions=partitions,
        merge=merge,
        threads=threads,
        progress=progress,
    )


def max_coverage(
    data: Any,
    k: int | None = None,
    *,
    column: str | None = None,
    weights: Any = None,
    costs: Any = None,
    budget: float | None = None,
    initial: Any = None,
    method: Method = "lazy",
    epsilon: float = 0.1,
    seed: int = 0,
    min_gain: float | None = None,
    partitions: int = 1,
    merge: bool = True,
    threads: int | None = None,
    progress: Progress = None,
) -> Any:
    r"""Select rows that together have as many columns as possible.

    Maximises the number (or the weight) of columns in which some selected row is not 0, greedily:
    at least 1 - 1/e of the best possible.

    Parameters
    ----------
    data
        Rows, as in `facility_location`; whatever is not 0 counts.
    weights
        How much each column counts; 1 by default.
    k, column, costs, budget, initial, method, epsilon, seed, min_gain, partitions, merge
        As in `facility_location`.
    threads, progress
        As in `facility_location`.

    Returns
    -------
    pyarrow.Table
        As `facility_location`.

    Raises
    ------
    InvalidInput, UnsupportedType
        As `facility_location`.

    Examples
    --------
    >>> import bowstring as bow
    >>> rows = ["to be or not", "to be", "what is done"]
    >>> bow.select.max_coverage(rows, 3, min_gain=1).to_pylist()
    [{'row': 0, 'gain': 4.0, 'rank': 1}, {'row': 2, 'gain': 3.0, 'rank': 2}]
    """
    return _select(
        data,
        column,
        ("max_coverage", "", 0.0),
        k=k,
        weights=weights,
        costs=costs,
        budget=budget,
        initial=initial,
        method=method,
        epsilon=epsilon,
        seed=seed,
        min_gain=min_gain,
        partitions=partitions,
        merge=merge,
        threads=threads,
        progress=progress,
    )


def _select(
    data: Any,
    column: str | None,
    function: tuple[str, str, float],
    *,
    k: int | None,
    similarity: str | None = None,
    neighbours: int | None = None,
    weights: Any = None,
    costs: Any,
    budget: float | None,
    initial: Any,
    method: str,
    epsilon: float,
    seed: int,
    min_gain: float | None,
    partitions: int,
    merge: bool,
    threads: int | None,
    progress: Progress,
) -> Any:
    if similarity is not None and similarity not in _SIMILARITIES:
        raise InvalidInput(
            f'similarity is {similarity!r}: give "cosine", "dot", "euclidean" or "precomputed"'
        )
    if similarity == "precomputed" and neighbours is not None:
        raise InvalidInput(
            "neighbours is given, and similarities are precomputed: leave one out; "
            "bowstring.select.neighbours makes a graph"
        )
    if (costs is None) != (budget is None):
        raise InvalidInput("costs and budget belong together: give both or none")
    if k is None and budget is None:
        raise InvalidInput("k is None: say how many rows, or give costs and a budget")
    if isinstance(costs, str):
        if not is_table(data):
            raise InvalidInput(f"costs is {costs!r}, but data is no table: give a column")
        costs = _column(data, costs, "costs")
    # Distances cancel: of 32 bits, near rows would be as good as equal.
    wide = similarity in ("euclidean", "precomputed")
    rows = as_rows(data, "data", column, wide=wide)
    with progress_callback(progress) as report:
        table = _core.select_rows(
            rows,
            function,
            similarity or "",
            as_option(neighbours, "neighbours"),
            None if weights is None else as_floats(weights, "weights"),
            as_option(k, "k"),
            None if costs is None else as_floats(costs, "costs"),
            None if budget is None else as_float(budget, "budget"),
            as_places(initial, "initial"),
            method,
            as_float(epsilon, "epsilon"),
            as_option(seed, "seed", required=True),
            None if min_gain is None else as_float(min_gain, "min_gain"),
            as_option(partitions, "partitions", required=True),
            bool(merge),
            as_option(threads, "threads"),
            report,
        )
    return like(pa.table(table), data)


def _column(data: Any, name: str, argument: str) -> Any:
    table = as_table(data, "data")
    if name not in table.column_names:
        raise InvalidInput(f"{argument} is {name!r}, and data has no such column")
    return table[name]


def neighbours(
    data: Any,
    k: int,
    *,
    column: str | None = None,
    similarity: Literal["cosine", "dot", "euclidean"] = "cosine",
    symmetric: bool = False,
    threads: int | None = None,
    progress: Progress = None,
) -> Any:
    """Find the `k` most similar rows of each row, exactly.

    Parameters
    ----------
    data, column, similarity
        As in `facility_location`.
    k
        How many, the row itself among them. Of equally similar rows the first; rows that are not
        similar at all are none.
    symmetric
        Whether each edge goes both ways.
    threads, progress
        As in `facility_location`.

    Returns
    -------
    scipy.sparse.csr_matrix
        n by n, float64: the similarities of each row's neighbours; what the functions of this
        module take with `similarity="precomputed"`.

    Notes
    -----
    The time of all similarities, and the memory of the graph.

    Examples
    --------
    >>> import bowstring as bow
    >>> graph = bow.select.neighbours(["red apple", "red sky", "blue sky"], 2)
    >>> graph.indices.reshape(-1, 2).tolist()
    [[0, 1], [0, 1], [1, 2]]
    """
    if similarity not in _SIMILARITIES[:3]:
        raise InvalidInput(f'similarity is {similarity!r}: give "cosine", "dot" or "euclidean"')
    sparse = need("scipy.sparse", "sklearn")
    rows = as_rows(data, "data", column, wide=similarity == "euclidean")
    with progress_callback(progress) as report:
        starts, columns, values = _core.select_neighbours(
            rows,
            similarity,
            as_option(k, "k", required=True),
            bool(symmetric),
            as_option(threads, "threads"),
            report,
        )
    starts, columns, values = (_pa.array(part).to_numpy() for part in (starts, columns, values))
    size = len(starts) - 1
    index = "int32" if len(columns) < 1 << 31 else "int64"
    # Copies, which can be written to: compiled code refuses a matrix that cannot.
    parts = (values.copy(), columns.astype(index), starts.astype(index))
    return sparse.csr_matrix(parts, shape=(size, size))


def sample(gains: Any, k: int, *, seed: int = 0, threads: int | None = None) -> Any:
    """Draw `k` rows without replacement, more likely those that add more.

    One by one, with probabilities in proportion to `1 + g + g² / 2` of their gains g, the
    Taylor-softmax of INGENIOUS (Renduchintala et al. 2023): a fresh subset for each epoch, while
    greedy always gives the same. A row's draw depends on the seed and its place alone.

    Parameters
    ----------
    gains
        A table with `row` and `gain`, as the functions here give, or a column of gains.
    k
        How many.
    seed
        Of the draw.
    threads
        Threads to use; all by default.

    Returns
    -------
    pyarrow.Array
        uint64: the rows, or the places of a column, in the order they were drawn.

    Raises
    ------
    InvalidInput
        If `k` is larger than there are gains, or one is not finite.

    Examples
    --------
    >>> import bowstring as bow, pyarrow as pa
    >>> chosen = pa.table({"row": [7, 3, 9], "gain": [5.0, 1.0, 0.0]})
    >>> sorted(bow.select.sample(chosen, 3, seed=1).to_pylist())
    [3, 7, 9]
    """
    rows = None
    if is_table(gains):
        table = as_table(gains, "gains")
        if missing := {"row", "gain"} - set(table.column_names):
            raise InvalidInput(f"gains has no column {min(missing)!r}: give row and gain")
        rows, gains = table["row"].cast(pa.uint64()).combine_chunks(), table["gain"]
    drawn = _pa.array(
        _core.select_sample(
            as_floats(gains, "gains"),
            as_option(k, "k", required=True),
            as_option(seed, "seed", required=True),
            as_option(threads, "threads"),
        )
    )
    return drawn if rows is None else rows.take(drawn)


def k_medoids(
    candidates: Any,
    k: int,
    validation: Any = None,
    *,
    column: str | None = None,
    validation_column: str | None = None,
    distance: Distance = "euclidean",
    exchanges: int = 100,
    threads: int | None = None,
    progress: Progress = None,
) -> Any:
    """Select the candidates to which the rows of a validation set are near.

    Minimises `Σ_j min_{i in S} d_ij` over sets S of `k` candidates i, of validation rows j:
    greedily, then exchanging a selected row for another as long as that lowers the sum, the best
    such pair each time (Schubert and Rousseeuw 2019). The first stage of GORACS; `transport` is
    the second.

    Parameters
    ----------
    candidates, validation
        Rows, as in `facility_location`; without `validation` the candidates stand for it. With
        `distance="precomputed"`, `candidates` is a dense matrix of distances, a row a candidate
        and a column a validation row.
    k
        How many.
    column, validation_column
        The names of the columns, where tables have several.
    distance
        `"euclidean"`, `"sqeuclidean"` (its square), `"cosine"` (1 - cosine) or `"precomputed"`.
    exchanges
        The most exchanges.
    threads, progress
        As in `facility_location`.

    Returns
    -------
    pyarrow.Table
        `row: uint64, gain: double, rank: uint64`: the selected candidates, each the one that then
        lowers the sum most, and by how much; the first one counts from where each validation row
        goes to its farthest candidate. The schema's metadata has `cost`, the sum that is left,
        and `exchanges`, how many there were. A polars or pandas frame where `candidates` is one,
        without metadata.

    Raises
    ------
    InvalidInput
        If `k` is larger than there are candidates, or a distance negative or not finite.

    Notes
    -----
    O(candidates · validation) memory and time, and as much time for each exchange.

    Examples
    --------
    >>> import bowstring as bow, numpy as np
    >>> points = np.array([[0.0], [1.0], [10.0], [11.0], [12.0]])
    >>> bow.select.k_medoids(points, 2, np.array([[1.2], [11.1]]))["row"].to_pylist()
    [3, 1]
    """
    if distance not in _DISTANCES:
        names = ", ".join(f'"{name}"' for name in _DISTANCES)
        raise InvalidInput(f"distance is {distance!r}: give one of {names}")
    others = None
    if distance == "precomputed":
        if validation is not None:
            raise InvalidInput("validation is given, and distances are precomputed: leave one out")
        if hasattr(candidates, "tocsr"):
            raise InvalidInput("candidates is sparse, and what it leaves out no distance: fill it")
        rows = as_rows(candidates, "candidates", column, wide=True)
    else:
        # Distances cancel: of 32 bits, near rows would be as good as equal.
        given = (candidates, candidates) if validation is None else (candidates, validation)
        columns = (column, column if validation is None else validation_column)
        rows, others = as_two(*given, ("candidates", "validation"), columns)
    with progress_callback(progress) as report:
        found, cost, exchanged = _core.select_medoids(
            rows,
            others,
            distance,
            as_option(k, "k", required=True),
            as_option(exchanges, "exchanges", required=True),
            as_option(threads, "threads"),
            report,
        )
    table: Any = pa.table(found)
    table = table.replace_schema_metadata({"cost": repr(cost), "exchanges": str(exchanged)})
    return like(table, candidates)
