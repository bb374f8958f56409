"""The few tags that templates share."""

from functools import cache
from html import escape

from django import template
from django.db.models import Model
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

register = template.Library()
MOST_KEPT = 256


@register.simple_tag
@cache
def icon(name: str) -> str:
    """Draw an icon beside words; it has none of its own. The build puts the icons that templates name into one file."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', static("portal/icons.svg"), name
    )


class Blanks:
    """Stands in for a row: each of its values is a blank with the value's name."""

    def __getitem__(self, name: str) -> str:
        return SafeString(f"\0{name}\0")


class RowsNode(template.Node):
    def __init__(self, rows, name: str, nodelist):
        self.rows, self.name, self.nodelist = rows, name, nodelist

    def render(self, context):
        rows = self.rows.resolve(context)
        if not rows:
            return ""
        with context.push(**{self.name: Blanks()}):
            pieces = self.nodelist.render(context).split("\0")
        names = pieces[1::2]
        form = "%s".join(piece.replace("%", "%%") for piece in pieces[::2])
        # One call escapes all values; no text that comes out of PostgreSQL has a NUL.
        values = [row[name] for row in rows for name in names]
        texts = escape("\0".join("" if value is None else str(value) for value in values)).split("\0")
        return SafeString(form * len(rows) % tuple(texts))


@register.tag
def rows(parser, token):
    """``{% rows <rows> as <name> %}…{% endrows %}``: the body for each row, many times as fast as a loop.

    The body is rendered once, with a blank for each ``{{ name.key }}``; the blanks are then filled in, escaped, row by
    row. So tags and filters in the body see the page but never a row's values: rows come with their words ready, as
    plain text.
    """
    try:
        _, of, word, name = token.split_contents()
    except ValueError:
        word = ""
    if word != "as":
        raise template.TemplateSyntaxError("Write {% rows <rows> as <name> %}.")
    nodelist = parser.parse(["endrows"])
    parser.delete_first_token()
    return RowsNode(parser.compile_filter(of), name, nodelist)


class KeptNode(template.Node):
    def __init__(self, inputs: dict, nodelist):
        self.inputs, self.nodelist = inputs, nodelist
        self.kept: dict[tuple, str] = {}

    def render(self, context):
        values = {name: expression.resolve(context) for name, expression in self.inputs.items()}
        key = (get_language(), *values.values())
        if (text := self.kept.get(key)) is None:
            if len(self.kept) >= MOST_KEPT:
                self.kept.clear()
            if any(isinstance(value, Model) for value in values.values()):
                raise TypeError("Keep texts, not rows: a row stays equal to itself when its texts change.")
            text = self.kept[key] = self.nodelist.render(context.new(values))
        return text


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
