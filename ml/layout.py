"""One HDF5 file in the layout of the published MLM, read with patience for what others made of it.

A file enters; vectors, labels and coordinates by id leave, or one line that names the file and the
dataset in it. Ids may be integers, strings or floats; a vector may stand without its (1, d); a cell
may be a one-hot row or a label; what is missing, an entity does not have.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
import numpy.typing as npt
from mlmkg.ml.published import ABOUT

from mlmkg.errors import ExportError

#: How the name of a dataset may begin, for the id 64.
FORMS: Final = ("{}", "Q{}", "{}.0", "b'{}'")
#: The datasets of an entity.
KINDS: Final = ("images", "summaries", "classes", "onehot", "coordinates")
AGAIN: Final = "Fetch the file again and compare its checksum with the source's"
WELL: Final = "See docs/formats.md for the layout"


class SplitFile:
    """A file of one split, open for reading.

    :param path: ``train.h5``, ``val.h5`` or ``test.h5``.
    :raises ExportError: if it is missing, cut off, no HDF5, or without usable ``ids``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise ExportError(
                f"there is no {path.name}", where=path.parent,
                action="Name the folder that holds train.h5, val.h5 and test.h5",
            )  # fmt: skip
        try:
            self._file = h5py.File(path, "r")
        except OSError as error:
            raise ExportError(
                f"is no HDF5 file, or is cut off ({error})", where=path, action=AGAIN
            ) from None
        self._last: tuple[str, h5py.Dataset | None] = ("", None)
        self.ids = self._ids()
        self._form = self._name_form()
        #: What mlmkg wrote beside the layout; None in files of others.
        self.about: dict[str, Any] | None = None
        if ABOUT in self._file.attrs:
            try:
                self.about = dict(json.loads(self._file.attrs[ABOUT]))
            except (OSError, TypeError, ValueError) as error:
                raise ExportError(
                    f"its attribute `{ABOUT}` cannot be read ({error})", where=path, action=AGAIN
                ) from None

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def name(self, number: int, kind: str) -> str:
        """Return a dataset's name: ``64_images``."""
        return f"{self._form.format(number)}_{kind}"

    def where(self, number: int, kind: str) -> str:
        """Return what a message calls a dataset: ``mlm/train.h5: 64_images``."""
        return f"{self.path}: {self.name(number, kind)}"

    def in_file_order(self) -> list[int]:
        """Return the places in ``ids`` in the order in which the entities lie in the file."""
        links = self._file.id.links

        def address(place: int) -> int:
            for kind in KINDS:
                name = self.name(self.ids[place], kind).encode()
                if links.exists(name):
                    return int(links.get_info(name).u)
            return 0

        return sorted(range(len(self.ids)), key=address)

    def vectors(self, number: int, kind: str) -> npt.NDArray[np.float16] | None:
        """Return an entity's (n, d) vectors, (0, d) if the file says it has none, or None.

        :param kind: ``images``, ``summaries`` or ``classes``.
        """
        content = self._content(number, kind)
        if content is None or content.shape == (0,):
            return None
        while content.ndim > 2 and content.shape[0] == 1:
            content = content[0]
        if content.ndim not in {1, 2} or content.dtype.kind not in "fiu":
            raise ExportError(
                f"is no (n, d) array of numbers: {content.shape} {content.dtype}",
                where=self.where(number, kind), action=WELL,
            )  # fmt: skip
        with np.errstate(over="ignore"):
            half = content.reshape(-1, content.shape[-1]).astype(np.float16)
        if not np.isfinite(half).all():
            raise ExportError(
                "holds a number that is not finite, or beyond 65,504, the largest of float16",
                where=self.where(number, kind), action="Correct or remove that dataset",
            )  # fmt: skip
        return half

    def cell(self, number: int) -> tuple[int, int | None]:
        """Return an entity's label (-1 for none) and the width of its one-hot row, None of a label."""
        content = self._content(number, "onehot")
        if content is None or content.size == 0:
            return -1, None
        row = content.ravel()
        if row.dtype.kind not in "fiub":
            raise ExportError(
                f"is neither a one-hot row nor a label: {row.dtype}",
                where=self.where(number, "onehot"), action=WELL,
            )  # fmt: skip
        alone_in_its_version = self.about is not None and len(self.about["cells"]) == 1
        if row.size == 1 and not alone_in_its_version:
            label = float(row[0])
            if np.isnan(label) or label < 0:
                return -1, None
            if label != int(label):
                raise ExportError(
                    f"is no label of a cell: {label:g}", where=self.where(number, "onehot"), action=WELL
                )
            return int(label), None
        set_in_it = np.flatnonzero(row)
        if len(set_in_it) > 1:
            raise ExportError(
                f"is no one-hot row: {len(set_in_it)} of {row.size} numbers are not 0",
                where=self.where(number, "onehot"), action=WELL,
            )  # fmt: skip
        return (int(set_in_it[0]) if len(set_in_it) else -1), row.size

    def coordinates(self, number: int) -> tuple[float, float] | None:
        """Return an entity's two numbers in the order of the file, or None."""
        content = self._content(number, "coordinates")
        if content is None or content.size == 0:
            return None
        if content.size != 2 or content.dtype.kind not in "fiu":
            raise ExportError(
                f"is no pair of coordinates: {content.shape} {content.dtype}",
                where=self.where(number, "coordinates"), action=WELL,
            )  # fmt: skip
        # The shortest decimal that is this float32: 52.52, not 52.52000045776367.
        first, second = (float(str(number)) for number in content.ravel())
        return (first, second) if np.isfinite([first, second]).all() else None

    def said(self, number: int, kind: str) -> dict[str, Any]:
        """Return what mlmkg wrote beside the dataset that was read last; nothing in files of others."""
        name, dataset = self._last
        if self.about is None or dataset is None or name != self.name(number, kind):
            return {}
        return dict(dataset.attrs)

    def _content(self, number: int, kind: str) -> npt.NDArray[Any] | None:
        name = self.name(number, kind)
        self._last = (name, None)
        try:
            dataset = self._file[name]
            content = dataset[()]
        except KeyError as error:
            if name not in self._file:
                return None
            raise ExportError(
                f"cannot be read ({error})", where=self.where(number, kind), action=AGAIN
            ) from None
        except (OSError, RuntimeError) as error:
            raise ExportError(
                f"cannot be read ({error})", where=self.where(number, kind), action=AGAIN
            ) from None
        except (TypeError, AttributeError, ValueError):
            raise ExportError("is no dataset", where=self.where(number, kind), action=WELL) from None
        self._last = (name, dataset)
        return None if isinstance(content, h5py.Empty) else np.asarray(content)

    def _ids(self) -> list[int]:
        """Return the numbers in ``ids``: integers, floats, or strings with or without Q."""
        if "ids" not in self._file or not isinstance(self._file["ids"], h5py.Dataset):
            raise ExportError(
                "has no dataset `ids`", where=self.path, action=f"Is it a file of MLM? {WELL}"
            )
        try:
            found: Sequence[Any] = np.asarray(self._file["ids"][()]).ravel().tolist()
        except OSError as error:
            raise ExportError(
                f"cannot be read ({error})", where=f"{self.path}: ids", action=AGAIN
            ) from None
        numbers = [_number(value) for value in found]
        if None in numbers:
            place = numbers.index(None)
            raise ExportError(
                f"number {place} is no id of an entity: {found[place]!r}", where=f"{self.path}: ids",
                action="Ids are the numbers of QIDs: 64 for Q64",
            )  # fmt: skip
        return [number for number in numbers if number is not None]

    def _name_form(self) -> str:
        for form in FORMS:
            for number in self.ids[:100]:
                if any(f"{form.format(number)}_{kind}" in self._file for kind in KINDS):
                    return form
        if not self.ids:
            return FORMS[0]
        raise ExportError(
            f"holds nothing for its first ids: no {self.ids[0]}_images, no {self.ids[0]}_summaries",
            where=self.path, action=WELL,
        )  # fmt: skip


def _number(value: Any) -> int | None:
    """Return an id as a number, or None.

    >>> [_number(v) for v in (64, 64.0, b"64", "Q64", 64.5, float("nan"), "Berlin", -1)]
    [64, 64, 64, 64, None, None, None, None]
    """
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    digits = text.strip().removeprefix("Q").removesuffix(".0")
    return int(digits) if re.fullmatch("[0-9]{1,18}", digits) else None
