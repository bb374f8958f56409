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
                    _("The search field at the top finds a number in any spelling."),
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
                    _(
                        "A number that nobody has is Available. Company and VAR lead into that account's Phone Numbers, as "
                        "if you were its administrator."
                    ),
                    _(
                        "A system administrator only looks at numbers; they are managed inside each VAR's account. See User "
                        "Types, Phone Numbers Management Roles and VAR Help."
                    ),
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
                    _("To reset the search, clear the fields and press Enter."),
                ),
            ),
            (
                _("Filter and sort"),
                (
                    _(
                        "Set Filter shows numbers used, available, reserved or cooling; All shows every number. Numbers "
                        "Used are assigned to a customer; inside a company, they ring a user, service or group."
                    ),
                    _(
                        "Click a heading to sort by it, and again to reverse. Rows that have nothing in that column come last "
                        "both ways. Numbers sort by their value, the country code included: those with fewer digits "
                        "come first."
                    ),
                ),
            ),
            (
                _("Export"),
                (
                    _(
                        "Tick the numbers to export, or the box at the top for all that match, on all pages. With nothing "
                        "ticked, all that match are exported. CSV asks for a file name, PhoneNumbers.csv unless you change "
                        "it; Excel makes a workbook (XLSX); PDF opens in a new window."
                    ),
                    _(
                        "In a workbook, numbers stay as they are. The same window offers CSV with semicolons for an Excel "
                        "in a language that writes 0,5, and the columns Label, Caller name, Voice, SMS and Fax. Each of "
                        "these files can be imported again, and changes nothing."
                    ),
                ),
            ),
            (
                _("Dial"),
                (_("The telephone beside a number opens the WebPhone with that number filled in."),),
            ),
            (
                _("Act on one number"),
                (
                    _(
                        "Point at a row, and it offers what people do most: assign, unassign, reserve, options. You come back "
                        "to the list as you left it. The number itself leads to a page with all of it."
                    ),
                ),
            ),
            (
                _("Keyboard"),
                (
                    _(
                        "/ goes to Find a number and f to the search of the list, j and k move through the rows, x ticks one, "
                        "a offers what can be done to it, Enter opens it, ? shows all keys. Ctrl K leads to numbers, names, "
                        "pages and actions."
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
                        "Each phone system has its own token, which is shown once, when the system is added. One that cannot send a token reports to its signed address: choose Show the signed address on its page. If somebody else may know the token or the address, revoke the phone system and add another: calls that were reported before are kept."
                    ),
                    _(
                        "The reports of FreeSWITCH, Asterisk, Kamailio and Cisco, webhooks of Telnyx and Twilio and CSV files are read as they are. Choose the country and the time zone of a phone system that reports national numbers or times without a zone. A call that cannot be read is refused, and the answer to the report says why."
                    ),
                    _(
                        "Calls to other numbers are only counted; nothing else about them is kept. Many of them mean that numbers are missing here, or belong to another account."
                    ),
                ),
            ),
        ),
    ),
    "in-a-row": Topic(
        _("Consecutive numbers"),
        (
            (
                _("What is listed"),
                (
                    _(
                        "Free consecutive numbers, for a company that wants a block. A number is free if it is available and neither reserved nor cooling; inside a company, if it rings nothing."
                    ),
                    _(
                        "Type how they begin under First, with the country code, such as +1 514, and how many you need "
                        "under Numbers, such as 20. Show leads to so many of them in the list of numbers: tick the box at "
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
                        "Numbers that the account no longer has are listed too, with links to their history. There are no records from before a number was added to this portal."
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
                        "A list of numbers, a CSV or TSV file, a workbook (XLSX, XLS, ODS), or a ZIP archive with a CSV "
                        "file. Exports of carriers and phone systems are read as they are: their names of columns are known "
                        "in many languages, and lines above the heading are skipped. What was found out is said."
                    ),
                    _(
                        "Numbers are read in any spelling, also lists and ranges in one cell, and addresses that begin with "
                        "tel: or sip:. A number that may be two numbers is refused, and you say how it is meant."
                    ),
                    _(
                        "A VAR's file adds numbers and says whom they are with. A company's file changes the numbers that it "
                        "has. Status and use are not set by a file: what a carrier says of them is ignored. The same file a second "
                        "time changes nothing."
                    ),
                ),
            ),
            (
                _("Look before you apply"),
                (
                    _(
                        "Every line gets a verdict: it adds a number, changes one, changes nothing, or is refused, with the "
                        "column and the reason; refused lines come first. Nothing is changed until you apply the file."
                    ),
                    _(
                        "Correct what is refused on the page: the country, how numbers without + are read, the provider, the "
                        "encoding, for all lines; or one line. Under Columns you choose what stands in each column. The "
                        "choice is kept for files with the same headings. If a line has several numbers, the others follow "
                        "after the last line of the file."
                    ),
                    _(
                        "Merge leaves what a number has where a cell is empty; overwrite clears it. You decide whether "
                        "refused lines keep the others from being applied."
                    ),
                    _("Large files go on in the background, and whatever happens, no line is applied twice."),
                    _(
                        "Undo deletes the numbers that an import has added, as long as nothing else has been done to them."
                    ),
                ),
            ),
        ),
    ),
}
