"""The help about what is done to numbers."""

from django.utils.translation import gettext_lazy as _

from numbers.help_pages.topic import Topic

OF_VERBS = {
    "number-life": Topic(
        _("The life of a number"),
        (
            (
                _("Assign and unassign"),
                (
                    _(
                        "A VAR assigns its available numbers to its customers, and a company assigns its numbers to its "
                        "users, services and groups. Unassigning takes them back: from a destination into the company's "
                        "own pool, from a customer into the VAR's stock."
                    ),
                    _(
                        "When a number leaves a customer, nothing of that customer stays with it: what it rang, its label, "
                        "caller name and options, its calls. The page says what hangs on a number before you confirm."
                    ),
                ),
            ),
            (
                _("Reserve"),
                (
                    _(
                        "Keeps an available number for one customer until a time that you set, and ends by itself then. "
                        "Reserve it again for the same customer to change the time, or cancel the reservation earlier."
                    ),
                ),
            ),
            (
                _("Cooling"),
                (
                    _(
                        "A number that came back from a customer waits before it may go to somebody else, so that nobody "
                        "gets calls for whoever had it before. Its last holder can get it back meanwhile. How many days it "
                        "waits is set in the customer's account; 0 is not at all. A VAR can end the cooling, or assign the "
                        "number all the same and say why."
                    ),
                ),
            ),
            (
                _("Release and delete"),
                (
                    _(
                        "A customer releases a number to its VAR's stock. A VAR releases a number to its provider: the "
                        "portal has it no longer. Deleting is for numbers that should not be here, and only while they are "
                        "available. The history of a number stays in every case."
                    ),
                ),
            ),
            (
                _("Options"),
                (
                    _(
                        "A label for yourselves, the caller name that others see, and whether voice, SMS and fax are on. "
                        "What the provider does not offer for a number cannot be switched on."
                    ),
                ),
            ),
        ),
    ),
    "many-numbers": Topic(
        _("Many numbers at once"),
        (
            (
                _("Choose"),
                (
                    _(
                        "Tick numbers in the list, on as many pages as you like, or tick the box in the heading for all that "
                        "match. Then open Actions. What you chose is frozen at that moment: numbers that come to match later "
                        "are not touched, and one that changes hands meanwhile is left as it is."
                    ),
                ),
            ),
            (
                _("Confirm"),
                (
                    _(
                        "The next page says how many numbers it is about and asks what the action needs to know. You decide "
                        "whether numbers that are refused keep the others from being done."
                    ),
                ),
            ),
            (
                _("Read what became of each"),
                (
                    _(
                        "Every number is listed with its outcome, and with the reason where it was refused. Large jobs go on "
                        "in the background: you may leave the page, and cancel what is not done yet. Retry only what failed "
                        "makes a new job of the rest."
                    ),
                ),
            ),
        ),
    ),
}
