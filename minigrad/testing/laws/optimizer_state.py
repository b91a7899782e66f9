"""Laws for optimizers: their state, their groups, their dtypes and devices."""

import copy
import io
import pickle
from typing import Any

import torch
from torch import Tensor

from minigrad.core import Optimizer, Parameter
from minigrad.testing.compare import first_difference
from minigrad.testing.law import LawBroken, Reason, demand, law
from minigrad.testing.laws.optimizers import ROWS, draw_gradients, give, train, values
from minigrad.testing.laws.tensors import other_devices
from minigrad.testing.trees import everywhere
from minigrad.testing.trial import Trial


@law(Optimizer)
def state_dict_continues(trial: Trial) -> None:
    """An optimizer that loads another one's state dict, saved and read again, goes on exactly as that one does."""
    parameters = trial.parameters()
    optimizer = trial.optimizer(parameters)
    train(optimizer, parameters)
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    copies = [Parameter(p.detach().clone(), p.role) for p in parameters]
    successor = trial.optimizer(copies)
    successor.load_state_dict(torch.load(file, weights_only=True))
    expected, received = train(optimizer, parameters, range(4, 8)), train(successor, copies, range(4, 8))
    difference = first_difference(received, expected, 0.0, 0.0)
    rule = "state_dict must hold everything that the next step depends on."
    demand(difference is None, rule, f"4 steps after loading, parameter {difference}")


@law(Optimizer)
def copies_continue(trial: Trial) -> None:
    """A deep copy or a pickle of an optimizer with its parameters goes on exactly, and shares no memory."""
    local = "<locals>" in type(trial.made()).__qualname__
    for how, duplicate in (("deep copy", copy.deepcopy), *(() if local else (("pickle", _pickled),))):
        parameters = trial.parameters()
        optimizer = trial.optimizer(parameters)
        train(optimizer, parameters)
        twin_parameters, twin = duplicate((parameters, optimizer))
        before = values(parameters)
        received = train(twin, twin_parameters, range(4, 8))
        difference = first_difference(values(parameters), before, 0.0, 0.0)
        demand(difference is None, f"A {how} of an optimizer leaves the original parameters alone.", str(difference))
        expected = train(optimizer, parameters, range(4, 8))
        difference = first_difference(received, expected, 0.0, 0.0)
        demand(difference is None, f"A {how} of an optimizer goes on as the original does.", str(difference))


