"""The help about accounts, and whom and what they have."""

from django.utils.translation import gettext_lazy as _

from numbers.help_pages.topic import Topic

OF_ACCOUNTS = {
    "accounts": Topic(
        _("Accounts"),
        (
            (
                _("What is listed"),
                (
                    _(
                        "The accounts below yours: the VARs of the system; the companies and professionals of a VAR, each "
                        "under its own tab. Used and Available count a VAR's numbers that are assigned to customers or "
                        "not; Numbers counts those that a customer holds. The count of a VAR with more than ten thousand "
                        "may be a minute old. A support agent sees the accounts that were granted."
                    ),
                    _(
                        "Click a name to work in that account. Click a phone number to call the account's contact with the "
                        "WebPhone. Closed accounts are listed only under the filter Closed."
                    ),
                ),
            ),
            (
                _("Add and change accounts"),
                (
                    _(
                        "The system adds VARs; a VAR adds companies and professionals. The portal gives each account its "
                        "code. Click a code to change the account's details, its number quota and how long numbers that "
                        "come back from it cool before they go to somebody else."
                    ),
                    _(
                        "With a new account its first administrator is invited: they get an e-mail with a link to choose a "
                        "password, and invite the others. A professional's account is that one person's. As long as no "
                        "administrator of an account is active, its page says so, and the account above can invite one: "
                        "later, once more when the link was lost, or somebody else when an address was mistyped. The "
                        "earlier link ends then."
                    ),
                ),
            ),
            (
                _("Suspend and close"),
                (
                    _(
                        "While an account is suspended its people cannot sign in and nobody works in it, or through it in "
                        "the accounts below it; the people of those go on working at home. Numbers go on ringing."
                    ),
                    _(
                        "An account can be closed once it has no numbers, and a VAR once its customers are closed. Its "
                        "history is kept. The account above can reopen it. Nobody closes an account from inside another."
                    ),
                ),
            ),
        ),
    ),
    "settings": Topic(
        _("Settings"),
        (
            (
                _("Your account"),
                (
                    _(
                        "Whom the account above yours, and your customers, turn to: a name, an e-mail address, a phone "
                        "number. A VAR also sets how long its numbers cool; a new customer begins with that. Name, quota "
                        "and status are changed by the account above."
                    ),
                ),
            ),
        ),
    ),
    "access": Topic(
        _("Access"),
        (
            (
                _("Who was inside"),
                (
                    _(
                        "Administrators of the accounts above yours, and support staff to whom it was granted, can work in "
                        "your account under their own names. This page lists who was inside, when, why, and how much they "
                        "changed; the History says what."
                    ),
                    _(
                        "You can ask to be asked first: then they come in only once one of you has agreed. The question "
                        "stands for a day."
                    ),
                ),
            ),
            (
                _("Working in a customer's account"),
                (
                    _(
                        "Click the name of a company or VAR in a list: you are inside, in the same section, as if you were "
                        "its administrator. A line at the top of every page says where you are and for how long. Leave "
                        "brings you back to where you came from. It ends by itself after an hour, or when nothing is done "
                        "for a quarter of an hour; what you were typing is kept."
                    ),
                    _(
                        "Each window stands for itself: two windows can be in two accounts. Passwords, people's roles and "
                        "consent cannot be changed from inside."
                    ),
                ),
            ),
        ),
    ),
    "history": Topic(
        _("History"),
        (
            (
                _("What was changed"),
                (
                    _(
                        "Every change in this account: when, by whom, what it was before and after. Changes by staff from "
                        "above bear their names. Nobody can alter the history."
                    ),
                ),
            ),
        ),
    ),
    "grants": Topic(
        _("Delegation"),
        (
            (
                _("Who may enter what"),
                (
                    _(
                        "A support agent enters just those accounts that were granted here: a reseller or a customer, and "
                        "with it what is below it; to view, or to manage as its administrator would."
                    ),
                    _(
                        "Granting again replaces what was granted before. A grant ends at the end of its last day, or when "
                        "it is withdrawn; an agent who is inside then is out at once. Who was inside, and what they "
                        "changed, the account reads under Access and History."
                    ),
                ),
            ),
        ),
    ),
    "destinations": Topic(
        _("Destinations"),
        (
            (
                _("What your numbers ring"),
                (
                    _(
                        "A user is a person with a telephone, a group several who are called together. A service answers by "
                        "itself or passes the call on: virtual receptionist, virtual assistant, duty agent, fax, conference."
                    ),
                    _(
                        "Numbers says how many numbers ring each; click it to see which. An extension is what people inside "
                        "dial; each is used once."
                    ),
                ),
            ),
            (
                _("Add, change, delete"),
                (
                    _(
                        "Another name or use changes nothing about the numbers that ring it. What a number still rings "
                        "cannot be deleted: let the number ring something else first."
                    ),
                ),
            ),
        ),
    ),
    "people": Topic(
        _("People"),
        (
            (
                _("Who is here"),
                (
                    _(
                        "The people of your account. Invited: a link to choose a password was mailed and not used yet. "
                        "Active: they can sign in. Deactivated: they are kept out and can be reactivated."
                    ),
                    _(
                        "An administrator looks after the account. A support agent, at an operator or reseller, enters just "
                        "those accounts that were granted to them. A user has a WebPhone and manages no numbers."
                    ),
                ),
            ),
            (
                _("Invite, change, deactivate"),
                (
                    _(
                        "An invitation works once and for a few days; send it again from the person's page. Whoever works in "
                        "your account from above can invite users only, and changes nobody's role."
                    ),
                    _(
                        "Nobody changes their own role or deactivates themselves, and the last active administrator stays "
                        "one. Deactivating ends all sessions of the person at once, and so does End all sessions, for the "
                        "day a telephone is lost."
                    ),
                ),
            ),
        ),
    ),
    "profile": Topic(
        _("Profile"),
        (
            (
                _("Your profile"),
                (_("Your name, the time zone in which you read times, and how numbers are written."),),
            ),
        ),
    ),
    "security": Topic(
        _("Security"),
        (
            (
                _("A second factor"),
                (
                    _(
                        "With a second factor a password that somebody has found out opens nothing. An authenticator app "
                        "shows a new code of six digits every half minute; each code opens once. A passkey is kept by your "
                        "phone, computer or security key, which asks for your finger, face or PIN; it can also replace the "
                        "password altogether."
                    ),
                    _(
                        "Recovery codes are for the day when the phone is lost: each opens once in place of a code of the "
                        "app. Keep them where you keep other papers."
                    ),
                ),
            ),
            (
                _("Sessions"),
                (
                    _(
                        "Where you are signed in, from which address, and when it was last used. End what you do not "
                        "know, then change your password. A change of the password or of a factor ends all other "
                        "sessions, and you are told of it by e-mail."
                    ),
                ),
            ),
        ),
    ),
}
