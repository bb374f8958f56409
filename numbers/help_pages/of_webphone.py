"""The help about the WebPhone."""

from django.utils.translation import gettext_lazy as _

from numbers.help_pages.topic import Topic

OF_WEBPHONE = {
    "webphone": Topic(
        _("WebPhone"),
        (
            (
                _("Dial a number"),
                (
                    _(
                        "The WebPhone dials any phone number directly from your Web Portal. Type or paste a number with its "
                        "country code, or an extension of your company, and press Call. The phone icons beside numbers put "
                        "theirs into the WebPhone; nothing is dialled before you press Call."
                    ),
                ),
            ),
            (
                _("Talk with"),
                (
                    _(
                        "This computer: with the microphone and speakers of your PC. The browser asks once whether the page "
                        "may use the microphone."
                    ),
                    _(
                        "One of your telephones, by a call-back: it rings first, and when you answer the other side is "
                        "called. You can cancel at each step."
                    ),
                ),
            ),
            (
                _("My telephones"),
                (
                    _(
                        "Office extensions and private phone locations (mobile, home, etc.). Verify each one: it rings, and you type the code that the page shows. It cannot be called before that."
                    ),
                ),
            ),
            (
                _("What others see, and who sees your calls"),
                (
                    _(
                        "Under Caller id you choose which of your own numbers is shown, or none. While you work in another account, you still call from your own. Only you can see the list of your calls."
                    ),
                ),
            ),
            (
                _("What cannot be called"),
                (
                    _(
                        "Premium-rate numbers, countries that your operator does not allow, and emergency numbers. For an emergency use a telephone, which can be located."
                    ),
                ),
            ),
        ),
    ),
}
