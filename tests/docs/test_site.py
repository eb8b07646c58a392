"""The pages that are made from the code say all that the code holds."""

import doctest
import importlib.util
import re

import click
import pytest
import yaml
from written_commands import ROOT

from fastreid_prune import formats
from fastreid_prune.cli import group
from fastreid_prune.lab.experiments import grid


def load(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made_from_code():
    return load("made_from_code")


@pytest.mark.parametrize("name", ["made_from_code", "plots", "docstrings"])
def test_the_examples_of_what_makes_the_pages_are_true(name):
    if name == "docstrings":
        pytest.importorskip("griffe", reason="the extra 'docs' is not installed")
    failed, tried = doctest.testmod(load(name))
    assert tried and not failed


def test_every_plot_is_drawn_from_the_table_that_follows_it():
    plots = load("plots")
    pages = [page for page in (ROOT / "docs").rglob("*.md") if "<!-- plot" in page.read_text()]
    assert pages
    for page in pages:
        text = page.read_text()
        made = plots.on_page_markdown(text)
        assert made.count("<svg") == text.count("<!-- plot") and "<!-- plot" not in made


def test_every_verb_and_its_options_are_on_their_page(made_from_code):
    page = made_from_code.on_page_markdown((ROOT / "docs" / "reference" / "commands.md").read_text())
    context = click.Context(group)
    for name in group.list_commands(context):
        assert f"## {name}\n" in page
        options = [one for one in group.get_command(context, name).params if isinstance(one, click.Option)]
        assert all(f"`{', '.join(option.opts)}`" in page for option in options), name
    assert "Sentinel" not in page and "(?P<" not in page


def test_every_format_is_on_its_page(made_from_code):
    page = made_from_code.on_page_markdown((ROOT / "docs" / "reference" / "formats.md").read_text())
    assert not [one.name for one in (*formats.read(), *formats.written()) if f"`{one.name}`" not in page]


def test_every_configuration_key_has_its_default_and_a_comment(made_from_code, prune_keys):
    found = made_from_code.configuration_keys(made_from_code.SOURCE.read_text())
    groups = {key for key in prune_keys if any(other.startswith(f"{key}.") for other in prune_keys)}
    assert {key for key, _, _ in found} == prune_keys - groups
    assert all(comment.endswith((".", ")")) for _, _, comment in found)
    page = (ROOT / "docs" / "reference" / "configuration.md").read_text()
    made = made_from_code.on_page_markdown(page)
    assert all(f"`{key}`" in made for key, _, _ in found)


def test_every_key_of_a_grid_is_on_its_page():
    page = (ROOT / "docs" / "guide" / "sweeps.md").read_text()
    assert not [key for key in grid._KEYS if f"`{key}`" not in page]


def test_the_site_has_the_colours_of_the_page():
    page = (ROOT / "fastreid_prune" / "report" / "static" / "page.css").read_text()
    site = (ROOT / "docs" / "stylesheets" / "site.css").read_text()
    light, _, dark = page.partition("prefers-color-scheme: dark")
    shown_light, _, shown_dark = site.partition('[data-md-color-scheme="slate"]')
    for of_page, of_site in ((light, shown_light), (dark, shown_dark.partition("}")[0])):
        colours = dict(re.findall(r"--([a-z]+): (#\w+);", of_site))
        assert (
            len(colours) >= 9 and colours.items() <= dict(re.findall(r"--([a-z]+): (#\w+);", of_page)).items()
        )


def test_every_page_is_reached_from_the_navigation():
    def pages(entry):
        if isinstance(entry, str):
            return {entry}
        return set().union(*(pages(part) for part in (entry.values() if isinstance(entry, dict) else entry)))

    named = pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"])
    assert named == {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}


def test_the_tables_of_registries_name_what_is_registered(made_from_code):
    from fastreid_prune import scores
    from fastreid_prune.datasets import layouts
    from fastreid_prune.selection import STRATEGIES

    page = made_from_code.on_page_markdown((ROOT / "docs" / "reference" / "methods.md").read_text())
    names = [*scores.available(), *STRATEGIES, "judge", "paper", *(layout.name for layout in layouts())]
    assert not [name for name in names if f"| `{name}` |" not in page]
    assert "<!--" not in page
