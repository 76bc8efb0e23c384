"""What the site has beside `docs/`: pages of the root, and nothing from the network.

A hook of mkdocs.yml.
"""

import logging
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
PAGES = {"changelog.md": "CHANGELOG.md", "contributing.md": "CONTRIBUTING.md"}
"""A page's name in the site, and its file."""
WORKER = "assets/javascripts/iframe-worker.js"
"""What the search needs where the site is opened from a folder; else the theme fetches it."""
_FETCHED = re.compile(
    r"""<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=["']?(https?:[^"' >]+)"""
)

_log = logging.getLogger("mkdocs.hooks.site")


def in_the_site(text: str) -> str:
    """Return a page of the root with its links as they are seen from `docs/`."""
    return re.sub(r"\]\(docs/", "](", text)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    for page, file in PAGES.items():
        text = in_the_site((ROOT / file).read_text(encoding="utf-8"))
        files.append(File.generated(config, page, content=text))
    script = Path(__file__).with_name("iframe-worker.js")
    files.append(File.generated(config, WORKER, abs_src_path=str(script)))
    return files


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Warn, which is an error, if a page fetches something from the network."""
    for address in _FETCHED.findall(output):
        _log.warning("%s fetches %s.", page.file.src_uri, address)
    return output
