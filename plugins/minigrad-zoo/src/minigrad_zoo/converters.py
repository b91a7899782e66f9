"""The way from and to torch.nn: by the one rule for all that bear torch's names, and by hand for two that do not."""

from typing import Any, final

import torch
import torch.nn.functional as F

from minigrad import ConversionError, Convert, Converter, torch_twin
from minigrad_zoo import activations, layers, losses

AlphaDropoutConverter = torch_twin(layers.AlphaDropout)
BilinearConverter = torch_twin(layers.Bilinear)
CELUConverter = torch_twin(activations.CELU)
CTCConverter = torch_twin(losses.CTC)
CosineEmbeddingConverter = torch_twin(losses.CosineEmbedding)
Dropout1dConverter = torch_twin(layers.Dropout1d)
Dropout2dConverter = torch_twin(layers.Dropout2d)
Dropout3dConverter = torch_twin(layers.Dropout3d)
FeatureAlphaDropoutConverter = torch_twin(layers.FeatureAlphaDropout)
GLUConverter = torch_twin(activations.GLU)
GaussianNLLConverter = torch_twin(losses.GaussianNLL)
HardshrinkConverter = torch_twin(activations.Hardshrink)
HardsigmoidConverter = torch_twin(activations.Hardsigmoid)
HardtanhConverter = torch_twin(activations.Hardtanh)
HingeEmbeddingConverter = torch_twin(losses.HingeEmbedding)
MarginRankingConverter = torch_twin(losses.MarginRanking)
MultiLabelMarginConverter = torch_twin(losses.MultiLabelMargin)
MultiLabelSoftMarginConverter = torch_twin(losses.MultiLabelSoftMargin)
MultiMarginConverter = torch_twin(losses.MultiMargin)
PoissonNLLConverter = torch_twin(losses.PoissonNLL)
RReLUConverter = torch_twin(activations.RReLU)
ReLU6Converter = torch_twin(activations.ReLU6)
SoftMarginConverter = torch_twin(losses.SoftMargin)
Softmax2dConverter = torch_twin(activations.Softmax2d)
SoftminConverter = torch_twin(activations.Softmin)
SoftshrinkConverter = torch_twin(activations.Softshrink)
SoftsignConverter = torch_twin(activations.Softsign)
TanhshrinkConverter = torch_twin(activations.Tanhshrink)
ThresholdConverter = torch_twin(activations.Threshold)
TripletMarginConverter = torch_twin(losses.TripletMargin)


@final
class PairwiseDistanceConverter(Converter):
    """Turns torch.nn.PairwiseDistance, which calls its power `norm`, into PairwiseDistance, and back."""

    torch_type = torch.nn.PairwiseDistance
    minigrad_type = layers.PairwiseDistance

    def from_torch(self, module: torch.nn.PairwiseDistance, convert: Convert) -> layers.PairwiseDistance:
        """Carry the options over."""
        return layers.PairwiseDistance(module.norm, module.eps, module.keepdim)

    def to_torch(self, component: layers.PairwiseDistance, convert: Convert) -> torch.nn.PairwiseDistance:
        """Carry the options over."""
        return torch.nn.PairwiseDistance(component.p, component.eps, component.keepdim)


@final
class TripletMarginWithDistanceConverter(Converter):
    """Turns torch.nn.TripletMarginWithDistanceLoss into TripletMarginWithDistance, and back, with its distance.

    A distance that is a module is converted; a plain function has no backward to convert.
    """

    torch_type = torch.nn.TripletMarginWithDistanceLoss
    minigrad_type = losses.TripletMarginWithDistance

    def from_torch(self, module: Any, convert: Convert) -> losses.TripletMarginWithDistance:
        """Convert the distance, and carry the options over."""
        distance = module.distance_function
        if not isinstance(distance, torch.nn.Module) and distance is not F.pairwise_distance:
            raise ConversionError(
                f"distance_function must be a torch module: a function has no backward to convert. "
                f"Received: distance_function={distance!r}"
            )
        return losses.TripletMarginWithDistance(
            distance_function=None if distance is F.pairwise_distance else convert(distance, "distance_function"),
            margin=module.margin,
            swap=module.swap,
            reduction=module.reduction,
        )

    def to_torch(
        self, component: losses.TripletMarginWithDistance, convert: Convert
    ) -> torch.nn.TripletMarginWithDistanceLoss:
        """Convert the distance, and carry the options over."""
        distance = component.distance_function
        return torch.nn.TripletMarginWithDistanceLoss(
            distance_function=None if distance is None else convert(distance, "distance_function"),
            margin=component.margin,
            swap=component.swap,
            reduction=component.reduction,
        )
