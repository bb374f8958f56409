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
                        "When a number leaves a customer, everything of that customer is removed from it: destination, label, caller name, options and calls. The page lists what will be removed before you confirm. A VAR's own label is removed when a customer gets the number: the customer does not see it."
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
                        "A number that came back from a customer waits before it can be assigned to somebody else, so that nobody gets calls for its previous holder. Meanwhile it can be assigned back to its last holder. The number of days is set in the customer's account; 0 means none. A VAR can end the cooling, or give a reason and assign the number anyway."
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
                        "A label for your own use, the caller name that others see, and whether voice, SMS and fax are on. A feature that the provider does not offer for a number cannot be switched on."
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
                        "Select numbers in the list, on as many pages as you like, or tick the box in the heading for all that match. Then open Actions. The selection is fixed at that moment: numbers that match later are not included, and a number that changes before the job reaches it is skipped."
                    ),
                ),
            ),
            (
                _("Confirm"),
                (
                    _(
                        "The next page shows how many numbers are affected and asks for what the action needs. You decide whether the others are changed if some are refused."
                    ),
                ),
            ),
            (
                _("Read the result"),
                (
                    _(
                        "Every number is listed with its outcome, and with the reason where it was refused. Large jobs go on "
                        "in the background: you may leave the page, and cancel what is not done yet. Retry only what failed "
                        "makes a new job of the rest. CSV saves the outcomes."
                    ),
                ),
            ),
            (
                _("Undo"),
                (
                    _(
                        "The page of a job that assigned, unassigned, reserved or changed options has an Undo button, and so has "
                        "one that cancelled reservations or ended coolings. It shows first what will happen. Each number becomes "
                        "what it was before the job, with its holder, destination, reservation, label and options. Numbers that "
                        "have changed since the job are skipped, and so are those that a new holder has used, by a call or in "
                        "any other way. Deleted and released numbers cannot be brought back."
                    ),
                ),
            ),
        ),
    ),
}
