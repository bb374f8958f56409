"""The help about what comes from carriers, and goes back to them."""

from django.utils.translation import gettext_lazy as _

from numbers.help_pages.topic import Topic

OF_CARRIERS = {
    "compare": Topic(
        _("Compare with a carrier"),
        (
            (
                _("What differs"),
                (
                    _(
                        "Send the list of numbers that a carrier says it holds for you: its statement or an export of its "
                        "console, as a file or pasted. A carrier with an interface can be asked instead, where all that it "
                        "holds is yours. The list is compared with the numbers that are here."
                    ),
                    _(
                        "Not here: the carrier has it and may charge for it, and nobody can use it. Other provider here: it "
                        "is written down with another carrier. Not in the statement: it is written down with this carrier, "
                        "which does not know it."
                    ),
                ),
            ),
            (
                _("Put it right"),
                (
                    _(
                        "Nothing is changed until you choose what to do and apply it: add what is not here, write down "
                        "this carrier, release what is not in the statement. A number that is with a customer is not "
                        "released. What you do not choose stays as it is."
                    ),
                    _(
                        "A line that cannot be read counts as no number: look at the refused lines before you release "
                        "anything. Each comparison stays under Imports."
                    ),
                ),
            ),
        ),
    ),
    "released": Topic(
        _("Released numbers"),
        (
            (
                _("What a release does"),
                (
                    _(
                        "A number that you release is gone from the portal at once. If its carrier has an interface, and "
                        "has delivered the number here or is yours alone, it is told to let the number go, within seconds, "
                        "and charges nothing more for it. Any other carrier is yours to tell: the page that asks before the "
                        "release says which it is."
                    ),
                    _(
                        "A number that was let go may soon be somebody else’s: nobody can promise that you get it back. "
                        "As long as the carrier is to be told, adding the number here again keeps it."
                    ),
                ),
            ),
            (
                _("When the carrier does not do it"),
                (
                    _(
                        "A carrier that cannot be reached is told again by itself, for ten minutes; one with too much to do "
                        "as often as it takes. What a carrier refuses, and what it could not be told, stands under Failed "
                        "with the reason: it goes on charging for it. “Try again what failed” tells it once more."
                    ),
                ),
            ),
        ),
    ),
    "orders": Topic(
        _("Orders"),
        (
            (
                _("Order numbers"),
                (
                    _(
                        "Companies and professionals order numbers. Say what you need: a country, an area code, digits "
                        "that should occur, how many, in a row or not. The page says how it understood you. What you "
                        "put into the basket is kept for you for a quarter of an hour, and for nobody else. Numbers of "
                        "your operator's stock come first; carriers, where any are set up, are asked when you choose a "
                        "country, and say what a number costs."
                    ),
                    _(
                        "Look at the basket once more under Order, and confirm. However often you press Confirm, it is "
                        "one order. Tick Inform the customer, and the account's own address gets a message as well when "
                        "the order is done."
                    ),
                    _(
                        "Where nothing that was found is what you need, ask your operator below it: the order says what you "
                        "searched for, and a note if you write one. Until the operator has the numbers, or says why not, "
                        "you can cancel it."
                    ),
                ),
            ),
            (
                _("What becomes of it"),
                (
                    _(
                        "Orders lists what was ordered, and of each number what became of it: Pending, Active, or Failed "
                        "with the reason. What carriers deliver arrives one after the other; the page shows it. A number "
                        "that somebody else was quicker to get fails; the others are delivered."
                    ),
                    _(
                        "A VAR sees the orders of its customers. Where an account's orders wait for approval, which is "
                        "set on the account's page, the VAR approves or refuses each; the numbers are kept for seven "
                        "days meanwhile. An order never goes beyond the number quota of the account."
                    ),
                    _(
                        "Numbers that a customer asks for are delivered by hand: Deliver on the order's page takes what your "
                        "carrier has given you, in any spelling, and numbers of your stock; in parts if you like. All are "
                        "the customer's at once. Refuse ends the order, and what was delivered stays."
                    ),
                ),
            ),
        ),
    ),
}
