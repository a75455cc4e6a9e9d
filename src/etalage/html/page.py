"""Self-contained HTML pages: no network, no script, style and pictures inlined, everything escaped.

A page is a template that extends page.html.jinja, which brings the head, the colours and the style that all pages
share. It fills the blocks `title`, `style` (its own rules) and `body`, and draws charts with the macros of
charts.html.jinja.
"""

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from etalage.atomic import atomic_write_text
from etalage.html.formatting import format_percent, heading, visible_text

__all__ = ["write_page"]


def write_page(path: Path, template: str, /, **variables: Any) -> None:
    """Render a template and write the page.

    Args:
        path: The page.
        template: The template's path within the package, such as "evaluate/report.html.jinja".
        variables: The template's variables; one that it uses but is not given is an error. Besides Jinja's own, its
            filters are `visible_text`, `count` (1,234), `percent` (of 0 to 100) and `heading`.
    """
    # Catalogues hold text from anywhere: everything is escaped, and a misspelt variable fails instead of leaving a gap.
    environment = Environment(
        # The whole package, since a template lies beside the code that fills it.
        loader=PackageLoader("etalage", ""),
        autoescape=True,
        undefined=StrictUndefined,
        # A line that holds only a tag of Jinja leaves no blank line on the page.
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "visible_text": visible_text,
        "count": "{:,}".format,
        "percent": format_percent,
        "heading": heading,
    }
    atomic_write_text(path, environment.get_template(template).render(variables))
