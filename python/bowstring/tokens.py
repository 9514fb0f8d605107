"""Tokens split at random into smaller ones of the same bytes, and merged back into bytes.

`stochastic_split` is StochasTok (Sims et al. 2025): a language model that sees tokens split now and
then learns what they are made of.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from bowstring import _core
from bowstring.columns import BYTES, TOKENS, Source, as_column, as_float, as_option, widest
from bowstring.errors import InvalidInput, UnsupportedType
from bowstring.frames import library
from bowstring.report import progress_callback

# What pyarrow's stubs do not know, or know wrongly.
_pa: Any = pa

_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_BLANK = "▁"

SOURCES = (
    "give a tokenizer of `tokenizers` or `transformers`, an encoding of `tiktoken`, the path of a "
    "tokenizer.json or .tiktoken file, or a mapping of bytes to numbers"
)


class Vocabulary:
    """The bytes of each token, and every pair of tokens that it splits into.

    Make one, and give it to every call: the pairs are looked for once.

    Parameters
    ----------
    tokens
        A mapping of tokens to their numbers, or the tokens in the order of their numbers, None
        where there is none. Tokens are bytes, or text that stands for its UTF-8.
    special
        Tokens, or their numbers, that neither split nor are parts of others.

    Raises
    ------
    InvalidInput
        If there are no tokens, one is empty, or two have one number.
    UnsupportedType
        If tokens are neither bytes nor text.

    Notes
    -----
    A token splits wherever both parts are tokens, whether the tokenizer would merge them or not. Of
    several tokens of the same bytes the one of the lowest number is the part. O(bytes of all tokens
    · lengths that tokens have) time.

    Examples
    --------
    >>> from bowstring import tokens
    >>> tokens.Vocabulary([b"a", b"b", b"ab", b"abb"]).splits().to_pylist()
    [{'token': 2, 'left': 0, 'right': 1}, {'token': 3, 'left': 2, 'right': 1}]
    """

    def __init__(self, tokens: Any, *, special: Iterable[Any] = ()) -> None:
        by_number = _by_number(tokens)
        wholes = set(special)
        least, most = min(by_number, default=0), max(by_number, default=-1)
        if least < 0:
            raise InvalidInput(f"vocabulary has token number {least}: give numbers from 0 on")
        if most >= 1 << 24 and most >= 64 * len(by_number):
            raise InvalidInput(
                f"vocabulary has token number {most} and {len(by_number)} tokens: give numbers "
                "that are close to each other"
            )
        column: list[bytes | None] = [None] * (most + 1)
        whole = [False] * (most + 1)
        for number, token in by_number.items():
            column[number] = token.encode() if isinstance(token, str) else bytes(token)
            whole[number] = number in wholes or token in wholes
        self._core = _core.Splits.of(_pa.array(column, BYTES), _pa.array(whole, pa.bool_()))

    def __len__(self) -> int:
        """Give how many numbers there are, those of no token included."""
        return len(self._core)

    @classmethod
    def of(cls, source: Any) -> Vocabulary:
        """Take the vocabulary of a tokenizer, an encoding, or a file of one.

        Parameters
        ----------
        source
            A `tokenizers.Tokenizer`, a fast tokenizer of `transformers`, a `tiktoken.Encoding`, the
            path of a `tokenizer.json` or of a `.tiktoken` file, a `Vocabulary`, or what
            `Vocabulary` takes.

        Returns
        -------
        Vocabulary
            Its special tokens never split. Of byte-level BPE tokens are the bytes that they stand
            for; of SentencePiece and Unigram `▁` is a blank, and `<0x0A>` a byte; of WordPiece a
            token without `##` begins with a blank.

        Raises
        ------
        InvalidInput
            If a file is none of these.
        UnsupportedType
            If the source is nothing of the kind.

        Examples
        --------
        >>> from bowstring import tokens
        >>> len(tokens.Vocabulary.of({b"a": 0, b"b": 1, b"ab": 2}))
        3
        """
        if isinstance(source, Vocabulary):
            return source
        source = getattr(source, "backend_tokenizer", source)
        if hasattr(source, "_mergeable_ranks"):  # tiktoken
            special = dict(getattr(source, "_special_tokens", {}))
            return cls({**source._mergeable_ranks, **special}, special=special)
        if hasattr(source, "to_str") and hasattr(source, "token_to_id"):  # tokenizers
            return _of_tokenizer(json.loads(source.to_str()), "vocabulary")
        if isinstance(source, str | os.PathLike):
            return _of_file(Path(source))
        if isinstance(source, Mapping | list | tuple | pa.Array | pa.ChunkedArray):
            return cls(source)
        raise UnsupportedType(f"vocabulary is a {type(source).__name__}: {SOURCES}")

    def splits(self) -> pa.Table:
        """List every pair that each token splits into.

        Returns
        -------
        pyarrow.Table
            `token: uint32, left: uint32, right: uint32`, by token and then the length of the left
            part.

        Examples
        --------
        >>> from bowstring import tokens
        >>> tokens.Vocabulary({b"a": 0, b"aa": 1}).splits().num_rows
        1
        """
        names = ("token", "left", "right")
        parts = [_pa.array(part) for part in self._core.pairs()]
        return pa.table(dict(zip(names, parts, strict=True)))


def stochastic_split(
    tokens: Any,
    vocabulary: Any,
    proportion: float = 0.1,
    seed: int = 0,
    *,
    column: str | None = None,
    max_splits: int | None = None,
    first_row: int = 0,
    threads: int | None = None,
    progress: Any = None,
) -> Any:
    """Split tokens at random into pairs of tokens of the same bytes.

    Of each row of n tokens, `int(n * proportion)` times a place of the row as it is by then is
    drawn; the token there is replaced by one of the pairs that it splits into, each as likely, or
    stays if it has none.

    Parameters
    ----------
    tokens
        A column of lists of token numbers: an array, a Series, lists, a frame and `column`, or the
        path of a file.
    vocabulary
        What tokens are made of: a `Vocabulary`, or what `Vocabulary.of` takes.
    proportion
        Draws for each token of a row, from 0 on.
    seed
        The draw. What becomes of a row depends on the seed and its number alone.
    column
        The name of the column, where there are several.
    max_splits
        The most splits of a row; no limit by default.
    first_row
        The number of the first row, so that a column in parts becomes what it would as a whole.
    threads
        Threads to use; all by default.
    progress
        True for a bar, or a callable that takes the phase, the rows done and their total.

    Returns
    -------
    pyarrow.LargeListArray
        A list for each row, of the type of whole numbers that was given; null where the row is. A
        polars or pandas Series if the tokens are of polars or pandas.

    Raises
    ------
    InvalidInput
        If a row holds a number that no token has, or an option has a value that it cannot have.
    UnsupportedType
        If the column holds no lists of whole numbers.

    Notes
    -----
    Sims et al. (2025), StochasTok: Improving fine-grained subword understanding in LLMs, whose
    program draws from the same distribution. O(tokens · (1 + proportion)) time, however long a row.

    Examples
    --------
    >>> from bowstring import tokens
    >>> vocabulary = tokens.Vocabulary([b"a", b"b", b"ab"])
    >>> tokens.stochastic_split([[2, 2, 1], None], vocabulary, proportion=9.0).to_pylist()
    [[0, 1, 0, 1, 1], None]
    """
    share = as_float(proportion, "proportion")
    number = as_option(seed, "seed", required=True)
    most = as_option(max_splits, "max_splits")
    first = as_option(first_row, "first_row", required=True)
    source, type = _column(tokens, column)
    core = Vocabulary.of(vocabulary)._core
    with progress_callback(progress, source) as report:
        found = core.split(
            source.stream, share, most, number, first, as_option(threads, "threads"), report
        )
    lists = _pa.array(found)
    if type is not None and type != pa.uint32():
        lists = lists.cast(pa.large_list(type))
    return _like(lists, tokens, column)


def merge(
    tokens: Any,
    vocabulary: Any,
    *,
    column: str | None = None,
    threads: int | None = None,
    progress: Any = None,
) -> Any:
    """Put the bytes of each row's tokens end to end: the inverse of every way to split them.

    Parameters
    ----------
    tokens, vocabulary, column, threads, progress
        As in `stochastic_split`.

    Returns
    -------
    pyarrow.LargeBinaryArray
        The bytes of each row; null where the row is. `.cast("large_string")` where they are text.
        A polars or pandas Series if the tokens are of polars or pandas.

    Raises
    ------
    InvalidInput
        If a row holds a number that no token has.
    UnsupportedType
        If the column holds no lists of whole numbers.

    Examples
    --------
    >>> from bowstring import tokens
    >>> tokens.merge([[0, 1], [2]], [b"a", b"b", b"ab"]).to_pylist()
    [b'ab', b'ab']
    """
    source, _ = _column(tokens, column)
    core = Vocabulary.of(vocabulary)._core
    with progress_callback(progress, source) as report:
        found = core.merge(source.stream, as_option(threads, "threads"), report)
    return _like(_pa.array(found), tokens, column)


def _column(tokens: Any, column: str | None) -> tuple[Source, Any]:
    """Find the column, and the type of its numbers."""
    source = as_column(tokens, column, "tokens")
    type = getattr(source.stream, "type", None)
    if type is None:
        return source, None
    if pa.types.is_null(type):  # no row has a token
        held = _pa.nulls(source.rows or 0, TOKENS)
        return Source(held, source.rows, source.nbytes), pa.int64()
    if widest(type) != TOKENS:
        raise UnsupportedType(f"tokens is a column of {type}: give lists of token numbers")
    return source, type.value_type


def _like(found: Any, tokens: Any, column: str | None) -> Any:
    """Give an array back as a Series of the library that asked."""
    match library(tokens):
        case "polars":
            polars = sys.modules["polars"]
            return polars.Series(column or getattr(tokens, "name", "") or "", found)
        case "pandas":
            pandas = sys.modules["pandas"]
            name = column if column is not None else getattr(tokens, "name", None)
            index = getattr(tokens, "index", None)
            return pandas.Series(found, index=index, name=name, dtype=pandas.ArrowDtype(found.type))
    return found


def _by_number(tokens: Any) -> dict[int, Any]:
    if isinstance(tokens, pa.Array | pa.ChunkedArray):
        tokens = tokens.to_pylist()
    found: dict[int, Any] = {}
    if isinstance(tokens, Mapping):
        for token, number in tokens.items():
            number = as_option(number, f"the number of token {token!r}", required=True)
            if number in found:
                raise InvalidInput(
                    f"vocabulary has {found[number]!r} and {token!r} as token {number}: give each "
                    "number once"
                )
            found[number] = token
    elif isinstance(tokens, list | tuple):
        found = {number: token for number, token in enumerate(tokens) if token is not None}
    else:
        raise UnsupportedType(f"vocabulary is a {type(tokens).__name__}: {SOURCES}")
    for number, token in found.items():
        if not isinstance(token, str | bytes | bytearray):
            raise UnsupportedType(f"vocabulary has {token!r} as token {number}: give bytes or text")
    return found


def _of_file(path: Path) -> Vocabulary:
    if not path.exists():
        raise InvalidInput(f"vocabulary: there is no file {str(path)!r}")
    if path.is_dir():
        path = path / "tokenizer.json"
        if not path.exists():
            raise InvalidInput(f"vocabulary: there is no file {str(path)!r} in the directory")
    text = path.read_bytes()
    where = f"vocabulary ({path})"
    if text[:1].lstrip() == b"{" or path.suffix == ".json":
        try:
            described = json.loads(text)
        except ValueError as error:
            raise InvalidInput(f"{where} is not JSON: {error}") from None
        return _of_tokenizer(described, where)
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            token, rank = line.split()
            ranks[base64.b64decode(token, validate=True)] = int(rank)
        except (ValueError, binascii.Error):
            raise InvalidInput(
                f"{where}: line {number} is {line[:60]!r}, not a token in Base64 and its number"
            ) from None
    return Vocabulary(ranks)


def _of_tokenizer(described: Any, where: str) -> Vocabulary:
    """Read what `tokenizers` writes as tokenizer.json."""
    model = described.get("model") if isinstance(described, dict) else None
    if not isinstance(model, dict) or "vocab" not in model:
        raise InvalidInput(f"{where} is no tokenizer.json: it has no model with a vocabulary")
    given = model["vocab"]
    pieces = (
        {piece: number for number, (piece, *_) in enumerate(given)}
        if isinstance(given, list)
        else dict(given)
    )
    added = {one["content"]: one for one in described.get("added_tokens") or []}
    outside = json.dumps(
        [described.get(name) for name in ("normalizer", "pre_tokenizer", "decoder")],
        ensure_ascii=False,
    )
    byte_level = '"ByteLevel"' in outside
    blank = '"Metaspace"' in outside or _BLANK in outside or isinstance(given, list)
    fallback = bool(model.get("byte_fallback"))
    wordpiece = model.get("type") == "WordPiece"
    prefix = model.get("continuing_subword_prefix") or ("##" if wordpiece else "")
    suffix = model.get("end_of_word_suffix") or ""

    def spelled(piece: str) -> bytes:
        if fallback and (byte := _BYTE.fullmatch(piece)):
            return bytes([int(byte[1], 16)])
        if byte_level and all(character in _LETTERS for character in piece):
            return bytes(_LETTERS[character] for character in piece)
        if prefix and piece.startswith(prefix):
            piece = piece.removeprefix(prefix)
        elif wordpiece:
            piece = " " + piece
        if suffix and piece.endswith(suffix):
            piece = piece.removesuffix(suffix) + " "
        return (piece.replace(_BLANK, " ") if blank else piece).encode()

    tokens: dict[int, bytes] = {}
    special = []
    spoken: set[bytes] = set()
    for piece, number in pieces.items():
        if piece in added and added[piece].get("special"):
            continue
        tokens[number] = spelled(piece)
        if not (fallback and _BYTE.fullmatch(piece)):
            spoken.add(tokens[number])
        if not tokens[number]:
            special.append(number)
    # Bytes stand in for characters without a token: one that has its own is never made of them.
    for piece, number in pieces.items():
        if fallback and _BYTE.fullmatch(piece) and tokens.get(number) in spoken:
            special.append(number)
    for content, one in added.items():
        number = one["id"]
        if one.get("special"):
            special.append(number)
        if number not in tokens or one.get("special"):
            tokens[number] = content.encode()
    count = max(tokens, default=-1) + 1
    return Vocabulary([tokens.get(number) for number in range(count)], special=special)


def _byte_letters() -> dict[str, int]:
    """Say which byte each character of byte-level BPE stands for: visible ones for themselves."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in visible]
    letters = {chr(byte): byte for byte in visible}
    return letters | {chr(0x100 + at): byte for at, byte in enumerate(others)}


_LETTERS = _byte_letters()
