"""The help about who does what: user types, their roles, and working in accounts below."""

from django.utils.translation import gettext_lazy as _

from numbers.help_pages.topic import Topic

OF_ROLES = {
    "user-types": Topic(
        _("User Types"),
        (
            (
                _("Accounts"),
                (
                    _(
                        "Accounts form a hierarchy. The system is the operator's own account. Below it are VARs, "
                        "which resell its service. Below each VAR are its customers: companies, which have several users, "
                        "and professionals, which are one person each."
                    ),
                ),
            ),
            (
                _("People"),
                (
                    _("System Administrator: looks after the system, and can work in every account on it."),
                    _(
                        "VAR Administrator: looks after a VAR and its customers, and can work in each of their accounts."
                    ),
                    _("Company Administrator: looks after one company: its users, services, groups and phone numbers."),
                    _("Professional: one person with an account of their own, who looks after it alone."),
                    _(
                        "User: somebody in a company or another account who manages nothing there. Users have a WebPhone. "
                        "They do not handle phone numbers."
                    ),
                    _(
                        "Support agent: staff of the system or of a VAR, who works in those accounts that were granted, to "
                        "view or to manage."
                    ),
                ),
            ),
        ),
    ),
    "roles": Topic(
        _("Phone Numbers Management Roles"),
        (
            (
                _("Who handles phone numbers"),
                (
                    _("Only administrator-level users can handle phone numbers. See User Types for who they are."),
                    _(
                        "System Administrators can ONLY view the list of phone numbers on the system, export it and dial."
                    ),
                    _(
                        "VAR Administrators can import, add, reserve, assign, unassign, release and delete phone numbers in "
                        "their account, and manage their options. They assign phone numbers to their customers, which are "
                        "companies and professionals."
                    ),
                    _(
                        "Company Administrators can order phone numbers and assign them to their users, services and groups. "
                        "They can also unassign and release them and manage their options."
                    ),
                    _(
                        "Professionals can order, assign and release phone numbers and manage their options, like company "
                        "administrators."
                    ),
                ),
            ),
            (
                _("Accounts below yours"),
                (
                    _(
                        "Higher level administrators can always access and manage the accounts of their users and "
                        "customers, to answer service inquiries and to give technical support. See Directly Access a "
                        "Customer Account."
                    ),
                ),
            ),
        ),
    ),
    "direct-access": Topic(
        _("Directly Access a Customer Account"),
        (
            (
                _("Enter an account"),
                (
                    _(
                        "In the list of phone numbers, and on the page of a number, click the name of a Company or a VAR. "
                        "You are in the Phone Numbers section of that account, as if you were its administrator. Under "
                        "Accounts, click Enter beside an account; its name opens the account's page."
                    ),
                    _(
                        "A line at the top of every page says in which account you work and for how long. Leave brings you "
                        "back to the page that you came from. You can go on from a VAR into its customers: Leave then takes "
                        "you up one account at a time."
                    ),
                ),
            ),
            (
                _("What is recorded"),
                (
                    _(
                        "You work under your own name. The account's administrators can read under Access who was inside, when and why, and under History what was changed. Passwords, people's roles and consent cannot be changed from inside."
                    ),
                    _(
                        "An account can require consent. Your request then waits until one of its administrators has agreed."
                    ),
                ),
            ),
        ),
    ),
    "var-help": Topic(
        _("VAR Help"),
        (
            (
                _("What a VAR Administrator does"),
                (
                    _(
                        "You look after a stock of phone numbers and give them to your customers. Under Phone Numbers, "
                        "Import takes a file, and Add takes single numbers and ranges. New numbers are Available."
                    ),
                    _(
                        "Select numbers and choose Assign from Actions to give them to a company or a professional. Reserve "
                        "keeps them for a customer for 7, 30 or 90 days, or until a time that you type. Unassign takes them "
                        "back into your stock, where they cool before somebody else can have them."
                    ),
                    _(
                        "Customers order from your stock, and from the carriers that are connected. Orders lists what they "
                        "ordered; where you have asked for it, orders wait for your approval."
                    ),
                    _(
                        "Release gives numbers back to their provider. Delete is for numbers that should not be here: only "
                        "available ones can be deleted."
                    ),
                ),
            ),
            (
                _("Your customers"),
                (
                    _(
                        "Under Accounts, Add company and Add professional open an account and invite its administrator. To "
                        "work in an account yourself, see Directly Access a Customer Account."
                    ),
                ),
            ),
        ),
    ),
}
