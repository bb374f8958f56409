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
                        "Not here: the carrier has it and may charge for it, but nobody can use it. Other provider here: the portal has it under another carrier. Not in the statement: the portal has it under this carrier, which does not list it."
                    ),
                ),
            ),
            (
                _("Correct the differences"),
                (
                    _(
                        "Nothing is changed until you choose what to do and apply it: add the numbers that are not here, set this carrier, or release the numbers that are not in the statement. Numbers assigned to customers are not released. What you do not choose stays as it is."
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
                _("What Release does"),
                (
                    _(
                        "A number that you release is removed from the portal at once. If its carrier has an interface, and delivered the number here or is yours alone, the portal releases the number there within seconds, and the carrier stops charging for it. You must notify any other carrier yourself: the page that asks before the release says which it is, and the list keeps the number under Notify the carrier until you mark it as released."
                    ),
                    _(
                        "A released number may soon belong to somebody else, so you may not get it back. Until the carrier is notified, you can keep the number by adding it here again."
                    ),
                ),
            ),
            (
                _("When a release fails"),
                (
                    _(
                        "If a carrier cannot be reached, the portal tries again for ten minutes; if the carrier asks it to wait, for as long as needed. Releases that a carrier refuses, or that could not be sent, are listed under Failed with the reason: the carrier keeps charging for these numbers. The same holds for a number that the carrier does not list: check its console. “Retry failed releases” sends them again; “Mark as released” closes a number that you have released yourself."
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
                        "Companies and professionals order numbers. Enter what you need: a country, an area code, digits that should occur, how many, consecutive or not. The page shows how it understood the search. Numbers in your basket are kept for you for 15 minutes. Numbers from your operator's stock come first. If carriers are set up, they are searched when you choose a country, and show what a number costs."
                    ),
                    _(
                        "Look at the basket once more under Order, and confirm. However often you press Confirm, it is "
                        "one order. Tick “Also tell the account’s address”, and it gets a message as well when "
                        "the order is done."
                    ),
                    _(
                        "If nothing suitable is found, use the request below the results: it tells your operator what you searched for, with a note if you like. You can cancel it until the operator delivers or refuses."
                    ),
                ),
            ),
            (
                _("After the order"),
                (
                    _(
                        "Orders lists what was ordered, and of each number what became of it: Pending, Not connected, "
                        "Delivered, or Failed with the reason. What carriers deliver arrives one after the other; the page "
                        "shows it. A number is delivered when its carrier leads calls to it. A number that somebody else "
                        "was quicker to get fails; the others are delivered. Give up the rest ends what is still pending, "
                        "where the carrier allows it."
                    ),
                    _(
                        "Assign these, on the page of an order, assigns the delivered numbers to users, groups and services in one step: one for each number, a list in the order of the numbers, or two columns pasted from a spreadsheet. A professional's numbers ring their own line at once."
                    ),
                    _(
                        "A VAR orders from carriers into its own stock, and sees the orders of its customers. Where an account's orders wait for approval, which is "
                        "set on the account's page, the VAR approves or refuses each; the numbers are kept for seven "
                        "days meanwhile. An order never goes beyond the number quota of the account."
                    ),
                    _(
                        "Numbers that a customer requests are delivered by hand: Deliver on the order's page accepts the numbers that your carrier has given you, in any spelling, and numbers from your stock; in parts if you like. They are assigned to the customer at once. Refuse ends the order; delivered numbers stay with the customer."
                    ),
                ),
            ),
        ),
    ),
}
