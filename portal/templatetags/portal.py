"""The few tags that templates share."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from html import escape
from itertools import chain
from operator import itemgetter

from django import template
from django.conf import settings
from django.db.models import Model
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from portal import texts

register = template.Library()
MOST_KEPT = 256


@register.simple_tag
@cache
def icon(name: str) -> str:
    """Draw an icon beside words; it has none of its own. Its shapes stand in the page: a picture in a file of its own
    would come later, and the page would be laid out again."""
    return SafeString(f'<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">{shapes().get(name, "")}</svg>')


@cache
def shapes() -> dict[str, str]:
    """The shapes of each icon that templates name, as the build has written them; none where nothing is built."""
    try:
        return json.loads(settings.ICONS.read_text())
    except FileNotFoundError:
        return {}


@register.filter
def quoted(text: object, most: int = texts.LONGEST_IN_MAIL) -> str:
    """A text of people for a mail: in quotation marks, at most ``most`` characters, without links."""
    return f"“{texts.in_mail(text, most)}”"


@register.filter
def shown(text: object) -> str:
    """An e-mail or network address for a mail: unchanged, on one line."""
    return texts.shown(text, 254)


class Blanks:
    """Stands in for a row: each of its values is a blank with the value's name."""

    def __getitem__(self, name: str) -> str:
        return SafeString(f"\0{name}\0")


class RowsNode(template.Node):
    def __init__(self, rows, name: str, inputs: dict, nodelist):
        self.rows, self.name, self.inputs, self.nodelist = rows, name, inputs, nodelist
        self.kept: dict[tuple, tuple[list[str], str, Callable]] = {}

    def render(self, context):
        rows = self.rows.resolve(context)
        if not rows:
            return ""
        before, last, values_of = kept_for(self, context, self.drawn)
        values = chain.from_iterable(map(values_of, rows))
        # One call escapes all values; no text that comes out of PostgreSQL has a NUL.
        values = ["" if value is None else value for value in values]
        texts = escape("\0".join(map(str, values))).split("\0")
        for at in [at for at, value in enumerate(values) if type(value) is SafeString]:
            texts[at] = values[at]
        pieces = [""] * (2 * len(texts))
        pieces[::2], pieces[1::2] = before * len(rows), texts
        return SafeString("".join(pieces)[len(last) :] + last)

    def drawn(self, context) -> tuple[list[str], str, Callable[[dict], Sequence]]:
        """The text before each blank, the text after the last one, and what takes the values of the blanks, in order,
        from a row. Before the first blank stands what ends the row before."""
        with context.push(**{self.name: Blanks()}):
            pieces = self.nodelist.render(context).split("\0")
        names, last = pieces[1::2], pieces[-1]
        values_of = itemgetter(*names) if len(names) > 1 else lambda row: [row[name] for name in names]
        return [last + pieces[0], *pieces[2:-1:2]], last, values_of


@register.tag
def rows(parser, token):
    """``{% rows <rows> as <name> [name=value …] %}…{% endrows %}``: the body for each row, much faster than a loop.

    The body is drawn once, with a blank for each ``{{ name.key }}``; the blanks are then filled in, escaped, row by
    row. So tags and filters in the body see its inputs but never a row's values: rows come with their words ready, as
    plain text. Markup that few rows have comes ready too, from ``format_html``: what a row does not have, the browser
    does not get. What was drawn is kept as ``kept`` keeps it.
    """
    _, *written = token.split_contents()
    if len(written) < 3 or written[1] != "as":
        raise template.TemplateSyntaxError("Write {% rows <rows> as <name> name=value … %}.")
    of, _as, name, *inputs = written
    named = template.base.token_kwargs(inputs, parser)
    if inputs:
        raise template.TemplateSyntaxError("Write {% rows <rows> as <name> name=value … %}.")
    nodelist = parser.parse(["endrows"])
    parser.delete_first_token()
    return RowsNode(parser.compile_filter(of), name, named, nodelist)


def kept_for(node, context, make):
    """What ``make`` draws of a node's inputs and nothing else; kept for the same inputs."""
    values = {name: expression.resolve(context) for name, expression in node.inputs.items()}
    key = (get_language(), *values.values())
    if (made := node.kept.get(key)) is None:
        if len(node.kept) >= MOST_KEPT:
            node.kept.clear()
        if any(isinstance(value, Model) for value in values.values()):
            raise TypeError("Keep texts, not rows: a row stays equal to itself when its texts change.")
        made = node.kept[key] = make(context.new(values))
    return made


class KeptNode(template.Node):
    def __init__(self, inputs: dict, nodelist):
        self.inputs, self.nodelist = inputs, nodelist
        self.kept: dict[tuple, str] = {}

    def render(self, context):
        return kept_for(self, context, self.nodelist.render)


@register.tag
def kept(parser, token):
    """``{% kept name=value … %}…{% endkept %}``: a piece of page that is made once for the same inputs, then kept.

    The body sees nothing but its inputs, so what is kept can never be somebody else's: whatever it shows is part of
    the key. Inputs must be hashable. A process keeps the ``MOST_KEPT`` latest of each piece, in each language.
    """
    written = token.split_contents()[1:]
    inputs = template.base.token_kwargs(written, parser)
    if written:
        raise template.TemplateSyntaxError("Write {% kept name=value … %}.")
    nodelist = parser.parse(["endkept"])
    parser.delete_first_token()
    return KeptNode(inputs, nodelist)
