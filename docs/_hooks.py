"""How the site is built: pages that stand elsewhere, the reference, and formulas that need no script."""

import html
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import minigrad
from minigrad.registry import current_registry

sys.path.insert(0, str(Path(__file__).parent))
import _components as components

ROOT = Path(__file__).resolve().parents[1]
# Pages that people look for at the top of a repository.
TOP = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
# The order of the site; inside a folder, index.md first and then by name. What is not listed stands at the end.
ORDER = (
    *("index.md", "concept.md", "architecture.md", "tutorials/", "guides/", "reference/", "decisions/"),
    *("", "contributing.md", "changelog.md"),
)
# The docstring of a part stands above what it holds.
INTRODUCTION = """\
# {}

::: minigrad.{}
    options:
      members: false
      show_root_heading: false
      show_root_toc_entry: false
"""
LINK = re.compile(r"\[([^\]]*)\]\((?!\w+:|#)([^)\s#]+)([^)]*)\)")
FUNCTION = re.compile(r"<(mi|mo)>([A-Za-z]{2,})</\1>((?:<mrow>)?<mo[^>]*>&#x00028;)?")
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)


def from_the_top(text: str) -> str:
    """Turn the links of a page at the top of the repository to the site; what the site lacks is named in plain text."""

    def turn(link: re.Match[str]) -> str:
        label, target, rest = link.groups()
        if target in TOP:
            return f"[{label}]({TOP[target]}{rest})"
        return f"[{label}]({target.removeprefix('docs/')}{rest})" if target.startswith("docs/") else label

    return LINK.sub(turn, text)


def reference() -> dict[str, str]:
    """Write a reference page for each part of minigrad, with all that it or the front door names."""
    found: dict[str, dict[str, None]] = {"errors": {}}
    parts = sorted(path.parent.name for path in (ROOT / "minigrad").glob("*/__init__.py"))
    for module in (*(import_module(f"minigrad.{part}") for part in parts), minigrad):
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            # A function may bear the name of its module: where it was defined, it stands alone.
            home, own = getattr(value, "__module__", None) or "", getattr(value, "__qualname__", "")
            path = f"{home}.{own}" if own and home.startswith("minigrad.") else f"{module.__name__}.{name}"
            part = path.split(".")[1]
            if module is not minigrad or path.count(".") > 1:
                found.setdefault(part, {})[path] = None
    kinds = {room: kind for kind, room in components.KINDS.items()}
    own_page = {components.path_of(current_registry().get(row.kind, row.id)) for row in components.rows()}
    return {
        f"reference/{part}{'/index' if part in kinds else ''}.md": INTRODUCTION.format(part.capitalize(), part)
        + (f"\n{components.overview(kinds[part])}" if part in kinds else "")
        + "".join(f"\n::: {path}\n" for path in paths if path not in own_page)
        for part, paths in found.items()
    }


def folder(pages: set[str], place: str) -> list[Any]:
    """Order the pages below one place: index.md first, then by name, those of a folder inside under its name."""
    inside = sorted((p for p in pages if p.startswith(place)), key=lambda p: (not p.endswith("/index.md"), p))
    alone: list[str] = []
    folders: dict[str, list[str]] = {}
    for page in inside:
        name, slash, _ = page.removeprefix(place).partition("/")
        (folders.setdefault(name, []) if slash else alone).append(page)
    return [*alone, *({name.capitalize(): of_one} for name, of_one in sorted(folders.items()))]


def navigation(pages: set[str]) -> list[Any]:
    """Order the pages of the site."""
    found: list[Any] = []
    for place in ORDER:
        if place.endswith("/"):
            inside = folder(pages, place)
            found += [{place.strip("/").capitalize(): inside}] if inside else []
        elif place in pages:
            found.append({"Home": place} if place == "index.md" else place)
        elif not place:
            found += sorted(page for page in pages if not page.startswith(tuple(filter(None, ORDER))))
    return found


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made; one that is written by hand goes first."""
    made: dict[str, str | bytes] = {
        TOP[name]: from_the_top((ROOT / name).read_text()) for name in TOP if (ROOT / name).exists()
    }
    made |= reference()
    made |= components.pages()
    for name, text in made.items():
        if name not in files.src_uris:
            files.append(File.generated(config, name, content=text))
    config.nav = navigation({file.src_uri for file in files.documentation_pages()})
    return files


def function(match: re.Match[str]) -> str:
    """Set log x apart as TeX does: a thin space on both sides, but none before a bracket."""
    bracket = match[3] or ""
    return f'<mo lspace="0.167em" rspace="{"0" if bracket else "0.167em"}">{match[2]}</mo>{bracket}'


def formula(match: re.Match[str]) -> str:
    """Turn one TeX formula into MathML, which browsers draw by themselves."""
    tex = html.unescape(match[2]).strip()
    # The two environments look alike, and only one of them is known to the converter.
    tex = tex.replace("{aligned}", "{split}")
    mathml = convert(tex, display="block" if match[1] == "div" else "inline")
    if unknown := re.search(r"<mi>(\\\w*|&)</mi>", mathml):
        raise PluginError(f"A formula must use TeX that the site can draw. Received: {unknown[1]} in {tex}")
    mathml = FUNCTION.sub(function, mathml)
    # Browsers draw the core of MathML, which leaves the alignment of columns to style sheets.
    return re.sub(r'columnalign="(\w+)"', r'style="text-align: \1"', mathml)


def on_page_content(text: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Draw the formulas of a page, those of docstrings among them."""
    return FORMULA.sub(formula, text)
