"""A data set from one command: read, scored by a recipe that fits, judged, written up, and retrained on."""

from fastreid_prune.lab.audit.planning import Plan, plan_audit
from fastreid_prune.lab.audit.run_audit import Audited, audit
from fastreid_prune.lab.audit.run_quickstart import Retrained, plan_quickstart, quickstart

__all__ = ["Audited", "Plan", "Retrained", "audit", "plan_audit", "plan_quickstart", "quickstart"]
