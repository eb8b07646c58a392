"""``fastreid-prune prune``: the manifest of a scored run."""

import click

from fastreid_prune.cli.printing import print_table


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False))
@click.option("--ratio", type=float, required=True, help="Fraction to prune, in [0, 1): 0.3 prunes 30 %.")
@click.option("--method", default="entropy", show_default=True,
              help="A score: the plain ranking by it; or a strategy.")  # fmt: skip
@click.option("--score", help="What a strategy ranks by; not with a score as the method.  [entropy]")
@click.option("--purify", is_flag=True,
              help="Act on the run's verdicts: relabel; leave out outliers and what is more likely wrong.")  # fmt: skip
@click.option("--identities", is_flag=True,
              help="With --purify: merge and split identities as accepted in RUN/prune/identities.csv.")  # fmt: skip
@click.option("--decisions", type=click.Path(exists=True, dir_okay=False), metavar="FILE", multiple=True,
              help="What a person decided, saved from the report's page: overrides verdicts; repeatable.")  # fmt: skip
@click.option("--keep-per-identity", type=click.IntRange(0), default=0, show_default=True, metavar="K",
              help="Leave every identity at least K images.")  # fmt: skip
@click.option("--keep-per-camera", type=click.IntRange(0), default=0, show_default=True, metavar="K",
              help="Leave every identity at least K images in each of its cameras.")  # fmt: skip
@click.option("--most-removed", type=click.FloatRange(0, 1), default=0.2, show_default=True, metavar="SHARE",
              help="Where --purify would leave out more of the samples, it leaves out none.")  # fmt: skip
@click.option("--lose-identities", is_flag=True, help="Let --purify leave out all images of an identity.")
@click.option("--seed", type=click.IntRange(0), help="For the method random; by default the run's own.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False), help="The manifest, a CSV.  [RUN/prune/manifest.csv]"
)
def command(
    run: str, ratio: float, method: str, score: str | None, purify: bool, identities: bool,
    decisions: tuple[str, ...],
    keep_per_identity: int, keep_per_camera: int, most_removed: float, lose_identities: bool, seed: int | None,
    output: str | None,
) -> None:  # fmt: skip
    """Write the manifest of RUN, the output folder of a scored run: what stays, and under which identity."""
    from fastreid_prune.manifest import prune_run

    summary = prune_run(
        run, ratio, method, score=score, purify=purify, identities=identities, decisions=decisions, output=output,
        keep_per_identity=keep_per_identity, keep_per_camera=keep_per_camera, seed=seed,
        most_removed=most_removed, lose_identities=lose_identities,
    )  # fmt: skip
    manifest = summary.manifest
    rows = [
        (action, count, f"{100 * count / max(len(manifest), 1):.1f} %")
        for action, count in manifest.counts.items()
    ]
    rows += [("identities left", summary.identities_left, f"of {summary.identities}")]
    share = 100 * summary.pruned / max(len(manifest), 1)
    heading = f"{len(manifest)} samples by {summary.method}: {100 * summary.ratio:g} % asked for, {share:.1f} % pruned"
    print_table(heading, rows)
    if summary.pruned < summary.asked:
        click.echo(
            f"{summary.asked - summary.pruned} fewer are pruned than asked for: of each identity or camera some stay "
            "(--keep-per-identity, --keep-per-camera, the method's own floor), and what a person decided."
        )
    if summary.in_doubt:
        click.echo(
            f"{summary.in_doubt} of those that say prune are left out whatever the ratio: their label is more likely "
            "wrong than right, though not surely enough for a verdict."
        )
    if summary.doubted:
        click.echo(
            f"{summary.doubted} of those that are pruned have the most doubted labels: judged wrong, or as many as are "
            "wrong by estimate, though not surely enough for a verdict on each."
        )
    for sentence in summary.held:
        click.echo(sentence)
    click.echo(summary.regime.words)
    click.echo(summary.regime.expectation(summary.ratio))
    if summary.lost:
        shown = ", ".join(summary.lost[:5]) + (", ..." if len(summary.lost) > 5 else "")
        click.echo(
            f"No image is left of {len(summary.lost)} identities: {shown} (--keep-per-identity keeps some)."
        )
    click.echo(f"manifest: {manifest.path}")
    click.echo(f"Train on it with PRUNE.MANIFEST {manifest.path}")
