"""Sphinx builds the site from this folder: ``make docs``.

Pages of theory, of claims and of the reference are written by :mod:`pages`, from what the rooms declare; the examples are
carried out (sphinx-gallery).
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE), str(HERE / "examples")]

import docstrings  # noqa: E402 (importable through the line above)
import pages  # noqa: E402

import lab  # noqa: E402

project = "widthlab"
author = copyright = "The width laboratory"
release = version = lab.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.mathjax", "numpydoc",
              "sphinx_gallery.gen_gallery"]
exclude_patterns = ["_build", "examples"]
html_theme = "furo"
html_title = "The width laboratory"

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 2
# formulas as wide as the page scroll instead of running over its edge
html_css_files = [("wide.css", {})]
html_static_path = ["_static"]

autosummary_generate = False  # the pages are written already
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "none"  # numpydoc says what parameters are
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "generated/examples",
    "filename_pattern": r"/\d_",
    "ignore_pattern": r"my_network|__init__",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_signature": False,
    "remove_config_comments": True,
    "plot_gallery": True,
    "abort_on_example_error": True,
}


def setup(app):
    """Write the pages that follow from the rooms before Sphinx looks for them; read docstrings as what they are."""
    app.connect("autodoc-process-docstring", docstrings.process, priority=100)  # before numpydoc
    app.connect("builder-inited", lambda app: pages.write(HERE / "generated"), priority=100)
