"""A headless Chromium that reaches no network: what a reader opens the page with."""

import json
import os
import shutil
from pathlib import Path

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WHAT_TO_DO = "as root: apt-get install chromium chromium-driver"


class Browser:
    """One Chromium for many pages; every page starts with nothing kept from the one before."""

    def __init__(self, profile: Path) -> None:
        self.downloads = profile / "downloads"
        self.driver = _start(profile)
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.driver.execute_cdp_cmd(
            "Network.emulateNetworkConditions",
            {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1},
        )
        behaviour = {"behavior": "allow", "downloadPath": str(self.downloads), "eventsEnabled": True}
        self.driver.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)

    def open(
        self, page: Path, *, width: int = 1360, height: int = 900, dark: bool = False, keep: bool = False
    ):
        """Open a page from disk in a window of so many pixels; unless ``keep``, as if for the first time."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
        if not keep:
            self.driver.get("about:blank")
            self.driver.execute_cdp_cmd(
                "Storage.clearDataForStorageKey", {"storageKey": "file:///", "storageTypes": "all"}
            )
            for file in self.downloads.glob("*"):
                file.unlink()
        self.driver.get_log("browser"), self.driver.get_log("performance")
        self.driver.get(Path(page).resolve().as_uri())
        return self.driver

    def complaints(self) -> list[str]:
        """Everything that the console has held since the last call, warnings too."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> set[str]:
        """The schemes of all that was asked for since the last call: ``file``, ``data``, ``blob``."""
        events = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        urls = [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]
        return {url.split(":")[0] for url in urls}

    def close(self) -> None:
        """End this browser and its driver."""
        self.driver.quit()


def programs() -> tuple[str, str]:
    """Chromium and its driver; where they are missing the test is skipped, or fails where they are required."""
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if chromium and driver:
        return chromium, driver
    missing = " and ".join(
        name for name, found in (("Chromium", chromium), ("chromedriver", driver)) if not found
    )
    end = pytest.fail if os.environ.get("FASTREID_PRUNE_BROWSER") == "required" else pytest.skip
    end(f"no {missing} on this machine; {WHAT_TO_DO}")


def _start(profile: Path):
    chromium, chromedriver = programs()
    webdriver = pytest.importorskip("selenium.webdriver", reason="no selenium: pip install '.[test]'")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--user-data-dir={profile / 'user-data'}",
    ):
        options.add_argument(argument)
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(chromedriver))
