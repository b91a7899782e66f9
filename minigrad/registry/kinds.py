"""The kinds of component: one row each. A further kind is a row here and a hook in `hookspecs`."""

from dataclasses import dataclass

from minigrad.core import (
    Activation,
    Callback,
    Component,
    Converter,
    Dataset,
    Initializer,
    Layer,
    Loss,
    Metric,
    Optimizer,
    Schedule,
)
from minigrad.errors import UnknownNameError
from minigrad.registry.naming import nearest


@dataclass(frozen=True)
class Kind:
    """One kind of component.

    Attributes:
        name: As people write it: `"loss"`.
        plural: As hooks write it: `"losses"`.
        base: The class that every component of this kind derives from.
    """

    name: str
    plural: str
    base: type[Component]

    @property
    def hook(self) -> str:
        """The hook through which components of this kind enter."""
        return f"minigrad_register_{self.plural}"

    @property
    def family(self) -> "tuple[Kind, ...]":
        """The kinds that will do where this one is asked for, this one first: every activation is a layer."""
        return (self, *(kind for kind in KINDS if kind is not self and issubclass(kind.base, self.base)))


KINDS = (
    Kind("layer", "layers", Layer),
    Kind("activation", "activations", Activation),
    Kind("loss", "losses", Loss),
    Kind("optimizer", "optimizers", Optimizer),
    Kind("schedule", "schedules", Schedule),
    Kind("initializer", "initializers", Initializer),
    Kind("converter", "converters", Converter),
    Kind("callback", "callbacks", Callback),
    Kind("metric", "metrics", Metric),
    Kind("dataset", "datasets", Dataset),
)


def kind_called(name: str) -> Kind:
    """The kind of that name.

    Raises:
        UnknownNameError: If there is none.
    """
    names = [kind.name for kind in KINDS]
    if name not in names:
        raise UnknownNameError(f"kind must be one of {', '.join(names)}.{nearest(name, names)} Received: kind={name!r}")
    return KINDS[names.index(name)]
