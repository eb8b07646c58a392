"""What a person does on the page, in a real browser."""

import time

from fastreid_prune.report import write_report

QUEUE = "#queue [role=option]"


def with_page(made):
    page = made.run.parent / "report.html"
    write_report(made.run, page, images=made.images)
    return made, page


class Review:
    """What a person does on the page, and sees."""

    def __init__(self, browser, page, **window):
        self.browser = browser
        self.driver = browser.open(page, **window)
        self.script = self.driver.execute_script

    def press(self, *keys):
        """Keys, to whatever has the focus; ``shift+ArrowDown`` holds one down."""
        from selenium.webdriver import ActionChains, Keys

        named = {"ArrowDown": Keys.ARROW_DOWN, "ArrowUp": Keys.ARROW_UP, "Tab": Keys.TAB, "Escape": Keys.ESCAPE,
                 "Enter": Keys.ENTER, "End": Keys.END, "Home": Keys.HOME, "ArrowRight": Keys.ARROW_RIGHT}  # fmt: skip
        for key in keys:
            held, _, pressed = key.rpartition("+")
            actions = ActionChains(self.driver)
            hold = {"shift": Keys.SHIFT, "ctrl": Keys.CONTROL}.get(held)
            actions.key_down(hold) if hold else None
            actions.send_keys(named.get(pressed, pressed))
            actions.key_up(hold) if hold else None
            actions.perform()
        return self

    def click(self, selector):
        element = self.driver.find_element("css selector", selector)
        self.script("arguments[0].scrollIntoView({ block: 'center' })", element)
        element.click()
        return self

    def start(self):
        """Reach the list by keyboard alone."""
        self.script("document.querySelector('.skip').focus()")
        self.press("Enter")
        until = time.monotonic() + 5
        while self.script("return document.activeElement.id") != "queue" and time.monotonic() < until:
            time.sleep(0.01)
        return self

    @property
    def decisions(self):
        """The decision shown on each sample of the list, in its order."""
        return self.script(
            f"return [...document.querySelectorAll('{QUEUE}')].map((one) => one.dataset.decision)"
        )

    @property
    def current(self):
        """The place in the list of the sample shown."""
        return self.script(
            "return [...document.getElementById('queue').children].findIndex((one) => one.matches('.current'))"
        )

    def text(self, selector):
        return self.driver.find_element("css selector", selector).text

    def heard(self, role):
        """The names that a screen reader says of all elements of a role."""
        tree = self.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        found = [node for node in tree if node.get("role", {}).get("value") == role and not node["ignored"]]
        return [node.get("name", {}).get("value", "") for node in found]

    def saved(self, name="decisions"):
        """Press the button, wait for the download, return its path."""
        self.click("#save-identities" if name == "identities" else "#save")
        path = self.browser.downloads / f"{name}.csv"
        until = time.monotonic() + 10
        while not path.exists() and time.monotonic() < until:
            time.sleep(0.02)
        return path
