"""Guards in the code, found in its syntax: each comes with the text of its module without it."""

import ast
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Modules in which every branch decides who may do what.
RULES = [
    "accounts/rules.py", "accounts/middleware.py", "accounts/second_factor.py", "accounts/attempts.py",
    "accounts/devices.py", "accounts/confirmation.py", "accounts/rechecking.py", "accounts/passwords.py",
    "accounts/single_sign_on.py", "portal/intake.py",
]  # fmt: skip
#: Who signs in with an identity provider.
SIGN_ON = [
    "tests/accounts/sso/test_single_sign_on.py", "tests/accounts/sso/test_instead_of_passwords.py",
    "tests/accounts/sso/test_removing_links.py",
]  # fmt: skip
IMPORTS = ["tests/numbers/test_imports.py", "tests/numbers/test_large_imports.py"]
#: Doors for those who have no session: providers of identities, carriers, phone systems, the telephony. Every branch of
#: these decides too; only their own tests can see it.
DOORS = {
    "accounts/oidc.py": [*SIGN_ON, "tests/accounts/sso/test_hostile_providers.py"],
    "accounts/views/providers.py": [
        *SIGN_ON,
        "tests/accounts/sso/test_hostile_providers.py",
        "tests/accounts/test_confirmation.py",
    ],
    "portal/fetching.py": ["tests/portal/test_fetching.py", "tests/accounts/sso/test_hostile_providers.py"],
    "portal/machines.py": ["tests/numbers/test_calls.py", "tests/webphone/test_machines.py"],
    "numbers/reports/webhooks.py": ["tests/numbers/test_calls_formats.py", "tests/numbers/test_calls.py"],
    "numbers/views/carriers.py": ["tests/numbers/test_carriers.py", "tests/numbers/test_twilio.py"],
    "webphone/views/machines.py": ["tests/webphone/test_machines.py"],
}
#: Modules whose functions refuse what the actor may not do.
ACTIONS = ["accounts/actions", "numbers/actions", "webphone/actions"]
#: Modules with statements written by hand that find who somebody is, and where they are.
STATEMENTS = [
    "accounts/sessions.py", "accounts/sign_in.py", "accounts/models/accounts.py", "accounts/models/grants.py",
    "accounts/models/history.py",
]  # fmt: skip
#: What narrows rows to those of somebody, as it is called.
SCOPES = {"visible_to", "of", "live_of", "reached_by"}
APPS = ["accounts", "numbers", "webphone", "portal"]

