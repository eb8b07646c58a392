"""The pictures of README and docs, made anew from a scored run of the demo: ``python tools/make_pictures.py RUN DATA``.

Needs Chromium and its driver, and selenium (extra ``test``). Nothing is fetched.
"""

import tempfile
from pathlib import Path

import click
from selenium import webdriver

from fastreid_prune import ScoredRun

SUSPECT = "#queue [role=option]"


@click.command(help=__doc__.splitlines()[0])
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-o", "--output", default="docs/pictures", show_default=True, type=click.Path(path_type=Path))
def main(run: Path, data: Path, output: Path) -> None:
    """Report on the run, open its first suspect, and write what is to be seen."""
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        ScoredRun.open(run).report(page, images=data)
        options = webdriver.ChromeOptions()
        for argument in (
            "headless",
            "no-sandbox",
            "disable-gpu",
            "hide-scrollbars",
            "disable-background-networking",
        ):
            options.add_argument(f"--{argument}")
        driver = webdriver.Chrome(options=options)
        try:
            driver.set_window_size(1280, 860)
            driver.get(page.resolve().as_uri())
            suspect = driver.find_element("css selector", SUSPECT)
            driver.execute_script(
                "arguments[0].scrollIntoView({block: 'start'}); arguments[0].click()", suspect
            )
            driver.execute_script("document.querySelector('#queue').closest('section').scrollIntoView()")
            driver.save_screenshot(str(output / "page.png"))
        finally:
            driver.quit()
    click.echo(f"{output / 'page.png'}: {(output / 'page.png').stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
