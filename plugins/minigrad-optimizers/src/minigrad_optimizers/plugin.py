"""What minigrad finds: each optimizer by name, imported when it is first asked for."""

import minigrad

_MODULES = {
    "ASGD": "asgd",
    "Adadelta": "adadelta",
    "Adafactor": "adafactor",
    "Adamax": "adamax",
    "LARS": "lars",
    "Lion": "lion",
    "Lookahead": "lookahead",
    "Muon": "muon",
    "NAdam": "nadam",
    "RAdam": "radam",
    "Rprop": "rprop",
}


@minigrad.hookimpl
def minigrad_register_optimizers(register: minigrad.Register) -> None:
    """Register every optimizer of this package."""
    for name, module in _MODULES.items():
        register(f"minigrad_optimizers.{module}:{name}")
