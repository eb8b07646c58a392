#!/usr/bin/env python
"""Train, score, retrain or evaluate, as fastreid's own tools/train_net.py, with the plug-in registered."""

import sys

import fastreid_prune

fastreid_prune.register()

from fastreid.config import get_cfg  # noqa: E402
from fastreid.engine import DefaultTrainer, default_argument_parser, default_setup, launch  # noqa: E402
from fastreid.utils.checkpoint import Checkpointer  # noqa: E402

from fastreid_prune.plugin.launcher import mending  # noqa: E402


def setup(args):
    """The configuration: fastreid's defaults, the config file, the options."""
    cfg = get_cfg()
    cfg.merge_from_file(args.config_file)
    cfg.merge_from_list(args.opts)
    cfg.freeze()
    default_setup(cfg, args)
    return cfg


def main(args):
    """Train, or evaluate only."""
    cfg = setup(args)
    if args.eval_only:
        cfg.defrost()
        cfg.MODEL.BACKBONE.PRETRAIN = False
        model = DefaultTrainer.build_model(cfg)
        Checkpointer(model).load(cfg.MODEL.WEIGHTS)
        return DefaultTrainer.test(cfg, model)
    trainer = DefaultTrainer(cfg)
    trainer.resume_or_load(resume=args.resume)
    return trainer.train()


if __name__ == "__main__":
    args = default_argument_parser().parse_args()
    try:
        with mending():
            launch(
                main,
                args.num_gpus,
                num_machines=args.num_machines,
                machine_rank=args.machine_rank,
                dist_url=args.dist_url,
                args=(args,),
            )
    except fastreid_prune.FastreidPruneError as error:
        sys.exit(f"train_net.py: {error}")
    except KeyboardInterrupt:
        sys.exit("train_net.py: interrupted; go on from the last checkpoint with --resume.")
