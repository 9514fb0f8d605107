"""The compiled core: what `bowstring.index` builds on. Not a public interface."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, final

__version__: str
build_profile: str

class ArrowStream(Protocol):
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

class ArrowArray(Protocol):
    def __arrow_c_array__(
        self, requested_schema: object | None = None
    ) -> tuple[object, object]: ...

type Column = ArrowStream | ArrowArray
type One = str | bytes | Sequence[int]
type Progress = Callable[[str, int, int | None], object]

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
        column: Column,
        path: str | None,
        memory: int | None,
        threads: int | None,
        segment_symbols: int | None,
        overwrite: bool,
        expected: int | None,
        progress: Progress | None,
    ) -> Index: ...
    @staticmethod
    def open(path: str) -> Index: ...
    def append(
        self,
        column: Column,
        memory: int | None,
        threads: int | None,
        segment_symbols: int | None,
        expected: int | None,
        progress: Progress | None,
    ) -> None: ...
    def compact(
        self, memory: int | None, threads: int | None, progress: Progress | None
    ) -> None: ...
    def verify(self, threads: int | None, progress: Progress | None) -> None: ...
    def info(self) -> dict[str, Any]: ...
    def count(self, query: One) -> int: ...
    def count_many(self, queries: Column, threads: int | None) -> Array: ...
    def locate(
        self, queries: One | Column, limit: int | None, seed: int | None, threads: int | None
    ) -> Table: ...
    def rows(self, queries: One | Column, limit: int | None, threads: int | None) -> Table: ...
    def context(
        self,
        queries: One | Column,
        width: int,
        limit: int | None,
        seed: int | None,
        threads: int | None,
    ) -> Table: ...
    def text(
        self,
        rows: Column,
        start: Column | None,
        stop: Column | None,
        threads: int | None,
    ) -> Array: ...
    def search(
        self,
        queries: str | Sequence[Sequence[One]] | Column,
        within: int | None,
        limit: int | None,
        max_matches: int | None,
        seed: int,
        threads: int | None,
    ) -> Table: ...
