"""CSV files that appear whole or not at all, and lines that say where they are wrong."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TypeVar

from zilzal.core.errors import DataError, FormatError, StoreError
from zilzal.core.time import Time

Choice = TypeVar("Choice", bound=StrEnum)


def fixed(value: float | None, decimals: int) -> str:
    """A number with so many decimals; "" for None and NaN."""
    return "" if value is None or math.isnan(value) else f"{value:z.{decimals}f}"


def significant(value: float | None) -> str:
    """A number with six digits; "" for None and NaN."""
    return "" if value is None or math.isnan(value) else f"{value:.6g}"


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file to write into that takes its name at the end; after an error nothing changed.

    Raises:
        StoreError: it cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            with part.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(
            f"cannot write {path}: {error.strerror or error}; check that its folder is there, "
            "may be written and has space"
        ) from error


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write rows as they come.

    Raises:
        StoreError: the file cannot be written.
    """
    with whole_file(path) as file:
        text = TextIOWrapper(file, "utf-8", newline="")
        try:
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(rows)
        finally:
            text.detach()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a table; its readers raise `FormatError` with file, line and column.

    Args:
        path: of the file.
        number: in the file, from 1.
        cells: by column; optional columns that the file lacks read as "".
    """

    path: Path
    number: int
    cells: dict[str, str]

    def text(self, column: str) -> str:
        """The cell without blanks around it; "" where there is no such column."""
        return self.cells.get(column, "").strip()

    def fault(self, column: str, expected: str) -> FormatError:
        """What is wrong with a cell."""
        return FormatError(
            f"{self.path}, line {self.number}, column {column}: {self.text(column)!r}; "
            f"expected {expected}"
        )

    def real_or_none(self, column: str) -> float | None:
        """A finite number, or None for an empty cell."""
        text = self.text(column)
        if not text:
            return None
        try:
            value = float(text)
        except ValueError as error:
            raise self.fault(column, "a number") from error
        if not math.isfinite(value):
            raise self.fault(column, "a finite number")
        return value

    def real(self, column: str, *, low: float = -math.inf, high: float = math.inf) -> float:
        """A finite number in [low, high]."""
        value = self.real_or_none(column)
        if value is None or not low <= value <= high:
            bounds = "" if math.isinf(low) else f" from {low:g} to {high:g}"
            raise self.fault(column, f"a number{bounds}")
        return value

    def time(self, column: str) -> Time:
        """An instant in UTC."""
        try:
            return Time.parse(self.text(column))
        except FormatError as error:
            raise self.fault(column, "a UTC time as 2019-07-07T08:02:17.180000Z") from error

    def choice(self, column: str, kind: type[Choice]) -> Choice:
        """A word of a list."""
        try:
            return kind(self.text(column))
        except ValueError as error:
            raise self.fault(column, "one of " + ", ".join(kind)) from error

    def choice_or_none(self, column: str, kind: type[Choice]) -> Choice | None:
        """A word of a list, or None for an empty cell."""
        return self.choice(column, kind) if self.text(column) else None


def read_header(path: Path) -> list[str]:
    """The columns of a table, whatever they are.

    Raises:
        DataError: the file cannot be read.
        FormatError: it is no text.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [name.strip() for name in next(csv.reader(file), [])]
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}; check the path") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise FormatError(f"{path} is not a CSV file in UTF-8: {error}") from error


def read_table(path: Path, required: Sequence[str]) -> Iterator[Line]:
    """Lines as they are read; columns in any order, and more of them than are known.

    Raises:
        DataError: the file cannot be read.
        FormatError: it is no such table.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            columns = [name.strip() for name in next(reader, [])]
            missing = [name for name in required if name not in columns]
            if missing:
                raise FormatError(
                    f"{path}, line 1: no column {', '.join(missing)}; expected a header with "
                    f"{', '.join(required)}, found {', '.join(columns) or 'nothing'}"
                )
            for cells in reader:
                if len(cells) == len(columns):
                    yield Line(path, reader.line_num, dict(zip(columns, cells, strict=True)))
                elif cells:
                    raise FormatError(
                        f"{path}, line {reader.line_num}: {len(cells)} cells; expected "
                        f"{len(columns)} as in the header"
                    )
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}; check the path") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise FormatError(f"{path} is not a CSV file in UTF-8: {error}") from error
