"""What the entry point names: the hooks through which the zoo enters.

Components are given as strings: each part of the zoo is imported when something in it is first asked for.
"""

from minigrad import Register, hookimpl

ACTIVATIONS = (
    "CELU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardtanh",
    "RReLU",
    "ReLU6",
    "Softmax2d",
    "Softmin",
    "Softshrink",
    "Softsign",
    "Tanhshrink",
    "Threshold",
)
LAYERS = (
    "AlphaDropout",
    "Bilinear",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "FeatureAlphaDropout",
    "PairwiseDistance",
)
LOSSES = (
    "CTC",
    "CosineEmbedding",
    "GaussianNLL",
    "HingeEmbedding",
    "MarginRanking",
    "MultiLabelMargin",
    "MultiLabelSoftMargin",
    "MultiMargin",
    "PoissonNLL",
    "SoftMargin",
    "TripletMargin",
    "TripletMarginWithDistance",
)


@hookimpl
def minigrad_register_activations(register: Register) -> None:
    """Register every activation, which keeps the shape of its input."""
    for name in ACTIVATIONS:
        register(f"minigrad_zoo.activations:{name}")


@hookimpl
def minigrad_register_layers(register: Register) -> None:
    """Register every layer: GLU, which halves its input, among them."""
    register("minigrad_zoo.activations:GLU")
    for name in LAYERS:
        register(f"minigrad_zoo.layers:{name}")


@hookimpl
def minigrad_register_losses(register: Register) -> None:
    """Register every loss."""
    for name in LOSSES:
        register(f"minigrad_zoo.losses:{name}")


@hookimpl
def minigrad_register_converters(register: Register) -> None:
    """Register the way from and to the torch module of each of them."""
    for name in (*ACTIVATIONS, "GLU", *LAYERS, *LOSSES):
        register(f"minigrad_zoo.converters:{name}Converter", summary=f"Turns the torch module into {name}, and back.")
