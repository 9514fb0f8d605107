"""What retrieved rows are worth, and which sources to drop (Lyu et al. 2023)."""

from __future__ import annotations

from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from bowstring import _core
from bowstring.columns import as_float, as_option
from bowstring.errors import InvalidInput, UnsupportedType
from bowstring.frames import as_table, is_table, like
from bowstring.report import progress_callback
from bowstring.select.rows import as_floats

Progress: TypeAlias = Any

# What pyarrow's stubs do not know, or know wrongly.
_pa: Any = pa
_pc: Any = pc


def importance(
    retrievals: Any,
    *,
    k: int = 10,
    query: str = "query",
    source: str | None = None,
    utility: str = "utility",
    groups: Any = None,
    steps: int = 50,
    learning_rate: float = 100.0,
    start: Any = 0.5,
    threads: int | None = None,
    progress: Progress = None,
) -> Importance:
    r"""Learn what each source of retrieved rows is worth.

    Each query has ranked sources, and each of them a utility for it: 1 if its answer is right, or
    any number. What counts is the mean utility of the first `k` that are there: `1 / k` of their
    sum. If source i is there with a probability w_i of its own, the expected mean over queries is
    the multilinear extension of that; weights follow its gradient, `w += learning_rate · g`, each
    step brought back into 0 to 1, and those of a group to their mean.

    Parameters
    ----------
    retrievals
        A table with a row a retrieved row, `query, source, utility`, best first within each query,
        or by its column `rank` where it has one, or else by falling `score`; or a row a query,
        where `source` and `utility` are lists. Of pyarrow, polars, pandas, DuckDB, or a dictionary
        of columns.
    k
        How many sources of a query count.
    query, source, utility
        The names of the columns; `source` is `"source"` or, where there is none, `"row"` by
        default.
    groups
        Which group a source belongs to, such as the site of a page: a dictionary, a table of
        `source, group`, or the name of a column of `retrievals`. Others stand for themselves.
    steps
        How often the gradient is followed.
    learning_rate
        How far, in gradients, which are small: each is a mean over all queries.
    start
        The weight that all begin with, or a dictionary from source to weight.
    threads
        Threads to use; all by default. The answer is the same.
    progress
        True for a bar, or a callable that takes the phase, the steps done and their total.

    Returns
    -------
    Importance
        The weights, what they expect, and what dropping sources comes to.

    Raises
    ------
    InvalidInput
        If a query has a source twice, a utility is null or not finite, there are no queries, or an
        option has a value that cannot be meant.
    UnsupportedType
        If `retrievals` is no table of such columns.

    Notes
    -----
    O(M · k) time for each query of M sources and step, whatever the utilities are; memory of some
    40 bytes a retrieved row.

    Examples
    --------
    >>> import bowstring as bow
    >>> retrievals = {"query": [0, 0, 0], "source": ["a", "b", "c"], "utility": [0.0, 1.0, 1.0]}
    >>> worth = bow.select.importance(retrievals, k=1, steps=20, learning_rate=0.5)
    >>> worth.table["source"].to_pylist()
    ['b', 'c', 'a']
    >>> worth.drop()["source"].to_pylist()
    ['a']
    """
    read = _Read(retrievals, query, source, utility, "retrievals")
    held = _Held(read, as_option(k, "k", required=True))
    weights = held.starting(start)
    members = held.groups(groups)
    with progress_callback(progress) as report:
        learned = held.core.learn(
            weights,
            members,
            held.k,
            as_option(steps, "steps", required=True),
            as_float(learning_rate, "learning_rate"),
            as_option(threads, "threads"),
            report,
        )
    return Importance(held, _pa.array(learned), as_option(threads, "threads"), retrievals)


