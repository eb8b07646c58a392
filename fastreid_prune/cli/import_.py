"""``fastreid-prune import``: the way back from lists and corrections to a manifest."""

import click

from fastreid_prune.cli.printing import print_table
from fastreid_prune.io.names import examples


@click.command()
@click.argument("lists", type=click.Path(exists=True))
@click.option("-o", "--output", type=click.Path(dir_okay=False), required=True, help="The manifest, a CSV.")
@click.option("--dataset", "datasets", multiple=True, metavar="NAME",
              help="As fastreid calls it, such as Market1501; repeatable.  [what the lists say]")  # fmt: skip
@click.option("--root", type=click.Path(exists=True, file_okay=False), envvar="FASTREID_DATASETS", default="datasets",
              show_default="$FASTREID_DATASETS or datasets", help="The folder that holds the data sets.")  # fmt: skip
@click.option("--ratio", type=float, help="Fraction to prune, in [0, 1).")
@click.option("--purify", is_flag=True, help="Act on the lists' verdicts: relabel, leave out outliers.")
@click.option("--method", help="Score to rank by.  [the one the lists are ranked by]")
@click.option("--base", type=click.Path(exists=True, dir_okay=False),
              help="For corrections: the manifest that the corrected copy was made from.")  # fmt: skip
@click.option("--edited", is_flag=True, help="Accept lists or a manifest of ours that were changed.")
def command(lists, output, datasets, root, ratio, purify, method, base, edited):
    """Make a manifest of LISTS for a data set on disk.

    LISTS: a folder of published lists (ours, or in the paper's format), a corrected folder in Market-1501's layout, an
    XML or ZIP from CVAT, or a manifest that was edited by hand.
    """
    from fastreid_prune.importing import import_lists, listed_datasets
    from fastreid_prune.plugin.samples import training_samples

    samples = training_samples(datasets or listed_datasets(lists), root)
    summary = import_lists(
        lists, output, samples, root, ratio=ratio, purify=purify, method=method, base=base, edited=edited
    )
    tally = summary.tally
    rows = [*summary.counts.items(), ("rows read", tally.rows), ("of these matched", tally.matched)]
    if tally.by_last_part:
        rows.append(("  by the last part of the name", tally.by_last_part))
    print_table(f"{summary.kind}, for {summary.samples} images", rows)
    for line in tally.lines():
        click.echo(line)
    if summary.unlisted:
        shown = examples(summary.unlisted_examples, summary.unlisted)
        click.echo(f"{summary.unlisted} images of the data set are not named: {shown}")
    if summary.new_ids:
        click.echo(f"{len(summary.new_ids)} identities are new: {examples(summary.new_ids)}")
    click.echo(f"manifest: {summary.manifest}")
    click.echo(f"Train on it with PRUNE.MANIFEST {summary.manifest}")
