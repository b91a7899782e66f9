"""Lookahead, slow weights that follow another optimizer's."""

from typing import Any, final

import torch
from torch import Tensor

import minigrad
from minigrad import Optimizer, Parameter
from minigrad_optimizers.common import require


@final
class Lookahead(Optimizer):
    r"""Wraps an optimizer: every $k$ steps, go back along the way it went.

    $$\phi \leftarrow \phi + \alpha (\theta - \phi), \qquad \theta \leftarrow \phi \qquad \text{after each } k
    \text{ steps of the base on } \theta$$

    Its learning rate is the base's.

    Args:
        params: Parameters or parameter groups.
        base: The optimizer inside, by name or configuration: `{"name": "sgd", "lr": 0.1}`.
        k: $k$.
        alpha: $\alpha$.

    Raises:
        ValueError: If `k` is not positive, or `alpha` not in [0, 1].
        ConfigError: If `base` cannot be built.

    Examples:
        >>> weight = Parameter(torch.tensor([1.0]))
        >>> lookahead = Lookahead([weight], {"name": "sgd", "lr": 0.5}, k=2)
        >>> for _ in range(2):
        ...     weight.accumulate(torch.tensor([1.0]))
        ...     lookahead.step()
        ...     lookahead.zero_grad()
        >>> weight
        Parameter(role='weight', tensor([0.5000]))

    References:
        Zhang et al., "Lookahead Optimizer: k steps forward, 1 step back", NeurIPS 2019.
    """

    def __init__(self, params: Any, base: str | dict[str, Any] = "adam", k: int = 5, alpha: float = 0.5) -> None:
        require("k must be positive", k > 0, k=k)
        require("alpha must be in [0, 1]", 0 <= alpha <= 1, alpha=alpha)
        self.base = base
        self.k = k
        self.alpha = alpha
        super().__init__(params)
        spec = {"name": base} if isinstance(base, str) else base
        self._base: Any = minigrad.build({"kind": "optimizer", **spec}, params=self.parameters)

    @property
    def lr(self) -> float:
        """The base's learning rate."""
        return float(self._base.lr)

    @lr.setter
    def lr(self, value: float) -> None:
        self._base.lr = value

    def update(self, parameter: Parameter, grad: Tensor, state: dict[str, Any]) -> None:
        """Move one parameter; `state` holds the base's state, and `lookahead_step` and `slow`."""
        slow = state.pop("slow", None)
        step = state.pop("lookahead_step", None)
        slow = parameter.detach().clone() if slow is None else slow
        step = torch.zeros((), dtype=torch.float64, device=parameter.device) if step is None else step
        self._base.update(parameter, grad, state)
        due = step.add_(1) % self.k == 0
        slow.copy_(torch.where(due, slow.lerp(parameter, self.alpha), slow))
        parameter.copy_(torch.where(due, slow, parameter))
        state |= {"slow": slow, "lookahead_step": step}

    def state_dict(self) -> dict[str, Any]:
        """Each group's arguments and states, and the base's arguments as they stand now."""
        saved = super().state_dict()
        groups: list[Any] = self.groups
        for group, kept in zip(groups, saved["groups"], strict=True):
            kept["base"] = group._base.config()
        return saved

    def load_state_dict(self, state_dict: Any) -> None:
        """Take over what `state_dict` returned."""
        super().load_state_dict(state_dict)
        groups: list[Any] = self.groups
        for group, kept in zip(groups, state_dict["groups"], strict=True):
            for name, value in kept["base"].items():
                setattr(group._base, name, value)