class _Held:
    """Retrievals as the core has them, and the names of sources."""

    def __init__(self, read: _Read, k: int) -> None:
        encoded = read.sources.dictionary_encode()
        self.names: Any = encoded.dictionary
        self.indices = encoded.indices
        self.k = k
        self.core = _core.Retrievals.of(
            read.starts, encoded.indices, read.utilities, len(self.names)
        )
        self._read = read

    def alike(self, retrievals: Any) -> _Held:
        """Hold other retrievals whose columns have the same names."""
        return _Held(_Read(retrievals, *self._read.names, "validation"), self.k)

    def starting(self, start: Any) -> Any:
        """Give the weights that sources begin with."""
        if isinstance(start, dict):
            known = _lookup(start, self.names, "start")
            if known.null_count:
                missing = self.names.filter(_pc.is_null(known))[0].as_py()
                raise InvalidInput(f"start has no weight of {missing!r}: give one for each source")
            return as_floats(known, "start")
        return _pa.array([as_float(start, "start")] * len(self.names), pa.float64())

    def groups(self, groups: Any) -> Any:
        """Give sources the numbers of their groups; None if there are none."""
        if groups is None:
            return None
        if isinstance(groups, str):
            own = self._read.column(groups)
            table = _pa.table({"source": self._read.sources, "group": own})
            table = table.group_by(["source", "group"]).aggregate([])
        elif isinstance(groups, dict):
            names, values = list(groups.keys()), list(groups.values())
            table = _pa.table({"source": _pa.array(names), "group": _pa.array(values)})
        elif is_table(groups):
            table = as_table(groups, "groups")
            if missing := {"source", "group"} - set(table.column_names):
                raise InvalidInput(f"groups has no column {min(missing)!r}: give source and group")
        else:
            raise UnsupportedType(
                f"groups is a {type(groups).__name__}: give a dictionary, a table of source and "
                "group, or the name of a column"
            )
        table = table.combine_chunks()
        if _pc.count_distinct(table["source"]).as_py() != table.num_rows:
            twice = table["source"].value_counts()
            at = _pc.index(_pc.greater(twice.field("counts"), 1), True).as_py()
            name = twice.field("values")[at].as_py()
            raise InvalidInput(f"groups has {name!r} twice: give each source one group")
        named = _matched(self.names, table["source"], "groups")
        group = table["group"].combine_chunks().dictionary_encode().indices
        # Sources of no group come behind all groups, each its own.
        own = _pa.array(range(len(self.names)), pa.int64())
        found = group.cast(pa.int64()).take(named)
        return _pc.coalesce(found, _pc.add(own, table.num_rows)).cast(pa.uint32())


def _matched(names: Any, among: Any, argument: str) -> Any:
    """Find each name among others, which may be of another type of the same kind."""
    among = among.combine_chunks() if isinstance(among, pa.ChunkedArray) else among
    try:
        return _pc.index_in(names, among.cast(names.type)).cast(pa.int64())
    except pa.ArrowException as error:
        raise UnsupportedType(
            f"{argument} has sources of {among.type}, retrievals of {names.type}: {error}"
        ) from None


def _lookup(given: dict[Any, Any], names: Any, argument: str) -> Any:
    places = _matched(names, _pa.array(list(given.keys())), argument)
    return _pa.array(list(given.values())).take(places)


