# SPDX-License-Identifier: Apache-2.0
"""Files and folders appear as a whole: a reader never sees a part, and leftovers of killed processes are removed."""

import multiprocessing
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.common import atomic_write
from tests.helpers.paths import ROOT
from tests.helpers.search import examples


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@given(
    st.lists(st.binary(max_size=200), min_size=1, max_size=4), st.sampled_from(["a.txt", "a", ".a", "a.b.c", "[a]*.x"])
)
def test_after_every_write_the_file_holds_exactly_the_last_content(tmp_path_factory, contents, name):
    path = tmp_path_factory.mktemp("file") / "new" / "folder" / name
    for content in contents:
        atomic_write.write_bytes(path, content)
        assert path.read_bytes() == content
        assert names(path.parent) == [name]


def test_text_is_utf_8_with_unix_line_ends(tmp_path):
    atomic_write.write_text(tmp_path / "a.txt", "ä\nb")
    assert (tmp_path / "a.txt").read_bytes() == "ä\nb".encode()


@pytest.mark.parametrize("former", [None, b"former"])
def test_an_exception_leaves_the_former_file_and_nothing_else(tmp_path, former):
    path = tmp_path / "a.json"
    if former is not None:
        path.write_bytes(former)
    with pytest.raises(ZeroDivisionError), atomic_write.atomic_file(path) as temporary:
        temporary.write_bytes(bytes([1 // 0]))
    assert names(tmp_path) == ([] if former is None else ["a.json"])
    assert former is None or path.read_bytes() == former


def test_the_temporary_file_has_the_suffix_of_the_target(tmp_path):
    """Writers that choose the format by the suffix work on it."""
    with atomic_write.atomic_file(tmp_path / "a.png") as temporary:
        assert (temporary.suffix, temporary.parent) == (".png", tmp_path)
        temporary.touch()


def test_a_reader_never_sees_a_part_of_a_file(tmp_path):
    path, contents = tmp_path / "a.bin", [bytes([letter]) * 300_000 for letter in b"abc"]
    atomic_write.write_bytes(path, contents[0])
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            for content in contents:
                atomic_write.write_bytes(path, content)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = {path.read_bytes() for _ in range(300)}
    finally:
        stop.set()
        writer.join()
    assert seen <= set(contents)


KILLED = """
import os, sys
from pathlib import Path
from pipeline.common import atomic_write
with getattr(atomic_write, sys.argv[1])(Path(sys.argv[2])) as temporary:
    (temporary / "part" if sys.argv[1] == "atomic_folder" else temporary).write_bytes(b"half")
    print("writing", flush=True)
    sys.stdin.read()
"""


def kill_while_writing(function: str, path: Path) -> None:
    command = [sys.executable, "-c", KILLED, function, str(path)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "writing\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_the_next_write_removes_what_a_killed_process_left_of_a_file(tmp_path):
    path = tmp_path / "a.json"
    atomic_write.write_bytes(path, b"former")
    kill_while_writing("atomic_file", path)
    assert path.read_bytes() == b"former"
    assert len(names(tmp_path)) == 2
    atomic_write.write_bytes(path, b"new")
    assert (names(tmp_path), path.read_bytes()) == (["a.json"], b"new")


def test_the_next_write_removes_what_a_killed_process_left_of_a_folder(tmp_path):
    path = tmp_path / "a"
    kill_while_writing("atomic_folder", path)
    assert not path.exists()
    assert len(names(tmp_path)) == 1
    with atomic_write.atomic_folder(path) as temporary:
        (temporary / "file").touch()
    assert (names(tmp_path), names(path)) == (["a"], ["file"])


def test_files_of_other_targets_stay(tmp_path):
    others = [".a.json", ".a.mine.json", ".ab.123.part.json", "a.123.json", ".a.123.part.txt", ".a.2026.json"]
    for name in others:
        (tmp_path / name).touch()
    atomic_write.write_bytes(tmp_path / "a.json", b"")
    assert names(tmp_path) == sorted([*others, "a.json"])


@settings(max_examples=examples(30), deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.binary(max_size=9)), min_size=1, max_size=3))
def test_a_folder_is_replaced_with_all_it_holds(tmp_path_factory, versions):
    path = tmp_path_factory.mktemp("parent") / "folder"
    for files in versions:
        with atomic_write.atomic_folder(path) as temporary:
            for name, content in files.items():
                (temporary / name).write_bytes(content)
        assert {each.name: each.read_bytes() for each in path.iterdir()} == files
        assert names(path.parent) == ["folder"]


def test_an_exception_leaves_the_former_folder(tmp_path):
    path = tmp_path / "a"
    path.mkdir()
    (path / "former").touch()
    with pytest.raises(ZeroDivisionError), atomic_write.atomic_folder(path) as temporary:
        (temporary / "new").write_bytes(bytes([1 // 0]))
    assert (names(tmp_path), names(path)) == (["a"], ["former"])


def _write_many(path: Path, letter: int) -> None:
    for _ in range(50):
        try:
            atomic_write.write_bytes(path, bytes([letter]) * 50_000)
        except FileNotFoundError:  # the other process began later and removed the temporary file
            time.sleep(0.001)


def test_of_two_processes_that_write_the_same_file_each_content_is_whole(tmp_path):
    path = tmp_path / "a.bin"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_write_many, args=(path, letter)) for letter in b"ab"]
    for process in processes:
        process.start()
    seen = set()
    while any(process.is_alive() for process in processes):
        if path.exists():
            seen.add(path.read_bytes())
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert seen <= {b"a" * 50_000, b"b" * 50_000}
    assert names(tmp_path) == ["a.bin"]


def test_a_folder_that_cannot_be_created_is_an_os_error_that_names_it(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        atomic_write.write_bytes(tmp_path / "file" / "a.json", b"")


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "a.json").symlink_to("elsewhere/b.json")
    for content in (b"first", b"second"):
        atomic_write.write_bytes(tmp_path / "a.json", content)
        assert (tmp_path / "elsewhere/b.json").read_bytes() == content
    assert (tmp_path / "a.json").is_symlink()
    assert (names(tmp_path), names(tmp_path / "elsewhere")) == (["a.json", "elsewhere"], ["b.json"])


@pytest.mark.parametrize("name", ["x" * 250 + ".json", "ä" * 125 + ".txt", "gr\udcfcn.json"])
def test_every_name_that_the_disk_takes_can_be_written(tmp_path, name):
    atomic_write.write_bytes(tmp_path / name, b"content")
    assert names(tmp_path) == [name]


def test_a_byte_of_a_file_name_that_is_no_text_is_escaped_in_text(tmp_path):
    atomic_write.write_text(tmp_path / "a.html", "gr\udcfcn")
    assert (tmp_path / "a.html").read_bytes() == rb"gr\udcfcn"


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
import torch
from pipeline.common import atomic_write
from pipeline.models.weights import model_file
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
content = {"format": "x", "weights": {"w": torch.zeros(100_000)}}
try:
    path = Path(sys.argv[1])
    atomic_write.write_bytes(path, bytes(200_000)) if path.suffix == ".json" else model_file.write(path, content)
except OSError as error:
    print(error)
"""


@pytest.mark.parametrize("name", ["a.json", "a.pt", "a.safetensors"])
def test_a_disk_that_is_full_during_the_write_is_an_error_that_names_the_file(tmp_path, name):
    """A limit on the size of files stands for the full disk."""
    (tmp_path / name).write_bytes(b"former")
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / name)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == f"[Errno 27] File too large: '{tmp_path / name}'", done.stderr
    assert (names(tmp_path), (tmp_path / name).read_bytes()) == ([name], b"former")
