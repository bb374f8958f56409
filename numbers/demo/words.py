"""Invented names: of people, companies, VARs, groups and services."""

# One name a line would be three pages of names.
# fmt: off
FIRST = [
    "James", "Mary", "Robert", "Patricia", "Émilie", "Zoë", "José", "Noémie", "Chloé", "Søren", "Łukasz", "Björn",
    "İpek", "Aoife", "Nguyễn", "Daniela", "Matteo", "Ingrid", "Kenji", "Aiko", "Piotr", "Élodie", "Tomáš", "Anaïs",
    "Farid", "Leïla", "Owen", "Priya", "Hannah", "Jonas",
]
LAST = [
    "Tremblay", "Gagnon", "Côté", "Bouchard", "Smith", "Johnson", "Garcia", "Müller", "Schröder", "García", "Núñez",
    "Rossi", "Bianchi", "Dubois", "Lefèvre", "Janssens", "Visser", "Öztürk", "Nowak", "Dvořák", "Tanaka", "Satō",
    "Walker", "O’Brien", "Nakamura", "Singh", "Haddad", "Okafor", "Lévesque", "Bélanger",
]
ADJECTIVES = [
    "Northern", "Blue", "Global", "Summit", "Pacific", "Atlantic", "Prime", "Cedar", "Maple", "Harbour", "Iron",
    "Silver", "Golden", "Crystal", "Quantum", "Granite", "Evergreen", "Lakeside", "Riverside", "Metro", "Urban",
    "Étoile", "Königs", "Südwind", "Añejo",
]
TRADES = [
    "Logistics", "Dental", "Law", "Plumbing", "Bakery", "Insurance", "Realty", "Motors", "Foods", "Systems",
    "Consulting", "Clinic", "Pharmacy", "Hotels", "Travel", "Media", "Studios", "Energy", "Boulangerie", "Apotheke",
]
FORMS = [
    "Inc", "Ltd", "LLC", "Group", "SA", "GmbH", "BV", "Co",
]
VAR_WORDS = [
    "Telecom", "Voice", "Networks", "Communications", "Connect",
]
GROUPS = [
    "Sales", "Support", "Billing", "Reception", "Warehouse", "Engineering", "Management", "Emergency",
]
SERVICES = [
    ("virtual_receptionist", "Receptionist"), ("virtual_assistant", "Assistant"), ("duty_agent", "Duty agent"),
    ("fax", "Fax line"), ("conference", "Conference bridge"), ("other", "Announcement"),
]
# fmt: on
