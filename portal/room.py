"""How wide a window a list needs to be a table: worked out from its texts, before the browser lays anything out.

In a narrower window the same rows are cards. A style sheet cannot ask whether a table fits, and a script that measured
it would lay the page out twice. So the server estimates, on the generous side: a table is shown where every column has
room for its longest word, and every cell for its text in about ``LINES`` lines.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from unicodedata import combining, east_asian_width

LINES = 3
#: All widths are in rem. The text of a list is so high; of the fonts in common use DejaVu Sans, the widest, is assumed.
TEXT = 0.8125
PADDING = 1.0
TICK_BOX = 2.5
#: The icon beside a number, and the arrow of the column that sorts.
ICON = 1.75
#: The column of buttons, where rows have some.
ROW_ACT = 5.5
#: A search field.
FIELD = 3.5
#: A longer word is broken: no phone could show it on one line. A cell of the style sheet is as wide at most.
LONGEST_WORD = 18.0
#: A text is asked to fit into ``LINES`` lines up to this width; longer remarks take more lines.
LONGEST_TEXT = 55.0
#: Below this every list is cards: on a phone they are easier to hit.
NARROWEST = 40.0
#: Widths of letters in em.
NARROW, USUAL, BROAD, BROADEST = 0.42, 0.645, 0.8, 1.02
NARROW_LETTERS = frozenset(" ijltfrI.,:;!'’|()[]/-")
BROADEST_LETTERS = frozenset("mWM@%—…œæŒÆ")


@lru_cache(maxsize=50_000)
def extent(text: str) -> tuple[float, float]:
    """The width of a text's longest word and of the whole text on one line, in em. A phone number is one word."""
    longest = whole = word = 0.0
    is_number = text.startswith("+")
    for letter in text:
        if letter.isspace() and not is_number:
            longest, word = max(longest, word), 0.0
            whole += NARROW
            continue
        if letter in NARROW_LETTERS:
            width = NARROW
        elif letter in BROADEST_LETTERS:
            width = BROADEST
        elif letter.isascii():
            width = BROAD if letter.isupper() or letter == "w" else USUAL
        elif combining(letter):
            width = 0.0
        else:
            width = BROADEST if east_asian_width(letter) in "WF" else BROAD
        word += width
        whole += width
    return max(longest, word), whole


def cells(rows: Sequence[Mapping], keys: Collection[str]) -> Iterator[tuple[float, float]]:
    """The widths of the cells of a column that are not empty, as ``extent`` has them; of equal ones once."""
    first, *more = keys
    if not more:
        for text in {row.get(first) for row in rows}:
            if text:
                yield extent(str(text))
        return
    for cell in {tuple([row.get(key) for key in keys]) for row in rows}:
        if texts := [extent(str(text)) for text in cell if text]:
            yield max(word for word, _whole in texts), sum(whole for _word, whole in texts) + (len(texts) - 1) * NARROW


def needed(headings: Mapping[str, str], rows: Sequence[Mapping], parts: Mapping[str, Collection[str]]) -> float:
    """The width in rem that a table of these rows needs.

    ``headings`` are the names of the columns with their headings; ``parts`` the keys of a row whose texts make up the
    cell of a column, where it is not the column's name alone.
    """
    least = most = 2 * ICON
    for name, heading in headings.items():
        word, whole = extent(heading)
        # In bold; and what is typed below it can be read.
        word, whole = max(word * TEXT * 1.1, FIELD), whole * TEXT * 1.1
        for words, cell in cells(rows, parts.get(name, (name,))):
            word, whole = max(word, TEXT * words), max(whole, TEXT * cell)
        word = min(word, LONGEST_WORD)
        least += word + PADDING
        most += max(word, min(whole, LONGEST_TEXT)) + PADDING
    return max(NARROWEST, TICK_BOX + least + (most - least) / LINES)


#: What surrounds a list in a window that is at least so wide, in px: (from, to, rem). A scroll bar is among it.
FRAMES = ((0, 768, 2.75), (768, 992, 3.25), (992, 1200, 14.75), (1200, None, 17.75))


def too_narrow(width: float) -> str:
    """The media query for windows in which a list has less room than this width in rem."""
    conditions = []
    for begins, ends, around in FRAMES:
        # In whole steps: the same query is written for many pages.
        room = f"(width < {round(width + around + 0.5)}rem)"
        conditions.append(" and ".join([
            "screen", *([f"(width >= {begins}px)"] if begins else []), *([f"(width < {ends}px)"] if ends else []), room,
        ]))  # fmt: skip
    return ", ".join(conditions)
