"""The unbounded n-gram language model: what comes next, by all that an index holds.

The ∞-gram model of Liu et al. (2024): the context of a prediction is the longest suffix of the
prompt that occurs in the index, however long, and probabilities are shares of its occurrences.
Every count is exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import pyarrow as pa
import pyarrow.compute as pc

from bowstring import _core
from bowstring.columns import (
    as_array,
    as_candidates,
    as_float,
    as_option,
    as_queries,
    as_shares,
    as_symbols,
    one_chunk,
)
from bowstring.errors import InvalidInput, UnsupportedType
from bowstring.index import Index, check_index
from bowstring.plot import (
    PAGES,
    PICTURES,
    Decode,
    Shading,
    agreement_figure,
    check_path,
    figure,
    fragment,
    page,
    shade,
)

if TYPE_CHECKING:
    import os

    from matplotlib.figure import Figure


@dataclass(slots=True)
class Prediction:
    """What an index says of one continuation of one prompt."""

    prob: float | None
    """`count / prompt_count`; None where the prompt does not occur."""
    count: int
    """How often the continuation follows the suffix."""
    prompt_count: int
    """How often the suffix occurs."""
    suffix_length: int
    """Symbols of the prompt, from its end, that were looked at."""


class LanguageModel:
    """The n-gram model of unbounded n that an index is.

    A prompt is a text (`str` or `bytes`) where the index is over text, and a list of tokens
    where it is over tokens; or a column of them. What comes next is a symbol: a token, or a byte
    of text as a number from 0 to 255. The end of a row is a continuation too: `end=True` asks
    for it, and it is the null `token` of a distribution. An empty prompt is followed by every
    symbol and every end of a row.

    Examples
    --------
    >>> import bowstring as bow
    >>> index = bow.index([[1, 2, 3], [1, 2, 4], [1, 2]])
    >>> lm = bow.LanguageModel(index)
    >>> lm.prob([1, 2], 3)
    0.3333333333333333
    >>> lm.infgram_prob([9, 1, 2], 4)
    Prediction(prob=0.3333333333333333, count=1, prompt_count=3, suffix_length=2)
    """

    __slots__ = ("index",)

    def __init__(self, index: Index) -> None:
        self.index = check_index(index)

    def __repr__(self) -> str:
        return f"<bowstring.LanguageModel of {self.index!r}>"

    def count(self, query: Any, *, threads: int | None = None) -> Any:
        """Count occurrences: `Index.count`.

        Examples
        --------
        >>> import bowstring as bow
        >>> bow.LanguageModel(bow.index(["banana"])).count("an")
        2
        """
        return self.index.count(query, threads=threads)

    @overload
    def prob(
        self,
        prompt: str | bytes | Sequence[int],
        token: int | str | bytes | Sequence[int] | None = None,
        *,
        end: bool = False,
        threads: int | None = None,
    ) -> float | None: ...
    @overload
    def prob(
        self, prompt: Any, token: Any = None, *, end: bool = False, threads: int | None = None
    ) -> Any: ...
    def prob(
        self, prompt: Any, token: Any = None, *, end: bool = False, threads: int | None = None
    ) -> Any:
        """Give the share of a prompt's occurrences that go on with a token.

        Parameters
        ----------
        prompt
            A prompt, or a column of them.
        token
            What comes next: a symbol, or a text; or a column of symbols, texts or lists of
            tokens. One token is asked of every prompt of a column, and a column of tokens of
            one prompt.
        end
            Ask for the end of the row in place of a token.
        threads
            Threads to use for a column; all by default.

        Returns
        -------
        float or pyarrow.DoubleArray
            `count(prompt + token) / count(prompt)`; None, or null, where the prompt does not
            occur or is null.

        Raises
        ------
        InvalidInput
            If neither a token nor `end` is given, or both are.
        UnsupportedType
            If a prompt or token has the wrong type for this index.

        Notes
        -----
        O(m + log n) a prompt of m symbols.

        Examples
        --------
        >>> import bowstring as bow
        >>> lm = bow.LanguageModel(bow.index(["banana", "bandana"]))
        >>> lm.prob("ana", "n"), lm.prob("ana", end=True), lm.prob("x", "y")
        (0.3333333333333333, 0.6666666666666666, None)
        >>> lm.prob(["ban", "x", None], "a").to_pylist()
        [0.5, None, None]
        """
        found = self._predict(prompt, token, end, False, threads)
        return found.prob if type(found) is Prediction else one_chunk(found["prob"])

    def infgram_prob(
        self, prompt: Any, token: Any = None, *, end: bool = False, threads: int | None = None
    ) -> Any:
        """Give the share of the occurrences of a prompt's longest suffix that go on with a token.

        Parameters as in `prob`.

        Returns
        -------
        Prediction or pyarrow.Table
            For a column `prob: double, count: uint64, prompt_count: uint64, suffix_length:
            uint64`, a row a prompt, null where it or its token is.

        Raises
        ------
        InvalidInput, UnsupportedType
            As `prob`.

        Notes
        -----
        O(log m) searches of O(m + log n) each: a suffix occurs if a longer one does.

        Examples
        --------
        >>> import bowstring as bow
        >>> lm = bow.LanguageModel(bow.index(["banana", "bandana"]))
        >>> lm.infgram_prob("cabana", "n").suffix_length
        4
        >>> lm.infgram_prob(["cabana", None], "n")["suffix_length"].to_pylist()
        [4, None]
        """
        return self._predict(prompt, token, end, True, threads)

    def _asked(self, prompt: Any, token: Any, end: bool) -> tuple[Any, Any, bool]:
        """Make prompts and tokens the core's, and tell one of each (True) from a column."""
        if (token is None) == (not end):
            given = "neither" if token is None else "both"
            raise InvalidInput(f"token and end: {given} given; ask for a token, or for end=True")
        core = self.index._core
        tokens: Any
        prompts, one = as_queries(prompt, core, "prompt")
        if end or type(token) is int:
            tokens, one_token = token, True
        else:
            tokens, one_token = as_symbols(token, "token", core)
        return prompts, tokens, one and one_token

    def _predict(self, prompt: Any, token: Any, end: bool, backoff: bool, threads: Any) -> Any:
        core = self.index._core
        prompts, tokens, one = self._asked(prompt, token, end)
        if one:
            length, of, count = _core.predict_one(core, prompts, tokens, backoff)
            return Prediction(count / of if of else None, count, of, length)
        lent: Any = _core.predict(core, prompts, tokens, backoff, as_option(threads, "threads"))
        return pa.table(lent)

    def counts(
        self,
        contexts: Any,
        orders: Sequence[int],
        candidates: Any,
        *,
        threads: int | None = None,
    ) -> tuple[pa.Array[Any], pa.Array[Any]]:
        """Count contexts of several lengths, and how often each goes on with each candidate.

        What n-gram models of those orders need to score candidates, as Superposed Decoding does
        (Shen et al. 2024).

        Parameters
        ----------
        contexts
            A prompt, or a column of them.
        orders
            The n of each model: its context is the last n - 1 symbols of a prompt.
        candidates
            A list of symbols, asked of every context; or a column of lists, one for each. None
            among symbols is the end of a row; a list of nothing but None is one of ends, and a
            column of null lists an Arrow array.
        threads
            Threads to use for a column; all by default.

        Returns
        -------
        numerators : pyarrow.FixedSizeListArray
            `fixed_size_list<large_list<uint64>>`: of each context, for each order, how often its
            last n - 1 symbols go on with each candidate.
        denominators : pyarrow.FixedSizeListArray
            `fixed_size_list<uint64>`: how often they occur.

            Both are null where the context or its list of candidates is; the items of an order are
            null where the context is shorter than n - 1. Of one prompt they are its
            `LargeListArray` and `UInt64Array`. Where lists are equally long, the values, zeros
            under nulls, are one NumPy array without a copy, as below.

        Raises
        ------
        InvalidInput
            If there are no orders, or one is 0, or there are more or fewer lists than contexts, or
            a candidate is no symbol of this index.
        UnsupportedType
            If a context has the wrong type for this index, or the candidates are no numbers.

        Notes
        -----
        O(n + log N) an order, and O(log k) a candidate, for k occurrences; contexts with fewer
        occurrences than candidates cost what their distinct symbols do.

        Examples
        --------
        >>> import bowstring as bow
        >>> lm = bow.LanguageModel(bow.index([[1, 2, 3], [1, 2, 4], [2, 3]]))
        >>> numerators, denominators = lm.counts([[9, 1, 2], [2]], [1, 2, 3], [3, 4, None])
        >>> numerators.to_pylist()
        [[[2, 1, 3], [2, 1, 0], [1, 1, 0]], [[2, 1, 3], [2, 1, 0], None]]
        >>> denominators.to_pylist()
        [[11, 3, 2], [11, 3, None]]
        >>> numerators.values.values.to_numpy().reshape(2, 3, 3)[0, 1]
        array([2, 1, 0], dtype=uint64)
        """
        core = self.index._core
        asked, one = as_queries(contexts, core, "contexts")
        symbols, lengths = as_candidates(candidates, "candidates")
        if one and lengths is not None and len(lengths) != 1:
            raise InvalidInput(f"candidates has {len(lengths)} lists for one context: give one")
        if isinstance(orders, str | bytes) or not hasattr(orders, "__iter__"):
            raise UnsupportedType(f"orders is {orders!r}: give a list of whole numbers")
        lent: Any = _core.order_counts(
            core,
            asked,
            [as_option(order, "orders", required=True) for order in orders],
            symbols,
            lengths,
            as_option(threads, "threads"),
        )
        table = pa.table(lent)
        numerators, denominators = one_chunk(table[0]), one_chunk(table[1])
        return (numerators.values, denominators.values) if one else (numerators, denominators)

    def stupid_backoff(
        self,
        prompt: Any,
        token: Any = None,
        *,
        order: int = 5,
        alpha: float = 0.4,
        end: bool = False,
        threads: int | None = None,
    ) -> Any:
        """Score a token after a prompt by the longest context that it follows.

        Stupid backoff (Brants et al. 2007): `count(context + token) / count(context)` for the
        longest context, of at most `order - 1` symbols, that the token follows, times `alpha` for
        each symbol that was given up. These are scores: they do not add up to 1.

        Parameters
        ----------
        prompt, token, end, threads
            As in `prob`; a token is one symbol.
        order
            The n of the longest n-gram. A prompt shorter than its context starts with all it has.
        alpha
            The factor, from 0 to 1.

        Returns
        -------
        float or pyarrow.DoubleArray
            0 for a token that does not occur. None, or null, where the prompt or token is null, or
            the index empty. Without context, the share of the token among all symbols and ends of
            rows, as `prob` has it.

        Raises
        ------
        InvalidInput
            As `prob`; if a token is longer than a symbol, `order` is 0 or `alpha` out of range.
        UnsupportedType
            As `prob`.

        Notes
        -----
        O(log n) searches a prompt, for order n.

        Examples
        --------
        >>> import bowstring as bow
        >>> lm = bow.LanguageModel(bow.index([[1, 2, 3], [1, 2, 4], [2, 3]]))
        >>> lm.stupid_backoff([1, 2], 4), lm.stupid_backoff([9, 1, 2], 4, order=4)
        (0.5, 0.2)
        >>> lm.stupid_backoff([[1, 2], None], [1, 1]).to_pylist() == [0.4**2 * 2 / 11, None]
        True
        """
        prompts, tokens, one = self._asked(prompt, token, end)
        lent: Any = _core.stupid_backoff(
            self.index._core,
            prompts,
            tokens,
            as_option(order, "order", required=True),
            as_float(alpha, "alpha"),
            as_option(threads, "threads"),
        )
        return _lent(lent, one)

    def interpolated(
        self,
        prompt: Any,
        token: Any = None,
        *,
        weights: Mapping[int, float],
        end: bool = False,
        threads: int | None = None,
    ) -> Any:
        """Give the weighted mean of the probabilities by n-gram models of several orders.

        Linear interpolation (Jelinek and Mercer 1980).

        Parameters
        ----------
        prompt, token, end, threads
            As in `prob`; a token is one symbol.
        weights
            The weight of each order n, as in `{1: 0.1, 2: 0.3, 3: 0.6}`; they need not add up to
            1. The orders whose context, the last n - 1 symbols, the prompt is too short for, or
            that does not occur, leave their weight to the others: probabilities of all symbols and
            the end add up to 1.

        Returns
        -------
        float or pyarrow.DoubleArray
            None, or null, where the prompt or token is null, or no order is left.

        Raises
        ------
        InvalidInput
            As `prob`; if a token is longer than a symbol, an order is 0, a weight negative, or none
            above 0.
        UnsupportedType
            As `prob`.

        Notes
        -----
        Two searches an order, O(n + log N) each.

        Examples
        --------
        >>> import bowstring as bow
        >>> lm = bow.LanguageModel(bow.index([[1, 2, 3], [1, 2, 4], [2, 3]]))
        >>> lm.interpolated([1, 2], 4, weights={2: 0.25, 3: 0.75}) == 0.25 * 1 / 3 + 0.75 * 1 / 2
        True
        >>> lm.interpolated([[9, 2], [9]], 4, weights={2: 0.25, 3: 0.75}).to_pylist()
        [0.3333333333333333, None]
        """
        prompts, tokens, one = self._asked(prompt, token, end)
        if not isinstance(weights, Mapping):
            raise UnsupportedType(
                f"weights is {weights!r}: give the weight of each order, as in {{1: 0.4, 2: 0.6}}"
            )
        lent: Any = _core.interpolated(
            self.index._core,
            prompts,
            tokens,
            [
                (as_option(order, "weights", required=True), as_float(weight, "weights"))
                for order, weight in weights.items()
            ],
            as_option(threads, "threads"),
        )
        return _lent(lent, one)

    def ntd(
        self,
        prompt: Any,
        *,
        max_support: int | None = None,
        seed: int = 0,
        threads: int | None = None,
    ) -> pa.Table:
        """Give the next-token distribution: every symbol that follows a prompt, and how often.

        Parameters
        ----------
        prompt
            A prompt, or a column of them.
        max_support
            Where a prompt occurs more often than this, look at this many of its occurrences,
            drawn with `seed`, instead of counting all.
        seed
            Seed of that sample.
        threads
            Threads to use for a column; all by default.

        Returns
        -------
        pyarrow.Table
            `token: uint32, count: uint64, prob: double`, ordered by token, the row's end last
            and null; behind a leading `query: uint64` when `prompt` is a column. With
            `max_support` also `approximate: bool`, whether the counts are estimates. No rows
            for a prompt that does not occur.

        Raises
        ------
        InvalidInput, UnsupportedType
            As `prob`.

        Notes
        -----
        O(m + log n + d log k) for d distinct symbols behind k occurrences: exact without
        visiting each one.

        Examples
        --------
        >>> import bowstring as bow
        >>> lm = bow.LanguageModel(bow.index([[1, 2], [1, 2], [1, 3], [1]]))
        >>> lm.ntd([1]).to_pylist()[0]
        {'token': 2, 'count': 2, 'prob': 0.5}
        >>> lm.ntd([1])["token"].to_pylist()
        [2, 3, None]
        """
        return self._distributions(prompt, False, max_support, seed, threads)

    def infgram_ntd(
        self,
        prompt: Any,
        *,
        max_support: int | None = None,
        seed: int = 0,
        threads: int | None = None,
    ) -> pa.Table:
        """Give the next-token distribution behind the longest suffix of a prompt that occurs.

        Parameters as in `ntd`.

        Returns
        -------
        pyarrow.Table
            As `ntd`, with `suffix_length: uint64`.

        Raises
        ------
        InvalidInput, UnsupportedType
            As `prob`.

        Examples
        --------
        >>> import bowstring as bow
        >>> lm = bow.LanguageModel(bow.index([[1, 2], [1, 2], [1, 3], [1]]))
        >>> lm.infgram_ntd([7, 1]).to_pylist()[0]
        {'token': 2, 'count': 2, 'prob': 0.5, 'suffix_length': 1}
        """
        return self._distributions(prompt, True, max_support, seed, threads)

    def _distributions(
        self, prompt: Any, backoff: bool, max_support: Any, seed: Any, threads: Any
    ) -> pa.Table:
        core = self.index._core
        prompts, _ = as_queries(prompt, core, "prompt")
        return pa.table(
            _core.distributions(
                core,
                prompts,
                backoff,
                as_option(max_support, "max_support"),
                as_option(seed, "seed", required=True),
                as_option(threads, "threads"),
            )
        )

    def score(
        self,
        data: Any,
        column: str | None = None,
        *,
        order: int | None = None,
        end: bool = False,
        threads: int | None = None,
    ) -> Scores:
        """Score every symbol of every row of a column by what came before it in its row.

        Parameters
        ----------
        data, column
            A column of text or tokens, as `bowstring.index` takes them.
        order
            The n of a fixed n-gram model: contexts of at most n - 1 symbols. As long as they
            occur by default.
        end
            Score the end of each row too.
        threads
            Threads to use; all by default.

        Returns
        -------
        Scores
            Its `table` has a row a symbol.

        Raises
        ------
        InvalidInput
            If `order` is 0.
        UnsupportedType
            If the column is of another kind than the index.

        Notes
        -----
        One pass a row: matching statistics (Chang and Lawler 1994). O(log n) a symbol while a
        context grows, O(log n + its length) where it gives up its first symbols.

        Examples
        --------
        >>> import bowstring as bow
        >>> lm = bow.LanguageModel(bow.index(["banana", "bandana"]))
        >>> lm.score(["cabana"]).table["suffix_length"].to_pylist()
        [0, 0, 1, 1, 2, 3]
        """
        if as_option(order, "order") == 0:
            raise InvalidInput("order is 0: give 1 for a model without context, or more")
        rows = as_array(data, "data", column)
        lent: Any = _core.score(
            self.index._core,
            rows,
            as_option(order, "order"),
            bool(end),
            as_option(threads, "threads"),
        )
        return Scores(pa.table(lent), self.index.info.column, len(rows))

    def generate(
        self,
        prompt: Any,
        n: int,
        *,
        temperature: float = 1.0,
        seed: int = 0,
        threads: int | None = None,
    ) -> Any:
        """Draw what follows a prompt, symbol by symbol, until the end of a row is drawn.

        Each symbol comes of the distribution behind the longest suffix of the text so far that
        occurs.

        Parameters
        ----------
        prompt
            A prompt, or a column of them.
        n
            The most symbols to draw: bytes of text, or tokens.
        temperature
            Counts weigh as their power of one over this: 1 draws as often as the index has it,
            less the frequent ones more often, 0 the most frequent one always.
        seed
            The draw: the same seed and prompt give the same text.
        threads
            Threads to use for a column; all by default.

        Returns
        -------
        str, bytes, list of int, or pyarrow.Array
            What follows, without the prompt; null where the prompt is. Text ends with a whole
            character. Equal prompts are followed by the same: draw others with another seed.

        Raises
        ------
        InvalidInput
            If the temperature is below 0.
        UnsupportedType
            If a prompt has the wrong type for this index.

        Examples
        --------
        >>> import bowstring as bow
        >>> lm = bow.LanguageModel(bow.index(["to be, or not to be"]))
        >>> lm.generate("be,", 7, temperature=0)
        ' or not'
        """
        core = self.index._core
        prompts, one = as_queries(prompt, core, "prompt")
        temperature = as_float(temperature, "temperature")
        lent: Any = _core.generate(
            core,
            prompts,
            as_option(n, "n", required=True),
            temperature,
            as_option(seed, "seed", required=True),
            as_option(threads, "threads"),
        )
        return _lent(lent, one)

    def next_rows(
        self, prompt: Any, *, limit: int | None = None, threads: int | None = None
    ) -> pa.Table:
        """Say which rows the longest suffix of a prompt that occurs stands in, and goes on from.

        Parameters
        ----------
        prompt
            A prompt.
        limit
            At most this many occurrences: the first ones.
        threads
            Threads to use; all by default.

        Returns
        -------
        pyarrow.Table
            As `Index.locate` of that suffix: what follows is the row from `stop` on. No rows
            where none of the prompt occurs.

        Raises
        ------
        UnsupportedType
            If the prompt has the wrong type for this index.

        Examples
        --------
        >>> import bowstring as bow
        >>> lm = bow.LanguageModel(bow.index([[1, 2, 3], [5, 2, 4]]))
        >>> lm.next_rows([9, 2]).to_pylist()
        [{'row': 0, 'start': 1, 'stop': 2}, {'row': 1, 'start': 1, 'stop': 2}]
        """
        prompt, one = as_queries(prompt, self.index._core, "prompt")
        if not one:
            raise UnsupportedType("prompt is a column: give one prompt")
        length = self.infgram_prob(prompt, end=True).suffix_length
        if not prompt:
            raise InvalidInput("prompt is empty: it stands everywhere; give what is to go on")
        own = prompt.encode() if isinstance(prompt, str) else prompt
        # Part of a character is no text.
        while length and isinstance(prompt, str) and own[len(own) - length] & 0xC0 == 0x80:
            length -= 1
        suffix = own[len(own) - length :] if length else prompt
        return self.index.locate(suffix, limit=limit, threads=threads)


