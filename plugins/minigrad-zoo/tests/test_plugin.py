"""The zoo as a plugin: its names, what is imported when, and the way from and to torch."""

import json
import subprocess
import sys

import minigrad_zoo
import pytest
import torch
from minigrad_zoo import activations, layers, losses, plugin
from torch import nn

import minigrad

NAMES = {"glu": "GLU", "celu": "CELU", "ctc": "CTC", "relu6": "ReLU6", "rrelu": "RReLU", "gaussian_nll": "GaussianNLL"}


def components(kind: str) -> dict[str, object]:
    return {info.name: info for info in minigrad.components(kind) if info.plugin == "zoo"}


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("activation", plugin.ACTIVATIONS),
        ("layer", ("GLU", *plugin.LAYERS)),
        ("loss", plugin.LOSSES),
    ],
)
def test_every_component_is_registered(kind: str, names: tuple[str, ...]):
    look_up = getattr(minigrad, kind)
    found = {look_up(f"zoo:{name}").__name__ for name in components(kind)}
    assert found == set(names)


def test_nothing_is_forgotten():
    everything = {"GLU", *plugin.ACTIVATIONS, *plugin.LAYERS, *plugin.LOSSES}
    assert everything == set(minigrad_zoo.__all__)
    assert everything == {*activations.__all__, *layers.__all__, *losses.__all__}
    assert set(minigrad_zoo.__all__) <= set(dir(minigrad_zoo))
    with pytest.raises(AttributeError, match="no attribute 'Celu'"):
        _ = minigrad_zoo.Celu


def test_names_are_found_and_describe_themselves():
    assert minigrad.activation("celu") is minigrad_zoo.CELU
    assert minigrad.loss("triplet_margin") is minigrad_zoo.TripletMargin
    assert minigrad.layer("glu") is minigrad_zoo.GLU
    net = minigrad.build([{"name": "linear", "in_features": 2, "out_features": 4}, "celu", "glu"])
    assert [part["name"] for part in minigrad.describe(net)["layers"]] == ["minigrad:linear", "zoo:celu", "zoo:glu"]
    assert minigrad.build({"name": "zoo:multi_margin", "p": 2}).p == 2


def test_a_part_is_imported_when_it_is_asked_for():
    code = (
        "import json, sys, minigrad, minigrad_zoo\n"
        "minigrad.activation('celu'), minigrad_zoo.CELU\n"
        "print(json.dumps([name for name in sys.modules if name.startswith('minigrad_zoo')]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    assert "minigrad_zoo.activations" in loaded
    assert not {"minigrad_zoo.losses", "minigrad_zoo.layers", "minigrad_zoo.converters"} & set(loaded)


MODULES = [
    nn.CELU(0.5),
    nn.GLU(1),
    nn.Hardshrink(0.2),
    nn.Hardsigmoid(),
    nn.Hardtanh(-2.0, 0.5),
    nn.ReLU6(),
    nn.RReLU(0.2, 0.4),
    nn.Softmax2d(),
    nn.Softmin(1),
    nn.Softshrink(0.2),
    nn.Softsign(),
    nn.Tanhshrink(),
    nn.Threshold(0.2, 3.0),
    nn.AlphaDropout(0.2),
    nn.Bilinear(2, 3, 4),
    nn.Bilinear(2, 3, 4, bias=False, dtype=torch.float64),
    nn.Dropout1d(0.2),
    nn.Dropout2d(0.2),
    nn.Dropout3d(0.2),
    nn.FeatureAlphaDropout(0.2),
    nn.PairwiseDistance(3.0, 0.1, keepdim=True),
    nn.CTCLoss(1, "sum", zero_infinity=True),
    nn.CosineEmbeddingLoss(0.2, reduction="none"),
    nn.GaussianNLLLoss(full=True, eps=0.1),
    nn.HingeEmbeddingLoss(0.2),
    nn.MarginRankingLoss(0.2),
    nn.MultiLabelMarginLoss(reduction="sum"),
    nn.MultiLabelSoftMarginLoss(torch.tensor([1.0, 2.0])),
    nn.MultiMarginLoss(2, 0.2, torch.tensor([1.0, 2.0])),
    nn.PoissonNLLLoss(log_input=False, full=True, eps=0.1),
    nn.SoftMarginLoss(reduction="sum"),
    nn.TripletMarginLoss(0.2, p=1.0, eps=0.1, swap=True),
    nn.TripletMarginWithDistanceLoss(distance_function=nn.PairwiseDistance(1.0), margin=0.2, swap=True),
]


def options(module: nn.Module) -> dict[str, object]:
    plain = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    for name, child in module.named_children():
        plain |= {f"{name}.{key}": value for key, value in options(child).items()}
    return plain


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_there_and_back_nothing_is_lost(module: nn.Module):
    ours = minigrad.from_torch(module)
    assert type(ours).__name__ == type(module).__name__.removesuffix("Loss")
    back = minigrad.to_torch(ours)
    assert type(back) is type(module)
    assert options(back) == options(module)
    assert back.state_dict().keys() == module.state_dict().keys()
    assert all(torch.equal(back.state_dict()[name], value) for name, value in module.state_dict().items())


def test_every_component_converts():
    converted = {type(module).__name__.removesuffix("Loss") for module in MODULES}
    assert converted == set(minigrad_zoo.__all__)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.Softmin(), r"Softmin expects dim, .* Received: dim=None"),
        (nn.ReLU6(inplace=True), r"ReLU6 stands for torch\.nn\.ReLU6 with inplace=False"),
        (
            nn.TripletMarginWithDistanceLoss(distance_function=torch.dist),
            r"distance_function must be a Layer, which knows its backward",
        ),
    ],
)
def test_what_is_lost_is_refused(module: nn.Module, message: str):
    with pytest.raises(minigrad.ConversionError, match=message):
        minigrad.from_torch(module)


def test_the_default_distance_converts():
    loss = minigrad.from_torch(nn.TripletMarginWithDistanceLoss())
    triplet = tuple(torch.randn(4, 3) for _ in range(3))
    assert torch.equal(loss(triplet, None), minigrad_zoo.TripletMargin()(triplet, None))
    assert type(minigrad.to_torch(minigrad_zoo.TripletMarginWithDistance()).distance_function) is nn.PairwiseDistance
