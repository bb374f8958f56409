"""What a document's parts are, for programs that read it aloud or take it apart (ISO 32000-1, 14.7 and 14.8)."""

from collections.abc import Sequence

from portal.pdf.writer import Objects, text_string

#: What repeats, decorates or counts pages is no part of the text.
ARTIFACT, END = "/Artifact BMC ", "EMC\n"
#: Where text is drawn otherwise than character by character (``portal.pdf.shaping``).
ACTUAL = "/ActualText"
#: Kinds of cells: a number is the heading of its row.
COLUMN_HEADING, ROW_HEADING, CELL = "TH/A<</O/Table/Scope/Column>>", "TH/A<</O/Table/Scope/Row>>", "TD"


class Structure:
    """A title, paragraphs, and a table with its rows and cells, written while pages leave.

    What is kept is an object number for each row.
    """

    def __init__(self, objects: Objects):
        self._objects = objects
        self._root, self._document, self._table = (objects.allocate() for _turn in range(3))
        self._parts: list[int] = []
        self._rows: list[int] = []
        #: The elements of the page by their marks, and the object number of those of each page.
        self._marks: list[int] = []
        self._pages: list[int] = []
        self._page = 0

    def begin_page(self, page: int) -> str:
        """Begin to mark what stands on the page with this object number; return the entries that the page needs."""
        self._end_page()
        self._page = page
        self._pages.append(self._objects.allocate())
        return f"/StructParents {len(self._pages) - 1}/Tabs/S"

    def part(self, kind: str, operators: str) -> str:
        """The operators of a heading (H1) or paragraph (P), marked."""
        element, marked = self._marked(kind, self._document, operators)
        self._parts.append(element)
        return marked

    def row(self, kinds: Sequence[str], texts: Sequence[str], cells: Sequence[str]) -> list[str]:
        """The operators that show the ``texts`` of a row's cells, marked as what they are."""
        row = self._objects.allocate()
        marked = [
            # Of letters that are drawn one by one, readers of the structure would take the last.
            self._marked(f"{kind}/ActualText{text_string(text)}" if ACTUAL in cell else kind, row, cell)
            for kind, text, cell in zip(kinds, texts, cells, strict=True)
        ]
        kids = " ".join(f"{element} 0 R" for element, _operators in marked)
        self._objects.pack(row, f"<</Type/StructElem/S/TR/P {self._table} 0 R/K[{kids}]>>")
        self._rows.append(row)
        return [operators for _element, operators in marked]

    def finish(self) -> str:
        """Write what is left; return the entries that the catalog needs."""
        self._end_page()
        pack = self._objects.pack
        rows = " ".join(f"{row} 0 R" for row in self._rows)
        pack(self._table, f"<</Type/StructElem/S/Table/P {self._document} 0 R/K[{rows}]>>")
        parts = " ".join(f"{part} 0 R" for part in [*self._parts, self._table])
        pack(self._document, f"<</Type/StructElem/S/Document/P {self._root} 0 R/K[{parts}]>>")
        parents = self._objects.allocate()
        pages = " ".join(f"{place} {number} 0 R" for place, number in enumerate(self._pages))
        pack(parents, f"<</Nums[{pages}]>>")
        pack(
            self._root,
            f"<</Type/StructTreeRoot/K[{self._document} 0 R]/ParentTree {parents} 0 R"
            f"/ParentTreeNextKey {len(self._pages)}>>",
        )
        return f"/MarkInfo<</Marked true>>/StructTreeRoot {self._root} 0 R"

    def _end_page(self) -> None:
        if self._pages:
            elements = " ".join(f"{element} 0 R" for element in self._marks)
            self._objects.pack(self._pages[-1], f"[{elements}]")
            self._marks.clear()

    def _marked(self, kind: str, parent: int, operators: str) -> tuple[int, str]:
        mark, element = len(self._marks), self._objects.allocate()
        self._marks.append(element)
        self._objects.pack(element, f"<</Type/StructElem/S/{kind}/P {parent} 0 R/Pg {self._page} 0 R/K {mark}>>")
        return element, f"/{kind.partition('/')[0]}<</MCID {mark}>>BDC {operators} EMC"
