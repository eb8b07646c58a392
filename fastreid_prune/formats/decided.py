"""What a person decided about the identities of a data set."""

from dataclasses import dataclass

from fastreid_prune.scored_run.identity_table import ACCEPT, REFUSE, Finding


@dataclass(frozen=True)
class IdentityDecisions:
    """What a person decided of identities.

    Attributes:
        findings: all of the file, without what a judge alone said of them.
        source: what was read, for the record.
    """

    findings: list[Finding]
    source: dict

    @property
    def summary(self) -> str:
        """How many were decided how, in a sentence."""
        count = {
            decision: sum(one.decision == decision for one in self.findings)
            for decision in (ACCEPT, REFUSE, "")
        }
        return (
            f"{len(self.findings)} findings about identities: {count[ACCEPT]} accepted and done, {count[REFUSE]} "
            f"refused, {count['']} undecided and left."
        )