DOCUMENTS = ["tests/access/test_documents.py"]
#: Who may do what, and whose rows are whose: the quick ones first, for a run ends with the first that is red.
DECIDING = [
    "tests/access/test_policy.py", "tests/access/test_guards.py", "tests/accounts/test_working_elsewhere.py",
    "tests/accounts/test_consent.py", "tests/accounts/test_second_factor.py", "tests/accounts/test_first_factor.py",
    "tests/accounts/test_accounts.py", "tests/accounts/test_people.py", "tests/accounts/test_invitations.py",
    "tests/access/test_matrix.py",
]  # fmt: skip
#: What an address takes of strangers before it knows them.
BODIES = ["tests/portal/test_server.py"]
SCOPING = [
    "tests/access/test_guards.py", "tests/accounts/test_working_elsewhere.py", "tests/accounts/test_accounts.py",
    "tests/accounts/test_account_list.py", "tests/access/test_lists.py", "tests/access/test_replay.py",
]  # fmt: skip
#: module or folder -> tests of its own, before those of everybody's; the nearest folder counts
OWN = {
    "accounts/actions/accounts.py": ["tests/accounts/test_accounts.py", "tests/accounts/test_first_administrator.py"],
    "accounts/actions/access.py": ["tests/accounts/test_consent.py"],
    "accounts/actions/people.py": [
        "tests/accounts/test_people.py",
        "tests/accounts/test_invitations.py",
        "tests/accounts/test_first_administrator.py",
        *SIGN_ON,
    ],
    "accounts/single_sign_on.py": SIGN_ON,
    "accounts/actions/grants.py": ["tests/accounts/test_grants.py"],
    "accounts/views/people.py": ["tests/accounts/test_people.py"],
    "accounts/views/grants.py": ["tests/accounts/test_grants.py"],
    "accounts/attempts.py": ["tests/accounts/test_attempts.py"],
    "accounts/devices.py": ["tests/accounts/test_devices.py", "tests/accounts/test_first_factor.py"],
    "accounts/confirmation.py": ["tests/accounts/test_confirmation.py"],
    "accounts/rechecking.py": ["tests/accounts/test_rechecking.py"],
    "accounts/passwords.py": ["tests/accounts/test_passwords.py"],
    "accounts/limits.py": ["tests/accounts/test_limits.py"],
    "portal/intake.py": ["tests/portal/test_server.py"],
    "accounts/sessions.py": ["tests/accounts/test_sessions.py", "tests/accounts/test_sign_in.py"],
    "accounts/sign_in.py": [
        "tests/accounts/test_sign_in.py",
        "tests/accounts/test_sessions.py",
        *SIGN_ON,
    ],
    "accounts/filters.py": ["tests/accounts/test_people_list.py", "tests/accounts/test_grants.py"],
    "accounts/models/accounts.py": ["tests/accounts/test_account_list.py", "tests/accounts/test_grants.py"],
    "accounts/models/people.py": ["tests/accounts/test_people.py", "tests/accounts/test_people_list.py"],
    "accounts/models/notices.py": ["tests/accounts/notices/test_notices.py", "tests/numbers/test_notices.py"],
    "accounts/actions/notices.py": ["tests/accounts/notices/test_notices.py"],
    "accounts/notices.py": ["tests/accounts/notices/test_notices.py", "tests/numbers/test_notices.py"],
    "accounts/notice_mail.py": ["tests/accounts/notices/test_mail.py"],
    "accounts/notice_filters.py": ["tests/accounts/notices/test_notices.py"],
    "accounts/views/notices.py": ["tests/accounts/notices/test_notices.py"],
    "accounts/models/grants.py": ["tests/accounts/test_grants.py"],
    "accounts/models/history.py": ["tests/accounts/test_consent.py", "tests/accounts/test_working_elsewhere.py"],
    "numbers/actions/destinations.py": ["tests/numbers/test_destinations.py"],
    "numbers/actions/calls.py": ["tests/numbers/test_calls.py"],
    "numbers/models/calls.py": ["tests/numbers/test_calls.py"],
    "numbers/filters/systems.py": ["tests/numbers/test_calls.py"],
    "numbers/views/calls.py": ["tests/numbers/test_calls.py"],
    "numbers/models/past.py": ["tests/numbers/test_as_of.py", "tests/numbers/test_timeline.py"],
    "numbers/filters/as_of.py": ["tests/numbers/test_as_of.py"],
    "numbers/views/as_of.py": ["tests/numbers/test_as_of.py"],
    "numbers/actions/verbs/of_orders.py": ["tests/numbers/test_orders.py", "tests/numbers/test_siblings.py"],
    "numbers/actions/verbs/undoing.py": ["tests/numbers/test_undo.py"],
    "numbers/actions/verbs": ["tests/numbers/test_verbs.py", "tests/numbers/test_jobs.py"],
    "numbers/actions/stock.py": ["tests/numbers/test_adding.py"],
    "numbers/actions/jobs.py": ["tests/numbers/test_jobs.py"],
    "numbers/actions/imports.py": ["tests/numbers/test_imports.py", "tests/numbers/test_import_steps.py"],
    "numbers/actions/verdicts.py": ["tests/numbers/test_imports.py", "tests/numbers/test_import_steps.py"],
    "numbers/actions/applying.py": IMPORTS,
    "numbers/actions/levels.py": ["tests/numbers/test_notices.py"],
    "numbers/models/levels.py": ["tests/numbers/test_notices.py"],
    "numbers/filters/levels.py": ["tests/numbers/test_notices.py"],
    "numbers/views/levels.py": ["tests/numbers/test_notices.py"],
    "numbers/views/finding.py": ["tests/numbers/test_finding.py"],
    "numbers/lookup.py": ["tests/numbers/test_finding.py"],
    "numbers/actions/pruning.py": ["tests/numbers/test_pruning.py"],
    "numbers/actions/assigning.py": ["tests/numbers/test_destinations.py", "tests/numbers/test_verbs.py"],
    "numbers/actions/routing.py": ["tests/numbers/test_routing.py"],
    "numbers/models/routing.py": ["tests/numbers/test_routing.py"],
    "numbers/actions/turns.py": ["tests/numbers/test_turns.py"],
    "numbers/filters/runs.py": ["tests/numbers/test_runs.py"],
    "numbers/views/runs.py": ["tests/numbers/test_runs.py"],
    "numbers/first_steps.py": ["tests/numbers/test_first_steps.py"],
    "numbers/actions/checking.py": IMPORTS,
    "numbers/models/jobs.py": [
        "tests/numbers/test_jobs.py",
        "tests/numbers/test_imports.py",
        "tests/numbers/test_large_imports.py",
    ],
    "numbers/filters/work.py": [
        "tests/numbers/test_jobs.py",
        "tests/numbers/test_imports.py",
        "tests/numbers/test_large_imports.py",
    ],
    "numbers/actions/delivery.py": ["tests/numbers/test_carriers.py", "tests/numbers/test_twilio.py"],
    "numbers/actions/releases.py": ["tests/numbers/test_releases.py"],
    "numbers/models/releases.py": ["tests/numbers/test_releases.py"],
    "numbers/filters/releases.py": ["tests/numbers/test_releases.py"],
    "numbers/views/releases.py": ["tests/numbers/test_releases.py"],
    "numbers/views/carriers.py": ["tests/numbers/test_carriers.py"],
    "numbers/actions/orders.py": ["tests/numbers/test_orders.py"],
    "numbers/actions/wishes.py": ["tests/numbers/test_wishes.py"],
    "numbers/views/wishes.py": ["tests/numbers/test_wishes.py"],
    "numbers/models/orders.py": ["tests/numbers/test_orders.py"],
    "numbers/filters/orders.py": ["tests/numbers/test_orders.py"],
    "numbers/listing/offers.py": ["tests/numbers/test_offers.py", "tests/numbers/test_siblings.py"],
    "numbers/models/phone_numbers.py": ["tests/numbers/test_orders.py", "tests/numbers/test_siblings.py"],
    "numbers/views/orders.py": ["tests/numbers/test_orders.py"],
    "numbers/views/ordering.py": ["tests/numbers/test_orders.py", "tests/numbers/test_siblings.py"],
    "numbers/timeline.py": ["tests/numbers/test_timeline.py"],
    "numbers/views/destinations.py": ["tests/numbers/test_destinations.py"],
    "numbers/views/verbs.py": ["tests/numbers/test_verbs.py", "tests/numbers/test_calls.py"],
    "numbers/views/jobs.py": ["tests/numbers/test_jobs.py"],
    "numbers/views/imports.py": IMPORTS,
    "numbers/views/statements.py": ["tests/numbers/test_statements.py"],
    "webphone": [
        "tests/webphone/test_calls.py",
        "tests/webphone/test_telephones.py",
        "tests/webphone/test_machines.py",
        "tests/webphone/test_pages.py",
    ],
    "numbers": ["tests/numbers/test_pages.py", "tests/numbers/test_exports.py", "tests/numbers/test_destinations.py"],
}

