#!/usr/bin/env python3
"""The published lists of a scored run: ``tools/export_lists.py RUN -o DIR`` (= ``fastreid-prune export``)."""

import sys

from fastreid_prune.cli import main

if __name__ == "__main__":
    main(["export", *sys.argv[1:]])
