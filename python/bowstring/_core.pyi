"""The compiled core: what `bowstring.index` builds on. Not a public interface."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, final

__all__ = [
    "Array",
    "Characters",
    "Counted",
    "Evidence",
    "Index",
    "KneserNey",
    "Linkage",
    "Piece",
    "Postings",
    "Retrievals",
    "Run",
    "Sieve",
    "Splits",
    "Table",
    "Vocabulary",
    "Weights",
    "__version__",
    "align",
    "build_profile",
    "cipher_vectors",
    "contamination",
    "cooccurrence",
    "count_hashed",
    "count_ngrams",
    "cover",
    "coverage",
    "cut",
    "distributions",
    "duplicates",
    "extract_numbers",
    "find_phrases",
    "generate",
    "hamming_approximate",
    "hamming_count_pairs",
    "hamming_distances",
    "hamming_nearest",
    "hamming_plan",
    "hamming_search",
    "hamming_sums",
    "hamming_within",
    "held_texts",
    "interpolated",
    "link",
    "link_columns",
    "loops",
    "matches",
    "merge_runs",
    "ncd",
    "nearest",
    "open_infini_gram",
    "order_counts",
    "overlap_keys",
    "predict",
    "predict_one",
    "removals",
    "repetition",
    "resample",
    "row_removals",
    "score",
    "segment",
    "segment_continuations",
    "segment_positions",
    "segment_ranks",
    "segment_row",
    "segment_stretches",
    "select_distances",
    "select_medoids",
    "select_neighbours",
    "select_rows",
    "select_sample",
    "shared",
    "stupid_backoff",
    "vocabulary_of_terms",
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
type _Asked = tuple[Sequence[int], dict[int, int], str | None]
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
        metadata: tuple[int, str | None] | None,
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
        metadata: tuple[int, str | None] | None,
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
        metadata: tuple[int, str | None] | None,
        progress: _Progress | None,
    ) -> Index: ...
    def verify(self, threads: int | None, progress: _Progress | None) -> None: ...
    def info(self) -> dict[str, Any]: ...
    def metadata(self) -> list[tuple[Path, int]]: ...
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
def duplicates(
    data: Index | _Column,
    against: Index | _Column | None,
    min_length: int,
    min_count: int,
    threads: int | None,
    progress: _Progress | None,
) -> Table: ...
def removals(
    column: _Column,
    against: Index | _Column | None,
    min_length: int,
    min_count: int,
    keep: str,
    threads: int | None,
    progress: _Progress | None,
) -> Table: ...
def row_removals(
    column: _Column,
    against: Index | _Column | None,
    min_count: int,
    keep: str,
    threads: int | None,
) -> Table: ...

@final
class Piece:
    @staticmethod
    def of(
        rows: Index | _Column,
        times: int,
        within: bool,
        threads: int | None,
        progress: _Progress | None,
    ) -> Piece: ...
    def meet(
        self,
        others: Index | _Column,
        own: Index | _Column,
        threads: int | None,
        progress: _Progress | None,
    ) -> None: ...
    def passages(self, min_length: int, threads: int | None) -> Table: ...
    def occurrences(
        self,
        rows: Index | _Column,
        row: _Column,
        start: _Column,
        stop: _Column,
        threads: int | None,
    ) -> Table: ...

def loops(
    column: _Column,
    min_length: int,
    min_times: float,
    threads: int | None,
    progress: _Progress | None,
) -> Table: ...
def repetition(
    column: _Column,
    words: _Column | None,
    lengths: _Column | None,
    definition: str,
    filter: bool,
    threads: int | None,
    progress: _Progress | None,
) -> Table: ...
def contamination(
    corpus: Index | _Column,
    texts: _Column,
    items: _Column,
    units: str,
    n: int,
    word_starts: bool,
    short: bool,
    whole: bool,
    skips: int,
    edits: bool,
    left: bool,
    counts: tuple[int, int | None],
    min_match: int,
    threads: int | None,
    progress: _Progress | None,
) -> tuple[Table, Array]: ...
def coverage(
    index: Index,
    texts: _One | _Column,
    lengths: Sequence[int],
    words: bool,
    threads: int | None,
) -> Table: ...
def shared(
    texts: _Column,
    partners: _Column,
    of: _Column,
    words: bool,
    lengths: Sequence[int],
    threads: int | None,
) -> Table: ...
def cut(
    column: _Column, row: _Column, start: _Column, stop: _Column, null: bool, threads: int | None
) -> Array: ...
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
def hamming_distances(
    texts: _Column,
    needles: _Column,
    one: bool,
    asked: _Asked,
    threads: int | None,
    progress: _Progress | None,
) -> Array: ...
def hamming_within(
    texts: _Column,
    needles: _Column,
    many: tuple[bool, bool],
    k: int,
    best: bool,
    disjoint: bool,
    characters: bool,
    asked: _Asked,
    threads: int | None,
    progress: _Progress | None,
) -> Table: ...
def hamming_nearest(
    texts: _Column,
    needles: _Column,
    many: tuple[bool, bool],
    top: int,
    asked: _Asked,
    threads: int | None,
    progress: _Progress | None,
) -> Table: ...
def hamming_plan(
    text: _Column, needle: _Column, asked: _Asked
) -> tuple[int, float, str, list[dict[str, Any]]]: ...
def hamming_approximate(
    text: _Column,
    needle: _Column,
    guarantee: str | None,
    epsilon: float,
    delta: float,
    trials: int,
    verify: int,
    seed: int,
    always: bool,
    asked: _Asked,
    threads: int | None,
    progress: _Progress | None,
) -> tuple[Array, Any, int, int, float, Table]: ...
def hamming_search(index: Index, queries: _One | _Column, k: int, threads: int | None) -> Table: ...
def hamming_sums(
    a: _Column, b: _Column, counted: bool, engine: str | None, progress: _Progress | None
) -> tuple[Table, str]: ...
def hamming_count_pairs(
    a: _Column, b: _Column, targets: _Column, threads: int | None, progress: _Progress | None
) -> Array: ...

@final
class Characters:
    @staticmethod
    def of(
        word: Sequence[tuple[int, int]],
        space: Sequence[tuple[int, int]],
        cased: Sequence[tuple[int, int]],
        ignorable: Sequence[tuple[int, int]],
        lower: dict[int, str],
    ) -> Characters: ...
    def lower(self, text: str) -> str: ...

@final
class Counted:
    def shape(self) -> tuple[int, int]: ...
    def frequencies(self) -> Table: ...
    def matrix(
        self, kept: _Column | None, binary: bool, threads: int | None
    ) -> tuple[Array, Array, Array]: ...
    def run(self, orders: tuple[int, int, bool]) -> Run: ...
    def vocabulary(
        self, kept: _Column | None, analyzer: str, threads: int | None = None
    ) -> Vocabulary: ...

@final
class Run:
    @staticmethod
    def open(path: str, least: int, most: int, whole: bool) -> Run: ...
    def save(self, path: str) -> None: ...
    def shape(self) -> tuple[int, int, int]: ...
    def frequencies(self) -> Table: ...
    def vocabulary(self, kept: _Column | None, analyzer: str) -> Vocabulary: ...

def merge_runs(
    runs: Sequence[Run], orders: tuple[int, int, bool], least: int, most: int
) -> Run: ...

@final
class Vocabulary:
    def __len__(self) -> int: ...
    def names(self) -> Array: ...
    def count(
        self,
        column: _Column,
        characters: Characters,
        lowercase: bool,
        stop_words: set[str],
        binary: bool,
        threads: int | None,
        progress: _Progress | None,
    ) -> tuple[Array, Array, Array]: ...
    def parts(self) -> tuple[Array, Array, Array]: ...
    @staticmethod
    def of_parts(
        words: _Column,
        symbols: _Column,
        lengths: _Column,
        analyzer: str,
        least: int,
        most: int,
    ) -> Vocabulary: ...

def vocabulary_of_terms(
    terms: Sequence[str], analyzer: str, least: int, most: int
) -> Vocabulary: ...
def count_ngrams(
    column: _Column,
    analyzer: str,
    characters: Characters,
    lowercase: bool,
    stop_words: set[str],
    least: int,
    most: int,
    threads: int | None,
    progress: _Progress | None,
) -> Counted: ...
def count_hashed(
    column: _Column,
    analyzer: str,
    characters: Characters,
    lowercase: bool,
    stop_words: set[str],
    least: int,
    most: int,
    hash: str,
    buckets: int,
    threads: int | None,
    progress: _Progress | None,
) -> tuple[Array, Array, Array]: ...

type _Widening = tuple[str, float, float, int, int, float, bool]

@final
class Weights: ...

@final
class Postings:
    @staticmethod
    def build(
        column: _Column,
        analyzer: str,
        characters: Characters,
        lowercase: bool,
        stop_words: set[str],
        threads: int | None,
        progress: _Progress | None,
    ) -> Postings: ...
    @staticmethod
    def open(path: str) -> tuple[Postings, str]: ...
    def save(self, path: str, options: str) -> None: ...
    def shape(self) -> tuple[int, int]: ...
    def joined(self, other: Postings) -> Postings: ...
    def weights(
        self, method: str, idf: str, k1: float, b: float, delta: float, threads: int | None
    ) -> Weights: ...
    def search(
        self,
        weights: Weights,
        queries: _Column,
        analyzer: str,
        characters: Characters,
        lowercase: bool,
        stop_words: set[str],
        k: int,
        allowed: _Column | None,
        widening: _Widening | None,
        threads: int | None,
    ) -> Table: ...

@final
class KneserNey:
    @staticmethod
    def estimate(
        column: _Column,
        analyzer: str,
        characters: Characters,
        lowercase: bool,
        stop_words: set[str],
        order: int,
        threads: int | None,
        progress: _Progress | None,
    ) -> KneserNey: ...
    @staticmethod
    def read_arpa(path: str) -> KneserNey: ...
    def write_arpa(self, path: str) -> None: ...
    def describe(self) -> tuple[list[int], list[tuple[list[float], bool]]]: ...
    def score(
        self,
        column: _Column,
        analyzer: str,
        characters: Characters,
        lowercase: bool,
        stop_words: set[str],
        start: bool,
        stop: bool,
        threads: int | None,
        progress: _Progress | None,
    ) -> Table: ...

def find_phrases(
    column: _Column,
    analyzer: str,
    characters: Characters,
    lowercase: bool,
    stop_words: set[str],
    most: int,
    association: str,
    least_count: int,
    top: int | None,
    threshold: float | None,
    threads: int | None,
    progress: _Progress | None,
) -> tuple[Vocabulary, Table]: ...
def segment(
    phrases: Vocabulary,
    joint: str,
    column: _Column,
    analyzer: str,
    characters: Characters,
    lowercase: bool,
    stop_words: set[str],
    threads: int | None,
    progress: _Progress | None,
) -> tuple[Array, Array, Array, Array]: ...
def cooccurrence(
    column: _Column,
    analyzer: str,
    characters: Characters,
    lowercase: bool,
    stop_words: set[str],
    least_count: int,
    radius: int,
    weight: str,
    threads: int | None,
    progress: _Progress | None,
) -> tuple[Table, Array, Array, Array]: ...
def cipher_vectors(
    column: _Column,
    analyzer: str,
    characters: Characters,
    lowercase: bool,
    stop_words: set[str],
    least_count: int,
    radius: int,
    bits: int,
    concatenate: bool,
    threads: int | None,
    progress: _Progress | None,
) -> tuple[Table, Array, Array]: ...
def nearest(
    vectors: _Column, queries: _Column, width: int, k: int, threads: int | None
) -> Table: ...

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
    memory: int | None,
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
    memory: int | None,
    threads: int | None,
    progress: _Progress | None,
) -> Evidence: ...
def overlap_keys(values: _Column, min_length: int, keys: str, threads: int | None) -> Table: ...
def held_texts(
    texts: _Column, values: _Column, ignore_case: bool, threads: int | None
) -> Array: ...
def extract_numbers(values: _Column, style: str, which: str, threads: int | None) -> Table: ...
def align(
    candidates: _Column,
    target: _Column,
    k: int | None,
    compressor: tuple[str, int | None],
    concatenate: bool,
    threads: int | None,
    progress: _Progress | None,
) -> Table: ...
def ncd(
    a: _Column,
    b: _Column,
    pairs: bool,
    compressor: tuple[str, int | None],
    threads: int | None,
    progress: _Progress | None,
) -> Array: ...
def resample(
    candidates: _Column,
    again: _Column,
    target: _Column,
    analyzer: str,
    characters: Characters,
    lowercase: bool,
    stop_words: set[str],
    least: int,
    most: int,
    hash: str,
    buckets: int,
    smoothing: float,
    k: int | None,
    min_length: int,
    seed: int | None,
    threads: int | None,
    progress: _Progress | None,
) -> Table: ...
def cover(
    rows: _Rows,
    weights: _Column,
    target: _Rows | None,
    allowed: _Column,
    k: int | None,
    threads: int | None,
    progress: _Progress | None,
) -> Table: ...

@final
class Splits:
    @staticmethod
    def of(tokens: _Column, whole: _Column) -> Splits: ...
    def __len__(self) -> int: ...
    def pairs(self) -> tuple[Array, Array, Array]: ...
    def split(
        self,
        rows: _Column,
        proportion: float,
        most: int | None,
        seed: int,
        first_row: int,
        threads: int | None,
        progress: _Progress | None,
    ) -> Array: ...
    def merge(self, rows: _Column, threads: int | None, progress: _Progress | None) -> Array: ...

type _Rows = tuple[_Column | None, _Column | None, _Column, int]

def select_rows(
    data: _Rows,
    function: tuple[str, str, float],
    similarity: str,
    neighbours: int | None,
    weights: _Column | None,
    k: int | None,
    costs: _Column | None,
    budget: float | None,
    initial: _Column,
    method: str,
    epsilon: float,
    seed: int,
    min_gain: float | None,
    partitions: int,
    merge: bool,
    threads: int | None,
    progress: _Progress | None,
) -> Table: ...
def select_neighbours(
    data: _Rows,
    similarity: str,
    k: int,
    symmetric: bool,
    threads: int | None,
    progress: _Progress | None,
) -> tuple[Array, Array, Array]: ...
def select_sample(gains: _Column, k: int, seed: int, threads: int | None) -> Array: ...
def select_medoids(
    candidates: _Rows,
    validation: _Rows | None,
    distance: str,
    k: int,
    exchanges: int,
    threads: int | None,
    progress: _Progress | None,
) -> tuple[Table, float, int]: ...
def select_distances(
    candidates: _Rows, validation: _Rows, distance: str, threads: int | None
) -> Array: ...

@final
class Retrievals:
    """Ranked sources of queries, and what each is worth to its query."""

    @staticmethod
    def of(starts: _Column, sources: _Column, utilities: _Column, count: int) -> Retrievals: ...
    def gradient(self, weights: _Column, k: int, threads: int | None) -> Array: ...
    def utility(self, weights: _Column, k: int, threads: int | None) -> float: ...
    def learn(
        self,
        weights: _Column,
        groups: _Column | None,
        k: int,
        steps: int,
        rate: float,
        threads: int | None,
        progress: _Progress | None,
    ) -> Array: ...
    def drop_path(self, ranks: _Column, k: int) -> Array: ...

@final
class Sieve:
    """Rows of a stream, sieved."""

    @staticmethod
    def of(
        function: tuple[str, str, float],
        reference: _Rows | None,
        similarity: str,
        weights: _Column | None,
        k: int,
        epsilon: float,
    ) -> Sieve: ...
    def add(self, data: _Rows, threads: int | None, progress: _Progress | None) -> None: ...
    def seen(self) -> int: ...
    def table(self) -> Table: ...
