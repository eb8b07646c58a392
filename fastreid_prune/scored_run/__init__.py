"""A scored run on disk: its scores, verdicts, features and injected errors."""
