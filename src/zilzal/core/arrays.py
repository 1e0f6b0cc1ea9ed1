"""The array type of annotations; the names of axes are written beside it with jaxtyping."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
else:
    Array = np.ndarray

__all__ = ["Array"]
