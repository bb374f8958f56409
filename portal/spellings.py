"""The text of a phone number without what surrounds it: marks nobody sees, URIs, labels, quotes, extensions.

Nothing is known here of numbering plans; ``portal.phones`` reads what is left.
"""

import re
import unicodedata
from typing import NamedTuple
from urllib.parse import unquote

from django.utils.translation import gettext as _

#: Punctuation that people write inside a number, in its plain form.
PUNCTUATION = " \t\u00a0.-–—‐‑/()[]"
LONGEST = 250
#: Dashes besides the characters of category Pd: minus signs, hyphen bullet, and the long vowel mark of Japanese.
DASHES = "\u2212\u2043\u02d7\u30fc\uff70"
SLASHES = "\u2044\u2215\uff0f"
QUOTES = "'\"`´‘’‚‛“”„‟«»‹›′″"
# A spreadsheet's own form of a large quantity: 1.51455E+10. A decimal comma is one in half of the world.
SHORTENED = re.compile(r"[+-]?([0-9]+)(?:[.,]([0-9]+))?E\+?([0-9]+)", re.IGNORECASE)
ANY_SHORTENED = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?E[+-]?[0-9]+", re.IGNORECASE)
# A quantity with a fraction. Fewer digits before the point, or more after it, may be a number written with a point.
FRACTION = re.compile(r"(\+?[0-9]{7,})[.,]([0-9]{1,2})")
# 15,145,550,123 and 15.145.550.123,00: a quantity, its thousands apart. Points alone are punctuation.
THOUSANDS = re.compile(r"([0-9]{1,3}(?:,[0-9]{3}){2,})(?:\.(0+))?|([0-9]{1,3}(?:\.[0-9]{3}){2,}),(0+)")
# What people write before a number. With a colon any word will do.
LABEL = re.compile(
    r"(?:[^\W\d_][^\W\d_ .]{0,19}\.?(?: [^\W\d_]{1,20}\.?)?\s*:"
    r"|(?:tel|tél|telephone|téléphone|telefon|telefono|teléfono|telefone|phone|ph|mobile|mob|cell|handy|gsm|fax|fon|call"
    r"|did|ddi|number|numéro|número|nummer|rufnummer|no|nr|n°|nº|№)(?:\.?\s+|\.))\s*(?=[+(\[0-9])(?=(?:[^0-9]*[0-9]){5})",
    re.IGNORECASE,
)
BULLET = re.compile(r"(?:[-*•·–—]\s+|[0-9]{1,3}[.)]\s+(?=\+))")
# The part after a number that a phone system dials once it is connected.
EXTENSION = re.compile(
    r"(?:[\s.,;)-]*(?:;?ext=|extension|extn|ext|xtn|x|#|~|poste|durchwahl|klappe|interno|anexo|ramal|int|доб(?:авочный)?)"
    r"[\s.:]*|\s*,{2,}|\s*,\s*#?\s*(?=[0-9]+#))([0-9]{1,9})#?\s*$",
    re.IGNORECASE,
)
URI = re.compile(r"\s*(tel|sips?|callto|fax|modem)\s*:(?=\S)", re.IGNORECASE)
#: A parameter of a tel: or sip: URI (RFC 3966, 3; RFC 3261, 19.1.1).
PARAMETER = re.compile(r";\s*([a-z][a-z0-9-]*)(?:=([^;]*))?", re.IGNORECASE)


class Odd(ValueError):
    """No phone number is written like this; the text says why and what to do."""


class Spelled(NamedTuple):
    """What is left of a text: plain digits and ASCII punctuation, perhaps letters; and the extension that it had."""

    text: str
    extension: str = ""


def spelled(typed: str) -> Spelled:
    """The number in ``typed`` without what surrounds it. Raises ``Odd``."""
    text = re.sub(r"\s+", " ", unquoted(plain(typed)))
    text = BULLET.sub("", text, count=1) if not text.startswith("+") else text
    text = of_uri(text)
    text = quantity(text)
    extension = EXTENSION.search(text)
    # 1 514 555 01xx is a block, and x alone stands for a digit where nothing dialable comes before it.
    if extension and sum(c.isdigit() for c in text[: extension.start()]) >= 5:
        return Spelled(text[: extension.start()].strip(), extension[1])
    return Spelled(text)


