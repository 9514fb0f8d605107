"""Names that are the same without sharing a character, told by the records that they share.

The formulas are those of Libgober and Jerzak ("Linking datasets on organizations using half a
billion open-collaborated records", 2025): from counts n(a, u) of how often name a was seen with
record u, the probability that two names match, the weights of one name for another, and communities
of names, by Markov clustering (van Dongen 2000) or the modularity of the bipartite graph (Clauset,
Newman and Moore 2004).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import pyarrow as pa

from bowstring.columns import as_float, choose
from bowstring.errors import InvalidInput, MissingPackage
from bowstring.frames import as_table, cast_text, is_table, normalised, text_column, values

# What pyarrow's stubs do not know, or know wrongly.
_pa: Any = pa

Method: TypeAlias = Literal["markov", "modularity", "record"]

_ROUNDS = 100
_SMALL = 1e-5


class AliasNetwork:
    """A network of names, each seen with records, such as identifiers or pages.

    Parameters
    ----------
    pairs
        A table of observed pairs: a name, the record it was seen with, and perhaps how often.
    alias, record, count
        Its columns; without a column named by `count`, each row counts once.

    Raises
    ------
    InvalidInput
        If a column is missing, or a count is not above 0.
    UnsupportedType
        If a column is not text.

    Examples
    --------
    >>> import bowstring as bow
    >>> network = bow.link.AliasNetwork({
    ...     "alias": ["Fannie Mae", "Federal National Mortgage Association", "Freddie Mac"],
    ...     "record": ["fnma.com", "fnma.com", "fhlmc.com"],
    ... })
    >>> network.probability("FANNIE MAE", "Federal National Mortgage Association")
    1.0
    """

    def __init__(
        self, pairs: Any, *, alias: str = "alias", record: str = "record", count: str = "count"
    ) -> None:
        table = as_table(pairs, "pairs")
        names = text_column(table, "pairs", alias)
        at = choose(table.column_names, record, "pairs")
        records = cast_text(table.column(at), "pairs").to_pylist()
        counts: list[Any] = [1] * len(names)
        if count in table.column_names:
            counts = table[count].to_pylist()
        elif count != "count":
            raise InvalidInput(f"pairs has no column {count!r}: leave count out, or name one")
        self._shown: dict[str, str] = {}
        self._by_alias: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        self._by_record: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        keys = normalised(names).to_pylist()
        for at, (key, name, of, n) in enumerate(
            zip(keys, names.to_pylist(), records, counts, strict=True)
        ):
            if not key or of is None:
                continue
            if isinstance(n, bool) or not hasattr(n, "__float__") or not n > 0:
                raise InvalidInput(f"count is {n!r} in row {at} of pairs: give numbers above 0")
            self._shown.setdefault(key, name)
            self._by_alias[key][of] += float(n)
            self._by_record[of][key] += float(n)

    @property
    def aliases(self) -> list[str]:
        """The distinct names, as they were first written.

        Examples
        --------
        >>> AliasNetwork({"alias": ["IBM", "ibm"], "record": ["1", "2"]}).aliases
        ['IBM']
        """
        return list(self._shown.values())

    def probability(self, left: str, right: str) -> float:
        """Give the probability that two names mean the same record: sum of P(u|a) P(u|b).

        0 if either was never seen.

        Examples
        --------
        >>> seen = {"alias": ["a", "a", "b"], "record": ["1", "2", "1"], "count": [3, 1, 5]}
        >>> AliasNetwork(seen).probability("a", "b")
        0.75
        """
        a, b = self._records(left), self._records(right)
        if not a or not b:
            return 0.0
        whole = sum(a.values()) * sum(b.values())
        return sum(n * b[record] for record, n in a.items() if record in b) / whole

    def weight(self, left: str, right: str) -> float:
        """Give how much of the right name's records the left one accounts for.

        Sum over records u of n(a,u)/n(u) · n(u,b)/n(b); not symmetrical: a part of an organisation
        points to the whole, and the whole hardly to the part. 0 if either was never seen.

        Examples
        --------
        >>> seen = {"alias": ["lab", "university"], "record": ["1", "1"], "count": [1, 9]}
        >>> network = AliasNetwork(seen)
        >>> network.weight("university", "lab"), network.weight("lab", "university")
        (0.9, 0.1)
        """
        a, b = self._records(left), self._records(right)
        if not a or not b:
            return 0.0
        whole = sum(b.values())
        return sum(
            n / sum(self._by_record[record].values()) * b[record] / whole
            for record, n in a.items()
            if record in b
        )

    def _records(self, name: str) -> dict[str, float]:
        key = normalised(_pa.array([name], pa.large_string()))[0].as_py()
        return self._by_alias.get(key, {})

    def clusters(self, method: Method = "markov", *, inflation: float = 2.0) -> pa.Table:
        """Gather names that mean the same.

        Parameters
        ----------
        method
            `"markov"`: Markov clustering of the weights between names, expansion 2.
            `"modularity"`: communities of greatest modularity of names and records, greedily.
            `"record"`: names that share a record, directly or by others.
        inflation
            Of Markov clustering: the higher, the smaller the clusters.

        Returns
        -------
        pyarrow.Table
            `alias: large_string, cluster: uint64`, clusters numbered in the order of their names.

        Raises
        ------
        InvalidInput
            If the method is not known, or the inflation not above 1.
        MissingPackage
            If scipy (`"markov"`) or networkx (`"modularity"`) is not installed.

        Examples
        --------
        >>> seen = {"alias": ["a", "b", "c"], "record": ["1", "1", "2"]}
        >>> AliasNetwork(seen).clusters("record")["cluster"].to_pylist()
        [0, 0, 1]
        """
        keys = list(self._shown)
        if method == "markov":
            groups = self._markov(keys, inflation)
        elif method == "modularity":
            groups = self._modularity(keys)
        elif method == "record":
            groups = self._connected(keys)
        else:
            raise InvalidInput(f'method is {method!r}: give "markov", "modularity" or "record"')
        numbers: dict[int, int] = {}
        found = [numbers.setdefault(groups[key], len(numbers)) for key in keys]
        made: pa.Table = _pa.table(
            {
                "alias": _pa.array(self._shown.values(), pa.large_string()),
                "cluster": _pa.array(found, pa.uint64()),
            }
        )
        return made

    def _connected(self, keys: Sequence[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for number, key in enumerate(keys):
            waiting = [key]
            while waiting:
                name = waiting.pop()
                if name not in found:
                    found[name] = number
                    for record in self._by_alias[name]:
                        waiting += self._by_record[record]
        return found

    def _markov(self, keys: Sequence[str], inflation: float) -> dict[str, int]:
        try:
            import numpy as np
            from scipy import sparse
            from scipy.sparse.csgraph import connected_components
        except ImportError as error:
            raise MissingPackage(
                f'method "markov" needs scipy ({error}): pip install "bowstring[link]"'
            ) from error
        if not as_float(inflation, "inflation") > 1:
            raise InvalidInput(f"inflation is {inflation}: give a number above 1")
        if not keys:
            return {}
        places = {key: at for at, key in enumerate(keys)}
        records = {record: at for at, record in enumerate(self._by_record)}
        entries = [
            (places[key], records[record], n)
            for key, seen in self._by_alias.items()
            for record, n in seen.items()
        ]
        rows, columns, seen_counts = (list(part) for part in zip(*entries, strict=True))
        counts = sparse.csr_matrix((seen_counts, (rows, columns)), shape=(len(keys), len(records)))

        def scaled(matrix: Any) -> Any:
            sums = np.asarray(matrix.sum(axis=0)).ravel()
            return matrix @ sparse.diags(1 / np.where(sums > 0, sums, 1))

        # n(a,u)/n(u) times n(u,b)/n(b): its columns add up to 1.
        flow = scaled(counts) @ scaled(counts.T.tocsr())
        for _ in range(_ROUNDS):
            new = scaled((flow @ flow).power(inflation)).tocsr()
            new.data[new.data < _SMALL] = 0
            new.eliminate_zeros()
            new = scaled(new).tocsr()
            change = abs(new - flow)
            flow = new
            if change.nnz == 0 or change.max() < _SMALL:
                break
        _, labels = connected_components(flow, directed=False)
        return dict(zip(keys, labels.tolist(), strict=True))

    def _modularity(self, keys: Sequence[str]) -> dict[str, int]:
        try:
            import networkx as nx
        except ImportError as error:
            raise MissingPackage(
                f'method "modularity" needs networkx ({error}): pip install "bowstring[link]"'
            ) from error
        graph = nx.Graph()
        for key, seen in self._by_alias.items():
            for record, n in seen.items():
                graph.add_edge(("alias", key), ("record", record), weight=n)
        found: dict[str, int] = {}
        if graph.number_of_edges():
            communities = nx.community.greedy_modularity_communities(graph, weight="weight")
            for number, community in enumerate(communities):
                found |= {name: number for kind, name in community if kind == "alias"}
        return found

    def link(
        self,
        left: Any,
        right: Any,
        on: str | None = None,
        *,
        left_on: str | None = None,
        right_on: str | None = None,
        method: Method = "markov",
        penalty: float = 1.5,
        threshold: float = 0.7,
        candidates: int = 20,
        threads: int | None = None,
    ) -> pa.Table:
        """Find which names mean the same, directly or by way of the network.

        Parameters
        ----------
        left, right
            Columns of names, or tables.
        on, left_on, right_on
            The columns of the tables.
        method
            How `clusters` gathers names.
        penalty
            What a way through the network costs more than a direct one.
        threshold
            The least score of a match, 1 less its distance.
        candidates, threads
            As of `link`.

        Returns
        -------
        pyarrow.Table
            `left: uint64, right: uint64, score: double, via: large_string`, the best answer to each
            row on the left: the score is 1 - min(d(left, right), penalty · max(d(left, a),
            d(right, b))) over aliases a and b of one cluster, d being 1 less the similarity of
            names; `via` is a where the network gave it, and null where the names did.

        Raises
        ------
        InvalidInput
            If an option cannot be meant, or a table has no such column.
        UnsupportedType
            If a column is not text.

        Examples
        --------
        >>> network = AliasNetwork({
        ...     "alias": ["Fannie Mae", "Federal National Mortgage Association"],
        ...     "record": ["fnma.com", "fnma.com"],
        ... })
        >>> other = ["Federal National Mortgage Assoc"]
        >>> found = network.link(["FANNIE MAE"], other, method="record")
        >>> found["via"].to_pylist()
        ['Fannie Mae']
        """
        from bowstring import link as linking

        if not as_float(penalty, "penalty") >= 1:
            raise InvalidInput(f"penalty is {penalty}: give 1 or more")
        if not 0 <= as_float(threshold, "threshold") <= 1:
            raise InvalidInput(f"threshold is {threshold}: give a number from 0 to 1")
        sides = [
            text_column(as_table(data, name), name, column)
            if is_table(data)
            else text_column(data, name)
            for data, name, column in (
                (left, "left", left_on or on),
                (right, "right", right_on or on),
            )
        ]
        least = max(0.0, 1 - (1 - threshold) / penalty)
        options: dict[str, Any] = {"candidates": candidates, "threads": threads}
        direct = linking.link(*sides, threshold=threshold, **options).matches
        best: dict[int, tuple[float, int, str | None]] = {}
        for i, j, score in values(direct, *_COLUMNS):
            best[i] = (score, j, None)
        clusters = self.clusters(method)
        names = clusters["alias"].to_pylist()
        cluster = clusters["cluster"].to_pylist()
        near: list[dict[int, dict[int, tuple[float, int]]]] = []
        for side in sides:
            held: dict[int, dict[int, tuple[float, int]]] = defaultdict(dict)
            if names and len(side):
                found = linking.link(
                    side, _pa.array(names), relation="many", threshold=least, **options
                ).matches
                for row, a, score in values(found, *_COLUMNS):
                    known = held[cluster[a]].get(row)
                    if known is None or score > known[0]:
                        held[cluster[a]][row] = (score, a)
            near.append(held)
        for number, rows in near[0].items():
            others = near[1].get(number, {})
            if not others:
                continue
            # The nearest one answers every row best.
            j, (other, _) = min(others.items(), key=lambda one: (-one[1][0], one[0]))
            for i, (own, a) in rows.items():
                score = 1 - penalty * max(1 - own, 1 - other)
                known_score, known_j, _ = best.get(i, (-1.0, 0, None))
                if score >= threshold and (score, -j) > (known_score, -known_j):
                    best[i] = (score, j, names[a])
        rows_found = [(i, best[i][1], best[i][0], best[i][2]) for i in sorted(best)]
        types = (pa.uint64(), pa.uint64(), pa.float64(), pa.large_string())
        columns = zip(*rows_found, strict=True) if rows_found else ([], [], [], [])
        arrays = [_pa.array(list(c), t) for c, t in zip(columns, types, strict=True)]
        made: pa.Table = _pa.table(arrays, names=["left", "right", "score", "via"])
        return made


_COLUMNS = ("left", "right", "score")
