"""Check of the commands and links in the documentation; `make check` runs it.

Each command in a `sh` block must be a target of the Makefile, or a module whose `--help` lists the
options used. Each relative link must lead to a file.
"""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


@cache
def help_of(module: str, *subcommands: str) -> str | None:
    """Return the help text of a module or its command, or None if `--help` fails."""
    command = [sys.executable, "-m", module, *subcommands, "--help"]
    environment = {"COLUMNS": "200", "TERM": "dumb"}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=60
    )
    return done.stdout if done.returncode == 0 else None


def commands(text: str) -> list[str]:
    """List the commands in a page's `sh` blocks; joined where a line continues."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def mistakes(command: str) -> list[str]:
    """List what is wrong with a command."""
    command = command.partition(" #")[0]
    targets = re.findall(r"^([a-z.-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    if target := re.match(r"make ([a-z-]+)", command):
        return [] if target[1] in targets else [f"no target '{target[1]}' in the Makefile"]
    found = re.search(r"(python|modal \S+(?: --detach)?) -m ([\w.]+)(.*)", command)
    if not found:
        return []
    runner, module, rest = found.groups()
    if runner != "python":
        path = ROOT / module.replace(".", "/")
        return [] if path.is_dir() or path.with_suffix(".py").is_file() else [f"no {module}"]
    text = help_of(module)
    if text is not None and "COMMAND [ARGS]" in text:
        text = help_of(module, *rest.split()[:2]) if re.match(" [a-z]+ [a-z]+", rest) else text
    if text is None:
        return [f"python -m {module} --help fails"]
    return [f"{module} has no {o}" for o in re.findall(r"--[a-z][a-z-]*", rest) if o not in text]


def broken_links(page: Path) -> list[str]:
    """List a page's relative links without a file."""
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    return [f"broken link: {link}" for link in links if not (page.parent / link).exists()]


def main() -> None:
    """Check all pages; exit with 1 and a list if there are mistakes."""
    wrong, count = [], 0
    for page in PAGES:
        for command in commands(page.read_text(encoding="utf-8")):
            count += 1
            wrong += [f"{page.name}: {command}: {each}" for each in mistakes(command)]
        wrong += [f"{page.name}: {each}" for each in broken_links(page)]
    print("\n".join(wrong) or f"{count} commands in {len(PAGES)} pages are valid")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
