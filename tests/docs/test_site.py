"""The site builds without a warning, fetches nothing, and holds every public name."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import minigrad
from docs import _hooks as hooks

ROOT = Path(__file__).resolve().parents[2]
# Whatever a browser loads by itself; a link that a person may follow is not among it.
FETCHED = re.compile(r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"(?:https?:)?//|<link\b[^>]*\bhref=\"(?:https?:)?//")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder]
    quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def pages(site: Path) -> dict[str, str]:
    return {str(page.relative_to(site)): page.read_text() for page in site.rglob("*.html")}


def test_the_site_fetches_nothing(site: Path):
    assert [name for name, text in pages(site).items() if FETCHED.search(text) or 'class="mermaid"' in text] == []


def test_every_formula_is_drawn(site: Path):
    texts = pages(site)
    assert [name for name, text in texts.items() if "arithmatex" in text] == []
    assert any("<math" in text for name, text in texts.items() if name.startswith("reference"))


def test_every_public_name_is_in_the_reference(site: Path):
    anchors = {
        anchor.rpartition(".")[2]
        for name, text in pages(site).items()
        if name.startswith("reference")
        for anchor in re.findall(r'id="(minigrad\.[\w.]+)"', text)
    }
    assert {name for name in minigrad.__all__ if not name.startswith("_")} - anchors == set()


def test_links_from_the_top_lead_to_the_site():
    text = "[a](docs/concept.md#b) [c](CHANGELOG.md) [d](LICENSE) [e](https://example.org) [f](#g)"
    linked = "[a](concept.md#b) [c](changelog.md) d [e](https://example.org) [f](#g)"
    assert hooks.from_the_top(text) == linked


def test_pages_stand_in_the_order_of_learning():
    made = {"changelog.md", "other.md", "index.md", "guides/b.md", "guides/a.md", "guides/index.md", "concept.md"}
    guides = {"Guides": ["guides/index.md", "guides/a.md", "guides/b.md"]}
    assert hooks.navigation(made) == [{"Home": "index.md"}, "concept.md", guides, "other.md", "changelog.md"]


@pytest.mark.parametrize(
    ("tex", "drawn"),
    [
        (r"<span class='x'>", None),
        (r'<span class="arithmatex">\(x &lt; 1\)</span>', "<mi>x</mi><mo>&#x0003C;</mo>"),
        (r'<div class="arithmatex">\[\begin{aligned} a &amp;= b \end{aligned}\]</div>', "<mtd style="),
        (r'<span class="arithmatex">\(\log p\)</span>', 'rspace="0.167em">log</mo><mi>p</mi>'),
        (r'<span class="arithmatex">\(\log(p)\)</span>', 'rspace="0">log</mo><mo stretchy="false">&#x00028;</mo>'),
    ],
)
def test_formulas_become_mathml(tex: str, drawn: str | None):
    text = hooks.FORMULA.sub(hooks.formula, tex)
    assert text == tex if drawn is None else drawn in text


def test_a_formula_that_cannot_be_drawn_is_named():
    with pytest.raises(hooks.PluginError, match=r"Received: \\nonsense in x \\nonsense"):
        hooks.FORMULA.sub(hooks.formula, r'<span class="arithmatex">\(x \nonsense\)</span>')


def test_every_component_has_a_page_with_its_formula_and_torchs_verdict(site: Path):
    from docs import _components as components

    # What has no page: a converter is an entry for a class of torch.
    assert {row.kind for row in minigrad.components()} - set(components.KINDS) == {"converter"}
    for row in components.rows():
        page = site / "reference" / components.KINDS[row.kind] / row.id.replace(":", "-") / "index.html"
        assert page.is_file(), row.id
    sigmoid = (site / "reference" / "activations" / "minigrad-sigmoid" / "index.html").read_text()
    assert "<math" in sigmoid
    assert "minigrad-sigmoid.svg" in sigmoid
    assert "<td>outputs and gradients of <code>torch.nn.Sigmoid</code> in float64, to 1e-07</td>" in sigmoid
    assert (site / "assets" / "components" / "minigrad-sigmoid.svg").is_file()
