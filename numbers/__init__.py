"""The phone numbers app, and the five classes of the standard library's module of the same name.

Python's ``decimal`` and ``fractions`` import ``numbers``. Where this folder is first on the path they get this package,
so it offers what they look for: the standard module is loaded from its file, under a name of its own. This module must
not import Django, which imports ``decimal``.
"""

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location

#: Where the standard module is kept. ``portal`` puts it there when a program had imported it first, because classes
#: such as Decimal are registered with it: a second copy would not know them.
STANDARD = "_standard_numbers"


def standard_module():
    """The standard library's ``numbers``, loaded once. Its classes say that they are of ``numbers``, so they pickle."""
    if STANDARD not in sys.modules:
        # Not by pathlib or sysconfig: they take ten times as long to import as this module.
        spec = spec_from_file_location("numbers", os.__file__.removesuffix("os.py") + "numbers.py")
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[STANDARD] = module
    return sys.modules[STANDARD]


_standard = standard_module()
Complex, Integral, Number = _standard.Complex, _standard.Integral, _standard.Number
Rational, Real = _standard.Rational, _standard.Real
__all__ = ["Complex", "Integral", "Number", "Rational", "Real"]