#: Guards whose removal changes nothing that could be seen, each with the reason: they are said, and not counted.
EQUAL = {
    **{
        (f"numbers/actions/{module}.py", f"{name}: ImportRow.visible_to(actor) -> all"):
            "asked of the rows of an import that was found in the actor's scope before"
        for module, name in (
            ("imports", "correct_line"), ("verdicts", "check"), ("verdicts", "check_lines"), ("applying", "go_on"),
            ("applying", "refusals"), ("applying", "count"), ("applying", "change"),
        )
    },
    ("accounts/middleware.py", "process_view: without isinstance(needed, str)"): "nobody has a door for a permission",
    ("accounts/middleware.py", "live_access: if sign_in is None -> never"): "saves a statement that finds nothing",
    ("accounts/actions/access.py", "end_access: Access.of(access.person) -> all"): "asked of one access by its id",
    ("accounts/actions/accounts.py", "add_account: Account.visible_to(actor) -> all"):
        "asked of a form of the account that was found in the actor's scope before",
    ("accounts/actions/accounts.py", "why_not_closed: Account.visible_to(actor) -> all"):
        "asked of an account that was found in the actor's scope before",
    ("accounts/actions/people.py", "not_too_many: AuditEvent.visible_to(actor) -> all"):
        "narrowed to the acting account besides",
    ("accounts/filters.py", "count: Account.visible_to(self.actor) -> all"):
        "asked of accounts that were found in the actor's scope before",
    ("accounts/actions/grants.py", "give_grant: Grant.visible_to(actor) -> all"):
        "asked of an agent who was found in the actor's scope before",
    ("accounts/actions/grants.py", "withdraw_all: Grant.visible_to(actor) -> all"):
        "asked of an agent who was found in the actor's scope before",
    ("numbers/actions/destinations.py", "still_ringing: PhoneNumber.visible_to(actor) -> all"):
        "asked of a destination in the actor's scope: by foreign key no other's number rings it",
    ("numbers/actions/applying.py", "change: PhoneNumber.visible_to(actor) -> all"):
        "what is done to the numbers looks them up in the actor's scope again, and says the same of those not found",
    ("numbers/actions/releases.py", "hand_over: Release.visible_to(actor) -> all"):
        "new rows: whose they are is written in them",
    ("numbers/actions/orders.py", "locked: Account.visible_to(actor) -> all"):
        "asked of the acting account",
    ("numbers/models/phone_numbers.py", "listed: PhoneNumber.visible_to(actor) -> all"):
        "asked of destinations in the actor's scope: by foreign key no other's number rings them",
    **{
        ("numbers/actions/jobs.py", f"{name}: JobItem.visible_to(actor) -> all"):
            "asked of the numbers of a job that was found in the actor's scope before"
        for name in ("waiting", "noted")
    },
    ("numbers/views/imports.py", "counts: ImportRow.visible_to(actor) -> all"):
        "asked of the rows of an import that was found in the actor's scope before",
    **{
        (f"numbers/filters/{path}.py", f"listing: {rows}.visible_to(self.actor) -> all"):
            "asked of the rows of what was found in the actor's scope before"
        for path, rows in (("orders", "OrderLine"), ("work", "JobItem"), ("work", "ImportRow"))
    },
    ("numbers/actions/stock.py", "add_numbers: Account.visible_to(actor) -> all"): "asked of the acting account",
    ("webphone/actions/calls.py", "begin: Account.visible_to(actor) -> all"): "asked of the acting account",
    ("numbers/actions/verbs/of_customers.py", "typed: Destination.visible_to(actor) -> all"):
        "asked of a destination that was found in the actor's scope when it was typed",
    ("numbers/actions/verbs/performing.py", "perform_on: PhoneNumber.visible_to(actor) -> all"):
        "what is done to the number looks it up in the actor's scope again, and does not find it",
    ("numbers/filters/as_of.py", "listing: Destination.visible_to(self.actor) -> all"):
        "asked of numbers in the actor's scope: by foreign key they ring no other's destination",
    ("numbers/holdings.py", "first: PhoneNumber.visible_to(actor) -> all"):
        "asked of an account that was found in the actor's scope before",
    ("numbers/stock.py", "count_stock: Account.visible_to(actor) -> all"): "asked for the system, which sees all",
    ("numbers/timeline.py", "timeline: PastNumber.visible_to(actor) -> all"):
        "finds ids of numbers; what is told of them is narrowed to the actor besides",
    ("numbers/views/destinations.py", "detail: PhoneNumber.visible_to(request.actor) -> all"):
        "asked of a destination in the actor's scope: by foreign key no other's number rings it",
    ("webphone/actions/calls.py", "number_to_call: Destination.visible_to(actor) -> all"):
        "narrowed to the acting account besides",
    ("webphone/actions/locations.py", "extension_of: Destination.visible_to(actor) -> all"):
        "narrowed to the acting account besides",
    ("webphone/actions/locations.py", "verify: Call.visible_to(actor) -> all"):
        "asked of the call whose name stands in the person's own telephone",
    ("webphone/management/commands/phone.py", "calls_token: TelephoneSystem.visible_to(actor) -> all"):
        "asked for the system, which sees all",
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One guard less: in a module's text, or in the database. ``tests`` are those that should see it.

    ``walls_down``: with the walls in the database down, so that the code has to hold by itself.
    """

    name: str
    tests: list[str]
    path: str = ""
    text: str = ""
    sql: str = ""
    walls_down: bool = False

    @property
    def equal(self) -> str:
        """Why nothing could be seen of its removal; empty where something could."""
        return EQUAL.get((self.path, self.name.partition(" ")[2]), "")


def mutants() -> Iterator[Mutant]:
    yield from of_policy()
    for path in RULES:
        yield from of_branches(path, tests_of(path, DECIDING))
    for path, tests in DOORS.items():
        yield from of_branches(path, tests)
    policy = "accounts/policy.py"
    yield from of_branches(policy, tests_of(policy, DECIDING), inside={"allows", "needed_for", "role_of"})
    yield from of_branches("accounts/actor.py", tests_of("accounts/actor.py", DECIDING))
    for folder in ACTIONS:
        for module in sorted((ROOT / folder).rglob("*.py")):
            path = str(module.relative_to(ROOT))
            yield from of_branches(path, tests_of(path, DECIDING), refusing=True)
    yield from of_scopes()
    yield from of_statements()


def tests_of(path: str, tests: list[str]) -> list[str]:
    """What to run when a module has changed: its own tests, then these."""
    own = next((OWN[str(part)] for part in (Path(path), *Path(path).parents) if str(part) in OWN), [])
    return [*own, *(test for test in tests if test not in own)]


def module(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text())


def without(path: str, node: ast.AST, other: ast.AST) -> str:
    """The text of a module with ``other`` in place of a node."""
    tree = module(path)
    place = position(node)

    class Replace(ast.NodeTransformer):
        def visit(self, found):
            if type(found) is type(node) and position(found) == place:
                return ast.copy_location(copy.deepcopy(other), found)
            return self.generic_visit(found)

    return ast.unparse(ast.fix_missing_locations(Replace().visit(tree)))


def position(node: ast.AST):
    return tuple(getattr(node, name, None) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset"))


# The policy: two tables, and what a permission means that nobody thought about


def of_policy() -> Iterator[Mutant]:
    path = "accounts/policy.py"
    tables = {
        node.target.id: node.value for node in module(path).body
        if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict)
    }  # fmt: skip
    for key, call in zip(tables["PERMISSIONS"].keys, tables["PERMISSIONS"].values, strict=True):
        wider = {"own": "change", "change": "view"}.get(call.func.id)
        if wider:
            other = ast.Call(ast.Name(wider), call.args, [])
            yield Mutant(f"{key.value}: {call.func.id} -> {wider}", DOCUMENTS, path, without(path, call, other))
        if ast.unparse(call.args) != "*EVERYBODY":
            other = ast.Call(call.func, [ast.Starred(ast.Name("EVERYBODY"))], [])
            yield Mutant(f"{key.value}: for everybody", DOCUMENTS, path, without(path, call, other))
    for key, value in zip(tables["ADDRESSES"].keys, tables["ADDRESSES"].values, strict=True):
        for needed in value.values if isinstance(value, ast.Dict) else [value]:
            said = ast.unparse(needed)
            if said in ("Door.PUBLIC", "Door.MACHINE"):
                continue
            opened = "Door.SIGNED_IN" if isinstance(needed, ast.Constant) else "Door.PUBLIC"
            other = ast.parse(opened, mode="eval").body
            yield Mutant(f"{key.value}: {said} -> {opened}", DOCUMENTS, path, without(path, needed, other))
    for node in ast.walk(module(path)):
        if (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, bool)
        ):
            other = ast.Constant(not node.value.value)
            name = f"{node.target.id} is {other.value} where nothing is said"
            tests = BODIES if node.target.id in ("signed", "is_file") else DECIDING
            yield Mutant(name, tests, path, without(path, node.value, other))


# Branches


def functions(tree: ast.Module):
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield node


def of_branches(path: str, tests: list[str], *, inside: set[str] = frozenset(), refusing: bool = False):
    """Each condition never true, and each part of a condition gone; ``refusing``: of those that forbid something."""
    for function in functions(module(path)):
        if inside and function.name not in inside:
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.If):
                forbids = isinstance(node.body[0], ast.Raise) and "PermissionDenied" in ast.unparse(node.body[0])
                if refusing and not forbids:
                    continue
                where = f"{path}:{node.lineno} {function.name}"
                text = without(path, node.test, ast.Constant(False))
                yield Mutant(f"{where}: if {ast.unparse(node.test)} -> never", tests, path, text)
            elif isinstance(node, ast.BoolOp) and not refusing:
                where = f"{path}:{node.lineno} {function.name}"
                for turn, part in enumerate(node.values):
                    kept = [value for at, value in enumerate(node.values) if at != turn]
                    other = kept[0] if len(kept) == 1 else ast.BoolOp(node.op, kept)
                    yield Mutant(f"{where}: without {ast.unparse(part)}", tests, path, without(path, node, other))


# Statements


def of_statements() -> Iterator[Mutant]:
    """Each condition of a statement on a value that it is given, met by whatever value."""
    for path in STATEMENTS:
        text = (ROOT / path).read_text()
        for found in re.finditer(r"\w+\.\w+ = %s", text):
            line = text.count("\n", 0, found.start()) + 1
            other = f"{text[: found.start()]}({found[0]}) IS NOT NULL{text[found.end() :]}"
            yield Mutant(f"{path}:{line} {found[0]} -> whatever", tests_of(path, DECIDING), path, other)


# Scopes


def of_scopes() -> Iterator[Mutant]:
    for app in APPS:
        for file in sorted((ROOT / app).rglob("*.py")):
            if "migrations" in file.parts or "demo" in file.parts:
                continue
            path = str(file.relative_to(ROOT))
            tests = tests_of(path, SCOPING)
            for function in functions(module(path)):
                if function.name in SCOPES or function.name == "held_by":
                    yield from of_definition(path, function, tests)
                else:
                    yield from of_uses(path, function, tests)


def of_definition(path: str, function: ast.FunctionDef, tests: list[str]) -> Iterator[Mutant]:
    """Each branch of what narrows, and each narrowing itself."""
    for node in ast.walk(function):
        where = f"{path}:{getattr(node, 'lineno', 0)} {function.name}"
        if isinstance(node, ast.If):
            text = without(path, node.test, ast.Constant(False))
            yield Mutant(f"{where}: if {ast.unparse(node.test)} -> never", tests, path, text, walls_down=True)
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Dict) and node.value.keys:
            text = without(path, node.value, ast.Dict([], []))
            yield Mutant(f"{where}: {ast.unparse(node.value)} -> all", tests, path, text, walls_down=True)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "filter":
            other = ast.Call(ast.Attribute(node.func.value, "all"), [], [])
            name = f"{where}: {ast.unparse(node)} -> all"
            yield Mutant(name, tests, path, without(path, node, other), walls_down=True)


def of_uses(path: str, function: ast.FunctionDef, tests: list[str]) -> Iterator[Mutant]:
    """Each place that asks for the rows of somebody, asking for all: without whatever else ties them to the actor."""
    above = {child: node for node in ast.walk(function) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(function):
        is_scoped = (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in SCOPES
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id[:1].isupper()
        )
        if is_scoped:
            manager = "objects" if node.func.value.id in ("Grant", "Person") else "unscoped"
            every = ast.Call(ast.Attribute(ast.Attribute(node.func.value, manager), "all"), [], [])
            whole = outermost(node, above)
            other = untied(copy.deepcopy(whole), node, every)
            where = f"{path}:{node.lineno} {function.name}"
            name = f"{where}: {ast.unparse(node)} -> all"
            yield Mutant(name, tests, path, without(path, whole, other), walls_down=True)


def outermost(node: ast.Call, above: dict) -> ast.Call:
    """The last call of the chain that begins here: ``A.b(c).filter(d).get(e)``."""
    while isinstance(above.get(node), ast.Attribute) and isinstance(above.get(above[node]), ast.Call):
        node = above[above[node]]
    return node


def untied(chain: ast.Call, begin: ast.Call, every: ast.Call) -> ast.Call:
    """The chain from all rows on, its conditions without those that name the actor."""
    if position(chain) == position(begin):
        return every
    chain.func.value = untied(chain.func.value, begin, every)
    chain.keywords = [word for word in chain.keywords if "actor" not in ast.unparse(word.value)]
    return chain
