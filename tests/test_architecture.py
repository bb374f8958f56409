"""The house rules, read from the code itself."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps

from accounts.scope import LEFT, OPENED
from tests.processes import environment

ROOT = Path(__file__).resolve().parent.parent
APPS = ["portal", "accounts", "numbers", "webphone"]
#: app -> the apps below it
MAY_IMPORT = {
    "portal": set(),
    "accounts": {"portal"},
    "numbers": {"portal", "accounts"},
    "webphone": {"portal", "accounts", "numbers"},
}
#: The frame on top of the house may know all of it.
FRAME = {"__init__", "settings", "urls", "wsgi", "server", "demo", "serve", "worker"}
STOREYS = [
    {"policy", "limits", "oidc"},
    {"actor", "scope"},
    {"models"},
    {"rules", "audit", "holdings", "telephony", "devices"},
    {"notices"},
    {"actions", "listing", "demo", "notice_mail"},
    {"single_sign_on"},
    {"tasks", "tables", "words", "second_factor"},
    {"attempts"},
    {
        "middleware",
        "last_seen",
        "forms",
        "filters",
        "notice_filters",
        "imports",
        "sign_in",
        "shell",
        "stock",
        "first_steps",
    },
    {"help_pages"},
    {"views"},
    {"urls"},
]
MODULES = [p for app in APPS for p in sorted((ROOT / app).rglob("*.py")) if "migrations" not in p.parts]
each_module = pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))


def storey(module):
    return next((height for height, names in enumerate(STOREYS) if module in names), None)


def placed(path):
    """The app and the module of a file; what a package of an app has in it stands where the package stands."""
    app, *inner = path.relative_to(ROOT).with_suffix("").parts
    return app, inner[-1] if inner[0] == "management" else inner[0]


def imported(path):
    """The modules of ours that a module imports when it runs, as (app, module)."""
    tree = ast.parse(path.read_text())
    tree.body = [
        node for node in tree.body if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            parts = node.module.split(".")
            if parts[0] in APPS:
                yield from ((parts[0], parts[1]),) if parts[1:] else ((parts[0], alias.name) for alias in node.names)


@each_module
def test_imports_point_downwards(path):
    app, module = placed(path)
    if app == "portal" and module in FRAME:
        return
    mine = storey(module) if app != "portal" else None
    for other_app, other in imported(path):
        if (other_app, other) == (app, module):
            continue
        assert other_app == app or other_app in MAY_IMPORT[app], f"{app} must not know {other_app}"
        theirs = storey(other) if other_app != "portal" else None
        if mine is not None and theirs is not None:
            assert theirs < mine or other_app != app or other == module, f"{module} must not know {other}"


@each_module
def test_only_models_and_the_demo_go_unscoped(path):
    assert placed(path)[1] in {"models", "audit"} or ".unscoped" not in path.read_text()


@each_module
def test_only_the_middleware_reads_the_signed_in_person(path):
    assert path.stem == "middleware" or "request.user" not in path.read_text()


def places_of(path, is_meant):
    """The functions of a module, with the classes they are in, in which ``is_meant`` is true of a node."""
    places, module = set(), ".".join(path.relative_to(ROOT).with_suffix("").parts)

    def visit(node, inside):
        for child in ast.iter_child_nodes(node):
            is_place = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            if is_meant(child):
                places.add(".".join([module, *inside]))
            visit(child, [*inside, child.name] if is_place else inside)

    visit(ast.parse(path.read_text()), [])
    return places


def leaves_scope(node):
    return isinstance(node, ast.Attribute) and node.attr in ("outside", "within")


def uses_of_scope(path):
    """Where a module uses ``accounts.scope.scope``, under whatever name: functions, with the classes they are in."""
    tree, module = ast.parse(path.read_text()), ".".join(path.relative_to(ROOT).with_suffix("").parts)
    names = {"scope"} if module == "accounts.scope" else set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "accounts.scope":
            names |= {alias.asname or alias.name for alias in node.names if alias.name in ("scope", "*")}
        # So that it has one name in each module, which is looked for here.
        whole = [alias.name for alias in getattr(node, "names", ()) if isinstance(node, ast.Import)]
        whole += [f"{node.module}.{alias.name}" for alias in node.names] if isinstance(node, ast.ImportFrom) else []
        assert "accounts.scope" not in whole, f"{module}: from accounts.scope import scope"
    return places_of(
        path, lambda node: isinstance(node, ast.Name) and node.id in names and isinstance(node.ctx, ast.Load)
    )


def test_whoever_opens_a_scope_is_listed_with_the_reason():
    assert {place for path in MODULES for place in uses_of_scope(path)} == set(OPENED)
    assert all(OPENED.values())


def test_whatever_leaves_its_scope_is_listed_with_the_reason():
    own = {"portal.database.base.DatabaseWrapper.outside", "accounts.scope.scope", "accounts.walls.inspection.refusal"}
    assert {place for path in MODULES for place in places_of(path, leaves_scope)} - own == set(LEFT)
    assert all(LEFT.values())


@each_module
def test_only_the_scope_changes_the_role(path):
    ways = r"set_config|begin_with\(|role_called\(|\bset\s+(local\s+|session\s+)?role\b|session\s+authorization"
    allowed = ("accounts/scope.py", "accounts/walls/", "portal/database/base.py", "portal/database/functions.py")
    assert str(path.relative_to(ROOT)).startswith(allowed) or not re.search(ways, path.read_text(), re.IGNORECASE)


@each_module
def test_only_commands_work_as_the_owner_of_the_tables(path):
    allowed = "management" in path.parts or path == ROOT / "portal/database/owner.py"
    assert allowed or not re.search(r"^from portal\.database\.owner import", path.read_text(), re.MULTILINE)


def test_rows_of_accounts_offer_no_objects():
    ours = [model for model in apps.get_models() if model._meta.app_label in APPS]
    # Grant is django-guardian's and has its manager; what is asked of it is asked of one person.
    assert [model.__name__ for model in ours if hasattr(model, "objects")] == ["Person", "Grant", "Provider"]


CLASSES = """
import sys
from decimal import Decimal
from fractions import Fraction
import numbers, pickle
for one in (1, 1.5, 1j, Decimal(1), Fraction(1, 2)):
    assert isinstance(one, numbers.Number), one