class Importance:
    """What sources are worth, as `importance` learned it."""

    def __init__(self, held: _Held, weights: Any, threads: int | None, data: Any) -> None:
        self._held = held
        self._weights = weights
        self._threads = threads
        self._data = data

    @property
    def table(self) -> Any:
        """`source, importance, count`: the weight, and how many queries have the source.

        The most important first, of equally important ones the first. A polars or pandas frame
        where the retrievals were one.

        Examples
        --------
        >>> import bowstring as bow
        >>> one = {"query": [0, 0], "source": [5, 6], "utility": [0.0, 1.0]}
        >>> worth = bow.select.importance(one, k=1, steps=1, learning_rate=0.5)
        >>> worth.table.to_pylist()[0]
        {'source': 6, 'importance': 0.75, 'count': 1}
        """
        return like(self._ranked(), self._data)

    def _ranked(self) -> Any:
        counts = _pc.value_counts(self._held.indices)
        places = _pa.array(range(len(self._held.names)), pa.int64())
        order = _pc.index_in(places, counts.field("values").cast(pa.int64()))
        table = _pa.table(
            {
                "source": self._held.names,
                "importance": self._weights,
                "count": counts.field("counts").take(order).cast(pa.uint64()),
                "place": places,
            }
        )
        keys: Any = [("importance", "descending"), ("place", "ascending")]
        return table.sort_by(keys).drop_columns(["place"])

    @property
    def expected_utility(self) -> float:
        """The mean utility to expect, with each source there as probably as it is important.

        Examples
        --------
        >>> import bowstring as bow
        >>> one = {"query": [0, 0], "source": ["a", "b"], "utility": [0.0, 1.0]}
        >>> bow.select.importance(one, k=1, steps=0).expected_utility
        0.25
        """
        return self._held.core.utility(self._weights, self._held.k, self._threads)

    def gradient(self) -> Any:
        """Give `source, gradient`: what more of each source adds to the utility to expect.

        Examples
        --------
        >>> import bowstring as bow
        >>> one = {"query": [0, 0], "source": ["a", "b"], "utility": [0.0, 1.0]}
        >>> bow.select.importance(one, k=1, steps=0).gradient()["gradient"].to_pylist()
        [-0.5, 0.5]
        """
        found = _pa.array(self._held.core.gradient(self._weights, self._held.k, self._threads))
        return like(_pa.table({"source": self._held.names, "gradient": found}), self._data)

    def path(self, validation: Any = None) -> Any:
        """Tell what dropping sources comes to, the least important first.

        Parameters
        ----------
        validation
            Other retrievals to measure the utility by, as `importance` takes them; those that were
            learned from by default. Sources that were not learned are kept.

        Returns
        -------
        pyarrow.Table
            `threshold: double, dropped: uint64, utility: double`: sources of at most this
            importance are dropped, how many these are, and the mean utility of the first `k` that
            are left; the first row, with a null threshold, drops none.

        Notes
        -----
        One pass over the retrieved rows, O(log k) each.

        Examples
        --------
        >>> import bowstring as bow
        >>> one = {"query": [0, 0], "source": ["a", "b"], "utility": [0.0, 1.0]}
        >>> worth = bow.select.importance(one, k=1, steps=1, learning_rate=0.5)
        >>> worth.path()["utility"].to_pylist()
        [0.0, 1.0, 0.0]
        """
        return like(self._path(validation), self._data)

    def _path(self, validation: Any) -> Any:
        thresholds = _pc.unique(self._weights)
        thresholds = thresholds.take(_pc.sort_indices(thresholds))
        ranks = _pc.index_in(self._weights, thresholds)
        held = self._held
        if validation is not None:
            held = held.alike(validation)
            # What was not learned outlives everything.
            own = _matched(held.names, self._held.names, "validation")
            ranks = _pc.fill_null(ranks.take(own), len(thresholds))
        path = _pa.array(held.core.drop_path(ranks.cast(pa.uint32()), held.k))
        path = path.to_pylist()[: len(thresholds) + 1]
        # Ranks that no source of the validation has change nothing.
        path += [path[-1]] * (len(thresholds) + 1 - len(path))
        counts = _pc.value_counts(_pc.index_in(self._weights, thresholds))
        by_rank = dict(
            zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True)
        )
        dropped = [0]
        for rank in range(len(thresholds)):
            dropped.append(dropped[-1] + by_rank[rank])
        return _pa.table(
            {
                "threshold": _pa.array([None, *thresholds.to_pylist()], pa.float64()),
                "dropped": _pa.array(dropped, pa.uint64()),
                "utility": _pa.array(path, pa.float64()),
            }
        )

    def drop(self, validation: Any = None) -> Any:
        """Say which sources to drop: the least important ones, as many as leave the most utility.

        Parameters
        ----------
        validation
            As in `path`; the threshold that is best for these.

        Returns
        -------
        pyarrow.Table
            `source, importance, count` of what to drop, the least important first. The schema's
            metadata has `utility_before` and `utility_after`, and `threshold`, the greatest
            importance that is dropped. Of several ways to the same utility, the one that drops
            least. A polars or pandas frame where the retrievals were one, without metadata.

        Examples
        --------
        >>> import bowstring as bow
        >>> one = {"query": [0, 0], "source": ["a", "b"], "utility": [0.0, 1.0]}
        >>> worth = bow.select.importance(one, k=1, steps=1, learning_rate=0.5)
        >>> dropped = worth.drop()
        >>> dropped["source"].to_pylist(), dropped.schema.metadata[b"utility_after"]
        (['a'], b'1.0')
        """
        path = self._path(validation)
        utilities = path["utility"].to_pylist()
        # What is less than rounding is no better.
        room = 1e-12 * max(abs(utility) for utility in utilities)
        best = next(at for at, one in enumerate(utilities) if one >= max(utilities) - room)
        number = path["dropped"][best].as_py()
        ranked = self._ranked()
        least = ranked.slice(ranked.num_rows - number)
        least = least.take(_pa.array(range(number - 1, -1, -1), pa.int64()))
        threshold = path["threshold"][best].as_py()
        least = least.replace_schema_metadata(
            {
                "utility_before": repr(utilities[0]),
                "utility_after": repr(utilities[best]),
                "threshold": "" if threshold is None else repr(threshold),
            }
        )
        return like(least, self._data)