@dataclass(frozen=True, slots=True)
class Mixture:
    """The weights of scores mixed with another model's; made by `Scores.tune_interpolation`."""

    lam: tuple[float, float]
    """The scores' weight where contexts are sparse, and where they are not."""
    lm_perplexity: float | None
    """The other model's perplexity alone; None of no symbols."""
    perplexity: float | None
    """The mixture's."""


@dataclass(frozen=True)
class Scores:
    """What a language model says of every symbol of a column; made by `LanguageModel.score`."""

    table: pa.Table
    """`row: uint64, position: uint64, token: uint32, suffix_length: uint64, context_count:
    uint64, count: uint64, prob: double, sparse: bool`. `prob` is `count / context_count`; the token
    of a row's end is null; `sparse` where the context goes on with one symbol only, the one scored
    or another."""
    column: str
    """What was scored: `"string"`, `"binary"` or `"tokens"`."""
    rows: int
    """Rows scored, those without symbols included."""

    def __len__(self) -> int:
        """Symbols scored."""
        return len(self.table)

    @cached_property
    def predicted(self) -> float | None:
        """The share of symbols with a probability above one half; None of no symbols.

        Examples
        --------
        >>> import bowstring as bow
        >>> bow.LanguageModel(bow.index(["banana"])).score(["anan"]).predicted
        0.5
        """
        share: float | None = pc.mean(self._above_half()).as_py()
        return share

    def _above_half(self) -> Any:
        prob: Any = self.table["prob"]
        half: Any = 0.5
        return pc.greater(prob, half)

    @cached_property
    def perplexity(self) -> float | None:
        """`exp(-mean(log(prob)))`: infinite if a symbol has none, or nearly none; None of none.

        Examples
        --------
        >>> import bowstring as bow
        >>> bow.LanguageModel(bow.index(["ab", "ac"])).score(["ab"], order=1).perplexity
        4.242640687119285
        """
        prob: Any = self.table["prob"]
        mean = pc.mean(pc.ln(prob)).as_py()
        if mean is None:
            return None
        # Not math.exp, which fails where the result is too large for a number.
        perplexity: float = pc.exp(pa.scalar(-mean)).as_py()
        return perplexity

    def interpolate(self, lm_probs: Any, lam: float | tuple[float, float] | Mixture) -> Scores:
        """Mix the probabilities with those of another model, a neural one as a rule.

        `lam * prob + (1 - lam) * lm_prob`, as the ∞-gram paper does (Liu et al. 2024), with one
        weight where the context is `sparse`, and another where it is not.

        Parameters
        ----------
        lm_probs
            The other model's probability of each symbol scored, in the order of `table`: a column
            of numbers from 0 to 1, or null.
        lam
            The weight of these scores from 0 to 1: one, or a pair, of sparse contexts and of
            others, or what `tune_interpolation` gave.

        Returns
        -------
        Scores
            The same table with the mixed `prob`, null where one of both is.

        Raises
        ------
        InvalidInput
            If there are more or fewer probabilities than symbols, or one of them or a weight is not
            from 0 to 1.
        UnsupportedType
            If they are no numbers.

        Examples
        --------
        >>> import bowstring as bow
        >>> scores = bow.LanguageModel(bow.index(["ab", "ac"])).score(["ab"])
        >>> scores.table.select(["prob", "sparse"]).to_pylist()
        [{'prob': 0.3333333333333333, 'sparse': False}, {'prob': 0.5, 'sparse': False}]
        >>> scores.interpolate([0.5, 0.75], (0.9, 0.5)).table["prob"].to_pylist()
        [0.41666666666666663, 0.625]
        """
        others: Any = as_shares(lm_probs, "lm_probs", len(self), "the scores' table")
        sparse, dense = _pair(lam)
        calc: Any = pc
        weight = calc.if_else(self.table["sparse"], sparse, dense)
        own = calc.multiply(weight, self.table["prob"])
        mixed = calc.add(own, calc.multiply(calc.subtract(1.0, weight), others))
        at = self.table.schema.get_field_index("prob")
        return replace(self, table=self.table.set_column(at, "prob", mixed))

    def tune_interpolation(self, lm_probs: Any, *, by_sparsity: bool = True) -> Mixture:
        """Find the weights of `interpolate` with which these symbols have the least perplexity.

        Parameters
        ----------
        lm_probs
            As in `interpolate`; score a validation set, and mix with what was found for it.
        by_sparsity
            One weight where contexts are sparse, and another where they are not; one for both
            otherwise.

        Returns
        -------
        Mixture
            Its `lam` is exact to 1e-9. A weight that makes no difference is 0. Symbols that both
            models give 0 have no say, but make the perplexity infinite.

        Raises
        ------
        InvalidInput, UnsupportedType
            As `interpolate`.

        Notes
        -----
        The likelihood of a mixture of two is concave in its weight: where its slope changes sign is
        found by halving, in 30 passes over the symbols.

        Examples
        --------
        >>> import bowstring as bow
        >>> scores = bow.LanguageModel(bow.index(["abab", "abac"])).score(["abb", "acc"])
        >>> mixture = scores.tune_interpolation([0.2] * 6)
        >>> [round(lam, 6) for lam in mixture.lam], mixture.perplexity < mixture.lm_perplexity
        ([0.0, 0.600628], True)
        """
        others: Any = as_shares(lm_probs, "lm_probs", len(self), "the scores' table")
        own: Any = one_chunk(self.table["prob"])
        sparse: Any = one_chunk(self.table["sparse"])
        if by_sparsity:
            calc: Any = pc
            lam = (
                _best_weight(own.filter(sparse), others.filter(sparse)),
                _best_weight(own.filter(calc.invert(sparse)), others.filter(calc.invert(sparse))),
            )
        else:
            lam = (_best_weight(own, others),) * 2
        lm_perplexity = self.interpolate(others, 0.0).perplexity
        return Mixture(lam, lm_perplexity, self.interpolate(others, lam).perplexity)

    def agreement(self) -> pa.Table:
        """Give the share of symbols predicted by the length of their context, as the paper plots.

        Returns
        -------
        pyarrow.Table
            `suffix_length: uint64, symbols: int64, predicted: double`, ordered by length;
            `predicted` is the share with a probability above one half, of those symbols that have
            one.

        Examples
        --------
        >>> import bowstring as bow
        >>> scores = bow.LanguageModel(bow.index(["banana"])).score(["anan"])
        >>> scores.agreement()["predicted"].to_pylist()
        [0.0, 1.0, 1.0, 0.0]
        """
        predicted: Any = pc.cast(self._above_half(), pa.float64())
        lengths: Any = self.table["suffix_length"]
        scored = pa.table({"suffix_length": lengths, "predicted": predicted})
        found = scored.group_by("suffix_length").aggregate(
            [("suffix_length", "count"), ("predicted", "mean")]
        )
        named = found.rename_columns(["suffix_length", "symbols", "predicted"])
        return named.sort_by("suffix_length")

    def html(
        self,
        rows: Any = None,
        *,
        decode: Decode | None = None,
        limit: int | None = 10_000,
    ) -> str:
        r"""Write the text as a web page, shaded by the suffix that each prediction stood on.

        What was predicted, with a probability above one half, is underlined; pointing at a
        character or token tells its numbers. The page needs no other file, and no network.

        Parameters
        ----------
        rows
            The number of a row, or a column of them; all by default.
        decode
            What each token is as text: a callable, a list or a dict, such as
            `lambda token: tokenizer.decode([token])`. Without it tokens are shown as numbers.
        limit
            At most this many symbols, and as many rows: the first ones; None for all. The last
            character stays whole.

        Returns
        -------
        str
            The page. Bytes are joined to characters, each with the numbers of its least
            probable byte; bytes that are not UTF-8 and control characters are escapes such as
            `\xff`. The end of a row, where it was scored, is a small square.

        Raises
        ------
        InvalidInput
            If a row was not scored, or `decode` is given for text or lacks a token.
        UnsupportedType
            If `decode` gives anything but `str`.

        Examples
        --------
        >>> import bowstring as bow
        >>> scores = bow.LanguageModel(bow.index([[7, 8, 9]])).score([[7, 8]])
        >>> page = scores.html(decode={7: "to", 8: " be"})
        >>> "> be</u>" in page
        True
        """
        return page(self._shaded(rows, decode, limit))

    def _repr_html_(self) -> str:
        return fragment(self._shaded(None, None, 2_000))

    def _shaded(self, rows: Any, decode: Decode | None, limit: int | None) -> Shading:
        return shade(self.table, self.column, self.rows, rows, decode=decode, limit=limit)

    def plot(
        self,
        rows: Any = None,
        *,
        decode: Decode | None = None,
        limit: int | None = 3_000,
        path: str | os.PathLike[str] | None = None,
    ) -> Figure:
        """Draw the text, shaded by the suffix that each prediction stood on.

        Parameters
        ----------
        rows, decode, limit
            As `html` takes them. A figure has at most 400 lines, of 100 letters each.
        path
            Where to save it too: a `.png`, `.svg` or `.pdf`, or the page of `html` as `.html`.

        Returns
        -------
        matplotlib.figure.Figure
            The text, and a bar that says what the shades mean. Characters that matplotlib's
            monospaced font lacks are boxes: `rcParams["font.monospace"]` chooses another.

        Raises
        ------
        InvalidInput, UnsupportedType
            As `html`; and if `path` ends in anything else.
        MissingPackage
            If matplotlib is not installed.

        Examples
        --------
        >>> import bowstring as bow
        >>> scores = bow.LanguageModel(bow.index(["banana", "bandana"])).score(["cabana"])
        >>> scores.plot().axes[0].get_title(loc="left")
        '6 bytes'
        """
        suffix = None if path is None else check_path(path)
        shading = self._shaded(rows, decode, limit)
        drawn = figure(shading)
        if path is not None and suffix in PAGES:
            Path(path).write_text(page(shading), encoding="utf-8")
        elif path is not None:
            drawn.savefig(path)
        return drawn

    def plot_agreement(
        self, path: str | os.PathLike[str] | None = None, *, longest: int = 32
    ) -> Figure:
        """Draw the share of symbols predicted by the length of their context, as the paper does.

        Parameters
        ----------
        path
            Where to save it too: a `.png`, `.svg` or `.pdf`.
        longest
            Longer contexts than this are drawn as one.

        Returns
        -------
        matplotlib.figure.Figure
            `agreement()` as a line, in front of bars of how many symbols there are.

        Raises
        ------
        InvalidInput
            If `path` ends in anything else, or `longest` is 0.
        MissingPackage
            If matplotlib is not installed.

        Examples
        --------
        >>> import bowstring as bow
        >>> scores = bow.LanguageModel(bow.index(["banana"])).score(["anan"])
        >>> scores.plot_agreement().axes[0].get_title()
        '4 bytes scored'
        """
        if path is not None:
            check_path(path, suffixes=PICTURES)
        unit = "token" if self.column == "tokens" else "byte"
        drawn = agreement_figure(self.agreement(), unit, longest)
        if path is not None:
            drawn.savefig(path)
        return drawn


