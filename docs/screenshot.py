"""Pictures of the room for the README: `make screenshot`, while `make demo` is running."""

import re
import sys
from pathlib import Path

from playwright.sync_api import Browser, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PICTURES = {"light": "room.png", "dark": "room-dark.png"}
"""File names by colour scheme; the README shows the light one."""


def take_pictures(url: str, folder: Path) -> None:
    """Open the room in both colour schemes, continue a scene, and save a picture of each."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for scheme, name in PICTURES.items():
            _take(browser, url, scheme, folder / name)
        browser.close()


def _take(browser: Browser, url: str, scheme: str, path: Path) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 860}, device_scale_factor=1.5)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(url)
    status = page.locator(".note")
    expect(status).to_have_text("Ready.", timeout=60_000)
    page.locator("[data-opening='0']").click()
    expect(page.locator("[data-index]")).not_to_have_count(0)
    page.get_by_label("Lines to write").fill("6")
    page.get_by_role("button", name="Continue", exact=True).click()
    expect(status).to_have_text(re.compile("by |ended the scene|left out|stopped"), timeout=60_000)
    page.evaluate("document.activeElement?.blur(); scrollTo(0, 0)")
    page.mouse.move(2, 2)
    page.screenshot(path=path)
    page.close()


if __name__ == "__main__":
    take_pictures(sys.argv[1], Path(__file__).parent)
