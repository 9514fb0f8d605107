"""The index folders of infini-gram (Liu et al. 2024), and its engine's methods over them.

`open` reads a folder as it is: a token index like any other. `InfiniGramEngine` answers what is
written for the class of that name, whose methods, arguments and fields it has.

Examples
--------
>>> from pathlib import Path
>>> import bowstring as bow, tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> _ = (folder / "tokenized.0").write_bytes(bytes([255, 1, 2, 1, 255, 1]))
>>> _ = (folder / "table.0").write_bytes(bytes([5, 1, 3, 2, 4, 0]))
>>> _ = (folder / "offset.0").write_bytes(bytes([0] * 8 + [4] + [0] * 7))
>>> bow.interop.infini_gram.open(folder).text(0)
[1, 2, 1]
>>> engine = bow.interop.infini_gram.InfiniGramEngine(str(folder), eos_token_id=0, token_dtype="u8")
>>> engine.prob([1], 2)
{'prompt_cnt': 3, 'cont_cnt': 1, 'prob': 0.3333333333333333}
"""

from __future__ import annotations

import bisect
import functools
import itertools
import math
import mmap
import os
import random
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import pyarrow as pa

from bowstring import _core
from bowstring.columns import as_numbers, as_option
from bowstring.errors import BowstringError, CorruptIndex, InvalidInput, UnsupportedType
from bowstring.index import Index
from bowstring.language import LanguageModel
from bowstring.overlap import matches

_Arguments = ParamSpec("_Arguments")
_Answer = TypeVar("_Answer")

_WIDTHS = {"u8": 1, "u16": 2, "u32": 4}


class InfiniGramIndex(Index):
    """An index over the tokens in folders that infini-gram wrote; made by `open`.

    It answers what every token index does. Its rows are infini-gram's documents, in the order of
    its `doc_ix`. `append` and `compact` leave the folders as they are, and go on in memory; rows
    keep their numbers, and so their metadata.
    """

    __slots__ = ("_metadata", "_rows")

    def __init__(self, core: _core.Index, folders: Sequence[str]) -> None:
        super().__init__(core)
        shards = [
            path
            for folder in folders
            for path in sorted(Path(folder).iterdir())
            if re.fullmatch(r"tokenized(\.[0-9]+)?", path.name)
        ]
        self._metadata = [_Lines.beside(path) for path in shards]
        counts = [segment.rows for segment in self.info.segments]
        # Where each shard's rows end, whatever is appended or compacted later.
        self._rows = list(itertools.accumulate(counts))

    def metadata(self, rows: Any, columns: str | Sequence[str] | None = None) -> Any:
        r"""Give what `metadata.N` holds of rows: a line of JSON each.

        Parameters
        ----------
        rows
            A row number, or a column of them.
        columns
            None: lines have no columns.

        Returns
        -------
        str or pyarrow.LargeStringArray
            The line, with its end; None, or null, where the row is null, and of an index that
            was written without `--add_metadata`.

        Raises
        ------
        InvalidInput
            If a row is not in the index, or columns are asked for.

        Examples
        --------
        >>> from pathlib import Path
        >>> import bowstring as bow, tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "tokenized.0").write_bytes(bytes([255, 1]))
        >>> _ = (folder / "table.0").write_bytes(bytes([1, 0]))
        >>> _ = (folder / "offset.0").write_bytes(bytes(8))
        >>> _ = (folder / "metaoff.0").write_bytes(bytes(8))
        >>> _ = (folder / "metadata.0").write_text('{"path": "a.jsonl"}\n')
        >>> bow.interop.infini_gram.open(folder).metadata(0)
        '{"path": "a.jsonl"}\n'
        """
        if columns is not None:
            raise InvalidInput(f"columns is {columns!r}: what infini-gram keeps are lines of JSON")
        numbers, one = as_numbers(rows, "rows")
        lines = [None if row is None else self._line(row) for row in numbers.to_pylist()]
        return lines[0] if one else pa.array(lines, pa.large_string())

    def _line(self, row: int) -> str | None:
        shard = bisect.bisect_right(self._rows, row)
        if shard < len(self._rows):
            lines = self._metadata[shard]
            line = row - (self._rows[shard - 1] if shard else 0)
            return lines[line] if lines and line < len(lines) else None
        if row >= (rows := self.info.rows):
            raise InvalidInput(f"rows holds {row}, and the index has {rows} rows")
        return None


