"""File names that say who is shown, and by which camera."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fastreid_prune.datasets.folder import last
from fastreid_prune.errors import FastreidPruneError


@dataclass(frozen=True)
class NamePattern:
    """A way to write identity and camera into a file's name.

    Attributes:
        looks_like: an example.
        regexes: with the group ``pid``, and ``camid`` where the name has it; the first that matches counts.
        on_path: whether the whole relative path is searched, not the name alone.
    """

    looks_like: str
    regexes: tuple[re.Pattern[str], ...]
    on_path: bool = False

    def match(self, file: str) -> tuple[str, str] | None:
        """Identity and camera of a file; None where its name does not say.

        >>> KNOWN[0].match("train/0002_c12s1_000451_03.jpg")
        ('2', '12')
        """
        text = file if self.on_path else last(file)
        found = next((match for regex in self.regexes if (match := regex.search(text))), None)
        if found is None or not found["pid"]:
            return None
        groups = found.groupdict()
        return plain_number(found["pid"]), plain_number(groups.get("camid") or "")


KNOWN = (
    # Market-1501, DukeMTMC-reID, CUHK03-NP, VeRi, and whoever names files like them: person03_cam02_frame001.jpg, or
    # with the camera in front, cam02_person03_frame001.jpg
    NamePattern(
        "0002_c1s1_000451_03.jpg",
        (
            re.compile(r"^(?P<pid>-?[^_]+(?:_[^_]+)*?)_c(?:am(?:era)?)?[-_]?(?P<camid>\d+)", re.IGNORECASE),
            re.compile(r"^cam(?:era)?[-_]?(?P<camid>\d+)[-_](?P<pid>[^_.]+)_", re.IGNORECASE),
        ),
    ),
    NamePattern(
        "0000_000_01_0303morning_0008_0.jpg (MSMT17)",
        (re.compile(r"^(?P<pid>\d+)_\d+_(?P<camid>\d+)_\d{4}(?:morning|noon|afternoon)"),),
    ),
    NamePattern(
        "0000003_MOT17-02-FRCNN_000001_acc_data.bmp (patches of a tracking benchmark)",
        (re.compile(r"^(?P<pid>\d+)_(?P<camid>MOT\d+-\d+)"),),
    ),
    # 00-1 is its junk
    NamePattern("0001C1T0001F001.jpg (MARS)", (re.compile(r"^(?P<pid>0*-?\d+)C(?P<camid>\d+)T\d+F\d+"),)),
)


def plain_number(value: str) -> str:
    """Text, a whole number without leading zeros: ``0002`` is ``2``, as fastreid's readers have it."""
    return str(int(value.lstrip("0") or 0)) if re.fullmatch(r"0*-?[0-9]+", value) else value


def given_pattern(pattern: str) -> NamePattern:
    """A pattern that a person gave; one with a slash is searched for in the path, else in the file's name.

    Raises:
        FastreidPruneError: it is no regular expression, or has no group ``pid``.
    """
    hint = r"Give a regular expression with named groups, such as '(?P<pid>\d+)_c(?P<camid>\d+)'."
    try:
        regex = re.compile(pattern)
    except re.error as error:
        raise FastreidPruneError(
            f"The pattern {pattern!r} is no regular expression ({error}). {hint}"
        ) from None
    unknown = sorted(set(regex.groupindex) - {"pid", "camid"})
    if "pid" not in regex.groupindex or unknown:
        found = ", ".join(regex.groupindex) or "none"
        raise FastreidPruneError(
            f"The pattern {pattern!r} has the named groups {found}; pid, and if need be camid, were expected. {hint}"
        )
    return NamePattern(pattern, (regex,), on_path="/" in pattern)


def best_known(files: Sequence[str]) -> NamePattern | None:
    """The known pattern that most of the names follow; None where less than half follow any."""
    counts = [sum(pattern.match(file) is not None for file in files) for pattern in KNOWN]
    most = max(counts, default=0)
    return KNOWN[counts.index(most)] if files and 2 * most >= len(files) else None
