# SPDX-License-Identifier: Apache-2.0
"""Rules about the files themselves: who imports whom, which license a file has, and that tests mirror the code."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT

GPL, APACHE = "GPL-3.0-or-later", "Apache-2.0"
BLENDER_PACKAGES = {"bpy", "bmesh", "mathutils", "blender"}
CODE_FOLDERS = ("blender", "pipeline", "tests", "examples", "rules", "configs", "profiles")
# Test files without a module of their name: they test several modules together.
TESTS_OF_SEVERAL_MODULES = {
    "blender/ground_truth/test_planted_faults.py",
    "blender/people/test_reach.py",
    "blender/shards/test_collision_volumes.py",
    "blender/shards/test_custom_meshes_in_images.py",
    "pipeline/common/test_files.py",
    "pipeline/config/test_wrong_values.py",
    "pipeline/models/weights/test_local_weights.py",
}


def python_files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imported_packages(path: Path) -> set[str]:
    """Return the top-level packages that a file imports anywhere in it."""
    packages = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            packages |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            packages.add(node.module.partition(".")[0])
    return packages


def test_the_import_contracts_of_pyproject_are_kept():
    # In its own process, because import-linter changes the logging of the process.
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_source_file_names_its_license_in_the_first_lines():
    files = [path for folder in CODE_FOLDERS for path in (ROOT / folder).rglob("*")]
    files += [ROOT / "Snakefile", ROOT / "Makefile", ROOT / ".ci/run"]
    sources = [
        path for path in files if path.suffix in (".py", ".smk", ".sh") or path.name in ("Snakefile", "Makefile")
    ]
    unnamed = [
        path.relative_to(ROOT).as_posix()
        for path in sources
        if path.stat().st_size > 0
        and not re.search(rf"SPDX-License-Identifier: ({APACHE}|{GPL})$", path.read_text()[:200], re.MULTILINE)
    ]
    assert unnamed == []


def uses_blender(path: Path) -> bool:
    """Return whether a file lies in a folder of the Blender half, or imports Blender, also through a test helper."""
    name = path.relative_to(ROOT).as_posix()
    if name.startswith(("blender/", "tests/unit/blender/")) or imported_packages(path) & BLENDER_PACKAGES:
        return True
    helpers = re.findall(r"^(?:from|import) (tests(?:\.\w+)+)(?: import (\w+)$)?", path.read_text(), re.MULTILINE)
    names = {module for module, _ in helpers} | {f"{module}.{name}" for module, name in helpers}
    files = {(ROOT / name.replace(".", "/")).with_suffix(".py") for name in names}
    return any(uses_blender(file) for file in files - {path} if file.exists())


def test_files_that_use_blender_are_gpl_and_all_others_are_apache():
    wrong = []
    for path in (path for folder in ("blender", "pipeline", "tests", "examples") for path in python_files(folder)):
        if path.stat().st_size > 0:
            license = re.search(r"SPDX-License-Identifier: (\S+)", path.read_text())[1]
            if license != (GPL if uses_blender(path) else APACHE):
                wrong.append((path.relative_to(ROOT).as_posix(), license))
    assert wrong == []


def test_blender_imports_only_what_an_installed_blender_has():
    allowed = BLENDER_PACKAGES | {"numpy", "OpenEXR", "io_scene_gltf2"}
    others = {package for path in python_files("blender") for package in imported_packages(path)} - allowed
    assert others <= sys.stdlib_module_names


@pytest.mark.parametrize("package", ["blender", "pipeline"])
def test_every_unit_test_file_has_a_module_of_its_name(package):
    missing = []
    for path in python_files(f"tests/unit/{package}"):
        if not path.name.startswith("test_"):
            continue
        name = path.relative_to(ROOT / "tests/unit")
        module = ROOT / name.with_name(name.name.removeprefix("test_").replace("main.py", "__main__.py"))
        is_module = module.exists() or module.with_suffix("").is_dir()
        if not is_module and name.as_posix() not in TESTS_OF_SEVERAL_MODULES:
            missing.append(name.as_posix())
    assert missing == []


def test_code_in_strings_names_no_module_that_is_gone():
    """Renames change imports but not `-m` arguments and patched names in strings."""
    named = set()
    for path in python_files("tests"):
        strings = (node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant))
        for text in strings:
            if isinstance(text, str) and re.fullmatch(r"(pipeline|blender|tests)(\.[a-z_0-9]+)+", text):
                named.add((path.relative_to(ROOT).as_posix(), text))
    gone = {(path, name) for path, name in named if not names_something(name)}
    assert gone == set()


def names_something(dotted: str) -> bool:
    """Return whether a module or package has this name, or holds an attribute of its last part."""
    path = ROOT / dotted.replace(".", "/")
    if path.is_dir() or path.with_suffix(".py").exists():
        return True
    return path.parent.with_suffix(".py").exists() and path.name in path.parent.with_suffix(".py").read_text()
