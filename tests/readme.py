"""Checks that what the README and the docs tell people to type is there: `make check` runs it.

Each command in a `sh` block must be a target of the Makefile or a module whose `--help` knows
the options used; each relative link must lead to a file.
"""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@cache
def help_of(module: str) -> str | None:
    """Return a module's help text, or None if it cannot be run."""
    command = [sys.executable, "-m", module, "--help"]
    environment = {"COLUMNS": "200", "TERM": "dumb"}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=60
    )
    return done.stdout if done.returncode == 0 else None


def commands(text: str) -> list[str]:
    """List the commands in a page's `sh` blocks, continued lines joined."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def mistakes(command: str) -> list[str]:
    """Say what is wrong with a command, if anything."""
    command = command.partition(" #")[0]
    targets = re.findall(r"^([a-z.-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    if made := re.match(r"make ([a-z-]+)", command):
        return [] if made[1] in targets else [f"no target '{made[1]}' in the Makefile"]
    found = re.search(r"(python|modal \S+(?: --detach)?) -m ([\w.]+)(.*)", command)
    if not found:
        return []
    runner, module, rest = found.groups()
    if runner != "python":
        place = ROOT / module.replace(".", "/")
        return [] if place.is_dir() or place.with_suffix(".py").is_file() else [f"no {module}"]
    text = help_of(module)
    if text is None:
        return [f"python -m {module} --help fails"]
    return [f"{module} has no {o}" for o in re.findall(r"--[a-z][a-z-]*", rest) if o not in text]


def broken_links(page: Path) -> list[str]:
    """List a page's relative links that lead nowhere."""
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    return [f"broken link: {link}" for link in links if not (page.parent / link).exists()]


def main() -> None:
    """Check all pages; exit with 1 and a list if anything is wrong."""
    wrong, count = [], 0
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for command in commands(page.read_text(encoding="utf-8")):
            count += 1
            wrong += [f"{page.name}: {command}: {each}" for each in mistakes(command)]
        wrong += [f"{page.name}: {each}" for each in broken_links(page)]
    print("\n".join(wrong) or f"{count} commands of the README and the docs are there")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
