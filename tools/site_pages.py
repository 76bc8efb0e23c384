"""Pages of the site that lie outside `docs/`: a hook of mkdocs.yml."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
PAGES = {"changelog.md": "CHANGELOG.md", "contributing.md": "CONTRIBUTING.md"}
"""A page's name in the site, and its file."""


def in_the_site(text: str) -> str:
    """Return a page of the root with its links as they are seen from `docs/`."""
    return re.sub(r"\]\(docs/", "](", text)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    for page, file in PAGES.items():
        text = in_the_site((ROOT / file).read_text(encoding="utf-8"))
        files.append(File.generated(config, page, content=text))
    return files
