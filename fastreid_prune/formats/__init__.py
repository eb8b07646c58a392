"""Published lists and other tools' formats: one file a format."""
