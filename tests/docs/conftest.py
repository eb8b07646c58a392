import pytest


@pytest.fixture(scope="session")
def prune_keys():
    """Every key below PRUNE, groups of keys among them."""
    from fastreid_prune import register

    register()
    from fastreid.config import get_cfg

    keys = set()

    def walk(node, prefix):
        for name, value in node.items():
            keys.add(f"{prefix}.{name}")
            if hasattr(value, "items"):
                walk(value, f"{prefix}.{name}")

    walk(get_cfg().PRUNE, "PRUNE")
    return keys
