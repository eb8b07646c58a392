"""The pictures of README and docs, made anew from a scored run of the demo: ``python tools/make_pictures.py RUN DATA``.

Needs Chromium and its driver, and selenium (extra ``test``). Nothing is fetched.
"""

import base64
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from PIL import Image
from selenium import webdriver

from fastreid_prune import ScoredRun
from fastreid_prune.datasets.truth import TruthRow, read_truth

WIDTH = 1320
# picture -> the element that it begins with, the one that is clicked before, and its height
OF_THE_PAGE = {
    "found": (".masthead", "", 760),
    "page": ("#review", "#queue [role=option]", 800),
    "pruning": ("#pruning", "", 630),
    "duplicates": ("#duplicates", "", 300),
}
SHOWN = {
    "One identity, in several cameras": "clean",
    "Near-duplicates, as consecutive frames make them": "near_copy",
    "Wrong labels: each carries another identity's number": "wrong_label",
    "Outliers: objects, empty places, two people, people who are hidden": "outlier",
}
SHEET = """<meta charset="utf-8"><style>
body { margin: 24px 30px; background: #fbfbf9; color: #1b1d20; font: 15px/1.4 "Liberation Sans", Arial, sans-serif }
p { margin: 14px 0 6px } p:first-child { margin-top: 0 } img { height: 118px; margin-right: 8px; image-rendering: auto }
</style>"""


@click.command(help=__doc__.splitlines()[0])
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-o", "--output", default="docs/pictures", show_default=True, type=click.Path(path_type=Path))
def main(run: Path, data: Path, output: Path) -> None:
    """Write the demo's kinds of images, and what is to be seen on the run's page."""
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chromium() as driver:
        page, sheet = Path(folder) / "report.html", Path(folder) / "demo.html"
        ScoredRun.open(run).report(page, images=data)
        sheet.write_text(contact_sheet(data), encoding="utf-8")
        shoot(driver, sheet, output / "demo.png", "html", "", 660)
        for name, (top, clicked, height) in OF_THE_PAGE.items():
            shoot(driver, page, output / f"{name}.png", top, clicked, height)


def contact_sheet(data: Path, each: int = 16) -> str:
    """A page that shows some images of each kind."""
    rows = [row for row in read_truth(data / "truth.csv") if row.split == "train"]
    number = next(row.given_id for row in rows if row.kind == "wrong_label")
    shown = [SHEET]
    for title, kind in SHOWN.items():
        some = [row for row in rows if row.kind.startswith(kind)]
        some = [row for row in some if row.given_id == number] if kind in ("clean", "near_copy") else some
        if kind == "near_copy":
            some = [half for row in some for half in (_named(rows, row.near_copy_of), row)]
        shown.append(f"<p>{title}</p>{''.join(_image(data / row.file) for row in some[:each])}")
    return "".join(shown)


def _named(rows: list[TruthRow], file: str) -> TruthRow:
    return next(row for row in rows if row.file == file)


def _image(file: Path) -> str:
    return f'<img src="data:image/jpeg;base64,{base64.b64encode(file.read_bytes()).decode()}">'


@contextmanager
def chromium() -> Iterator[webdriver.Chrome]:
    """A headless Chromium."""
    options = webdriver.ChromeOptions()
    for argument in (
        "headless", "no-sandbox", "disable-gpu", "hide-scrollbars", "disable-background-networking"
    ):  # fmt: skip
        options.add_argument(f"--{argument}")
    driver = webdriver.Chrome(options=options)
    try:
        yield driver
    finally:
        driver.quit()


def shoot(driver: webdriver.Chrome, page: Path, picture: Path, top: str, clicked: str, height: int) -> None:
    """Open a page, click on something, and write what is to be seen from an element on."""
    size = {"width": WIDTH, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.get(page.resolve().as_uri())
    driver.execute_script(
        "document.querySelector('nav.contents')?.remove(); document.documentElement.style.scrollPadding = 0"
    )
    if clicked:
        driver.execute_script("document.querySelector(arguments[0]).click()", clicked)
    driver.execute_script("document.querySelector(arguments[0]).scrollIntoView()", top)
    shown = Image.open(io.BytesIO(driver.get_screenshot_as_png())).convert("RGB")
    shown.quantize(256, Image.Quantize.MEDIANCUT).save(picture, optimize=True)  # a third of the bytes
    click.echo(f"{picture}: {picture.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
