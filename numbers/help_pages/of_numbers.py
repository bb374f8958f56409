"""The help: what each page is for, in the words of those who use it."""

from dataclasses import dataclass

from django.http import Http404
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe


@dataclass(frozen=True)
class Topic:
    """A help page: a title, and sections of (heading, paragraphs)."""

    title: str
    sections: tuple[tuple[str, tuple[str, ...]], ...]


TOPICS = {
    "home": Topic(
        _("Home"),
        (
            (
                _("The stock at a glance"),
                (
                    _(
                        "How many phone numbers your account has: used, available, reserved and cooling, and where they "
                        "are. Click a figure or a bar to see those numbers."
                    ),
                    _("The search field at the top finds a number in whatever way you write it."),
                ),
            ),
        ),
    ),
    "phone-numbers": Topic(
        _("Phone Numbers"),
        (
            (
                _("What is listed"),
                (
                    _(
                        "The numbers already assigned to customers as well as the pool of available numbers. Phone numbers "
                        "are also called DIDs (Direct Inward Dialling): what people dial to call, fax or text your subscribers."
                    ),
                    _(
                        "Used by is the name of the user, service or group that the number rings; Use says which of the "
                        "three it is. Provider is the telephony provider that the number comes from. Status is Active once "
                        "a call has been received and Pending until then. Provider and Status are set by the system."
                    ),
                    _("A system administrator only looks at numbers; they are managed inside each VAR's account."),
                ),
            ),
            (
                _("Search"),
                (
                    _(
                        "Type digits or words in the blank fields of the first row and press Enter. Fields and words "
                        "narrow each other. Capitals and accents do not matter, nor how a number is punctuated: 514 555, "
                        "(514) 555 and +1514555 find the same. “Service” under Use finds the numbers of every service."
                    ),
                    _("To reset the search, erase what you typed and press Enter."),
                ),
            ),
            (
                _("Filter and sort"),
                (
                    _(
                        "Set Filter shows numbers used, available, reserved or cooling; All shows every number. Numbers "
                        "Used are assigned to a customer; inside a company, they ring a user, service or group."
                    ),
                    _("Click a heading to sort by it, and again to reverse."),
                ),
            ),
            (
                _("Export"),
                (
                    _(
                        "Tick the numbers to export, or the box at the top for all that match, on all pages. With nothing "
                        "ticked, all that match are exported. CSV asks for a file name, PhoneNumbers.csv unless you change "
                        "it; PDF opens in a new window."
                    ),
                ),
            ),
            (
                _("Dial"),
                (_("The telephone beside a number opens the WebPhone with that number filled in."),),
            ),
            (
                _("Keyboard"),
                (
                    _(
                        "/ goes to the search, j and k move through the rows, x ticks one, Enter opens it, ? shows all keys."
                    ),
                ),
            ),
        ),
    ),
    "phone-number": Topic(
        _("A phone number"),
        (
            (
                _("What the page shows"),
                (
                    _(
                        "Who has the number, what it rings, when its first and last call came in, and its options: what "
                        "the provider supports and what is switched on."
                    ),
                ),
            ),
        ),
    ),
    "add": Topic(
        _("Add numbers"),
        (
            (
                _("What you can type"),
                (
                    _(
                        "One number on each line, in any spelling with its country code: +1 514 555 0123, 0044 20 7946 0018. "
                        "Ranges: +1 514 555 0100 - 0199, or +1 514 555 01xx for a block. If you choose a country, numbers "
                        "may also be written as people write them there. Ten thousand at once at most."
                    ),
                    _(
                        "Lines that cannot be understood are named with their reason, and nothing is added until you "
                        "correct them or say that the others should be added. A number that is on the system already stays "
                        "where it is."
                    ),
                ),
            ),
        ),
    ),
    "import": Topic(
        _("Import"),
        (
            (
                _("Files"),
                (
                    _(
                        "A plain list of numbers, or a CSV file whose first line names its columns, in any order: Number, "
                        "Provider, Company, Used by, Label, Caller name, Voice, SMS, Fax. Commas, semicolons and tabs are "
                        "understood, and so is a list exported here. Columns that mean nothing here are ignored and named."
                    ),
                    _(
                        "A VAR's file adds numbers and says whom they are with. A company's file changes the numbers that it "
                        "has. Status, use and reservations are not set by a file; a file may repeat what is so."
                    ),
                ),
            ),
            (
                _("Look before you apply"),
                (
                    _(
                        "Every line gets a verdict: it adds a number, changes one, changes nothing, or is refused, with the "
                        "column and the reason. Nothing is changed until you apply the file. Download the refused lines to "
                        "correct them: their line numbers are those of your file."
                    ),
                    _(
                        "Merge leaves what a number has where a cell is empty; overwrite clears it. You decide whether "
                        "refused lines keep the others from being applied."
                    ),
                    _("Large files go on in the background, and whatever happens, no line is applied twice."),
                ),
            ),
        ),
    ),
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
    "webphone": Topic(
        _("WebPhone"),
        ((_("Dial a number"), (_("Type or paste a number with its country code and call it with this device."),)),),
    ),
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


@require_safe
def index(request, code):
    """The help's first page."""
    return page(request, code, "phone-numbers" if request.actor.may("numbers.view") else "home")


@require_safe
def page(request, code, topic):
    """One topic, with the list of all."""
    if topic not in TOPICS:
        raise Http404
    found = TOPICS[topic]
    topics = [
        {"title": t.title, "url": reverse("help_topic", args=[code, name]), "active": name == topic}
        for name, t in TOPICS.items()
    ]
    context = {
        "title": found.title,
        "topic": {
            "title": found.title,
            "body": [{"heading": heading, "paragraphs": paragraphs} for heading, paragraphs in found.sections],
        },
        "topics": topics,
    }
    return render(request, "portal/help.html", context)
