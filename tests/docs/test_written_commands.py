"""What README and docs tell a reader to type exists: verbs, options, choices, scripts, configurations, keys."""

import re

import click
import pytest
from written_commands import PAGES, ROOT, commands_of

from fastreid_prune.cli import group

COMMANDS = [command for page in PAGES if page.is_file() for command in commands_of(page)]


def of(*programs):
    chosen = [command for command in COMMANDS if command.words[0] in programs]
    assert chosen
    return pytest.mark.parametrize("command", chosen, ids=str)


def parse(words, *, whole=True):
    """Parse a verb's words as click does, without looking for the files that they name."""
    context = click.Context(group, info_name="fastreid-prune")
    if words[0].startswith("-"):
        group.make_parser(context).parse_args(list(words))
        return
    verb = group.get_command(context, words[0])
    assert verb is not None, f"no verb {words[0]}"
    inner = click.Context(verb, info_name=words[0], parent=context, **verb.context_settings)
    values, rest, _ = verb.make_parser(inner).parse_args(list(words[1:]))
    assert not rest or inner.allow_extra_args, f"too many arguments: {rest}"
    for parameter in verb.params:
        value = values.get(parameter.name)
        given = value is not None and type(value).__name__ != "Sentinel"
        needed = parameter.required and whole and "--help" not in words
        assert given or not needed, f"{parameter.human_readable_name} is missing"
        if given and not isinstance(parameter.type, click.Path | click.File) and parameter.nargs == 1:
            for one in value if parameter.multiple else [value]:
                if not re.fullmatch(r"[A-Z_]+", str(one)):  # a name that stands for a value
                    parameter.type.convert(one, parameter, inner)


@of("fastreid-prune")
def test_a_verb_and_its_options_exist(command):
    parse(command.words[1:], whole=command.whole)


@pytest.mark.parametrize(
    "words",
    [["prun", "run"], ["prune", "run", "--ration", "0.3"], ["prune", "run", "--ratio", "much", "-o", "f"]],
    ids=" ".join,
)
def test_what_does_not_exist_is_seen(words):
    with pytest.raises((AssertionError, click.ClickException)):
        parse(words)


@of("python", "bash")
def test_a_script_its_options_and_its_configuration_exist(command):
    script = command.words[1]
    if script.startswith(("-", "path/to/")):
        return  # no file of this repository
    source = ROOT.joinpath(script).read_text(encoding="utf-8")
    if script == "tools/export_lists.py":
        parse(["export", *command.words[2:]], whole=command.whole)
    elif script.startswith("benchmarks/"):
        for word in command.words[2:]:
            option = word.split("=")[0]
            assert not option.startswith("--") or option in source, f"{script} has no {option}"
    for option, value in zip(command.words, command.words[1:], strict=False):
        if option == "--config-file" and value.startswith("configs/"):
            assert (ROOT / value).is_file(), f"there is no {value}"


def test_every_configuration_key_that_is_written_exists(prune_keys):
    for page in PAGES:
        if not page.is_file():
            continue
        written = set(re.findall(r"\bPRUNE(?:\.[A-Z_]+)+", page.read_text(encoding="utf-8")))
        unknown = sorted(key for key in written if key not in prune_keys)
        assert not unknown, f"{page.relative_to(ROOT)} names {', '.join(unknown)}"


@of("pip")
def test_an_extra_that_is_installed_is_declared(command):
    setup = ROOT.joinpath("setup.py").read_text(encoding="utf-8")
    for word in command.words:
        for extra in re.findall(r"(?:^|/|fastreid_prune)\.?\[([\w,]+)\]$", word):
            for name in extra.split(","):
                assert f'"{name}":' in setup, f"setup.py declares no extra {name}"
