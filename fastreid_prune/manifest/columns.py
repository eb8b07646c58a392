"""The columns of a manifest and the actions that a row can have."""

COLUMNS = ("file_name", "pid", "camid", "new_pid", "action", "score", "rank", "reason")
ACTIONS = KEEP, PRUNE, RELABEL, OUTLIER = ("keep", "prune", "relabel", "outlier")
