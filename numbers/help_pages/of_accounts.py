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
                        "Click a name to open the account's page, and Enter to work in it. Click a phone number to call the account's contact with the "
                        "WebPhone. Closed accounts are listed only under the filter Closed."
                    ),
                ),
            ),
            (
                _("Add and change accounts"),
                (
                    _(
                        "The system adds VARs; a VAR adds companies and professionals. The portal gives each account its "
                        "code. On the account's page, Edit changes its details, its number quota and how long numbers that "
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
                        "While an account is suspended, its people cannot sign in and nobody can work in it, or through it in the accounts below it. People of the accounts below can still work in their own accounts. Numbers keep ringing."
                    ),
                    _(
                        "An account can be closed when it has no numbers, and a VAR when its customers are closed. Its history is kept. The account above can reopen it. An account cannot be closed while you work inside another one."
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
                        "The contact for the account above yours and for your customers: a name, an e-mail address, a phone number. A VAR also sets how long its numbers cool; a new customer starts with that. Name, quota and status are changed by the account above."
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
                        "You can require consent: then they can enter only after one of your administrators has agreed. A request is open for a day."
                    ),
                ),
            ),
            (
                _("Working in a customer's account"),
                (
                    _(
                        "Click the name of a company or VAR in the list of numbers, or Enter in the list of accounts: you "
                        "are inside, in the same section, as if you were its administrator. A line at the top of every page says where you are and for how long. Leave "
                        "brings you back to where you came from. It ends by itself after an hour, or when nothing is done "
                        "for a quarter of an hour; what you were typing is kept."
                    ),
                    _(
                        "Each browser window is independent: two windows can be in two accounts. Passwords, people's roles and consent cannot be changed from inside."
                    ),
                    _(
                        "If an account requires consent, its administrators see who you are, your reason, and whether you would view or manage. Their consent is valid once, for a day, in the browser that you asked from, for that reason. Another reason or more rights need a new request."
                    ),
                ),
            ),
        ),
    ),
    "history": Topic(
        _("History"),
        (
            (
                _("Changes"),
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
                _("Who may enter which account"),
                (
                    _(
                        "A support agent can enter only the accounts granted here, and the accounts below them: either to view, or to manage as an administrator."
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
                        "A user is a person with a telephone. A group is several users who are called together. A service answers by itself or passes the call on: virtual receptionist, virtual assistant, duty agent, fax, conference."
                    ),
                    _(
                        "Numbers shows how many numbers ring each destination; click it to list them. An extension is what people in the company dial; each can be used once."
                    ),
                ),
            ),
            (
                _("Add, change, delete"),
                (
                    _(
                        "Changing the name or use of a destination does not affect the numbers that ring it. A destination that numbers ring cannot be deleted: assign those numbers to another destination first."
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
                        "An administrator manages the account. A support agent of an operator or reseller can enter only the accounts granted to them. A user has a WebPhone and manages no numbers."
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
                        "You cannot change your own role or deactivate yourself, and an account keeps at least one active administrator. Deactivate ends all sessions of the person at once. End all sessions does only that, for example when a phone is lost."
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
    "notices": Topic(
        _("Notices"),
        (
            (
                _("What you receive"),
                (
                    _(
                        "The bell shows how many notices are unread. Administrators receive notices about orders that "
                        "wait for approval, were delivered, failed or were refused, and about staff of their operator or "
                        "reseller who enter the account or ask to. VAR administrators also receive notices about "
                        "reservations and cooling that end within two days, carrier problems and low stock. System "
                        "administrators receive notices about failed or waiting background work and late back-ups. When "
                        "an order, an import or a job ends, only the person who started it receives a notice."
                    ),
                    _(
                        "A large job is one notice, and carrier problems of one day are one notice. Click a notice to open "
                        "the page it is about and mark it as read. Notices are removed after 90 days, unless your operator "
                        "has set another time."
                    ),
                ),
            ),
            (
                _("Choose how you receive notices"),
                (
                    _(
                        "For each kind, choose whether it appears under the bell and whether it is mailed: at once, in a "
                        "daily summary in the morning, or not at all. Notices from the same few seconds come in one mail. "
                        "Each mail has a link that stops mail about these kinds with one click."
                    ),
                ),
            ),
            (
                _("Stock levels"),
                (
                    _(
                        "Set the minimum of available numbers for a country or area, such as +44 or +1 514. When there are "
                        "fewer, the administrators of your VAR receive one notice, and another only after the stock has "
                        "recovered. Numbers that are reserved or cooling are not available."
                    ),
                ),
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
                        "With a second factor, somebody who knows your password cannot sign in. An authenticator app shows a new six-digit code every 30 seconds; each code works once. A passkey is kept by your phone, computer or security key, which asks for your fingerprint, face or PIN. It can also replace the password."
                    ),
                    _(
                        "Recovery codes are for when your phone is lost. Each works once instead of a code from the app. Keep them in a safe place."
                    ),
                    _(
                        "Before you set up the first factor, you get a link by e-mail. Open it in the same browser. It proves that it is you, and not somebody who knows your password."
                    ),
                ),
            ),
            (
                _("Sign-in with your organization"),
                (
                    _(
                        "Where the sign-in page has a button for your organization, you sign in there instead of typing a password here. The first time, you are linked to it and get an e-mail. If you have a password too, you can remove the link. If you have none, you confirm that it is you by signing in at your organization again."
                    ),
                ),
            ),
            (
                _("Sessions"),
                (
                    _(
                        "Where you are signed in, from which address, and when it was last used. End sessions that you do not recognise, then change your password. Changing the password or a factor ends all other sessions, and you get an e-mail about it."
                    ),
                ),
            ),
        ),
    ),
}
