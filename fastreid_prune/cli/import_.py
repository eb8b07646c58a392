"""``fastreid-prune import``: the way back from lists and corrections to a manifest."""

from pathlib import Path

import click

from fastreid_prune.cli.printing import print_table
from fastreid_prune.formats import import_lists, listed_datasets, read
from fastreid_prune.formats.sample_table import has_samples, read_samples
from fastreid_prune.io.names import examples
from fastreid_prune.manifest.brake import MOST_REMOVED
from fastreid_prune.trajectory import Samples

_READ = "\n".join(f"  {form.name}: {form.reads}" for form in read())


@click.command(
    help=f"""Make a manifest of LISTS for a data set on disk.

    LISTS is published lists, or what a person corrected: what is not mentioned there keeps its label.

    \b
{_READ}
    """
)
@click.argument("lists", type=click.Path(exists=True))
@click.option("-o", "--output", type=click.Path(dir_okay=False), required=True, help="The manifest, a CSV.")
@click.option("--dataset", "datasets", multiple=True, metavar="NAME",
              help="As fastreid calls it, such as Market1501, or the path of a folder or table, as in DATASETS.NAMES; "
              "repeatable. Or a scored run.  [what the lists say]")  # fmt: skip
@click.option("--root", type=click.Path(file_okay=False), envvar="FASTREID_DATASETS", default="datasets",
              show_default="$FASTREID_DATASETS or datasets", help="The folder that holds the data sets.")  # fmt: skip
@click.option("--format", "format_", type=click.Choice([form.name for form in read()]),
              help="The format of LISTS.  [recognised by the files]")  # fmt: skip
@click.option("--ratio", type=float, help="Fraction to prune, in [0, 1).")
@click.option("--purify", is_flag=True, help="Act on the lists' verdicts: relabel, leave out outliers.")
@click.option("--method", help="Score to rank by.  [the one the lists are ranked by]")
@click.option("--base", type=click.Path(exists=True, dir_okay=False),
              help="For corrections: the manifest that the corrected copy was made from.")  # fmt: skip
@click.option("--missing", type=click.Choice(["keep", "remove"]), default="keep", show_default=True,
              help="For corrections: images that are no longer there keep their label, or were taken out.")  # fmt: skip
@click.option("--most-removed", type=click.FloatRange(0, 1), default=MOST_REMOVED, show_default=True, metavar="SHARE",
              help="Of all images, what --purify may leave out.")  # fmt: skip
@click.option("--lose-identities", is_flag=True, help="Let --purify take all images of an identity.")
@click.option("--edited", is_flag=True, help="Accept lists or a manifest of ours that were changed.")
def command(
    lists: str,
    output: str,
    datasets: tuple[str, ...],
    root: str,
    format_: str | None,
    ratio: float | None,
    purify: bool,
    method: str | None,
    base: str | None,
    missing: str,
    most_removed: float,
    lose_identities: bool,
    edited: bool,
) -> None:
    """See the help above."""
    summary = import_lists(
        lists,
        output,
        _samples(datasets or tuple(listed_datasets(lists)), root),
        root,
        format=format_,
        ratio=ratio,
        purify=purify,
        method=method,
        base=base,
        remove_missing=missing == "remove",
        edited=edited,
        most_removed=most_removed,
        lose_identities=lose_identities,
    )
    tally = summary.tally
    rows = [*summary.counts.items(), ("rows read", tally.rows), ("of these matched", tally.matched)]
    if tally.by_part:
        rows.append(("  by a part of the name", tally.by_part))
    print_table(f"{summary.kind}, for {summary.samples} images", rows)
    for line in tally.lines():
        click.echo(line)
    for note in summary.notes:
        click.echo(note)
    if summary.unlisted:
        shown = examples(summary.unlisted_examples, summary.unlisted)
        click.echo(f"{summary.unlisted} images of the data set are not mentioned: {shown}")
    if summary.missing and missing == "keep":
        click.echo(
            f"{summary.missing} of these were given out to be corrected; they stay as they were. If they were taken "
            "out on purpose, import with --missing remove."
        )
    if summary.new_ids:
        click.echo(f"{len(summary.new_ids)} identities are new: {examples(summary.new_ids)}")
    click.echo(f"manifest: {summary.manifest}")
    click.echo(f"Train on it with PRUNE.MANIFEST {summary.manifest}")


def _samples(datasets: tuple[str, ...], root: str) -> Samples:
    if len(datasets) == 1 and has_samples(Path(datasets[0])):
        return read_samples(Path(datasets[0]))
    from fastreid_prune.plugin.samples import training_samples

    return training_samples(datasets, root)
