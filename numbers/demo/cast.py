"""The named cast, the same at every size: who signs in, in which account, with which numbers; and the carriers."""

PASSWORD = "demo-portal-2026"  # noqa: S105 - told to everybody who starts the demo

#: person's address, name, role, code of the account
PEOPLE = [
    ("system@demo.example", "Sam Rivera", "administrator", "SYS"),
    ("support@demo.example", "Sasha Lind", "support", "SYS"),
    ("var@alpha.example", "Ana Alvarez", "administrator", "V1001"),
    ("var@bravo.example", "Bruno Weiss", "administrator", "V1002"),
    ("admin@acme.example", "Amira Haddad", "administrator", "C20001"),
    ("admin@zenith.example", "Zoltán Nagy", "administrator", "C20002"),
    ("pro@jane.example", "Jane Doe", "administrator", "P30001"),
    ("user@acme.example", "Uma Patel", "user", "C20001"),
]
#: code, kind, name, code of the parent
CAST = [
    ("SYS", "system", "Demo Telephone Company", None),
    ("V1001", "var", "Alpha Telecom", "SYS"),
    ("V1002", "var", "Bravo Networks", "SYS"),
    ("C20001", "company", "Acme Corp", "V1001"),
    ("C20002", "company", "Zenith Ltd", "V1002"),
    ("P30001", "professional", "Jane Doe", "V1001"),
]
#: code of an account -> contact, e-mail, phone, number quota, cooling days
CAST_DETAILS = {
    "SYS": ("Sam Rivera", "service@demo.example", "+15145550190", "", None, 30),
    "V1001": ("Ana Alvarez", "service@alpha.example", "+15145550180", "CA", None, 30),
    "V1002": ("Bruno Weiss", "service@bravo.example", "+442079460180", "GB", None, 60),
    "C20001": ("Amira Haddad", "office@acme.example", "+15145550100", "", 50, 30),
    "C20002": ("Zoltán Nagy", "office@zenith.example", "+442079460100", "", 20, 60),
    "P30001": ("Jane Doe", "pro@jane.example", "+14385550100", "", 5, 30),
}
#: person's address, what they may, on which account
CAST_GRANTS = [("support@demo.example", "view_account", "V1001")]
#: code of the customer, kind, service type, name, extension
CAST_DESTINATIONS = [
    ("C20001", "service", "virtual_receptionist", "Front desk", "100"),
    ("C20001", "service", "virtual_assistant", "Assistant line", "101"),
    ("C20001", "service", "duty_agent", "Night watch", "102"),
    ("C20001", "service", "fax", "Accounting fax", "103"),
    ("C20001", "group", "", "Sales", "200"),
    ("C20001", "group", "", "Support", "201"),
    ("C20001", "user", "", "Uma Patel", "301"),
    ("C20001", "user", "", "Émile Gagné", "302"),
    ("C20001", "user", "", "Noor de Vries", "303"),
    ("C20001", "user", "", "Jürgen Müller", "304"),
    ("C20002", "service", "virtual_receptionist", "Reception", "100"),
    ("C20002", "service", "conference", "Board room", "150"),
    ("C20002", "group", "", "Dispatch", "200"),
    ("C20002", "user", "", "Zoltán Nagy", "301"),
    ("P30001", "user", "", "Jane Doe", "1"),
    ("P30001", "service", "fax", "Fax to e-mail", "2"),
]
#: first number, how many, VAR, customer; 555-01xx is set aside for fiction in North America
CAST_NUMBERS = [
    ("+15145550100", 24, "V1001", "C20001"),
    ("+14165550100", 12, "V1001", ""),
    ("+14385550100", 3, "V1001", "P30001"),
    ("+442079460100", 16, "V1002", "C20002"),
    ("+442079460200", 8, "V1002", ""),
]
#: The provider that the demo's own carrier is.
DEMO_CARRIER = "Demo Carrier"
#: name, SMS, fax
PROVIDERS = [
    ("Northline", 1, 1),
    ("Bluepeak", 1, 0),
    ("Telnova", 1, 1),
    ("Harbour Voice", 0, 1),
    ("Meridian Carrier", 1, 1),
    ("Voxbridge", 1, 0),
    ("Océane Réseau", 0, 1),
    ("Rheintel", 1, 1),
    ("Southern Cross Wire", 1, 0),
    ("Copperfield", 0, 0),
    ("Skylark Mobile", 1, 0),
    ("Quay Networks", 1, 1),
]
