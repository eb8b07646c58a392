"""``python -m fastreid_prune``: the same as the command ``fastreid-prune``."""

from fastreid_prune.cli import main

if __name__ == "__main__":
    main()
