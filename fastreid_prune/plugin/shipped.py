"""The recipes that come with the package: ``configs`` of the checkout is ``fastreid_prune/configs`` of the wheel."""

from pathlib import Path

CONFIGS = Path(__file__).parents[1] / "configs"


def find_config(path: str) -> str:
    """A recipe's file: what a person named or, where nothing is there, the one of that name in the package.

    >>> find_config("configs/Demo/score.yml").endswith("configs/Demo/score.yml")
    True
    """
    parts = Path(path).parts
    if Path(path).exists() or "configs" not in parts:
        return path
    shipped = CONFIGS.joinpath(*parts[parts.index("configs") + 1 :])
    return str(shipped) if shipped.is_file() else path
