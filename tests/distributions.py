"""Installed packages made by hand: a module and its dist-info in a folder on the path, as pip leaves them."""

from pathlib import Path

IDENTITY = """
    def forward(self, x):
        return x, None

    def backward(self, grad_output, cache):
        return grad_output
"""


def activation_plugin(*classes: str, imports: str = "") -> str:
    """The source of a plugin that registers activations which do nothing."""
    made = "\n".join(f"class {cls}(minigrad.Activation):{IDENTITY}" for cls in classes)
    calls = "\n".join(f"    register({cls})" for cls in classes)
    hook = f"@minigrad.hookimpl\ndef minigrad_register_activations(register):\n{calls}\n"
    return f"{imports}\nimport minigrad\n{made}\n{hook}"


def install(
    site: Path,
    plugin: str,
    source: str,
    *,
    distribution: str = "",
    version: str = "1.2",
    module: str = "",
    target: str = "",
    points: str = "",
) -> str:
    """Write a distribution into the folder `site`, with one module and one entry point, and return the module's name.

    `target` and `points` stand in for the entry point's value and for the whole file of them.
    """
    distribution = distribution or f"minigrad-{plugin}"
    module = module or distribution.replace("-", "_")
    site.mkdir(exist_ok=True)
    (site / f"{module}.py").write_text(source)
    info = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(points or f"[minigrad]\n{plugin} = {target or module}\n")
    return module
