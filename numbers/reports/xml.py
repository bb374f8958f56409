"""XML from outside, parsed with limits.

Python's own parser expands entities, and a document of a few lines can declare entities that fill the memory or name
files of the server. No report declares any: a document with a declaration of its type is refused, which is the only
place where entities can be declared.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from django.utils.translation import gettext as _

from numbers.calls import NotCalls

__all__ = ["Element", "parsed"]
#: No report nests deeper, or has more elements.
DEEPEST, MOST_ELEMENTS = 50, 50_000


class Limits:
    """Builds the tree of a document, and stops at one that no phone system writes."""

    def __init__(self):
        self.builder, self.depth, self.count = TreeBuilder(), 0, 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth, self.count = self.depth + 1, self.count + 1
        if self.depth > DEEPEST or self.count > MOST_ELEMENTS:
            raise NotCalls(_("This XML document has too many elements, or nests them too deeply."))
        self.builder.start(tag, attributes)

    def end(self, tag: str) -> None:
        self.depth -= 1
        self.builder.end(tag)

    def refuse(self, *_declaration) -> None:
        raise NotCalls(_("XML documents with a DOCTYPE or with entities of their own are not read."))


def parsed(text: str) -> Element:
    """The root of a document. Raises ``NotCalls``."""
    limits, parser = Limits(), expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = limits.start, limits.end
    parser.CharacterDataHandler = limits.builder.data
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = limits.refuse
    try:
        # Text is handed over as UTF-8, whatever encoding the document names.
        parser.Parse(text, True)
        return limits.builder.close()
    except NotCalls:
        raise
    except (expat.ExpatError, ValueError) as error:
        raise NotCalls(_("This is not valid XML.")) from error
