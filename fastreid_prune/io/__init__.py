"""Files: written whole, tables, names of samples, and what strangers send."""