def _pickled(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


@law(Optimizer)
def same_twice(trial: Trial) -> None:
    """The same gradients give the same numbers: a step draws nothing at random, and remembers nothing elsewhere."""
    one, two = trial.parameters(), trial.parameters()
    expected = train(trial.optimizer(one), one)
    torch.manual_seed(99)
    difference = first_difference(train(trial.optimizer(two), two), expected, 0.0, 0.0)
    demand(difference is None, "The same gradients must give the same numbers.", f"the second time, {difference}")


def _without_lr(trial: Trial) -> Reason:
    return None if "lr" in trial.made().config() else "it has no learning rate"


@law(Optimizer, unless=_without_lr)
def groups_independent(trial: Trial) -> None:
    """Two parameter groups with different rates do what two optimizers do."""
    parameters, alone = trial.parameters(), trial.parameters()
    rate = 2 * float(trial.made().lr)
    groups = [{"params": parameters[:1]}, {"params": parameters[1:], "lr": rate}]
    grouped: Any = trial.case.make(groups)
    one, two = trial.optimizer(alone[:1]), trial.optimizer(alone[1:])
    two.lr = rate
    for step in range(4):
        give(parameters, step)
        give(alone, step)
        for optimizer in (grouped, one, two):
            optimizer.step()
    difference = first_difference(values(parameters), values(alone), 1e-12, 1e-12)
    demand(difference is None, "Parameter groups do what separate optimizers do.", f"parameter {difference}")


@law(Optimizer)
def optimizer_dtype_kept(trial: Trial) -> None:
    """Parameters and state keep the parameters' dtype: float32, float64 and bfloat16, whatever the default is."""
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        torch.set_default_dtype(torch.float64 if dtype == torch.float32 else torch.float32)
        parameters = trial.parameters(dtype)
        optimizer = trial.optimizer(parameters)
        train(optimizer, parameters)
        torch.set_default_dtype(torch.float32)
        for name, leaf in everywhere([[g.parameters, g.states] for g in optimizer.groups], "optimizer").items():
            # A counter has no dtype to keep.
            kept = leaf.dtype == dtype or not leaf.is_floating_point() or leaf.dim() == 0 < parameters[0].dim()
            demand(kept, f"Parameters in {dtype} have a state in {dtype}.", f"{name} {leaf.dtype}")
        narrow = [p.double() for p in parameters]
        wide = train(trial.optimizer(exact := trial.parameters()), exact)
        slack = 20 * torch.finfo(dtype).eps
        difference = first_difference(narrow, wide, slack, slack)
        demand(difference is None, f"In {dtype} a step does what it does in float64, to rounding.", str(difference))


@law(Optimizer)
def optimizer_device_kept(trial: Trial) -> None:
    """A step runs on the device of the parameters, and asks for no number that is there."""
    for device in other_devices():
        parameters = [Parameter(p.detach().to(device), p.role) for p in trial.parameters(torch.float32)]
        optimizer = trial.optimizer(parameters)
        try:
            train(optimizer, parameters)
        except (RuntimeError, NotImplementedError) as error:
            first = str(error).partition("\n")[0]
            rule = f"A step runs on the device of the parameters, here {device!r}."
            raise LawBroken(rule, f"{type(error).__name__}: {first}") from error
        for name, leaf in everywhere([g.states for g in optimizer.groups], "states").items():
            there = leaf.device.type == device or leaf.dim() == 0
            demand(there, f"The state of parameters on {device!r} is there too.", f"{name} on {leaf.device}")


@law(Optimizer)
def extreme_gradients(trial: Trial) -> None:
    """Zero, tiny and huge gradients leave every parameter a finite number."""
    for magnitude in (0.0, 1e-30, 1e-10, 1e10):
        parameters = trial.parameters(torch.float32)
        optimizer = trial.optimizer(parameters)
        for step in range(3):
            for parameter, grad in zip(parameters, draw_gradients(parameters, step), strict=True):
                parameter.zero_grad()
                parameter.accumulate(magnitude * grad.sign(), ROWS)
            optimizer.step()
        for i, parameter in enumerate(parameters):
            finite = bool(parameter.isfinite().all())
            demand(finite, f"A gradient of size {magnitude:g} leaves parameter {i} finite.", str(parameter.tolist()))


@law(Optimizer)
def empty_parameters(trial: Trial) -> None:
    """A parameter without entries is no obstacle."""
    parameters = [*trial.parameters(), Parameter(torch.zeros(0, 3, dtype=torch.float64))]
    expected = train(trial.optimizer(alone := trial.parameters()), alone)
    optimizer = trial.optimizer(parameters)
    for step in range(4):
        give(parameters[:-1], step)
        parameters[-1].zero_grad()
        parameters[-1].accumulate(torch.zeros(0, 3, dtype=torch.float64), ROWS)
        optimizer.step()
    difference = first_difference(values(parameters[:-1]), expected, 1e-12, 1e-12)
    demand(difference is None, "A parameter without entries does not disturb the others.", str(difference))


@law(Optimizer)
def step_compiles(trial: Trial) -> None:
    """`torch.compile(fullgraph=True)` takes a step as one graph, with the same result."""
    parameters, compiled = trial.parameters(), trial.parameters()
    expected = train(trial.optimizer(parameters), parameters, range(2))
    optimizer = trial.optimizer(compiled)
    torch._dynamo.reset()

    def step(grads: list[Tensor]) -> None:
        for parameter, grad in zip(compiled, grads, strict=True):
            parameter.accumulate(grad, ROWS)
        optimizer.step()
        optimizer.zero_grad()

    graph = torch.compile(step, fullgraph=True, backend="eager")
    try:
        for i in range(2):  # the second step finds the state that the first one made
            graph(draw_gradients(compiled, i))
    except Exception as error:
        rule = "torch.compile(fullgraph=True) must take a step as one graph."
        raise LawBroken(rule, " ".join(str(error).split())[:300]) from error
    finally:
        torch._dynamo.reset()
    difference = first_difference(values(compiled), expected, 1e-12, 1e-12)
    demand(difference is None, "A compiled step must do the same.", f"parameter {difference}")
