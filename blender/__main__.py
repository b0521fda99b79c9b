# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages that need Blender, as commands.

    python -m blender render     scene records become a shard: images, id maps, silhouettes, measurements
    python -m blender preview    scene records become one sheet of small images to look at
    python -m blender measure    a mesh file of the user is measured and checked

`python -m blender COMMAND --help` lists the options. Inside an installed Blender the arguments follow `--`. The exit
status is 0 if it is done, 2 if nothing is done because an argument or a file is wrong, 3 after a bug of ours.
"""

import argparse
import importlib
import json
import os
import platform
import sys
import traceback
from pathlib import Path

from blender.common.arguments import OneLineParser
from blender.common.errors import CaristeError
from blender.common.path_arguments import input_file, input_folder, output_file, output_folder, whole_number
from blender.common.process_exit import exit_process, run_in_child
from blender.common.standard_streams import repair_streams
from blender.cycles.gpu_kinds import GPU_KINDS

REFUSED, BUG, INTERRUPTED = 2, 3, 130
# More would not be faster anywhere.
THREADS = whole_number(1, 512)
INDEX = whole_number(0, 10**9)

RENDER_EXAMPLES = """examples:
  python -m blender render --scenes scenes/00000.jsonl --out shards/00000 --device cpu --threads 1
  python -m blender render --record shards/00000/scenes.jsonl --index 12 --out again/
  python -m blender render --record shards/00000/scenes.jsonl --index 12 --save-blend image.blend

An image that is rendered again has the same bytes as in its shard. --save-blend also renders the image if automatic
white balance is on, because that depends on the image's colors."""
PREVIEW_EXAMPLES = """example:
  python -m blender preview --record results/data/quickstart/shards/00000/scenes.jsonl --index 3 --out sheet.png"""
MEASURE_EXAMPLES = """example:
  python -m blender measure --asset '{"asset": "my_truck", ...}' --out results/assets/my_truck.json

The file that is written holds the given JSON with the mesh's size in meters and its number of triangles."""


def main(arguments: list[str]) -> int:
    """Run a command and return the exit status of the process."""
    repair_streams()
    options = _parse(arguments)
    try:
        # Loading bpy takes a second: help texts and wrong arguments do without.
        importlib.import_module(f"blender.{options.command}").run(options)
    except CaristeError as error:
        return _failed(options, str(error), REFUSED)
    except KeyboardInterrupt:
        return _failed(options, "stopped by Ctrl-C", INTERRUPTED)
    except MemoryError:
        return _failed(options, "out of memory: use smaller images, simpler meshes or fewer jobs", REFUSED)
    except (OSError, RuntimeError) as error:  # bpy raises RuntimeError for files that it cannot read or write
        return _failed(options, f"{type(error).__name__}: {error}", REFUSED)
    except Exception:
        request = f"this is a bug of ours; please send us the lines above, {platform.platform()}, and your files"
        return _failed(options, f"{traceback.format_exc()}{request}", BUG)
    return 0


def _failed(options: argparse.Namespace, message: str, status: int) -> int:
    target = options.out or options.save_blend
    print(f"{options.command} {target.name}: {message}", file=sys.stderr)
    return status


def _run(arguments: list[str]) -> int:
    """Run a command. `measure` runs in a child process, because a damaged file can make Blender crash."""
    if arguments[:1] != ["measure"] or not hasattr(os, "fork"):
        return main(arguments)
    return run_in_child(lambda: main(arguments), lambda cause: _describe_crash(_parse(arguments), cause))


def _describe_crash(options: argparse.Namespace, cause: str) -> str:
    file = options.asset["parameters"].get("file")
    return f"measure {options.out.name}: custom.{options.asset['asset']}: {file}: Blender crashed on it ({cause})"


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser, commands = build_parser()
    options = parser.parse_args(arguments)
    command = commands[options.command]
    if options.command == "render":
        _check_render_options(command, options)
    _refuse_overwriting(command, options)
    return options


def build_parser() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """Return the parser of the command line, and that of each command."""
    parser = OneLineParser(
        prog="python -m blender", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    render = _add_command(
        commands, "render", "render a shard, or one of its images again, or save a scene", RENDER_EXAMPLES
    )
    _add_render_options(render)
    _add_preview_options(_add_command(commands, "preview", "render a sheet of small images", PREVIEW_EXAMPLES))
    _add_measure_options(_add_command(commands, "measure", "measure and check a mesh file", MEASURE_EXAMPLES))
    return parser, commands.choices


def _refuse_overwriting(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    given = {name: value.resolve() for name, value in vars(options).items() if isinstance(value, Path)}
    for output in given.keys() & {"out", "save_blend"}:
        for other in given.keys() - {output}:
            if given[output] == given[other]:
                parser.error(f"--{output.replace('_', '-')} and --{other} are the same file: {given[output]}")


def _add_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, summary: str, examples: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_render_options(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--scenes", type=input_file, help="scene records, one JSON object a line; all are rendered")
    source.add_argument("--record", type=input_file, help="one scene record in JSON, or a file of lines (with --index)")
    parser.add_argument("--index", type=INDEX, help="index of the image, if the file of --record holds several")
    parser.add_argument("--out", type=output_folder, help="folder of the shard, or of the one image")
    parser.add_argument(
        "--save-blend", type=output_file(".blend"), metavar="FILE.blend", help="save the scene of --record"
    )
    parser.add_argument(
        "--provenance", type=input_file, help="JSON that `cariste sample` wrote beside the records, for shard.json"
    )
    parser.add_argument(
        "--device", choices=("cpu", "auto", *GPU_KINDS), default="cpu", help="what Cycles renders on (default: cpu)"
    )
    parser.add_argument("--threads", type=THREADS, default=1, help="processor threads of Cycles (default: 1)")


def _check_render_options(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    if options.scenes and (options.save_blend or options.index is not None):
        parser.error("--save-blend and --index go with --record")
    if not options.out and not options.save_blend:
        parser.error("--out is missing")


def _add_preview_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--record", type=input_file, required=True, help="scene records in JSON, one a line")
    parser.add_argument("--index", type=INDEX, help="show only the image with this index")
    parser.add_argument("--out", type=output_file(".png"), required=True, help="PNG file to write")
    parser.add_argument("--threads", type=THREADS, default=2, help="processor threads of Cycles (default: 2)")


def _add_measure_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--asset", type=_json_object, required=True, help="a CustomMesh of pipeline, in JSON")
    parser.add_argument("--assets", type=input_folder, help="folder that holds the mesh file (default: assets/)")
    parser.add_argument("--out", type=output_file(".json"), required=True, help="JSON file to write")


def _json_object(text: str) -> dict:
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise argparse.ArgumentTypeError(f"not JSON: {error}") from None
    if not isinstance(value, dict) or not {"asset", "category", "parameters"} <= set(value):
        raise argparse.ArgumentTypeError("expected a JSON object with the keys asset, category and parameters")
    return value


if __name__ == "__main__":
    # Inside an installed Blender, its own arguments come before "--".
    exit_process(_run(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]))
