"""Reads one sheet of a workbook in a process of its own, and writes its rows as CSV.

    python -I workbook_process.py FILE OUT MEMORY SECONDS BYTES

A workbook may claim to have millions of empty columns, or be packed a thousandfold. What that costs ends with this
process: it has so many bytes of memory, seconds of processor time and bytes of output. Formulas are not calculated and
links are not followed: the values that stand in the file are read. What it found is printed as JSON.
"""

import csv
import datetime
import json
import resource
import sys


def text_of(value: object) -> str:
    """A cell as text; a whole number has no fraction."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


def main(path: str, out: str, memory: str, seconds: str, most: str) -> int:
    from python_calamine import CalamineWorkbook, PasswordError  # noqa: PLC0415 - what fails here is told as JSON

    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(most), int(most)))
    try:
        book = CalamineWorkbook.from_path(path)
        said = {"sheet": "", "others": []}
        for name in book.sheet_names:
            if said["sheet"]:
                said["others"].append(name)
                continue
            sheet = book.get_sheet_by_name(name)
            rows = sheet.iter_rows()
            first = next(rows, None)
            if first is None:
                continue
            said["sheet"] = name
            with open(out, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123
                writer = csv.writer(file)
                # Rows above the first that is filled are counted: people read the numbers of rows in the margin.
                writer.writerows([] for _row in range(sheet.start[0] if sheet.start else 0))
                writer.writerow(map(text_of, first))
                writer.writerows(map(text_of, row) for row in rows)
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
