"""The training script that ships with the package: as fastreid's own tools/train_net.py, which its wheel lacks."""

from pathlib import Path
from typing import Any

SCRIPT = Path(__file__)


def main(args: Any) -> Any:
    """Train, or evaluate only, as fastreid's arguments say; fastreid must be registered by then."""
    from fastreid.config import get_cfg
    from fastreid.engine import DefaultTrainer, default_setup
    from fastreid.utils.checkpoint import Checkpointer

    cfg = get_cfg()
    cfg.merge_from_file(args.config_file)
    cfg.merge_from_list(args.opts)
    cfg.freeze()
    default_setup(cfg, args)
    if args.eval_only:
        cfg.defrost()
        cfg.MODEL.BACKBONE.PRETRAIN = False
        model = DefaultTrainer.build_model(cfg)
        Checkpointer(model).load(cfg.MODEL.WEIGHTS)
        return DefaultTrainer.test(cfg, model)
    trainer = DefaultTrainer(cfg)
    trainer.resume_or_load(resume=args.resume)
    return trainer.train()


def run() -> None:
    """Read the command line and train, in as many processes as it asks for."""
    from fastreid.engine import default_argument_parser, launch

    from fastreid_prune.plugin.launcher import ending_in_words
    from fastreid_prune.plugin.shipped import find_config

    args = default_argument_parser().parse_args()
    args.config_file = find_config(args.config_file)
    with ending_in_words("train_net.py"):
        launch(
            main,
            args.num_gpus,
            num_machines=args.num_machines,
            machine_rank=args.machine_rank,
            dist_url=args.dist_url,
            args=(args,),
        )


if __name__ == "__main__":
    run()