class _Lines:
    """The lines of a file of metadata, by the offsets beside it."""

    def __init__(self, text: Path, offsets: Path) -> None:
        self._text, starts = _map(text), _map(offsets)
        if len(starts) % 8:
            raise CorruptIndex(f"{offsets}: {len(starts)} bytes are no offsets of 8 bytes each")
        self._starts = starts.cast("Q")

    @classmethod
    def beside(cls, tokens: Path) -> _Lines | None:
        """Open the lines of a shard, if it has any."""
        text, offsets = (
            tokens.with_name(tokens.name.replace("tokenized", kind, 1))
            for kind in ("metadata", "metaoff")
        )
        return cls(text, offsets) if text.exists() and offsets.exists() else None

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, line: int) -> str:
        stop = self._starts[line + 1] if line + 1 < len(self) else len(self._text)
        return bytes(self._text[self._starts[line] : stop]).decode("utf-8", "replace")


def _map(path: Path) -> memoryview:
    if path.stat().st_size == 0:
        return memoryview(b"")
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def open(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    token_dtype: str | None = None,
) -> InfiniGramIndex:
    """Open an index that infini-gram wrote: memory-mapped, at once, whatever its size.

    Parameters
    ----------
    path
        A folder with `tokenized.N`, `table.N` and `offset.N`, or several whose shards follow one
        another.
    token_dtype
        `"u8"`, `"u16"` or `"u32"`; by default it is read off the separators between documents.

    Returns
    -------
    InfiniGramIndex
        A token index. Its `verify` says whether each table is the suffix array of its tokens: for
        small corpora infini-gram may write one that is not, and where passages of more than 100,000
        bytes repeat, one that is sorted by their first part. O(n) time and 4 bytes a token.

    Raises
    ------
    CorruptIndex
        If the lengths of files do not belong together.
    FileNotFoundError
        If a folder or file is missing.
    IndexFormatError
        If a folder has no such index.
    InvalidInput
        If `token_dtype` is none of the three.

    Notes
    -----
    Questions go straight to the files, O(m + log n) each as in an index of ours, but without its
    keys: `bowstring.index` of the same tokens answers several times faster. Of counts and
    probabilities, infini-gram's and these differ in the ends of documents alone, which are
    continuations here whether asked for or listed.

    Examples
    --------
    >>> from pathlib import Path
    >>> import bowstring as bow, tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "tokenized.0").write_bytes(bytes([255, 1, 2, 1, 255, 1]))
    >>> _ = (folder / "table.0").write_bytes(bytes([5, 1, 3, 2, 4, 0]))
    >>> _ = (folder / "offset.0").write_bytes(bytes([0] * 8 + [4] + [0] * 7))
    >>> bow.interop.infini_gram.open(folder).count([1])
    3
    """
    if token_dtype is not None and (not isinstance(token_dtype, str) or token_dtype not in _WIDTHS):
        raise InvalidInput(f'token_dtype is {token_dtype!r}: give "u8", "u16" or "u32"')
    paths = [path] if isinstance(path, str | os.PathLike) else path
    try:
        folders = [os.fspath(folder) for folder in paths]
    except TypeError:
        folders = [b""]  # type: ignore[list-item]
    if not all(isinstance(folder, str) for folder in folders):
        raise UnsupportedType(f"path is {path!r}: give a folder, or a list of folders")
    if not folders:
        raise InvalidInput("path is empty: give a folder, or several")
    width = None if token_dtype is None else _WIDTHS[token_dtype]
    return InfiniGramIndex(_core.open_infini_gram(folders, width), folders)


def _answered(method: Callable[_Arguments, _Answer]) -> Callable[_Arguments, _Answer]:
    """Give errors of arguments as that engine does: as answers."""

    @functools.wraps(method)
    def answer(*arguments: _Arguments.args, **named: _Arguments.kwargs) -> _Answer:
        try:
            return method(*arguments, **named)
        except (InvalidInput, UnsupportedType) as error:
            return {"error": str(error)}  # type: ignore[return-value]

    return answer


