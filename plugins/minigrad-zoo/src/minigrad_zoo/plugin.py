"""What the entry point names: the hooks through which the zoo enters."""

from minigrad import Activation, Register, hookimpl
from minigrad_zoo import activations, layers, losses


@hookimpl
def minigrad_register_activations(register: Register) -> None:
    """Register every activation, which keeps the shape of its input."""
    for name in activations.__all__:
        cls = getattr(activations, name)
        if issubclass(cls, Activation):
            register(cls)


@hookimpl
def minigrad_register_layers(register: Register) -> None:
    """Register every other layer: GLU, which halves its input, among them."""
    register(activations.GLU)
    for name in layers.__all__:
        register(getattr(layers, name))


@hookimpl
def minigrad_register_losses(register: Register) -> None:
    """Register every loss."""
    for name in losses.__all__:
        register(getattr(losses, name))
