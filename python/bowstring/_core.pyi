"""The compiled core: what `bowstring.index` builds on. Not a public interface."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, final

__all__ = [
    "Array",
    "Evidence",
    "Index",
    "Linkage",
    "Table",
    "__version__",
    "build_profile",
    "distributions",
    "extract_numbers",
    "generate",
    "held_texts",
    "interpolated",
    "link",
    "link_columns",
    "matches",
    "open_infini_gram",
    "order_counts",
    "overlap_keys",
    "predict",
    "predict_one",
    "score",
    "segment_continuations",
    "segment_positions",
    "segment_ranks",
    "segment_row",
    "segment_stretches",
    "stupid_backoff",
]

__version__: str
build_profile: str

class _ArrowStream(Protocol):
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

class _ArrowArray(Protocol):
    def __arrow_c_array__(
        self, requested_schema: object | None = None
    ) -> tuple[object, object]: ...

type _Column = _ArrowStream | _ArrowArray
type _One = str | bytes | Sequence[int]
type _Progress = Callable[[str, int, int | None], object]

@final
class Array:
    """One Arrow array, lent through the C data interface without a copy."""

    def __arrow_c_array__(
        self, requested_schema: object | None = None
    ) -> tuple[object, object]: ...
    def __len__(self) -> int: ...

@final
class Table:
    """One Arrow table, lent through the C stream interface without a copy."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def __len__(self) -> int: ...

@final
class Index:
    @staticmethod
    def build(
        column: _Column,
        path: str | None,
        kind: str,
        profile: str | None,
        memory: int | None,
        threads: int | None,
        segment_symbols: int | None,
        overwrite: bool,
        expected: int | None,
        progress: _Progress | None,
    ) -> Index: ...
    @staticmethod
    def open(path: str) -> Index: ...
    def append(
        self,
        column: _Column,
        memory: int | None,
        threads: int | None,
        segment_symbols: int | None,
        expected: int | None,
        progress: _Progress | None,
    ) -> None: ...
    def compact(
        self, memory: int | None, threads: int | None, progress: _Progress | None
    ) -> None: ...
    def convert(
        self,
        kind: str,
        profile: str | None,
        path: str | None,
        memory: int | None,
        threads: int | None,
        segment_symbols: int | None,
        overwrite: bool,
        progress: _Progress | None,
    ) -> Index: ...
    def verify(self, threads: int | None, progress: _Progress | None) -> None: ...
    def info(self) -> dict[str, Any]: ...
    def count(self, query: _One) -> int: ...
    def count_many(self, queries: _Column, threads: int | None) -> Array: ...
    def locate(
        self, queries: _One | _Column, limit: int | None, seed: int | None, threads: int | None
    ) -> Table: ...
    def rows(self, queries: _One | _Column, limit: int | None, threads: int | None) -> Table: ...
    def context(
        self,
        queries: _One | _Column,
        width: int,
        limit: int | None,
        seed: int | None,
        threads: int | None,
    ) -> Table: ...
    def text(
        self,
        rows: _Column,
        start: _Column | None,
        stop: _Column | None,
        threads: int | None,
    ) -> Array: ...
    def search(
        self,
        queries: str | Sequence[Sequence[_One]] | _Column,
        within: int | None,
        limit: int | None,
        max_matches: int | None,
        seed: int,
        threads: int | None,
    ) -> Table: ...

def predict_one(
    index: Index, prompt: _One, next: int | _One | None, backoff: bool
) -> tuple[int, int, int]: ...
def predict(
    index: Index,
    prompts: _One | _Column,
    next: int | _One | _Column | None,
    backoff: bool,
    threads: int | None,
) -> Table: ...
def distributions(
    index: Index,
    prompts: _One | _Column,
    backoff: bool,
    max_support: int | None,
    seed: int,
    threads: int | None,
) -> Table: ...
def score(
    index: Index, rows: _Column, order: int | None, ends: bool, threads: int | None
) -> Table: ...
def order_counts(
    index: Index,
    contexts: _One | _Column,
    orders: Sequence[int],
    candidates: _Column,
    lengths: _Column | None,
    threads: int | None,
) -> Table: ...
def stupid_backoff(
    index: Index,
    prompts: _One | _Column,
    next: int | _One | _Column | None,
    order: int,
    alpha: float,
    threads: int | None,
) -> Array: ...
def interpolated(
    index: Index,
    prompts: _One | _Column,
    next: int | _One | _Column | None,
    weights: Sequence[tuple[int, float]],
    threads: int | None,
) -> Array: ...
def matches(
    index: Index,
    texts: _One | _Column,
    min_length: int,
    max_count: int | None,
    words: bool,
    word_starts: set[int] | None,
    delimiters: set[int],
    density: float | None,
    threads: int | None,
) -> Table: ...
def generate(
    index: Index,
    prompts: _One | _Column,
    length: int,
    temperature: float,
    seed: int,
    threads: int | None,
) -> Array: ...
def open_infini_gram(directories: Sequence[str], width: int | None) -> Index: ...
def segment_continuations(
    index: Index, segment: int, text: Sequence[int]
) -> list[tuple[int | None, int]]: ...
def segment_positions(index: Index, segment: int, start: int, end: int) -> list[int]: ...
def segment_ranks(index: Index, text: Sequence[int]) -> list[tuple[int, int]]: ...
def segment_row(index: Index, segment: int, position: int) -> tuple[int, int, int]: ...
def segment_stretches(
    index: Index, clauses: Sequence[Sequence[Sequence[int]]], reach: int
) -> list[list[int]]: ...

@final
class Linkage:
    """Two columns of names, linked."""

    def pairs(self) -> Table: ...
    def threshold(self) -> float: ...
    def explain(self, left: int, right: int) -> tuple[float, float, Table]: ...

@final
class Evidence:
    """The rows of two tables, linked by the evidence of their columns."""

    def pairs(self) -> Table: ...
    def threshold(self) -> float: ...
    def prior(self) -> float: ...
    def agreements(self) -> Table: ...
    def explain(self, left: int, right: int) -> Table: ...

def link(
    left: _Column,
    right: _Column | None,
    relation: str,
    candidates: int,
    min_cosine: float,
    threshold: float | None,
    symmetric: bool,
    threads: int | None,
    progress: _Progress | None,
) -> Linkage: ...
def link_columns(
    left: Sequence[_Column],
    right: Sequence[_Column] | None,
    relation: str,
    candidates: int,
    min_cosine: float,
    threshold: float | None,
    threads: int | None,
    progress: _Progress | None,
) -> Evidence: ...
def overlap_keys(values: _Column, min_length: int, keys: str, threads: int | None) -> Table: ...
def held_texts(
    texts: _Column, values: _Column, ignore_case: bool, threads: int | None
) -> Array: ...
def extract_numbers(values: _Column, style: str, which: str, threads: int | None) -> Table: ...