def plain(typed: str) -> str:
    """The text with ASCII digits and dashes, and without invisible characters.

    All decimal digits of Unicode are read, as libphonenumber does. Raises ``Odd`` for digits that are none of a number:
    superscripts (footnotes), fractions, digits in circles; and for what is longer than any number, of which the
    beginning might be another one.
    """
    typed = typed.strip()
    if len(typed) > (LONGEST if typed.isascii() else 4 * LONGEST):
        raise Odd(_("This is longer than any phone number."))
    if typed.isascii():
        return typed
    kept = []
    for c in typed:
        category = unicodedata.category(c)
        if category == "Nd":
            kept.append(str(unicodedata.digit(c)))
        elif category in ("No", "Nl"):
            raise Odd(_("“%(character)s” is not a digit of a phone number. Type the digits.") % {"character": c})
        elif category == "Pd" or c in DASHES:
            kept.append("-")
        elif c in SLASHES:
            kept.append("/")
        elif category in ("Zs", "Zl", "Zp"):
            kept.append(" ")
        elif category != "Cf" and not ("\ufe00" <= c <= "\ufe0f" or c in "\u034f\u20e3"):
            kept.append(unicodedata.normalize("NFKC", c) if c not in QUOTES else c)
    return "".join(kept).strip()


def unquoted(text: str) -> str:
    """The text without a formula's ="…" or =+…, quotes around it, or a spreadsheet's apostrophe before it."""
    if text.startswith("=") and text[1:2] in f"{QUOTES}+":
        text = text[1:]
    return text.strip(QUOTES + " \t\r\n\\")


def of_uri(text: str) -> str:
    """The number inside a tel: or sip: URI, also in angle brackets behind a name, or after a label.

    Raises ``Odd``.
    """
    if found := re.search(r"<([^<>]+)>\s*$", text):
        text = found[1].strip()
    scheme = URI.match(text)
    if scheme:
        text = unquote(text[scheme.end() :]).lstrip("/\\ ")
    else:
        text = LABEL.sub("", text, count=1) if LABEL.match(text) else text
        text = text.lstrip("\\")
    user, at, _host = text.partition("@")
    if at:
        # The password of a SIP URI comes after a colon.
        text = user.partition(":")[0]
        if not re.search(r"[0-9]{3}", text):
            raise Odd(_("This address names no phone number."))
    elif scheme and scheme[1].lower().startswith("sip") and not re.match(r"[+(]?[0-9]", text):
        raise Odd(_("This address names no phone number."))
    return without_parameters(text)


def without_parameters(text: str) -> str:
    """A subscriber without its parameters: the context comes before it, and an extension stays.

    Source: RFC 3966, 5.1.5 (``phone-context``), 5.3 (``isub``, ``ext``).
    """
    first = PARAMETER.search(text)
    if not first:
        return text
    given = {name.lower(): (value or "").strip() for name, value in PARAMETER.findall(text)}
    number = text[: first.start()].strip()
    context = given.get("phone-context", "")
    if context.startswith("+") and not number.startswith("+"):
        number = f"{context} {number}"
    return f"{number};ext={given['ext']}" if given.get("ext") else number


def quantity(text: str) -> str:
    """The digits of what a spreadsheet or a program took for a quantity, where all of them are there.

    Raises ``Odd`` where digits are lost, or a fraction was added.
    """
    if found := SHORTENED.fullmatch(text):
        whole, fraction, exponent = found[1], found[2] or "", int(found[3])
        digits = whole + fraction[:exponent]
        # 1.51455E+10 may be any of a hundred thousand numbers.
        if len(whole) == 1 and len(fraction) >= exponent >= 6 and not fraction[exponent:].strip("0") and text[0] != "-":
            return ("+" if text[0] == "+" else "") + digits
    if ANY_SHORTENED.fullmatch(text):
        raise Odd(
            _(
                "A spreadsheet has shortened this number, and digits are lost. Format the "
                "column as text, enter the number again and save."
            )
        )
    if found := THOUSANDS.fullmatch(text):
        return re.sub(r"[.,]", "", found[1] or found[3])
    if found := FRACTION.fullmatch(text):
        if found[2].strip("0"):
            raise Odd(
                _(
                    "This is an amount with a fraction, not a phone number. Format the "
                    "column as text and save the file again."
                )
            )
        return found[1]
    if re.match(r"-[0-9]", text):
        raise Odd(
            _(
                "This is a negative amount that a spreadsheet has calculated. Format "
                "the column as text and save the file again."
            )
        )
    return text
