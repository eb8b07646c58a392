"""The configuration of the plug-in, under ``PRUNE``."""

from yacs.config import CfgNode

from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.plugin.in_run_plan import InRunPlan
from fastreid_prune.purify import RULES
from fastreid_prune.selection import strategy_and_score
from fastreid_prune.selection.dynamic import DYNAMIC

NO_RULE = "none"  # the run is judged later


def add_prune_config(cfg: CfgNode) -> None:
    """Add the keys under ``PRUNE`` to a fastreid configuration, with defaults that change nothing."""
    node = type(cfg)
    cfg.PRUNE = node()

    # Seed of initial weights, order of samples and augmentation, each epoch's a function of (seed, epoch) alone, so
    # that a resumed run sees what an unbroken one would. -1: as fastreid, another seed every time.
    cfg.PRUNE.SEED = -1

    # Give the backbone its images with the channels last: on a CPU, MobileNetV2 then trains in 0.6 of the time and
    # OSNet in 0.7; a ResNet-18 gains nothing. The same results up to the order of sums.
    cfg.PRUNE.CHANNELS_LAST = False

    # Train on this manifest: pruned samples and outliers are gone, relabelled ones carry the new identity.
    cfg.PRUNE.MANIFEST = ""

    cfg.PRUNE.DATA = node()
    # Where a name in DATASETS.NAMES or TESTS is a path: how the names of its files say who they show, a regular
    # expression such as "(?P<pid>\\d+)_c(?P<camid>\\d+)". Empty: what the files lie in or are called says it.
    cfg.PRUNE.DATA.PATTERN = ""

    cfg.PRUNE.CAPTURE = node()
    # Record the classifier head's logits, and write OUTPUT_DIR/prune at the end of training.
    cfg.PRUNE.CAPTURE.ENABLED = False
    # "train": from the training forwards, at no cost. "eval": one clean pass over the training set at each epoch's end.
    cfg.PRUNE.CAPTURE.MODE = "train"
    # Which head, where the model has several (MGN: "b1_head", ...). Empty: the only one.
    cfg.PRUNE.CAPTURE.HEAD = ""
    # Decode every image before training: a training image that cannot be read is named and left out, a test image that
    # cannot be read ends the run before its first epoch and not after its last.
    cfg.PRUNE.CAPTURE.CHECK_IMAGES = True
    # Keep the logits of every epoch too (float16, 2 bytes x samples x classes an epoch), for plots and research.
    cfg.PRUNE.CAPTURE.KEEP_LOGITS = False
    # For very many classes, in eval mode: keep the features and the classifier's weights of every epoch, from which the
    # mean logits follow exactly when scoring (4 x epochs x (samples + classes) x feature size bytes on disk).
    cfg.PRUNE.CAPTURE.FACTORED = False
    # Clean passes compute in half precision, as a training with SOLVER.AMP does: faster on a GPU, three digits.
    cfg.PRUNE.CAPTURE.AMP = False

    # Of each query, how many gallery images an evaluation keeps by name, in OUTPUT_DIR/prune/retrieved.npz: the report
    # shows which answers changed. 0: none. One more search of the gallery; not done with TEST.RERANK.
    cfg.PRUNE.KEEP_RETRIEVED = 0

    # How a scored run chooses: a score, or a strategy such as "auto"; and the fraction it prunes at its own end
    # (0: `fastreid-prune prune` later).
    cfg.PRUNE.METHOD = "entropy"
    cfg.PRUNE.RATIO = 0.0
    # What a strategy ranks by. Empty: entropy, or the score that METHOD is.
    cfg.PRUNE.SCORE = ""
    # What pruning leaves at least of every identity, and of every identity in each of its cameras.
    cfg.PRUNE.KEEP_PER_IDENTITY = 0
    cfg.PRUNE.KEEP_PER_CAMERA = 0

    cfg.PRUNE.IN_RUN = node()
    # Prune while training: the first epochs are the scoring run, then the same training goes on with what is kept, by
    # METHOD and RATIO, or, with PURIFY.ENABLED, as the verdicts say. METHOD may then be "infobatch" or "rs2" too, which
    # choose anew before each epoch.
    cfg.PRUNE.IN_RUN.ENABLED = False
    # How many epochs are trained on everything first. 0: a tenth of MAX_EPOCH, at least 5, with PURIFY.ENABLED 12; none
    # for infobatch and rs2.
    cfg.PRUNE.IN_RUN.START = 0
    # Choose again every so many epochs, from all that was recorded so far; what was pruned can come back. 0: once.
    cfg.PRUNE.IN_RUN.EVERY = 0
    # How many epochs at the end are trained on all that is not judged wrong. -1: as the method's authors do.
    cfg.PRUNE.IN_RUN.LAST_EPOCHS_ON_ALL = -1

    cfg.PRUNE.PURIFY = node()
    # Relabel and drop what the verdicts say when the run prunes at its own end.
    cfg.PRUNE.PURIFY.ENABLED = False
    # By which rule: "judge", or "paper" for the paper's own. "none": not at the end of this run, but by a call later.
    cfg.PRUNE.PURIFY.RULE = "judge"
    # Inject known errors into the scoring run: how many are found again shows what verdicts are worth on this data set.
    cfg.PRUNE.PURIFY.CALIBRATE = False
    # The shares of the samples that get a wrong label for the run, of synthetic outliers added to it, and of images
    # that are moved in whole clips.
    cfg.PRUNE.PURIFY.SWITCHED = 0.02
    cfg.PRUNE.PURIFY.COMPOSED = 0.015
    cfg.PRUNE.PURIFY.CLIPS = 0.03
    # The share of the verdicts that should be right: it sets their thresholds.
    cfg.PRUNE.PURIFY.PRECISION = 0.95


