"""Names that nobody has."""

HOSTILE = ["", " ", "a\0b", "x" * 121, "a\r\nBcc: all@example.com", "a\u2028b"]
