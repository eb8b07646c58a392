"""All that knows fastreid. :func:`register` makes it active."""

from fastreid_prune.errors import FastreidPruneError


def register() -> dict[str, str]:
    """Make fastreid work here and add the plug-in to it. Call it before anything imports fastreid; twice is harmless.

    Returns:
        What each compat patch did: name -> ``"active"``, ``"not needed"`` or ``"switched off"``.

    Raises:
        FastreidPruneError: fastreid is not installed.
    """
    import importlib.util

    if importlib.util.find_spec("fastreid") is None:
        raise FastreidPruneError(
            "fastreid is not installed. Run `pip install --no-deps fastreid==1.4.0`, or put a git checkout of fastreid "
            "on the path: PYTHONPATH=path/to/fast-reid."
        )
    from fastreid_prune.plugin.compat.apply import apply_patches

    return apply_patches()
