"""The file: numbered objects on their way out, and the page tree."""

import zlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

KIDS_PER_NODE = 100
COMPRESSION = 3  # zlib's own default makes files 7 % smaller and takes longer


class Objects:
    """Numbered PDF objects on their way out; an offset each is all that is kept of those that left."""

    def __init__(self):
        self._offsets = array("Q")
        self._waiting = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        self._taken = 0

    @property
    def waiting(self) -> int:
        """Bytes written and not yet taken."""
        return len(self._waiting)

    def take(self) -> bytes:
        """What was written since the last time."""
        taken = bytes(self._waiting)
        self._taken += len(taken)
        self._waiting.clear()
        return taken

    def allocate(self) -> int:
        """A number for an object to be written later."""
        self._offsets.append(0)
        return len(self._offsets)

    def write(self, number: int, body: str | bytes) -> None:
        self._offsets[number - 1] = self._taken + len(self._waiting)
        body = body.encode("latin-1") if isinstance(body, str) else body
        self._waiting += b"%d 0 obj\n%b\nendobj\n" % (number, body)

    def write_stream(self, number: int, content: str | bytes, entries: str = "") -> None:
        """Write a compressed stream with further dictionary ``entries``; a str is Latin-1."""
        content = content.encode("latin-1") if isinstance(content, str) else content
        packed = zlib.compress(content, COMPRESSION)
        head = f"<</Filter/FlateDecode/Length {len(packed)}{entries}>>stream\n".encode()
        self.write(number, head + packed + b"\nendstream")

    def add(self, body: str) -> int:
        """Write an object under a new number and return that."""
        number = self.allocate()
        self.write(number, body)
        return number

    def closing(self, catalog: int, info: int, *, identity: str) -> Iterator[bytes]:
        """Yield what waits, the cross-reference table and the trailer."""
        mark = blake2b(identity.encode() + self._offsets.tobytes(), digest_size=16).hexdigest()
        size, start = len(self._offsets) + 1, self._taken + len(self._waiting)
        self._waiting += b"xref\n0 %d\n0000000000 65535 f \n" % size
        for index in range(0, size - 1, 2000):
            self._waiting += b"".join(b"%010d 00000 n \n" % offset for offset in self._offsets[index : index + 2000])
            yield self.take()
        trailer = f"trailer\n<</Size {size}/Root {catalog} 0 R/Info {info} 0 R/ID[<{mark}><{mark}>]>>\n"
        yield f"{trailer}startxref\n{start}\n%%EOF\n".encode()


@dataclass
class _Node:
    """A node of the page tree that still takes kids."""

    number: int
    kids: list[int] = field(default_factory=list)
    pages: int = 0


class PageTree:
    """The pages in nested nodes of at most ``KIDS_PER_NODE``, so that a reader finds any page in a few steps.

    One node a level is open; a full one is written when the next kid comes, for only then is it known to have a parent.
    """

    def __init__(self, objects: Objects):
        self._objects = objects
        self._open: list[_Node] = []

    def add_page(self, streams: Sequence[int]) -> None:
        """Write a page of these content streams."""
        node = self._node_with_room(0)
        contents = " ".join(f"{stream} 0 R" for stream in streams)
        page = self._objects.add(f"<</Type/Page/Parent {node.number} 0 R/Contents[{contents}]>>")
        node.kids.append(page)
        node.pages += 1

    def finish(self, inherited: str) -> int:
        """Write all open nodes, the root with the entries ``inherited`` by all pages; return the root's number."""
        level = 0
        while level < len(self._open) - 1:
            self._close(level)
            level += 1
        self._write(self._open[level], inherited)
        return self._open[level].number

    def _node_with_room(self, level: int) -> _Node:
        if level == len(self._open):
            self._open.append(_Node(self._objects.allocate()))
        elif len(self._open[level].kids) == KIDS_PER_NODE:
            self._close(level)
            self._open[level] = _Node(self._objects.allocate())
        return self._open[level]

    def _close(self, level: int) -> None:
        node, parent = self._open[level], self._node_with_room(level + 1)
        parent.kids.append(node.number)
        parent.pages += node.pages
        self._write(node, f"/Parent {parent.number} 0 R")

    def _write(self, node: _Node, entries: str) -> None:
        kids = " ".join(f"{kid} 0 R" for kid in node.kids)
        self._objects.write(node.number, f"<</Type/Pages/Count {node.pages}/Kids[{kids}]{entries}>>")


def text_string(text: str) -> str:
    """A PDF text string of any characters."""
    return "<" + ("\ufeff" + text).encode("utf-16-be", "replace").hex() + ">"
