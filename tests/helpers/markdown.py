# SPDX-License-Identifier: Apache-2.0
"""What tests read from Markdown pages: code blocks, inline code, links and anchors."""

import re
from pathlib import Path
from typing import NamedTuple

from tests.helpers.paths import ROOT

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))

_FENCED_BLOCK = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^ *```", re.MULTILINE | re.DOTALL)


class CodeBlock(NamedTuple):
    """A fenced block of a page. `language` is empty if the fence names none."""

    page: str
    language: str
    text: str


def page_name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def code_blocks(language: str) -> list[CodeBlock]:
    """Return the fenced blocks of all pages in one language, without the indent of their fence."""
    blocks = []
    for page in PAGES:
        for block in _FENCED_BLOCK.finditer(page.read_text()):
            if block["language"] == language:
                text = re.sub(rf"^{block['indent']}", "", block["text"], flags=re.MULTILINE)
                blocks.append(CodeBlock(page_name(page), language, text))
    return blocks


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return _FENCED_BLOCK.sub("", page.read_text())


def inline_code() -> list[tuple[str, str]]:
    """Return every piece of inline code of all pages, each after the name of its page."""
    return [(page_name(page), code) for page in PAGES for code in re.findall(r"`([^`]+)`", prose(page))]


def links(page: Path) -> list[str]:
    """Return the targets of all links and images of a page."""
    return re.findall(r"\]\(([^)\s]+)\)", prose(page))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
