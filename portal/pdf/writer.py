"""The file: numbered objects on their way out, and the page tree."""

import struct
import zlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

KIDS_PER_NODE = 100
#: So many small objects are compressed together.
PACKED = 400
COMPRESSION = 3  # zlib's own default makes files 7 % smaller and takes longer


class Objects:
    """Numbered PDF objects on their way out; where each is, is all that is kept of those that left."""

    def __init__(self):
        #: Of each object: 1 and its offset, or 2, the object that it is packed in, and its place there.
        self._kinds, self._offsets, self._places = array("B"), array("Q"), array("H")
        self._waiting = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        self._taken = 0
        self._packing: list[tuple[int, str]] = []

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
        self._kinds.append(0)
        self._offsets.append(0)
        self._places.append(0)
        return len(self._offsets)

    def write(self, number: int, body: str | bytes) -> None:
        self._kinds[number - 1], self._offsets[number - 1] = 1, self._taken + len(self._waiting)
        body = body.encode("latin-1") if isinstance(body, str) else body
        self._waiting += b"%d 0 obj\n%b\nendobj\n" % (number, body)

    def pack(self, number: int, body: str) -> None:
        """Write one of many small objects, compressed together with others (ISO 32000-1, 7.5.7); no stream."""
        self._packing.append((number, body))
        if len(self._packing) == PACKED:
            self._write_packed()

    def _write_packed(self) -> None:
        if not self._packing:
            return
        container, at, index = self.allocate(), 0, []
        for place, (number, body) in enumerate(self._packing):
            self._kinds[number - 1], self._offsets[number - 1], self._places[number - 1] = 2, container, place
            index.append(f"{number} {at}")
            at += len(body) + 1
        head = " ".join(index) + "\n"
        content = head + "\n".join(body for _number, body in self._packing)
        self.write_stream(container, content, f"/Type/ObjStm/N {len(self._packing)}/First {len(head)}")
        self._packing.clear()

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
        """Yield what waits, and where all objects are (ISO 32000-1, 7.5.8)."""
        self._write_packed()
        number = self.allocate()
        start = self._taken + len(self._waiting)
        self._kinds[-1], self._offsets[-1] = 1, start
        mark = blake2b(identity.encode() + self._offsets.tobytes(), digest_size=16).hexdigest()
        compressor = zlib.compressobj(COMPRESSION)
        packed = bytearray(compressor.compress(struct.pack(">BQH", 0, 0, 0xFFFF)))
        for entry in zip(self._kinds, self._offsets, self._places, strict=True):
            packed += compressor.compress(struct.pack(">BQH", *entry))
        packed += compressor.flush()
        self._waiting += (
            f"{number} 0 obj\n<</Type/XRef/Size {len(self._offsets) + 1}/W[1 8 2]/Root {catalog} 0 R/Info {info} 0 R"
            f"/ID[<{mark}><{mark}>]/Filter/FlateDecode/Length {len(packed)}>>stream\n"
        ).encode()
        self._waiting += packed
        self._waiting += f"\nendstream\nendobj\nstartxref\n{start}\n%%EOF\n".encode()
        yield self.take()


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

    def add_page(self, page: int, streams: Sequence[int], entries: str = "") -> None:
        """Write a page of these content streams, with further ``entries``, under the number ``page``."""
        node = self._node_with_room(0)
        contents = " ".join(f"{stream} 0 R" for stream in streams)
        self._objects.write(page, f"<</Type/Page/Parent {node.number} 0 R/Contents[{contents}]{entries}>>")
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
