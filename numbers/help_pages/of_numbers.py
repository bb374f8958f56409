"""The help about numbers and what is done to them."""

from django.utils.translation import gettext_lazy as _

from numbers.help_pages.topic import Topic

OF_NUMBERS = {
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
                    _("Under Number, a range finds what lies in it: +1 514 555 0100 to 0119."),
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
    "phone-systems": Topic(
        _("Phone systems"),
        (
            (
                _("What they are for"),
                (
                    _(
                        "A number is Pending until a call to it has come in, and Active from then on. The portal learns of "
                        "calls from the phone systems that are listed here: those of the operator for every number, "
                        "those of a VAR for the VAR's own."
                    ),
                    _(
                        "Each has a token of its own, which is shown once, when it is added. Revoke it when it may have "
                        "become known, and add another: what was told of before stays."
                    ),
                    _(
                        "Calls to other numbers are counted, and nothing else is kept of them. Many of them mean that "
                        "numbers are missing here, or are with another account."
                    ),
                ),
            ),
        ),
    ),
    "in-a-row": Topic(
        _("Numbers in a row"),
        (
            (
                _("What is listed"),
                (
                    _(
                        "Free numbers that follow one another, for a company that wants a block. Free are numbers that "
                        "nobody has and nothing holds back; inside a company, those that ring nothing."
                    ),
                    _(
                        "Type how they begin under First, with the country code, such as +1 514, and how many you need "
                        "under In a row, such as 20. Show leads to so many of them in the list of numbers: tick the box at "
                        "the top there, and choose what to do with them."
                    ),
                ),
            ),
        ),
    ),
    "as-of": Topic(
        _("As of a day"),
        (
            (
                _("What is listed"),
                (
                    _(
                        "The numbers that this account had at a time that is past: who had each, what it rang, and what held "
                        "it back then. Search, filter, sort and export it as you do the list of today."
                    ),
                    _(
                        "Numbers that the account does not have any more are listed too; they lead to their history. Nothing "
                        "is known of the time before a number was on this portal."
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
                        "Office extensions and private phone locations (mobile, home, etc.). Verify each: it rings, and you "
                        "type on it the code that the page shows. Before that it is not rung."
                    ),
                ),
            ),
            (
                _("What others see, and who sees your calls"),
                (
                    _(
                        "Under Caller id you choose which of your own numbers is shown, or none. While you work in somebody "
                        "else’s account you call from your own. Nobody but you sees the list of your calls."
                    ),
                ),
            ),
            (
                _("What cannot be called"),
                (
                    _(
                        "Premium-rate numbers, countries that your operator does not allow, and emergency numbers: call "
                        "these with a telephone, which can be found."
                    ),
                ),
            ),
        ),
    ),
}
