"""Speed and memory of the PDF table beside platypus, with the same embedded font; each measurement in its own process.

python -m tests.bench.pdf [--rows 50000] [--long-rows 10000] [--growth 10000 1000000] [--fonts FOLDER]
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.result import Result

HEADINGS = ["Number", "Used by", "Company", "VAR", "Use", "Provider", "Status"]
WIDTHS = [86, 140, 180, 130, 60, 90, 83]
ROWS_A_PAGE = 40
BUILT_FONTS = Path(__file__).resolve().parents[2] / "static/dist/fonts"


def measure(
    rows: int = 50_000,
    long_rows: int = 10_000,
    growth: tuple[int, int] = (10_000, 1_000_000),
    *,
    fonts: Path = BUILT_FONTS,
    repeats: int = 2,
) -> list[Result]:
    """Compare with platypus at ``rows`` (a Table a page) and ``long_rows`` (LongTable), and ours at both of ``growth``.

    Each time is the best of ``repeats``, the parties taking turns.  LongTable slows down as it
    grows: fewer than 10,000 ``long_rows`` flatter it.  The exponent needs sizes a hundredfold apart and
    two repeats: over tenfold, a machine that wavers by 30 % moves it by 0.1.  Linux only, as memory is read from /proc.
    """
    smaller, larger = growth
    runs: dict[tuple[str, int], list[dict]] = {}
    wanted = [("tables", rows), ("longtable", long_rows), *(("ours", count) for count in (rows, long_rows, *growth))]
    for _ in range(repeats):
        for name, count in dict.fromkeys(wanted):
            runs.setdefault((name, count), []).append(_run_apart(name, count, fonts))

    def best(name: str, count: int, what: str = "seconds") -> float:
        return min(run[what] for run in runs[name, count])

    by_tables = best("tables", rows) / best("ours", rows)
    by_long = best("longtable", long_rows) / best("ours", long_rows)
    times = [best("ours", count, "streaming") for count in growth]
    exponent = math.log(times[1] / times[0]) / math.log(larger / smaller)
    memory = max(run["grown"] for run in runs["ours", larger]) / 1024
    first = best("ours", larger, "first")
    return [
        Result(f"PDF of {rows:,} rows against a Table a page", f"{by_tables:.1f} x", ">= 6 x", by_tables >= 6),
        Result(f"PDF of {long_rows:,} rows against LongTable", f"{by_long:.1f} x", ">= 10 x", by_long >= 10),
        Result(f"PDF growth, {smaller:,} to {larger:,} rows", f"n^{exponent:.2f}", "<= n^1.1", exponent <= 1.1),
        Result(f"PDF memory at {larger:,} rows", f"+{memory:.0f} MB", "<= +60 MB", memory <= 60),
        Result(f"PDF first bytes of {larger:,} rows, new process", f"{first:.2f} s", "<= 0.5 s", first <= 0.5),
    ]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rows", type=int, default=50_000)
    arguments.add_argument("--long-rows", type=int, default=10_000)
    arguments.add_argument("--growth", type=int, nargs=2, default=(10_000, 1_000_000))
    arguments.add_argument("--fonts", type=Path, default=BUILT_FONTS)
    arguments.add_argument("--repeats", type=int, default=2)
    arguments.add_argument("--run", nargs=2, metavar=("NAME", "COUNT"), help="one measurement, printed as JSON")
    chosen = arguments.parse_args()
    if chosen.run:
        name, count = chosen.run
        print(json.dumps(_run(name, int(count), chosen.fonts)))  # noqa: T201
        return
    results = measure(chosen.rows, chosen.long_rows, tuple(chosen.growth), fonts=chosen.fonts, repeats=chosen.repeats)
    for result in results:
        print(result)  # noqa: T201
    sys.exit(not all(result.ok for result in results))


def _run_apart(name: str, count: int, fonts: Path) -> dict:
    command = [sys.executable, "-m", "tests.bench.pdf", "--run", name, str(count), "--fonts", str(fonts)]
    root = Path(__file__).resolve().parents[2]
    return json.loads(subprocess.run(command, cwd=root, check=True, capture_output=True).stdout)  # noqa: S603


def _run(name: str, count: int, fonts: Path) -> dict:
    """Make one document in this process; times include loading libraries and font."""
    before = _memory("VmRSS")
    makers = {"ours": _ours, "tables": _tables, "longtable": _longtable}
    with tempfile.TemporaryFile() as file:
        start = time.perf_counter()
        first = makers[name](count, fonts, file)
        end = time.perf_counter()
    return {
        "seconds": end - start,
        "first": first - start,
        "streaming": end - first,
        "grown": _memory("VmHWM") - before,
    }


def _memory(entry: str) -> int:
    """Kilobytes of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(entry))


