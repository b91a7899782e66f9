"""Laws about the tensors that go in and out: their dtype, their device, and how they lie in memory."""

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from minigrad.core import Activation, Layer, Loss, Parameter
from minigrad.testing.compare import first_difference, readable
from minigrad.testing.law import NotApplicable, Reason, demand, law
from minigrad.testing.passes import SEED, Pass, draw_upstream, forward, run
from minigrad.testing.trees import describe, leaves, map_tensors
from minigrad.testing.trial import Trial


@law(Activation)
def shape_kept(trial: Trial) -> None:
    """An activation's output has the shape of its input."""
    (x,) = trial.inputs()
    output, _ = forward(trial.component(), (x,))
    alike = isinstance(output, Tensor) and output.shape == x.shape
    demand(alike, f"An activation keeps the shape {tuple(x.shape)} of its input.", describe(output))


def _demand_dtype(result: Pass, dtype: torch.dtype, given: str) -> None:
    for name, leaf in leaves(result.everything()):
        kept = leaf.dtype == dtype or not leaf.is_floating_point()
        demand(kept, f"Given {given}, everything that comes out is {dtype}.", f"{readable(name)} {leaf.dtype}")


@law(Layer, Loss, each_reduction=True)
def dtype_kept(trial: Trial) -> None:
    """Float32 in, float32 out, and float64 likewise, whatever torch's default dtype is."""
    for dtype, default in ((torch.float32, torch.float64), (torch.float64, torch.float32)):
        component, inputs = trial.component(dtype), trial.inputs(dtype)
        torch.set_default_dtype(default)
        try:
            result = run(component, inputs)
        finally:
            torch.set_default_dtype(torch.float32)
        _demand_dtype(result, dtype, f"{dtype} while the default is {default}")


def _without_bfloat16(trial: Trial) -> Reason:
    try:
        trial.run(torch.bfloat16)
    except Exception as error:
        if "not implemented for" in str(error):
            return "torch has no bfloat16 kernel for it"
    return None


@law(Layer, Loss, unless=_without_bfloat16, each_reduction=True)
def bfloat16_kept(trial: Trial) -> None:
    """Bfloat16 in, bfloat16 out."""
    _demand_dtype(trial.run(torch.bfloat16), torch.bfloat16, "torch.bfloat16")


def other_devices() -> list[str]:
    """Where a component is tried besides the CPU: on `meta`, which has no numbers but knows where tensors are."""
    accelerators = [("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available())]
    return ["meta", *(name for name, present in accelerators if present)]


def on_device(component: Any, device: str) -> Any:
    """A component or a structure, copied with every tensor on `device`; unlike `Layer.to`, it can reach `meta`."""
    memo: dict[int, Any] = {}

    def move(tensor: Tensor) -> Tensor:
        if id(tensor) not in memo:
            moved = tensor.detach().to(device)
            memo[id(tensor)] = Parameter(moved, tensor.role) if isinstance(tensor, Parameter) else moved
        return memo[id(tensor)]

    if not isinstance(component, Layer | Loss):
        return map_tensors(move, component)
    twin = copy.deepcopy(component)
    for part in [layer for _, layer in twin.named_layers()] if isinstance(twin, Layer) else [twin]:
        for name, value in vars(part).items():
            setattr(part, name, map_tensors(move, value) if any(True for _ in leaves(value)) else value)
    return twin


@law(Layer, Loss, each_reduction=True)
def device_kept(trial: Trial) -> None:
    """Everything stays on the device of the input, and no pass asks what the numbers are."""
    for device in other_devices():
        if device == "meta" and trial.case.observes:
            continue
        component = on_device(trial.component(torch.float32), device)
        inputs = on_device(trial.inputs(torch.float32), device)
        try:
            result = run(component, inputs)
        except (RuntimeError, NotImplementedError) as error:
            first = str(error).partition("\n")[0]
            if "Meta kernel" in first:
                raise NotApplicable("torch cannot run it without numbers, so only an accelerator could tell") from error
            demand(
                False,
                f"A component runs on the device of its input, here {device!r}.",
                f"{type(error).__name__}: {first}",
            )
        for name, leaf in leaves(result.everything()):
            demand(
                leaf.device.type == device,
                f"Given tensors on {device!r}, all that comes out is there.",
                f"{readable(name)} {leaf.device}",
            )


def is_random(trial: Trial) -> bool:
    """Whether the forward draws random numbers."""
    one, two = (forward(trial.component(), trial.inputs(), seed)[0] for seed in (SEED, SEED + 1))
    return first_difference(one, two) is not None


def sliced(tensor: Tensor) -> Tensor:
    """The same numbers, each second entry of a larger tensor."""
    return torch.stack([tensor, tensor], dim=-1)[..., 0]


def turned(tensor: Tensor) -> Tensor:
    """The same numbers, lying in memory in the order of the transpose."""
    return tensor.mT.contiguous().mT if tensor.dim() >= 2 else sliced(tensor)


@law(Layer, Loss, each_reduction=True)
def non_contiguous(trial: Trial) -> None:
    """Inputs and upstream gradients that are not contiguous give what contiguous ones do."""
    # Random numbers may be drawn in the order of the memory.
    for layout in [sliced] if is_random(trial) else [sliced, turned]:
        _same_under(trial, layout, layout, "not contiguous")


@law(Layer, Loss, each_reduction=True)
def expanded(trial: Trial) -> None:
    """Inputs and upstream gradients that `expand` made, whose entries share memory, give what dense ones do."""
    axis = trial.case.batch_dim

    def expand_batch(tensor: Tensor) -> Tensor:
        return tensor if axis is None else tensor.narrow(axis, 0, 1).expand_as(tensor)

    _same_under(trial, expand_batch, lambda t: t.reshape(-1)[:1].squeeze(0).expand(t.shape), "expanded")


def _same_under(
    trial: Trial, layout: Callable[[Tensor], Tensor], upstream_layout: Callable[[Tensor], Tensor], what: str
) -> None:
    inputs = map_tensors(layout, trial.inputs())
    dense = map_tensors(lambda t: t.clone(memory_format=torch.contiguous_format), inputs)
    output, _ = forward(trial.component(), dense)
    upstream = map_tensors(upstream_layout, draw_upstream(output))
    dense_upstream = map_tensors(lambda t: t.clone(memory_format=torch.contiguous_format), upstream)
    expected = run(trial.component(), dense, dense_upstream).everything()
    for which, arguments, grad in (("inputs", inputs, dense_upstream), ("upstream gradient", dense, upstream)):
        difference = first_difference(run(trial.component(), arguments, grad).everything(), expected)
        rule = f"How a tensor lies in memory must not matter; here the {which} was {what}."
        demand(difference is None, rule, str(difference))