class _Read:
    """Retrievals of any shape, sorted: where queries start, sources, utilities."""

    def __init__(
        self, retrievals: Any, query: str, source: str | None, utility: str, name: str
    ) -> None:
        self.names = (query, source, utility)
        self.starts: Any
        self.sources: Any
        self.utilities: Any
        if isinstance(retrievals, list | tuple) and all(isinstance(r, dict) for r in retrievals):
            retrievals = _pa.Table.from_pylist(list(retrievals))
        table = as_table(retrievals, name)
        if source is None:
            source = (
                "source"
                if "source" in table.column_names or "row" not in table.column_names
                else "row"
            )
        wanted = [source, utility]
        if missing := [one for one in wanted if one not in table.column_names]:
            raise InvalidInput(
                f"{name} has no column {missing[0]!r}: it has {', '.join(table.column_names)}"
            )
        self._table = table
        if _is_list(table[source].type):
            self._of_lists(table, source, utility, name)
        else:
            self._of_rows(table, query, source, utility, name)
        if self.sources.null_count:
            raise InvalidInput(f"{source} has {self.sources.null_count} nulls: drop those rows")
        self.utilities = as_floats(self.utilities, utility)

    def _of_lists(self, table: Any, source: str, utility: str, name: str) -> None:
        sources = table[source].combine_chunks()
        utilities = table[utility].combine_chunks()
        lengths = _pc.list_value_length(sources)
        if not _is_list(utilities.type) or not lengths.equals(_pc.list_value_length(utilities)):
            raise InvalidInput(f"{name} has lists of {source} and {utility} of other lengths")
        if lengths.null_count:
            raise InvalidInput(f"{name} has a null list: give an empty one")
        starts = [0]
        for length in lengths.to_pylist():
            starts.append(starts[-1] + length)
        self.starts = _pa.array(starts, pa.int64())
        self.sources, self.utilities = _plain(sources.flatten()), utilities.flatten()

    def _of_rows(self, table: Any, query: str, source: str, utility: str, name: str) -> None:
        if query not in table.column_names:
            raise InvalidInput(
                f"{name} has no column {query!r}: it has {', '.join(table.column_names)}"
            )
        if table[query].null_count:
            raise InvalidInput(f"{query} has {table[query].null_count} nulls: drop those rows")
        first = table[query].combine_chunks().dictionary_encode()
        place = _pa.array(range(table.num_rows), pa.int64())
        order: Any = [("query", "ascending")]
        keys = {"query": first.indices}
        if "rank" in table.column_names:
            keys["by"] = table["rank"]
            order.append(("by", "ascending"))
        elif "score" in table.column_names:
            keys["by"] = table["score"]
            order.append(("by", "descending"))
        keys["place"] = place
        order.append(("place", "ascending"))
        sorted_by = _pc.sort_indices(_pa.table(keys), sort_keys=order)
        self._table = table = table.take(sorted_by)
        queries = first.indices.take(sorted_by)
        counts = _pc.value_counts(queries).field("counts").to_pylist()
        starts = [0]
        for count in counts:
            starts.append(starts[-1] + count)
        self.starts = _pa.array(starts, pa.int64())
        self.sources, self.utilities = table[source].combine_chunks(), table[utility]

    def column(self, name: str) -> Any:
        """Give another column, a value a retrieved row."""
        if name not in self._table.column_names:
            raise InvalidInput(f"groups is {name!r}, and retrievals has no such column")
        column: Any = self._table[name].combine_chunks()
        if not _is_list(column.type):
            if len(column) != len(self.sources):
                raise InvalidInput(f"groups is {name!r}, which has no list a query: give lists")
            return column
        flat = _plain(column.flatten())
        if len(flat) != len(self.sources):
            raise InvalidInput(f"groups is {name!r}, of other lengths than the sources")
        return flat


def _plain(array: Any) -> Any:
    """Make strings that are views, of which pyarrow takes none, others."""
    plain = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}
    return array.cast(plain.get(array.type, array.type))


def _is_list(type: Any) -> bool:
    types = pa.types
    return types.is_list(type) or types.is_large_list(type) or types.is_fixed_size_list(type)