def _rows(count: int) -> Iterator[tuple[str, ...]]:
    """Rows whose labels vary, so that no cache is flattered."""
    for i in range(count):
        k = i * 7919
        name, company = (f"Émilie Tremblay {k % 9973}", f"Northern Insurance Ltd {k % 50000}") if i % 3 else ("", "")
        number = f"+1{2_000_000_000 + k % 7_999_999_999}"
        yield number, name, company, f"Acme Telecom {k % 200}", "User", "Bandwidth", "Active"


def _ours(count: int, fonts: Path, file) -> float:
    """Write the document; return when its first bytes were there."""
    from portal.pdf import Column, Document, table_pdf  # noqa: PLC0415 (loading it is measured)

    document = Document("Phone Numbers", "Benchmark", datetime.now(UTC), [("Account", "SYS"), ("Filter", "All")])
    columns = [Column(heading, width) for heading, width in zip(HEADINGS, WIDTHS, strict=True)]
    chunks = table_pdf(document, columns, _rows(count), count, font_folder=fonts)
    file.write(next(chunks))
    first = time.perf_counter()
    file.writelines(chunks)
    return first


def _tables(count: int, fonts: Path, file) -> float:
    from reportlab.platypus import Table  # noqa: PLC0415 (loading it is measured)

    style, rows = _style(fonts), list(_rows(count))
    pages = [rows[start : start + ROWS_A_PAGE] for start in range(0, count, ROWS_A_PAGE)]
    tables = [Table([HEADINGS, *page], colWidths=WIDTHS, rowHeights=12.5, style=style) for page in pages]
    _template(file).build(tables)
    return time.perf_counter()


def _longtable(count: int, fonts: Path, file) -> float:
    from reportlab.platypus import LongTable  # noqa: PLC0415 (loading it is measured)

    table = LongTable([HEADINGS, *_rows(count)], repeatRows=1, colWidths=WIDTHS, style=_style(fonts))
    _template(file).build([table])
    return time.perf_counter()


def _template(file):
    from reportlab.lib.pagesizes import A4, landscape  # noqa: PLC0415
    from reportlab.platypus import SimpleDocTemplate  # noqa: PLC0415

    margins = {"leftMargin": 24, "rightMargin": 24, "topMargin": 24, "bottomMargin": 24}
    return SimpleDocTemplate(file, pagesize=landscape(A4), **margins)


def _style(fonts: Path):
    from reportlab.pdfbase.pdfmetrics import registerFont  # noqa: PLC0415
    from reportlab.pdfbase.ttfonts import TTFont  # noqa: PLC0415
    from reportlab.platypus import TableStyle  # noqa: PLC0415

    regular = fonts / "DejaVuSans.ttf"
    registerFont(TTFont("Embedded", str(regular) if regular.is_file() else "Vera.ttf"))
    whole = (0, 0), (-1, -1)
    return TableStyle(
        [
            ("FONT", *whole, "Embedded", 8),
            ("GRID", *whole, 0.25, "grey"),
            ("TOPPADDING", *whole, 1),
            ("BOTTOMPADDING", *whole, 1),
        ]
    )


if __name__ == "__main__":
    main()
