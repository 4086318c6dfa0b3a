"""The documentation site (`make docs`): the repository's own pages, notebooks and docstrings. Nothing is written for it
alone but the order of pages below, and docs/python.md, which lists what the docstrings document."""

import importlib.util
import pathlib
import re

from docutils import nodes

ROOT = pathlib.Path(__file__).parents[1]

PAGES = {
    "Programs": ["experiments/README", "experiments/USAGE", "experiments/manual/*", "experiments/cluster/README", "results/README"],
    "Python": ["python/README", "docs/python", "python/HAMUX", "python/notebooks/*"],
    "What was measured": ["analysis/README", "results/reference/README", "results/reference/calibration", "results/reference/table1/table1"],
    "Rooms": ["core/README", "dam/README", "dam/theory/theory", "ham/README", "gpu/README"],
    "Project": ["CONTRIBUTING", "CHANGELOG"],
}

project = "dambench"
version = release = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.M)[1]
copyright = "the dambench authors"

root_doc = "README"
include_patterns = ["*.md", "*/*.md", "*/*/*.md", "results/reference/table1/*.md", "python/notebooks/*.ipynb"]
exclude_patterns = ["build", "tests", "**/.*"]

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_cache_path = str(ROOT / "build/docs/cache")
nb_execution_timeout = 300
nb_execution_raise_on_error = True

default_role = "code"
autodoc_member_order = "bysource"
autodoc_mock_imports = [] if importlib.util.find_spec("torch") else ["torch"]
autodoc_typehints = "none"  # signatures have them already
napoleon_google_docstring = True
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"dambench {version}"
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {"navigation_with_keys": True}
html_static_path = []

# Pages link to sources and folders, which a site has not: `unlink` leaves their text.
suppress_warnings = ["myst.xref_missing", "myst.header"]


def order_pages(app, name, source):
    """The front page is README.md with the order of pages below it; a table that a program wrote gets its name for a title."""
    if name.startswith("results/") and not source[0].startswith("# "):
        source[0] = f"# {name.rsplit('/', 1)[-1].capitalize()}\n\n{source[0]}"
    if name != root_doc:
        return
    for caption, pages in PAGES.items():
        source[0] += f"\n\n```{{toctree}}\n:hidden:\n:caption: {caption}\n:glob:\n\n" + "\n".join(pages) + "\n```\n"


def unlink(app, doctree, name):
    """What stays a link to a file that is no page becomes its text."""
    for link in list(doctree.findall(nodes.reference)):
        target = link.get("refuri", "")
        if target and "://" not in target and not target.startswith(("#", "mailto:")) and not re.search(r"\.html($|#)", target):
            link.replace_self(nodes.inline("", "", *link.children))


def setup(app):
    app.connect("source-read", order_pages)
    app.connect("doctree-resolved", unlink)
