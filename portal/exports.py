"""Names of the files that people download."""

import re
import unicodedata

LONGEST_NAME = 120


def file_name(asked: str, default: str, extension: str) -> str:
    """A file name that is safe on every system and has ``extension``; ``default`` when nothing is left of ``asked``.

    Paths lose their folders, and characters go that some system forbids or that hide what the name is (RFC 6266, 4.3).
    """
    name = unicodedata.normalize("NFC", asked).replace("\\", "/").rpartition("/")[2]
    name = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
    name = re.sub(r'[<>:"|?*]', "", name).strip(" .")
    if name.lower().endswith(extension):
        name = name[: -len(extension)].strip(" .")
    return (name[:LONGEST_NAME] + extension) if name else default
