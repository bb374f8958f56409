"""The project package.

The ``numbers`` app shares its name with a module of the standard library. A program that imported that one before this
folder was on the path, as an installed ``granian`` does, gets the app's package in its place here.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path


def use_our_numbers() -> None:
    """Have ``import numbers`` mean the app's package, which offers the standard module's classes too."""
    present = sys.modules.get("numbers")
    if hasattr(present, "__path__"):
        return
    if present is not None:
        sys.modules["_standard_numbers"] = present  # numbers.STANDARD
    folder = Path(__file__).resolve().parent.parent / "numbers"
    spec = spec_from_file_location("numbers", folder / "__init__.py", submodule_search_locations=[str(folder)])
    package = module_from_spec(spec)
    sys.modules["numbers"] = package
    spec.loader.exec_module(package)


use_our_numbers()
