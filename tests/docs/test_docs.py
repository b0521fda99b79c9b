# SPDX-License-Identifier: Apache-2.0
"""The pages are right: links lead somewhere, commands and options exist, configs are valid, named files are there."""

import re
import shlex
from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter

from pipeline.config import config
from pipeline.record import asset_catalogue
from tests.helpers import command_syntax, markdown
from tests.helpers.paths import ROOT

PROGRAMS = ("cariste", "make", "snakemake", "python")
# Folders that only exist once a user has put files there.
USERS_FOLDERS = {"assets/weights/"}
# Names of files that look like keys of the config.
FILE_ENDINGS = (".json", ".yaml", ".html", ".pt", ".py", ".csv", ".jsonl", ".onnx", ".txt")


@pytest.mark.parametrize("page", markdown.PAGES, ids=markdown.page_name)
def test_every_link_leads_to_a_file_and_a_heading(page):
    wrong = []
    for link in markdown.links(page):
        if re.match(r"https?://|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in markdown.anchors(target)):
            wrong.append(link)
    assert not wrong


def test_every_page_is_reached_from_the_readme():
    reached, pending = set(), [ROOT / "README.md"]
    while pending:
        page = pending.pop()
        if page in reached:
            continue
        reached.add(page)
        targets = [(page.parent / link.partition("#")[0]).resolve() for link in markdown.links(page)]
        pending += [target for target in targets if target.suffix == ".md"]
    assert set(markdown.PAGES) <= reached


@pytest.mark.parametrize("block", markdown.code_blocks("sh"), ids=lambda block: block.page)
def test_commands_of_a_block_exist_with_their_options(block):
    commands = command_syntax.shell_commands(block.text)
    problems = {shlex.join(words): command_syntax.problem_of(words) for words in commands}
    assert {command: problem for command, problem in problems.items() if problem} == {}


def test_commands_in_sentences_exist_with_their_options():
    problems = {}
    for page, code in markdown.inline_code():
        if code.split()[0] in PROGRAMS and "`" not in code and "…" not in code:
            for words in command_syntax.shell_commands(code):
                problems[page, code] = command_syntax.problem_of(words, complete=False)
    assert len(problems) > 10
    assert {where: problem for where, problem in problems.items() if problem} == {}


def test_the_checks_find_wrong_commands():
    wrong = (
        "cariste fly",
        "cariste predict --colour red",
        "cariste sample --count 3",
        "make coffee",
        "make train SPEED=9",
        "snakemake --fast",
        "snakemake report_of_nothing",
        "python -m blender sculpt",
        "python -m blender render --thing x",
        "python -m pipeline.scenes.sample",
    )
    found = [command_syntax.problem_of(shlex.split(command)) for command in wrong]
    assert None not in found
    assert command_syntax.shell_commands("A=1 make x; cd y && \\\n ls  # no\n") == [["make", "x"], ["cd", "y"], ["ls"]]


@pytest.mark.parametrize("block", markdown.code_blocks("yaml"), ids=lambda block: block.page)
def test_configs_on_pages_are_valid(block):
    document = yaml.safe_load(block.text)
    if set(document) == {"custom"}:
        TypeAdapter(dict[str, asset_catalogue.CustomAsset]).validate_python(document["custom"])
    else:
        config.validate(document)


def key_exists(dotted: str) -> bool:
    """Return whether the config has a key such as `train.validation.every`; keys of free mappings count as existing."""
    section, *keys = dotted.split(".")
    schema = config.Config.model_json_schema()
    definition = schema["properties"][section]
    for key in keys:
        options = _objects(definition, schema)
        found = [option["properties"][key] for option in options if key in option.get("properties", {})]
        if not found:
            return any(option.get("additionalProperties") for option in options)
        definition = found[0]
    return True


def _objects(definition: dict, schema: dict) -> list[dict]:
    """Return the object definitions that a definition of the JSON schema allows."""
    if "$ref" in definition:
        return _objects(schema["$defs"][definition["$ref"].rpartition("/")[2]], schema)
    alternatives = [part for key in ("anyOf", "allOf", "oneOf") for part in definition.get(key, ())]
    found = [option for part in alternatives for option in _objects(part, schema)]
    return [*found, definition] if definition.get("type") == "object" else found


def test_keys_of_the_config_on_pages_exist():
    pattern = re.compile(rf"({'|'.join(config.Config.model_fields)})(\.[a-z_0-9]+)+")
    named = {(page, code) for page, code in markdown.inline_code() if pattern.fullmatch(code)}
    keys = {(page, code) for page, code in named if not code.endswith(FILE_ENDINGS)}
    assert len(keys) > 20
    assert {(page, key) for page, key in keys if not key_exists(key)} == set()
    assert not key_exists("train.validation.on")


def test_files_and_folders_on_pages_exist():
    top = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")} - {"results"}
    missing = set()
    for page, code in markdown.inline_code():
        if re.search(r"[\s<>={}…]|NAME", code) or code in USERS_FOLDERS:
            continue
        in_repository = "/" in code and code.split("/")[0] in top
        if in_repository and not list(ROOT.glob(code.rstrip("/"))):
            missing.add((page, code))
        if not in_repository and re.fullmatch(r"[\w/]+\.(py|smk)", code) and not list(ROOT.glob(f"[!.]*/**/{code}")):
            missing.add((page, code))
    assert missing == set()


def test_the_index_of_the_docs_lists_every_page():
    index = ROOT / "docs/README.md"
    listed = {(index.parent / link.partition("#")[0]).resolve() for link in markdown.links(index)}
    assert {path for path in markdown.PAGES if Path("docs") in path.relative_to(ROOT).parents} - {index} <= listed
