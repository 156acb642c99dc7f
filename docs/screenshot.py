"""Takes the README's picture of the room: `make screenshot`, while `make demo` is running."""

import re
import sys
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def take(url: str, path: Path) -> None:
    """Open the room, let it begin and continue a scene, and save what is on the page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 860}, device_scale_factor=1.5)
        page.goto(url)
        note = page.locator(".note")
        expect(note).to_have_text("Ready.", timeout=60_000)
        page.get_by_role("button", name="Surprise me", exact=True).click()
        expect(page.locator("[data-index]")).not_to_have_count(0)
        page.get_by_role("button", name="Continue", exact=True).click()
        expect(note).to_have_text(re.compile("by |ended the scene|left out"), timeout=60_000)
        page.screenshot(path=path)
        browser.close()


if __name__ == "__main__":
    take(sys.argv[1], Path(__file__).with_name("room.png"))
