"""Names: snake case from class names, the pattern that every name keeps, and the nearest to a wrong one."""

import difflib
import re
from collections.abc import Iterable

NAME = re.compile(r"[a-z][a-z0-9_]*")
PLUGIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

# A capital that stands alone is no word: it joins its neighbour (NAdam, AdamW).
_WORD = re.compile(
    r"""
    [A-Z]?ReLU\d* | SiLU | RMSprop          # spelt with capitals inside
  | (?<=Top)K(?=[A-Z])                      # Top|K|Accuracy: here it is a word
  | [A-Z]{2,}\d*(?![a-z\d])                 # BCE|With, KL|Div, GELU, FP16
  | [A-Z]?[A-Z][a-z\d]+(?:[A-Z](?![A-Za-z\d]))?   # Smooth, Conv2d, NAdam, AdamW
  | [A-Z]\d* | [a-z\d]+                     # L1, and what is in snake case already
    """,
    re.VERBOSE,
)


def snake_case(name: str) -> str:
    """The registered name of a class.

    Examples:
        >>> [snake_case(name) for name in ("LeakyReLU", "BCEWithLogits", "SmoothL1", "AdamW", "Conv2d", "TopKAccuracy")]
        ['leaky_relu', 'bce_with_logits', 'smooth_l1', 'adamw', 'conv2d', 'top_k_accuracy']
    """
    return "_".join(_WORD.findall(name)).lower()


def nearest(name: str, names: Iterable[str]) -> str:
    """` Did you mean 'sigmoid'?`, or nothing when no name is near.

    Examples:
        >>> nearest("sigmod", ["sigmoid", "tanh"])
        " Did you mean 'sigmoid'?"
        >>> nearest("LeakyReLU", ["leaky_relu", "relu"])
        " Did you mean 'leaky_relu'?"
        >>> nearest("gru", ["sigmoid", "tanh"])
        ''
    """
    names = sorted(set(names))
    spelt = snake_case(name)
    near = [spelt] if spelt in names and spelt != name else difflib.get_close_matches(name, names, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