assert isinstance(1, numbers.Integral) and isinstance(Fraction(1, 2), numbers.Rational)
assert isinstance(1.5, numbers.Real) and not isinstance(Decimal(1), numbers.Real)
assert isinstance(1j, numbers.Complex) and numbers.Number.__module__ == "numbers"
assert pickle.loads(pickle.dumps(numbers.Real)) is numbers.Real
"""
OURS = """
import django; django.setup()
from django.apps import apps
import numbers.models
assert apps.get_app_config("numbers").module is numbers
assert numbers.models.PhoneNumber in apps.get_app_config("numbers").get_models()
"""
ON_THE_PATH = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"


@pytest.mark.parametrize(
    ("first", "folder"),
    [
        ("import numbers", ROOT),  # this folder is first on the path: manage.py, -m granian, -m pytest
        ("import portal", ROOT),
        (f"import numbers, decimal, fractions\n{ON_THE_PATH}import portal", ROOT.parent),  # an installed program
        (f"{ON_THE_PATH}import portal", ROOT.parent),
        (f"{ON_THE_PATH.replace('insert(0, ', 'append(')}import portal", ROOT.parent),  # behind the standard library
    ],
)
def test_numbers_is_our_package_with_the_classes_of_the_standard_library(first, folder):
    script = "\n".join([first, CLASSES, OURS, CLASSES])
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-W", "error", "-c", script],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_locks_name_no_host():
    locks = [*ROOT.glob("requirements*.txt"), ROOT / "package-lock.json"]
    assert len(locks) == 5
    assert [lock.name for lock in locks if "://" in lock.read_text()] == []
