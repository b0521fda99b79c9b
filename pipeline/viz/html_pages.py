# SPDX-License-Identifier: Apache-2.0
"""Pages that need nothing else: a template of `templates/` and its facts become one HTML file."""

import os
from pathlib import Path
from typing import Any

import jinja2

from pipeline.viz import charts


def write_page(out: Path, template: str, facts: dict[str, Any]) -> None:
    """Write the page aside, then put it in its place. A fact that the template wants and lacks is an error."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=jinja2.select_autoescape(["html", "j2"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    templates.filters["readable"] = charts.display_name
    page = templates.get_template(template).render(facts)
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = out.with_name(f".{out.name}.{os.getpid()}")
    aside.write_text(page)
    aside.replace(out)
