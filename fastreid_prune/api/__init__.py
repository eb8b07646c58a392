"""The short way: one object for a scored run, whose methods are each one call of a room below."""
