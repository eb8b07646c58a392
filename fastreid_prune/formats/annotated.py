"""Annotations of images, as annotation tools give them: who is shown, or that an image is to go."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from fastreid_prune.formats.corrected import REMOVAL_TAGS, Corrected
from fastreid_prune.formats.matching import NameIndex
from fastreid_prune.formats.registry import Request

# labels that say what is there, and not who
KINDS = frozenset({"", "market-1501", "person", "pedestrian", "vehicle", "car", "identity"})
# attributes that say who it is, in small letters and without their separators
_IDENTITY_ATTRIBUTES = frozenset({"personid", "pid", "identity", "identityid", "vehicleid"})

_BATCH = 10_000


@dataclass
class AnnotatedImage:
    """What is said about one image.

    Attributes:
        name: the image's.
        identities: what attributes call it, where they are filled in.
        labels: what tags call it, and shapes that say to remove it.
    """

    name: str
    identities: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)

    def person(self) -> str | None:
        """Who it shows, or that it is to be removed; None where nothing is said, or two things."""
        if any(label.lower() in REMOVAL_TAGS for label in self.labels):
            # that an image is to go counts more than the identity that it came with
            return "outlier"
        said = set(self.identities) or set(self.labels)
        return said.pop() if len(said) == 1 else None

    @property
    def contradicts_itself(self) -> bool:
        """Several identities, and no tag that removes the image."""
        return self.person() is None and len({*self.identities} or {*self.labels}) > 1


def is_identity_attribute(name: str) -> bool:
    """Whether an attribute of this name says who is shown, as ``person_id`` does."""
    return name[:50].lower().replace("_", "").replace(" ", "").replace("-", "") in _IDENTITY_ATTRIBUTES


def take_annotations(images: Iterable[AnnotatedImage], path: Path, request: Request) -> Corrected:
    """What annotated images say of the samples of a data set."""
    result = Corrected(request.samples, {"annotations": path.name})
    index = NameIndex(request.samples.file_name, renamed=True, numbered=True)
    batch: list[tuple[str, str]] = []
    for image in images:
        person = image.person()
        if person is not None:
            batch.append((image.name, person))
        elif image.contradicts_itself:
            result.tally.remark("name several persons, and keep their label", [image.name])
        else:
            result.tally.remark("are images without a tag, and keep their label", [image.name])
        if len(batch) == _BATCH:
            result.take_named(index, *zip(*batch, strict=True))
            batch.clear()
    if batch:
        result.take_named(index, *zip(*batch, strict=True))
    return result
