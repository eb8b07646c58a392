"""Reading images whose names say who they show, in split folders or without."""

from fastreid_prune.datasets.folder import Folder, last
from fastreid_prune.datasets.names import KNOWN, NamePattern, best_known
from fastreid_prune.datasets.splits import split_folders
from fastreid_prune.datasets.table import TRAIN, Rows
from fastreid_prune.errors import FastreidPruneError

JUNK = "-1"
JUNK_SKIPPED = "junk by Market-1501's rule (identity -1)"
NOT_SAID = "the name does not say who is shown"


def read_named(folder: Folder, base: str, pattern: NamePattern | None, rows: Rows) -> None:
    """Fill the table from names; without split folders every image is for training.

    Args:
        folder: the folder that the file names are relative to.
        base: where in it the data set begins.
        pattern: how names say who is shown; None for the known one that most of them follow.
        rows: what is filled.

    Raises:
        FastreidPruneError: most names do not say who is shown.
    """
    splits = split_folders(folder, base) or {base: TRAIN}
    images = {place: folder.under(place) for place in splits}
    every = [file for files in images.values() for file in files]
    chosen = pattern or best_known(every)
    if chosen is None or (not pattern and not _most_match(chosen, every)):
        raise FastreidPruneError(_what_was_expected(folder, every))
    for place, files in images.items():
        for file in files:
            said = chosen.match(file)
            if said is None:
                rows.skip(NOT_SAID, file)
            elif said[0] == JUNK:
                rows.skip(JUNK_SKIPPED, file)
            else:
                rows.add(file, *said, splits[place])
    if not rows.rows:
        raise FastreidPruneError(
            f"{folder.path}: none of the {len(every)} images follows the pattern {chosen.looks_like!r}; the first is "
            f"{every[0]!r}. A pattern with a / is searched for in the path, any other in the file's name."
            if every
            else f"{folder.path}: no image in {', '.join(sorted(images)) or 'it'}."
        )


def follows_names(folder: Folder, base: str) -> bool:
    """Whether most images in ``base`` (its folder for training, where it has one) are named in a known way."""
    splits = split_folders(folder, base)
    places = [place for place, split in splits.items() if split == TRAIN] or [base]
    return best_known([file for place in places for file in folder.under(place)]) is not None


def _most_match(pattern: NamePattern, files: list[str]) -> bool:
    return 2 * sum(pattern.match(file) is not None for file in files) >= len(files)


def _what_was_expected(folder: Folder, files: list[str]) -> str:
    if not files:
        return f"{folder.path}: no image there."
    odd = next((file for file in files if not any(known.match(file) for known in KNOWN)), files[0])
    known = "; ".join(pattern.looks_like for pattern in KNOWN)
    return (
        f"{folder.path}: most of the {len(files)} file names do not say who is shown, such as {last(odd)!r}. Known "
        rf"are {known}. Give a pattern of your own, such as '(?P<pid>\d+)_c(?P<camid>\d+)', one folder an "
        "identity, or a table with the columns file_name and pid."
    )
