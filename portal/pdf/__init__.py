"""A table as a PDF that is sent while it is made: landscape A4, an embedded font, nearly constant memory.

``table_pdf`` yields the bytes.  What stays in memory is one page of rows, one offset an object and what is known of
the characters met so far.
"""

from portal.pdf.layout import Column, Document, Wording, table_pdf

__all__ = ["Column", "Document", "Wording", "table_pdf"]
