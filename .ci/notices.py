"""Print the licences of what the front end contains: the packages of package-lock.json that are built into it."""

import json
import sys
from pathlib import Path

TOOLS = ("esbuild", "@esbuild/")  # build it, and are not in it

packages = json.loads(Path("package-lock.json").read_text())["packages"]
lines = ["The front end (static/) contains parts of these packages.\n"]
for folder, facts in sorted(packages.items()):
    name = folder.rpartition("node_modules/")[2]
    if not name or facts.get("dev") or name.startswith(TOOLS):
        continue
    lines.append(f"\n==== {name} {facts['version']} ({facts.get('license', 'see below')})\n")
    for file in sorted(Path(folder).glob("*")):
        if file.stem.lower() in ("license", "licence", "copying", "notice"):
            lines.append(file.read_text(errors="replace"))
sys.stdout.write("\n".join(lines))
