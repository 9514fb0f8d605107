"""Choose rows: those most like a target.

`align` ranks candidates by how well they compress together with a target (ZIP-FIT), `resample`
draws them by how much likelier their n-grams are in it (DSIR), and `cover` picks those that
together have most of its n-grams. All three take candidates, a target and `k`.
"""

from bowstring.select.compression import align, ncd
from bowstring.select.coverage import cover
from bowstring.select.resampling import resample

__all__ = ["align", "cover", "ncd", "resample"]