class InfiniGramEngine:
    """Infini-gram's engine, by its methods' names, arguments and fields.

    Every answer is exact, so `approx` is false, and the limits on what is looked at
    (`max_support`, `max_clause_freq`), prefetching and thread blocks are taken and do nothing.
    What else differs: the end of a document is `eos_token_id` in `prob` as in `ntd`; documents are
    drawn by `seed` and without repetition; `unigram_logprob_sum` is always computed; lists of
    tokens that hold the separator's value are refused. `version=5`, reversed documents, is not
    supported, nor are shards shared between engines.

    An argument that cannot be answered gives `{"error": message}`, as there; a damaged folder
    raises.

    Parameters
    ----------
    index_dir
        A folder of infini-gram's, or several.
    eos_token_id
        The token that stands for a document's end.
    vocab_size, token_dtype, bow_ids_path, max_diff_tokens, maxnum, max_disp_len
        As there.
    seed
        Seed of the documents drawn.
    """

    __slots__ = (
        "_defaults",
        "_end",
        "_index",
        "_model",
        "_random",
        "_separator",
        "_vocabulary",
        "_width",
        "_word_starts",
    )

    def __init__(
        self,
        index_dir: str | os.PathLike[str] | Iterable[str],
        eos_token_id: int,
        vocab_size: int = 65535,
        version: int = 4,
        token_dtype: str = "u16",
        load_to_ram: bool = False,
        ds_prefetch_depth: int = 0,
        sa_prefetch_depth: int = 0,
        od_prefetch_depth: int = 0,
        bow_ids_path: str | None = None,
        attribution_block_size: int = 512,
        precompute_unigram_logprobs: bool = False,
        prev_shards_by_index_dir: dict[str, Any] | None = None,
        max_support: int = 1000,
        max_clause_freq: int = 50000,
        max_diff_tokens: int = 100,
        maxnum: int = 1,
        max_disp_len: int = 1000,
        *,
        seed: int = 0,
    ) -> None:
        if version != 4:
            raise InvalidInput(f"version is {version}: documents as they are, version 4, alone")
        if prev_shards_by_index_dir:
            raise InvalidInput("prev_shards_by_index_dir is not supported: mapped files are shared")
        self._end = _number(eos_token_id, "eos_token_id", 0)
        self._vocabulary = _number(vocab_size, "vocab_size", 1)
        if self._end >= self._vocabulary:
            raise InvalidInput(f"eos_token_id is {self._end}, and vocab_size {self._vocabulary}")
        if token_dtype not in ("u8", "u16", "u32"):
            raise InvalidInput(f'token_dtype is {token_dtype!r}: give "u8", "u16" or "u32"')
        one = isinstance(index_dir, str | os.PathLike)
        folders: Any = index_dir if one else list(index_dir)  # type: ignore[arg-type]
        self._index = open(folders, token_dtype=token_dtype)
        self._model = LanguageModel(self._index)
        self._width = _WIDTHS[token_dtype]
        self._separator = 256**self._width - 1
        self._random = random.Random(_number(seed, "seed", 0))
        self._word_starts: set[int] = set()
        if bow_ids_path is not None:
            lines = Path(bow_ids_path).read_text().split()
            if wrong := [line for line in lines if not line.isdecimal()]:
                raise InvalidInput(f"bow_ids_path holds {wrong[0]!r}: give a token a line")
            self._word_starts = set(map(int, lines))
        self._defaults = {
            "max_support": _number(max_support, "max_support", 1),
            "max_clause_freq": _number(max_clause_freq, "max_clause_freq", 1),
            "max_diff_tokens": _number(max_diff_tokens, "max_diff_tokens", 1),
            "maxnum": _number(maxnum, "maxnum", 1),
            "max_disp_len": _number(max_disp_len, "max_disp_len", 1),
        }

    def __repr__(self) -> str:
        return f"<bowstring.interop.infini_gram.InfiniGramEngine of {self._index!r}>"

    def _default(self, value: int | None, name: str) -> int:
        return self._defaults[name] if value is None else _number(value, name, 1)

    def _tokens(self, values: Any, name: str) -> list[int]:
        if not isinstance(values, list):
            raise UnsupportedType(f"{name} is {values!r}: give a list of integers")
        most = self._separator - 1
        for value in values:
            if as_option(value, name, required=True) > most:
                raise InvalidInput(f"{name} holds {value}: tokens are from 0 to {most}")
        return values

    def _clauses(self, cnf: Any) -> list[list[list[int]]]:
        if not (
            isinstance(cnf, list) and cnf and all(isinstance(one, list) and one for one in cnf)
        ):
            raise UnsupportedType(f"cnf is {cnf!r}: give a list of lists of lists of integers")
        return [[self._tokens(text, "cnf") for text in clause] for clause in cnf]

    @_answered
    def find(self, input_ids: list[int]) -> dict[str, Any]:
        """Find the ranks of a text in each shard: `cnt`, `segment_by_shard`."""
        ranks = _core.segment_ranks(self._index._core, self._tokens(input_ids, "input_ids"))
        return {"cnt": sum(end - start for start, end in ranks), "segment_by_shard": ranks}

    @_answered
    def count(self, input_ids: list[int]) -> dict[str, Any]:
        """Count a text's occurrences: `count`, `approx`."""
        return {"count": self._count(self._tokens(input_ids, "input_ids")), "approx": False}

    def _count(self, text: list[int]) -> int:
        ranks = _core.segment_ranks(self._index._core, text)
        return sum(end - start for start, end in ranks)

    @_answered
    def find_cnf(
        self,
        cnf: list[list[list[int]]],
        max_clause_freq: int | None = None,
        max_diff_tokens: int | None = None,
    ) -> dict[str, Any]:
        """Find where texts stand near each other: `cnt`, `approx`, `ptrs_by_shard` in bytes."""
        self._default(max_clause_freq, "max_clause_freq")
        reach = self._default(max_diff_tokens, "max_diff_tokens")
        clauses = self._clauses(cnf)
        found = _core.segment_stretches(self._index._core, clauses, reach)
        pointers = [[place * self._width for place in shard] for shard in found]
        count = sum(map(len, pointers))
        absent = any(not any(map(self._count, clause)) for clause in clauses)
        return {"cnt": count, "approx": False, "ptrs_by_shard": [] if absent else pointers}

    def count_cnf(
        self,
        cnf: list[list[list[int]]],
        max_clause_freq: int | None = None,
        max_diff_tokens: int | None = None,
    ) -> dict[str, Any]:
        """Count where texts stand near each other: `count`, `approx`."""
        found = self.find_cnf(cnf, max_clause_freq, max_diff_tokens)
        return found if "error" in found else {"count": found["cnt"], "approx": False}

    @_answered
    def prob(self, prompt_ids: list[int], cont_id: int) -> dict[str, Any]:
        """Give the share of a prompt that goes on so: `prompt_cnt`, `cont_cnt`, `prob`.

        `prob` is -1.0 where the prompt does not occur.
        """
        answer = self._prob(self._tokens(prompt_ids, "prompt_ids"), cont_id, False)
        del answer["suffix_len"]
        return answer

    @_answered
    def infgram_prob(self, prompt_ids: list[int], cont_id: int) -> dict[str, Any]:
        """Back off, then as `prob`, and `suffix_len`."""
        return self._prob(self._tokens(prompt_ids, "prompt_ids"), cont_id, True)

    def _prob(self, prompt: list[int], token: int, backoff: bool) -> dict[str, Any]:
        core, token = self._index._core, _number(token, "cont_id", 0)
        if token > self._separator:
            raise InvalidInput(f"cont_id is {token}: tokens are from 0 to {self._separator - 1}")
        # The separator is no token: after it, and for the token that stands for it, the ends count.
        asked = None if token == self._separator else token
        length, occurs, count = _core.predict_one(core, prompt, asked, backoff)
        if token == self._end:
            count += _core.predict_one(core, prompt, None, backoff)[2]
        share = count / occurs if occurs else -1.0
        return {"prompt_cnt": occurs, "cont_cnt": count, "prob": share, "suffix_len": length}

    @_answered
    def ntd(self, prompt_ids: list[int], max_support: int | None = None) -> dict[str, Any]:
        """Give what follows a prompt: `prompt_cnt`, `result_by_token_id`, `approx`."""
        self._default(max_support, "max_support")
        answer = self._ntd(self._tokens(prompt_ids, "prompt_ids"), False)
        del answer["suffix_len"]
        return answer

    @_answered
    def infgram_ntd(self, prompt_ids: list[int], max_support: int | None = None) -> dict[str, Any]:
        """Back off, then as `ntd`, and `suffix_len`."""
        self._default(max_support, "max_support")
        return self._ntd(self._tokens(prompt_ids, "prompt_ids"), True)

    def _ntd(self, prompt: list[int], backoff: bool) -> dict[str, Any]:
        length, occurs, _ = _core.predict_one(self._index._core, prompt, None, backoff)
        found = self._model.ntd(prompt[len(prompt) - length :])
        counts: dict[int, int] = {}
        for row in found.to_pylist():
            token = self._end if row["token"] is None else row["token"]
            counts[token] = counts.get(token, 0) + row["count"]
        return {
            "prompt_cnt": occurs,
            "result_by_token_id": {
                token: {"cont_cnt": count, "prob": count / occurs}
                for token, count in sorted(counts.items())
            },
            "approx": False,
            "suffix_len": length,
        }

    @_answered
    def search_docs(
        self, input_ids: list[int], maxnum: int | None = None, max_disp_len: int | None = None
    ) -> dict[str, Any]:
        """Draw documents that hold a text: `cnt`, `approx`, `idxs`, `documents`."""
        shown = self._default(max_disp_len, "max_disp_len")
        ranks = _core.segment_ranks(self._index._core, self._tokens(input_ids, "input_ids"))
        counts = [end - start for start, end in ranks]
        return self._drawn(
            counts, lambda s, nth: self._position(s, ranks[s][0] + nth), maxnum, shown
        )

    @_answered
    def search_docs_cnf(
        self,
        cnf: list[list[list[int]]],
        maxnum: int | None = None,
        max_disp_len: int | None = None,
        max_clause_freq: int | None = None,
        max_diff_tokens: int | None = None,
    ) -> dict[str, Any]:
        """Draw documents that hold texts near each other: fields as `search_docs`."""
        shown = self._default(max_disp_len, "max_disp_len")
        reach = self._default(max_diff_tokens, "max_diff_tokens")
        found = _core.segment_stretches(self._index._core, self._clauses(cnf), reach)
        counts = [len(places) for places in found]
        return self._drawn(counts, lambda s, nth: found[s][nth], maxnum, shown)

    def _drawn(
        self,
        counts: list[int],
        position: Callable[[int, int], int],
        maxnum: int | None,
        shown: int,
    ) -> dict[str, Any]:
        """Draw documents of the places that each shard has so many of."""
        count = sum(counts)
        most = min(count, self._default(maxnum, "maxnum"))
        drawn = self._random.sample(range(count), most)
        places = [_place(counts, index) for index in drawn]
        documents = [self._from(shard, position(shard, nth), shown) for shard, nth in places]
        return {"cnt": count, "approx": False, "idxs": drawn, "documents": documents}

    def _from(self, shard: int, position: int, shown: int) -> dict[str, Any]:
        """Give as much of a document: half of it before a position, and half from there on."""
        return self._document(shard, position, shown // 2, (shown + 1) // 2)

    def _position(self, shard: int, rank: int) -> int:
        rank = _number(rank, "rank", 0)
        core, shard = self._index._core, _number(shard, "s", 0)
        return _core.segment_positions(core, shard, rank, rank + 1)[0]

    def _pointed(self, ptr: int) -> int:
        position, rest = divmod(_number(ptr, "ptr", 0), self._width)
        if rest:
            raise InvalidInput(f"ptr is {ptr}: tokens start at multiples of {self._width}")
        return position

    def _document(self, shard: int, position: int, before: int, behind: int) -> dict[str, Any]:
        """Give the part of a document around a position of a shard."""
        core, shard = self._index._core, _number(shard, "s", 0)
        row, start, stop = _core.segment_row(core, shard, position)
        first = max(start, position - before)
        last = max(first, min(stop, position + behind))
        return self._shown(row, first - start, last - start, stop - start, max(position - first, 0))

    def _shown(self, row: int, start: int, stop: int, length: int, needle: int) -> dict[str, Any]:
        return {
            "doc_ix": row,
            "doc_len": length,
            "disp_len": stop - start,
            "needle_offset": needle,
            "metadata": self._index.metadata(row) or "",
            "token_ids": self._index.text(row, start, stop),
            "blocked": False,
        }

    @_answered
    def get_doc_by_rank(self, s: int, rank: int, max_disp_len: int | None = None) -> dict[str, Any]:
        """Give the document of a suffix, around it."""
        shown = self._default(max_disp_len, "max_disp_len")
        return self._from(s, self._position(s, rank), shown)

    @_answered
    def get_doc_by_ptr(self, s: int, ptr: int, max_disp_len: int | None = None) -> dict[str, Any]:
        """Give the document at a byte of a shard, around it."""
        shown = self._default(max_disp_len, "max_disp_len")
        return self._from(s, self._pointed(ptr), shown)

    @_answered
    def get_doc_by_ix(self, doc_ix: int, max_disp_len: int | None = None) -> dict[str, Any]:
        """Give the first tokens of a document."""
        return self._head(doc_ix, self._default(max_disp_len, "max_disp_len"))

    def _head(self, row: int, shown: int) -> dict[str, Any]:
        row = _number(row, "doc_ix", 0)
        whole: Any = self._index.text(pa.array([row], pa.uint64()))
        length = len(whole.values)
        return self._shown(row, 0, min(shown, length), length, 0)

    @_answered
    def get_doc_by_rank_2(
        self, s: int, rank: int, needle_len: int, max_ctx_len: int
    ) -> dict[str, Any]:
        """Give the document of a suffix, with as much on either side of it."""
        return self._around(s, self._position(s, rank), needle_len, max_ctx_len)

    @_answered
    def get_doc_by_ptr_2(
        self, s: int, ptr: int, needle_len: int, max_ctx_len: int
    ) -> dict[str, Any]:
        """Give the document at a byte of a shard, with as much on either side of it."""
        return self._around(s, self._pointed(ptr), needle_len, max_ctx_len)

    def _around(self, shard: int, position: int, needle: int, context: int) -> dict[str, Any]:
        needle, context = _number(needle, "needle_len", 0), _number(context, "max_ctx_len", 0)
        return self._document(shard, position, context, needle + context)

    @_answered
    def get_doc_by_ix_2(self, doc_ix: int, max_ctx_len: int) -> dict[str, Any]:
        """Give the first tokens of a document."""
        return self._head(doc_ix, _number(max_ctx_len, "max_ctx_len", 0))

    def get_docs_by_ranks(
        self, list_of_s_and_rank: list[tuple[int, int]], max_disp_len: int | None = None
    ) -> Any:
        """Call `get_doc_by_rank` for each."""
        return _each(
            lambda shard, rank: self.get_doc_by_rank(shard, rank, max_disp_len),
            list_of_s_and_rank,
            "list_of_s_and_rank",
        )

    def get_docs_by_ptrs(
        self, list_of_s_and_ptr: list[tuple[int, int]], max_disp_len: int | None = None
    ) -> Any:
        """Call `get_doc_by_ptr` for each."""
        return _each(
            lambda shard, ptr: self.get_doc_by_ptr(shard, ptr, max_disp_len),
            list_of_s_and_ptr,
            "list_of_s_and_ptr",
        )

    def get_docs_by_ixs(self, list_of_doc_ix: list[int], max_disp_len: int | None = None) -> Any:
        """Call `get_doc_by_ix` for each."""
        return _each(
            lambda row: self.get_doc_by_ix(row, max_disp_len),
            ((row,) for row in list_of_doc_ix),
            "list_of_doc_ix",
        )

    def get_docs_by_ranks_2(self, requests: list[tuple[int, int, int, int]]) -> Any:
        """Call `get_doc_by_rank_2` for each."""
        return _each(self.get_doc_by_rank_2, requests, "requests")

    def get_docs_by_ptrs_2(self, requests: list[tuple[int, int, int, int]]) -> Any:
        """Call `get_doc_by_ptr_2` for each."""
        return _each(self.get_doc_by_ptr_2, requests, "requests")

    def get_docs_by_ixs_2(self, requests: list[tuple[int, int]]) -> Any:
        """Call `get_doc_by_ix_2` for each."""
        return _each(self.get_doc_by_ix_2, requests, "requests")

    def get_total_doc_cnt(self) -> int:
        """Count documents."""
        return self._index.info.rows

    @_answered
    def compute_unigram_counts(self, s: int) -> dict[int, int]:
        """Count each token of the vocabulary, and the separator, in a shard."""
        found = _core.segment_continuations(self._index._core, _number(s, "s", 0), [])
        counts = dict.fromkeys(range(self._vocabulary), 0)
        for token, count in found:
            counts[self._separator if token is None else token] = count
        return counts

    @_answered
    def creativity(self, input_ids: list[int]) -> dict[str, Any]:
        """Say for each position where the longest text from there that occurs ends: `rs`."""
        tokens = self._tokens(input_ids, "input_ids")
        rows = pa.array([tokens], pa.large_list(pa.uint32()))
        scores = self._model.score(rows, end=True).table
        reaches: list[int] = scores["suffix_length"].to_pylist()  # type: ignore[assignment]
        stops, stop = [], 0
        for start in range(len(tokens)):
            stop = max(stop, start)
            # The text before a place from which on it occurs starts no later, the further it is.
            while stop < len(tokens) and stop + 1 - reaches[stop + 1] <= start:
                stop += 1
            stops.append(stop)
        return {"rs": stops}

    @_answered
    def attribute(
        self,
        input_ids: list[int],
        delim_ids: list[int],
        min_len: int,
        max_cnt: int,
        enforce_bow: bool,
    ) -> dict[str, Any]:
        """Find the maximal spans that occur: `l, r, length, count, unigram_logprob_sum, docs`."""
        tokens = self._tokens(input_ids, "input_ids")
        found = matches(
            self._index,
            tokens,
            min_length=max(_number(min_len, "min_len", 0), 1),
            max_count=_number(max_cnt, "max_cnt", 1),
            word_starts=self._word_starts if _whether(enforce_bow, "enforce_bow") else None,
            delimiters=self._tokens(delim_ids, "delim_ids"),
        )
        everything = sum(segment.symbols for segment in self._index.info.segments)
        shares = {}
        for token in set(tokens):
            count = self._count([token])
            shares[token] = math.log(count / everything) if count else _ABSENT
        spans = []
        for span in found.select(["start", "stop", "count"]).to_pylist():
            text = tokens[span["start"] : span["stop"]]
            ranks = _core.segment_ranks(self._index._core, text)
            spans.append(
                {
                    "l": span["start"],
                    "r": span["stop"],
                    "length": len(text),
                    "count": span["count"],
                    "unigram_logprob_sum": math.fsum(shares[token] for token in text),
                    "docs": [
                        {"s": shard, "ptr": position * self._width}
                        for shard, (start, end) in enumerate(ranks)
                        for position in _core.segment_positions(
                            self._index._core, shard, start, end
                        )
                    ],
                }
            )
        return {"spans": spans}


# What that engine gives for the logarithm of nothing.
_ABSENT = -10000.0


def _number(value: Any, name: str, least: int) -> int:
    number = as_option(value, name, required=True)
    if not least <= number < 1 << 63:
        raise InvalidInput(f"{name} is {number}: give {least} or more, below 2^63")
    return number


def _whether(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise UnsupportedType(f"{name} is {value!r}: give True or False")
    return value


def _place(counts: Sequence[int], index: int) -> tuple[int, int]:
    """Give the shard that the `index`-th of all is in, and its number there."""
    for shard, count in enumerate(counts):
        if index < count:
            return shard, index
        index -= count
    raise BowstringError(f"index {index} is not among {sum(counts)}")


@_answered
def _each(ask: Callable[..., dict[str, Any]], requests: Iterable[Any], name: str) -> Any:
    """Give all answers; the first error in their place."""
    try:
        found = [ask(*request) for request in requests]
    except TypeError as error:
        raise UnsupportedType(f"{name} is not a list of what is asked for: {error}") from error
    return next((answer for answer in found if "error" in answer), found)
