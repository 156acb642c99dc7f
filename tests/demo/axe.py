"""axe-core, which looks at a page as it is now, in light and in dark."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

_AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
_CHECK = """async (isDark) => {
  document.body.classList.toggle("dark", isDark);
  const { violations } = await axe.run();
  return violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 200))]);
}"""


def find_violations(page: Page) -> dict[str, Any]:
    """Return what axe-core finds on a page, dark and light; without axe-core, skip the test."""
    if not _AXE.is_file():
        pytest.skip("no axe-core; `npm ci` installs it")
    # The colours of a transition are neither those of the light page nor of the dark one.
    page.add_style_tag(content="* { transition: none !important; }")
    page.add_script_tag(path=_AXE)
    found = {name: page.evaluate(_CHECK, name == "dark") for name in ("dark", "light")}
    return {name: violations for name, violations in found.items() if violations}
