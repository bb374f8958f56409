"""Reads one sheet of a workbook in a process of its own, and writes its rows as CSV.

    python -I workbook_process.py FILE OUT MEMORY SECONDS BYTES

A workbook may claim to have millions of empty columns, or be packed a thousandfold. What that costs ends with this
process: it has so many bytes of memory, seconds of processor time and bytes of output. Formulas are not calculated and
links are not followed: the values that stand in the file are read. What it found is printed as JSON.
"""

import csv
import datetime
import itertools
import json
import re
import resource
import sys

#: So many rows of so many sheets are looked at to find the one with the numbers.
ROWS, SHEETS = 200, 20
NUMBER = re.compile(r"['+(]*[0-9][0-9 ()./\u00a0-]{5,24}")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2,4}")


def text_of(value: object) -> str:
    """A cell as text; a whole number has no fraction."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


def is_like_a_number(value: object) -> bool:
    """Whether a cell may be a phone number: seven to fifteen digits and what people write between them."""
    if isinstance(value, float):
        return value.is_integer() and 1e6 <= value < 1e15
    text = value.strip() if isinstance(value, str) else ""
    digits = sum(letter.isdigit() for letter in text)
    return 7 <= digits <= 15 and bool(NUMBER.fullmatch(text)) and not DATE.fullmatch(text)


def sheet_with_numbers(book) -> str:
    """The name of the first sheet that is a list of phone numbers: a third of its first rows have one, those of covers
    and notes do not. Where no sheet is, the first with a number, or with anything in it; empty where all are empty."""
    found = {}
    for name in book.sheet_names[:SHEETS]:
        rows = [row for row in itertools.islice(book.get_sheet_by_name(name).iter_rows(), ROWS) if any(row)]
        numbers = sum(any(map(is_like_a_number, row)) for row in rows)
        if rows and 3 * numbers >= len(rows):
            return name
        if rows:
            found.setdefault(numbers > 0, name)
    return found.get(True, found.get(False, ""))


def main(path: str, out: str, memory: str, seconds: str, most: str) -> int:
    from python_calamine import CalamineWorkbook, PasswordError  # noqa: PLC0415 - what fails here is told as JSON

    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(most), int(most)))
    try:
        book = CalamineWorkbook.from_path(path)
        name = sheet_with_numbers(book)
        said = {"sheet": name, "others": [other for other in book.sheet_names if name and other != name]}
        if name:
            sheet = book.get_sheet_by_name(name)
            with open(out, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123
                writer = csv.writer(file)
                # Rows above the first that is filled are counted: people read the numbers of rows in the margin.
                writer.writerows([] for _row in range(sheet.start[0] if sheet.start else 0))
                writer.writerows(map(text_of, row) for row in sheet.iter_rows())
    except PasswordError:
        said = {"problem": "password"}
    except (MemoryError, OSError):
        said = {"problem": "large"}
    except Exception as error:
        said = {"problem": "password" if "assword" in str(error) or "ncrypt" in str(error) else "broken"}
    sys.stdout.write(json.dumps(said))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
