"""The house rules, read from the code itself."""

import ast
from pathlib import Path

import pytest
from django.apps import apps

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
FRAME = {"__init__", "settings", "urls", "wsgi", "demo", "serve", "worker"}
STOREYS = [
    {"policy", "scope"},
    {"actor"},
    {"models"},
    {"rules", "audit", "holdings", "telephony"},
    {"actions", "listing", "demo"},
    {"tasks", "tables", "words"},
    {"middleware", "second_factor", "last_seen", "forms", "filters", "imports", "sign_in", "shell", "stock"},
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


def test_rows_of_accounts_offer_no_objects():
    ours = [model for model in apps.get_models() if model._meta.app_label in APPS]
    # Grant is django-guardian's and has its manager; what is asked of it is asked of one person.
    assert [model.__name__ for model in ours if hasattr(model, "objects")] == ["Person", "Grant", "Provider"]


def test_numbers_leaves_its_name_to_the_standard_library():
    assert not (ROOT / "numbers" / "__init__.py").exists()


def test_locks_name_no_host():
    locks = [*ROOT.glob("requirements*.txt"), ROOT / "package-lock.json"]
    assert len(locks) == 5
    assert [lock.name for lock in locks if "://" in lock.read_text()] == []