def check_prune_config(cfg: CfgNode) -> None:
    """Refuse values under ``PRUNE`` that make no sense, before anything is built.

    Raises:
        FastreidPruneError: naming the key, what was found and what was expected.
    """
    prune = cfg.PRUNE
    if prune.CAPTURE.MODE not in ("train", "eval"):
        raise FastreidPruneError(
            f"PRUNE.CAPTURE.MODE: {prune.CAPTURE.MODE!r} found, 'train' or 'eval' expected."
        )
    if prune.CAPTURE.FACTORED and (prune.CAPTURE.MODE != "eval" or prune.CAPTURE.KEEP_LOGITS):
        raise FastreidPruneError(
            "PRUNE.CAPTURE.FACTORED needs PRUNE.CAPTURE.MODE eval, since in training the weights change at each step, "
            "and PRUNE.CAPTURE.KEEP_LOGITS False, since no logits are stored."
        )
    if prune.METHOD in DYNAMIC:
        if not prune.IN_RUN.ENABLED:
            raise FastreidPruneError(
                f"PRUNE.METHOD: {prune.METHOD!r} chooses before each epoch of a training that prunes itself: set "
                "PRUNE.IN_RUN.ENABLED True."
            )
    else:
        try:
            strategy_and_score(prune.METHOD, prune.SCORE or None)
        except FastreidPruneError as error:
            raise FastreidPruneError(f"PRUNE.METHOD, PRUNE.SCORE: {error}") from error
    for name in ("KEEP_PER_IDENTITY", "KEEP_PER_CAMERA"):
        if prune[name] < 0:
            raise FastreidPruneError(f"PRUNE.{name}: {prune[name]} found, a count of at least 0 expected.")
    rules = [*RULES, *([] if prune.PURIFY.ENABLED else [NO_RULE])]
    if prune.PURIFY.RULE not in rules:
        raise FastreidPruneError(
            f"PRUNE.PURIFY.RULE: {prune.PURIFY.RULE!r} found, one of {', '.join(rules)} expected."
        )
    for name in ("SWITCHED", "COMPOSED", "CLIPS"):
        if not 0 <= prune.PURIFY[name] <= 0.5:
            raise FastreidPruneError(
                f"PRUNE.PURIFY.{name}: {prune.PURIFY[name]} found, a share of the samples in [0, 0.5] expected."
            )
    if not 0.5 <= prune.PURIFY.PRECISION < 1:
        raise FastreidPruneError(
            f"PRUNE.PURIFY.PRECISION: {prune.PURIFY.PRECISION} found, a fraction in [0.5, 1) expected."
        )
    if not 0 <= prune.RATIO < 1:
        raise FastreidPruneError(f"PRUNE.RATIO: {prune.RATIO} found, a fraction in [0, 1) expected.")
    InRunPlan.of(cfg)
    if prune.RATIO > 0 and not (prune.CAPTURE.ENABLED or prune.IN_RUN.ENABLED):
        raise FastreidPruneError(
            "PRUNE.RATIO prunes at the end of a scoring run: set PRUNE.CAPTURE.ENABLED True, or train on a manifest "
            "with PRUNE.MANIFEST."
        )
