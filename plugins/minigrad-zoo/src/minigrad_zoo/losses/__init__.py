"""The losses of torch.nn that minigrad itself leaves out."""

from minigrad_zoo.losses.cosine_embedding import CosineEmbedding
from minigrad_zoo.losses.ctc import CTC
from minigrad_zoo.losses.gaussian_nll import GaussianNLL
from minigrad_zoo.losses.hinge_embedding import HingeEmbedding
from minigrad_zoo.losses.margin_ranking import MarginRanking
from minigrad_zoo.losses.multi_label_margin import MultiLabelMargin
from minigrad_zoo.losses.multi_label_soft_margin import MultiLabelSoftMargin
from minigrad_zoo.losses.multi_margin import MultiMargin
from minigrad_zoo.losses.poisson_nll import PoissonNLL
from minigrad_zoo.losses.soft_margin import SoftMargin
from minigrad_zoo.losses.triplet_margin import TripletMargin, TripletMarginWithDistance

__all__ = [
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
]
