"""What the scikit-learn estimators of one column of text share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from bowstring.columns import one_chunk
from bowstring.errors import InvalidInput, MissingPackage
from bowstring.frames import as_table, is_table, library, like, normalised_by, text_column

try:
    import numpy as np
    from sklearn.base import BaseEstimator, TransformerMixin
    from sklearn.utils.validation import check_is_fitted
except ImportError as error:
    raise MissingPackage(
        f"bowstring.categories needs scikit-learn ({error}): pip install 'bowstring[sklearn]'"
    ) from error

# What pyarrow's stubs do not know, or know wrongly.
_pa: Any = pa
_pc: Any = pc

_ARROW = (pa.Array, pa.ChunkedArray)

Normalize: TypeAlias = Callable[["pa.Array[Any]"], Any] | bool


class OneColumn(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """An estimator of one column of text: what it learns and makes, its class says."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.input_tags.allow_nan = True
        tags.no_validation = True
        return tags

    def fit(self, X: Any, y: Any = None) -> Any:  # noqa: N803
        """Learn from a column what the class describes; later columns change nothing of it.

        Parameters
        ----------
        X
            A column of text, or a table of one.
        y
            Not used.

        Returns
        -------
        The estimator.

        Raises
        ------
        InvalidInput
            If an option cannot be meant, or there is more than one column.
        UnsupportedType
            If the column is not text, or an option of a type that it cannot have.

        Examples
        --------
        >>> from bowstring.categories import OverlapEncoder
        >>> OverlapEncoder(min_length=3).fit(["abc1", "abc2"]).keys_["support"].to_pylist()
        [2]
        """
        self._check()
        name, written = _named(X)
        self._learn(self._normalised(written), written)
        self.n_features_in_ = 1
        self._name = name
        return self

    def transform(self, X: Any) -> Any:  # noqa: N803
        """Make of a column what the class describes.

        Parameters
        ----------
        X
            A column of text, or a table of one.

        Returns
        -------
        table of the library of `X`, or 2D array for lists and NumPy
            The columns that `get_feature_names_out` names.

        Raises
        ------
        InvalidInput
            If there is more than one column.
        UnsupportedType
            If the column is not text.

        Examples
        --------
        >>> import pyarrow as pa
        >>> from bowstring.categories import NumberExtractor
        >>> extractor = NumberExtractor(which="all", style="european").fit(["1,5 2"])
        >>> extractor.transform(pa.array(["3.000,25", None])).to_pydict()
        {'x0_number1': [3000.25, None], 'x0_number2': [None, None]}
        """
        check_is_fitted(self)
        _, written = _named(X)
        made = self._made(self._normalised(written), written)
        if not isinstance(made, list):
            return made
        return _given(dict(zip(self._names(), made, strict=True)), len(written), X)

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """Name the columns that `transform` gives.

        Parameters
        ----------
        input_features
            Not used: the names are those of the column that was fitted.

        Examples
        --------
        >>> from bowstring.categories import SubstringSearch
        >>> SubstringSearch(["a"]).fit(["abc"]).get_feature_names_out().tolist()
        ['x0_a']
        """
        check_is_fitted(self)
        return np.asarray(self._names(), dtype=object)

    def _check(self) -> None:
        """Refuse options that cannot be meant."""

    def _learn(self, column: Any, written: Any) -> None:
        """Learn from a column, as it is compared and as it was written."""
        raise NotImplementedError

    def _made(self, column: Any, written: Any) -> Any:
        """Make columns, in the order of their names; or what is given as it is."""
        raise NotImplementedError

    def _names(self) -> list[str]:
        raise NotImplementedError

    def _normalised(self, column: Any) -> Any:
        return normalised_by(getattr(self, "normalize", False), column, "X")


def _named(data: Any) -> tuple[str, Any]:
    """Read the one column, and what it is called."""
    name: Any = getattr(data, "name", None)
    if is_table(data):
        table = as_table(data, "X")
        if table.num_columns != 1:
            raise InvalidInput(
                f"X has {table.num_columns} columns: give one, or use a ColumnTransformer"
            )
        name = table.column_names[0]
        data = table.column(0)
    elif isinstance(data, np.ndarray) and data.ndim == 2:
        if data.shape[1] != 1:
            raise InvalidInput(f"X has {data.shape[1]} columns: give one")
        data = data[:, 0]
    if _is_missing(data):
        data = _pa.nulls(len(data), pa.large_string())
    return name if isinstance(name, str) and name else "x0", text_column(data, "X")


def _is_missing(data: Any) -> bool:
    """Tell a column of floats of which none is there: what libraries make of no texts at all."""
    if isinstance(data, _ARROW):
        missing = _pc.is_null(data, nan_is_null=True)
        return pa.types.is_floating(data.type) and _pc.all(missing).as_py() is not False
    kind = getattr(getattr(data, "dtype", None), "kind", None)
    return kind == "f" and bool(np.isnan(np.asarray(data)).all())


def _given(columns: Mapping[str, Any], rows: int, data: Any) -> Any:
    """Give columns back as the library of the input has them; NumPy for lists and NumPy."""
    if not (library(data) != "arrow" or is_table(data) or isinstance(data, _ARROW)):
        arrays = [one_chunk(column) for column in columns.values()]
        made = [np.asarray(a.to_numpy(zero_copy_only=False)) for a in arrays]
        if not made:
            return np.zeros((rows, 0), bool)
        texts = any(array.dtype == object for array in made)
        return np.column_stack([a.astype(object) for a in made] if texts else made)
    frame = like(_pa.table(dict(columns)), data)
    index = getattr(data, "index", None)
    if library(data) == "pandas" and index is not None:
        frame.index = index
    return frame
