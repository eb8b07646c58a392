#!/usr/bin/env python
"""Train, score, retrain or evaluate, as fastreid's own tools/train_net.py, with the plug-in registered."""

import fastreid_prune

fastreid_prune.register()

from fastreid_prune.plugin.script.train_net import run  # noqa: E402

if __name__ == "__main__":
    run()
