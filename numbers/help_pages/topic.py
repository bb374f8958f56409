"""One page of the help."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """A help page: a title, and sections of (heading, paragraphs)."""

    title: str
    sections: tuple[tuple[str, tuple[str, ...]], ...]
