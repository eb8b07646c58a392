"""What the report's page costs on a large generated run: time and memory to make it, bytes, and how it behaves.

python benchmarks/report.py --samples 40000

Views are measured in Chromium with the network off: the first paint, the page ready for the review, then the time
from an input to the next frame (keys of the review, the list's filter, the ratio), and the longest frame while the
page and the list of suspects scroll, 120 pixels a frame.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np
import torch
from PIL import Image

from fastreid_prune.trajectory import LogitRecorder, Samples, save_trajectory

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "report"))
from chromium import Browser

FOLDER, DISTINCT, BLOCK = "Market-1501-v15.09.15/bounding_box_train", 400, 2000
# a frame is waited for twice: the input's own, and the one that shows what it did
TO_FRAME = "const done = arguments[arguments.length - 1], start = performance.now();"
SHOWN = "requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));"
SCROLL = """const [place, done] = arguments, waits = []; let last = performance.now();
place.scrollTop = 0;
function step(now) {
  waits.push(now - last); last = now;
  const before = place.scrollTop;
  place.scrollTop += 120;
  if (place.scrollTop > before && waits.length < 300) requestAnimationFrame(step);
  else done([waits.length, Math.max(...waits.slice(2))]);
}
requestAnimationFrame(step);"""


@click.command(help=__doc__.splitlines()[0])
@click.option("--samples", default=40_000, show_default=True)
@click.option("--identities", default=1_000, show_default=True)
@click.option("--epochs", default=12, show_default=True)
@click.option("--features", default=2048, show_default=True, help="Their width.")
@click.option("--wrong", default=0.05, show_default=True, help="Share of wrong labels.")
def main(samples: int, identities: int, epochs: int, features: int, wrong: float) -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        generate(root, samples, identities, epochs, features, wrong)
        begun = time.perf_counter()
        command("prune", root / "run", "--ratio", "0.3")
        click.echo(f"{samples} samples, {identities} identities, {epochs} epochs, features of {features}")
        click.echo(f"scores and manifest, once: {time.perf_counter() - begun:.1f} s\n")
        click.echo(
            "| page | suspects | s to make | s of processor | peak MB | pages | MB of the first | MB of all |"
        )
        click.echo("|---|---|---|---|---|---|---|---|")
        made = {}
        for name, options in {
            "default": [],
            "2,000 suspects on a page": ["--suspects", "2000"],
            "all, 500 on a page": ["--suspects", "500", "--pages", "0"],
        }.items():
            page = root / f"{name.replace(',', '').replace(' ', '-')}.html"
            seconds, cpu, peak, shown = command(
                "report", root / "run", "-o", page, "--images", root / "images", *options
            )
            sizes = [path.stat().st_size / 1e6 for path in sorted(root.glob(f"{page.stem}*.html"))]
            first = page.stat().st_size / 1e6
            click.echo(
                f"| {name} | {shown} | {seconds:.1f} | {cpu:.1f} | {peak:.0f} | {len(sizes)} | {first:.1f} "
                f"| {sum(sizes):.1f} |"
            )
            made[name] = page
        view(root, made)


def generate(root: Path, samples: int, identities: int, epochs: int, width: int, wrong: float) -> None:
    """A scored run in ``root/run``, its images in ``root/images``: a few distinct ones, linked."""
    rng, generator = np.random.default_rng(0), torch.Generator().manual_seed(0)
    true = np.arange(samples) % identities
    given = np.where(rng.random(samples) < wrong, rng.integers(0, identities, samples), true)
    names = [f"{FOLDER}/{given[i] + 1:04}_c{i % 15 + 1}s1_{i:06}_00.jpg" for i in range(samples)]
    named = Samples.from_items(
        names,
        [f"market1501_{label + 1}" for label in given],
        [f"market1501_{i % 15}" for i in range(samples)],
    )
    place = {pid: label for label, pid in enumerate(named.class_names)}
    shown = torch.tensor([place.get(f"market1501_{label + 1}", 0) for label in true])
    recorder = LogitRecorder(samples, len(named.class_names), storage="host", samples=named)
    centres = torch.randn(identities, width, generator=generator)
    labels = torch.as_tensor(named.label)
    for epoch in range(epochs):
        for first in range(0, samples, BLOCK):
            rows = torch.arange(first, min(first + BLOCK, samples))
            logits = torch.randn(len(rows), len(named.class_names), generator=generator)
            logits[torch.arange(len(rows)), shown[rows]] += 1 + 6 * epoch / epochs * torch.rand(
                len(rows), generator=generator
            )
            last = centres[shown[rows] % identities] + torch.randn(len(rows), width, generator=generator)
            recorder.update(rows, logits, labels[rows], last if epoch == epochs - 1 else None)
        recorder.end_epoch()
    meta = {"dataset": ["Market1501"], "mode": "eval", "seed": 0}
    save_trajectory(recorder.trajectory(meta), root / "run" / "prune" / "trajectory")
    folder = root / "images" / FOLDER
    folder.mkdir(parents=True)
    for i, name in enumerate(names):
        path = root / "images" / name
        if i < DISTINCT:
            coarse = Image.fromarray(rng.integers(0, 256, (16, 8, 3), np.uint8))
            coarse.resize((64, 128), Image.Resampling.BICUBIC).save(path, quality=90)
        else:
            os.link(root / "images" / names[i % DISTINCT], path)


def command(*arguments: object) -> tuple[float, float, float, str]:
    """Run ``fastreid-prune`` in a process of its own: its seconds, those of the processor, its peak in MB, and
    the suspects it showed.
    """
    begun = time.perf_counter()
    line = [sys.executable, "-m", "fastreid_prune", *map(str, arguments)]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    output = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise click.ClickException(f"{line} ended with {process.returncode}")
    shown = "".join(re.findall(r"of these on the pages\D*(\d+)", output))
    return time.perf_counter() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, shown


def view(root: Path, made: dict[str, Path]) -> None:
    """Open the pages in Chromium and print how they behave."""
    browser = Browser(root / "profile")
    click.echo(
        "\n| page | first paint | ready | key, median / longest | filter | ratio | page scrolls | list scrolls |"
    )
    click.echo("|---|---|---|---|---|---|---|---|")
    for name, page in made.items():
        begun = time.perf_counter()
        driver = browser.open(page)
        opened = 1000 * (time.perf_counter() - begun)
        paint = driver.execute_script(
            "return performance.getEntriesByName('first-contentful-paint')[0].startTime"
        )

        def until_shown(action: str, driver=driver) -> float:
            return driver.execute_async_script(f"{TO_FRAME} {action}; {SHOWN}")

        press = "queue.dispatchEvent(new KeyboardEvent('keydown', { key: '%s', bubbles: true }))"
        until_shown("queue.focus()")
        keys = [until_shown(press % key) for key in "krdu" * 12]
        select = "byId('show').value = '%s'; byId('show').dispatchEvent(new Event('change'))"
        filters = [until_shown(select % show) for show in ("open", "done", "all")]
        ratios = [
            until_shown(f"byId('ratio').value = {at}; byId('ratio').dispatchEvent(new Event('input'))")
            for at in range(0, 19, 3)
        ]
        page_scroll, list_scroll = (
            driver.execute_async_script(SCROLL, driver.execute_script(f"return {place}"))[1]
            for place in ("document.scrollingElement", "queue")
        )
        click.echo(
            f"| {name} | {paint:.0f} ms | {opened:.0f} ms | {np.median(keys):.0f} / {max(keys):.0f} ms | "
            f"{max(filters):.0f} ms | {max(ratios):.0f} ms | {page_scroll:.0f} ms | {list_scroll:.0f} ms |"
        )
    browser.close()


if __name__ == "__main__":
    main()
