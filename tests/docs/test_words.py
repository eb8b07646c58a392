"""Pages and help speak the field's words: none that a stranger would have to guess."""

import re

import click
import pytest
from written_commands import PAGES, ROOT

from fastreid_prune.cli import VERBS, group

# left: what is not written; right: what stands for it
WORDS = {
    r"nobody'?s": "of no known identity",
    r"soiled": "noisy",
    r"likelier": "more likely",
    r"near[- ]cop(y|ies)": "near-duplicate",
    r"twins?": "near-duplicate",
    r"planted": "injected, or known",
    r"switched": "injected",
    r"composed": "synthetic",
    r"vouch\w*": "show",
    r"mended": "corrected",
}
WRONG = re.compile(rf"(?<![\w`.])({'|'.join(WORDS)})(?!\w)", re.IGNORECASE)
PLAIN = [page for page in PAGES if page.is_file()]


@pytest.mark.parametrize("page", PLAIN, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_is_in_plain_words(page):
    found = [match.group() for match in WRONG.finditer(page.read_text(encoding="utf-8"))]
    assert not found


def test_help_is_in_plain_words():
    context = click.Context(group)
    helps = [*VERBS.values(), *(group.get_command(context, verb).get_help(context) for verb in VERBS)]
    assert not [match.group() for text in helps for match in WRONG.finditer(text)]
