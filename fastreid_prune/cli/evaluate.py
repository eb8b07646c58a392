"""``fastreid-prune evaluate``: Rank-k and mAP of features from anywhere."""

import json

import click

from fastreid_prune.cli.printing import print_table


@click.command()
@click.argument("features", type=click.Path(dir_okay=False), metavar="FEATURES.npz")
@click.option("--metric", default="cosine", show_default=True, help="cosine or euclidean.")
@click.option("--ranks", default="1,5,10", show_default=True, help="The k of Rank-k.")
@click.option(
    "--protocol",
    default="market1501",
    show_default=True,
    help="market1501; veri: VeRi's own mAP; cuhk03: one random gallery image an identity.",
)
@click.option("--rerank", is_flag=True, help="k-reciprocal re-ranking first.")
@click.option("--k1", default=20, show_default=True, help="Of --rerank: neighbours.")
@click.option("--k2", default=6, show_default=True, help="Of --rerank: neighbours that are averaged.")
@click.option(
    "--lambda", "share", default=0.3, show_default=True, help="Of --rerank: the original distance's share."
)
@click.option("--seed", default=0, show_default=True, help="Of the draws of cuhk03.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; fractions in [0, 1].")
def command(
    features: str,
    metric: str,
    ranks: str,
    protocol: str,
    rerank: bool,
    k1: int,
    k2: int,
    share: float,
    seed: int,
    as_json: bool,
) -> None:
    """Evaluate FEATURES.npz, which holds query_features and gallery_features [N, D], query_ids, gallery_ids,
    query_cams and gallery_cams [N].
    """
    from fastreid_prune.evaluation import Reranking, evaluate_archive

    try:
        wanted = [int(k) for k in ranks.split(",")]
    except ValueError as error:
        raise click.BadParameter(
            f"whole numbers and commas expected, such as 1,5,10; found {ranks!r}"
        ) from error
    ranking = evaluate_archive(
        features,
        metric,
        wanted,
        protocol=protocol,
        rerank=Reranking(k1, k2, share) if rerank else None,
        seed=seed,
        progress=True,
    )
    counts = {"num_queries": ranking.num_queries, "num_skipped": ranking.num_skipped}
    if as_json:
        click.echo(json.dumps({**ranking.summary(), **counts}))
        return
    rows = [(name, f"{100 * value:.2f} %") for name, value in ranking.summary().items()]
    print_table(features, [*rows, ("queries", ranking.num_queries), ("without a match", ranking.num_skipped)])
