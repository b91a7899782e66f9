"""The built-in layers."""

from minigrad.layers.checked import Checked
from minigrad.layers.dropout import Dropout
from minigrad.layers.embedding import Embedding
from minigrad.layers.flatten import Flatten, Unflatten
from minigrad.layers.frozen import Frozen
from minigrad.layers.layer_norm import LayerNorm
from minigrad.layers.linear import Linear
from minigrad.layers.parallel import Parallel
from minigrad.layers.positional_embedding import PositionalEmbedding
from minigrad.layers.recompute import Recompute
from minigrad.layers.residual import Residual
from minigrad.layers.rms_norm import RMSNorm
from minigrad.layers.self_attention import SelfAttention
from minigrad.layers.sequential import Sequential
from minigrad.layers.timed import Timed
from minigrad.layers.traced import Tape, Trace, Traced
from minigrad.layers.transpose import Transpose

__all__ = [
    "Checked",
    "Dropout",
    "Embedding",
    "Flatten",
    "Frozen",
    "LayerNorm",
    "Linear",
    "Parallel",
    "PositionalEmbedding",
    "RMSNorm",
    "Recompute",
    "Residual",
    "SelfAttention",
    "Sequential",
    "Tape",
    "Timed",
    "Trace",
    "Traced",
    "Transpose",
    "Unflatten",
]
