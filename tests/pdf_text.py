"""What a reader of a PDF table finds on its pages, string by string."""

import re

from pypdf.generic import ContentStream


def shown(page) -> list[str]:
    """Every text that the page places, in order, as a reader of its ToUnicode maps and actual texts understands it.

    What is written from right to left comes in the order in which it stands on the line.
    """
    maps = {name: to_unicode(font.get_object()) for name, font in page["/Resources"]["/Font"].items()}
    texts, current, pieces, actual = [], None, None, False
    for operands, operator in ContentStream(page["/Contents"], page.pdf).operations:
        if operator == b"Tf":
            current = maps[operands[0]]
        elif operator in (b"Td", b"ET"):
            texts += [] if pieces is None else ["".join(pieces)]
            pieces = None
        elif operator == b"BDC" and operands[0] == "/Span":
            actual, pieces = True, [*(pieces or []), operands[1]["/ActualText"]]
        elif operator == b"EMC":
            actual = False
        elif operator == b"Tj" and not actual:
            codes = operands[0].original_bytes
            pieces = [*(pieces or []), *(current[codes[i : i + 2]] for i in range(0, len(codes), 2))]
    return texts


def to_unicode(font) -> dict[bytes, str]:
    pairs = re.findall(rb"<([0-9A-F]{4})><([0-9a-f]+)>\n", font["/ToUnicode"].get_data().split(b"endcodespacerange")[1])
    return {bytes.fromhex(code.decode()): bytes.fromhex(text.decode()).decode("utf-16-be") for code, text in pairs}


def body(page, columns=2) -> list[tuple[str, ...]]:
    """The rows of a page: what it draws between the headings and the footer."""
    texts = shown(page)
    start = texts.index("Number") + columns
    cells = texts[start : next(i for i in range(len(texts) - 1, 0, -1) if texts[i].startswith(("Page", "End")))]
    cells = cells[:-1] if cells and cells[-1].startswith("End of table") else cells
    return [] if cells == ["No rows."] else list(zip(*[iter(cells)] * columns, strict=True))
