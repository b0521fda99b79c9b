# SPDX-License-Identifier: Apache-2.0
"""Write HTML pages that need no other file: a template of `templates/` and its variables become one file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from pipeline.common.atomic_write import write_text
from pipeline.viz.formatting import capitalize_first, display_name, format_count


def write_page(out: Path, template: str, context: Mapping[str, Any]) -> None:
    """Render `template` with the variables `context` and write the page.

    Raises:
        jinja2.UndefinedError: the template uses a variable that `context` lacks.
    """
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=jinja2.select_autoescape(["html", "j2"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    templates.filters |= {
        "display_name": display_name,
        "format_count": format_count,
        "capitalize_first": capitalize_first,
    }
    write_text(out, templates.get_template(template).render(context))
