"""The help about numbers: where they are found, and how they come here."""

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
}