def _lent(array: Any, one: bool) -> Any:
    """Give an array of the core's, or the one value that it holds."""
    values = pa.array(array)
    return values[0].as_py() if one else values


def _pair(lam: Any) -> tuple[float, float]:
    """Make the weights of a mixture two."""
    given = lam.lam if isinstance(lam, Mixture) else lam
    both = given if isinstance(given, tuple | list) else (given, given)
    if len(both) != 2:
        raise InvalidInput(f"lam has {len(both)} weights: give one, or a pair (sparse, dense)")
    sparse, dense = as_float(both[0], "lam"), as_float(both[1], "lam")
    for weight in (sparse, dense):
        if not 0 <= weight <= 1:
            raise InvalidInput(f"lam is {weight}: give a weight from 0 to 1")
    return sparse, dense


def _best_weight(own: Any, others: Any) -> float:
    """Find the `lam` with the greatest sum of `log(lam * own + (1 - lam) * others)`."""
    calc: Any = pc
    # Where both are 0 or one is null, no weight makes a difference.
    known = calc.greater(calc.add(own, others), 0.0)
    own, others = own.filter(known), others.filter(known)
    more = calc.subtract(own, others)

    def rises(lam: float) -> bool:
        # At its ends the slope may be infinite, which compares as it should.
        mixed = calc.add(calc.multiply(lam, own), calc.multiply(1 - lam, others))
        slope = calc.sum(calc.divide(more, mixed)).as_py()
        return slope is not None and slope > 0

    if not rises(0.0):
        return 0.0
    if rises(1.0):
        return 1.0
    low, high = 0.0, 1.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if rises(middle) else (low, middle)
    return (low + high) / 2
