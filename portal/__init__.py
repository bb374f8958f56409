"""The project package.

The ``numbers`` app shares its name with a standard-library module that Python's own ``decimal`` imports. The folder
therefore has no ``__init__.py``: the standard module keeps the name, and we let it find our submodules too.
"""

from pathlib import Path

import numbers

numbers.__path__ = [str(Path(__file__).resolve().parent.parent / "numbers")]
