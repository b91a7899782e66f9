import pytest

from minigrad.registry.naming import NAME, nearest, snake_case


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        ("BCE", "bce"),
        ("BCEWithLogits", "bce_with_logits"),
        ("LeakyReLU", "leaky_relu"),
        ("AdamW", "adamw"),
        ("NAdam", "nadam"),
        ("MSE", "mse"),
        ("CrossEntropy", "cross_entropy"),
        ("GELU", "gelu"),
        ("SiLU", "silu"),
        ("ReLU", "relu"),
        ("ReLU6", "relu6"),
        ("PReLU", "prelu"),
        ("MyReLU", "my_relu"),
        ("MyBCE", "my_bce"),
        ("LogSoftmax", "log_softmax"),
        ("SmoothL1", "smooth_l1"),
        ("KLDiv", "kl_div"),
        ("NLL", "nll"),
        ("RMSNorm", "rms_norm"),
        ("LayerNorm", "layer_norm"),
        ("BatchNorm1d", "batch_norm1d"),
        ("Conv2d", "conv2d"),
        ("SGD", "sgd"),
        ("RMSprop", "rmsprop"),
        ("L1", "l1"),
        ("ELU", "elu"),
        ("GRU", "gru"),
        ("LSTMCell", "lstm_cell"),
        ("LBFGS", "lbfgs"),
        ("FP16Linear", "fp16_linear"),
        ("MultiheadAttention", "multihead_attention"),
        ("Swish", "swish"),
        ("_Hidden", "hidden"),
        ("my_layer", "my_layer"),
        ("A", "a"),
    ],
)
def test_a_class_is_registered_in_snake_case(cls: str, name: str):
    assert snake_case(cls) == name
    assert NAME.fullmatch(name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sigmod", " Did you mean 'sigmoid'?"),
        ("LeakyReLU", " Did you mean 'leaky_relu'?"),
        ("gru", ""),
    ],
)
def test_the_nearest_name_is_suggested(name: str, text: str):
    assert nearest(name, ["sigmoid", "leaky_relu", "relu", "tanh"]) == text
