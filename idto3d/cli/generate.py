"""`generate`: a head from photos, words, or both; or again by the recipe in the GLB of one."""

import argparse
import sys
from dataclasses import replace

from idto3d import config
from idto3d.checks import named_expressions, path_of
from idto3d.cli.candidates import candidate_in
from idto3d.cli.common import add_option, add_set, all_assigned, work_here
from idto3d.config import HeadOptions
from idto3d.errors import UserError, shown
from idto3d.words import expressions
from idto3d.words.prompts import one_line

OF_THE_HEAD = (  # in no preset
    *("prompt", "negative_prompt", "expressions", "subject", "weights", "seed", "device"),
    *("choice", "guidance", "carving", "texture", "rig"),
)
OF_ITS_MATERIAL = ("translate", "relief")  # what of the material no preset says


def add_generate(parser: argparse.ArgumentParser) -> None:
    """The words of `generate`."""
    parser.add_argument("photos", nargs="*", type=path_of, metavar="PHOTO", help="photos of one person")
    parser.add_argument("--out", required=True, type=path_of, metavar="DIR", help="run folder, new or empty")
    parser.add_argument("--resume", action="store_true", help="continue the run in DIR")
    again = "make it as the head of this GLB was made, edits and all; give photos where that took some"
    parser.add_argument("--again", type=path_of, metavar="HEAD.glb", help=again)
    chosen = "the face that `candidates` wrote into this file, for a head of words alone"
    parser.add_argument("--candidate", type=path_of, metavar="FILE", help=chosen)
    sets = "|".join(expressions.SETS)
    parser.add_argument("--expressions", metavar=f"{sets}|NAME,NAME", help="which expressions the head learns")
    for name in ("preset", "prompt", "negative_prompt", "weights", "seed", "device"):
        add_option(parser, HeadOptions, name)
    add_set(parser, "any other option, e.g. --set shape.steps=50")


def generate(arguments: argparse.Namespace, _rest: list[str]) -> int:
    """Make a head in this process, recording it in the run folder."""
    lock, job = claim(arguments)
    return work_here(arguments.out, lock, job, resume=arguments.resume)


def claim(arguments: argparse.Namespace):
    """The lock and the job to run, new or continued. Raises UserError."""
    from idto3d.jobs.run_folder import begin, resumable, take_up

    if arguments.candidate and (arguments.again or arguments.resume):
        what = "A head that is made again or continued has its face already, and --candidate names one."
        raise UserError(what, "Leave out --candidate, or make a new head of it by generate --candidate alone.")
    if arguments.resume:
        check_same(arguments, resumable(arguments.out))
        return take_up(arguments.out)
    if arguments.again:
        return _begin_again(arguments)
    options = with_candidate(head_options(arguments), arguments)
    if not arguments.photos and not options.prompt.strip():
        raise UserError("There is nothing to make a head from.", "Give at least one photo, or a --prompt.")
    return begin(arguments.out, arguments.photos, options)


def with_candidate(options: HeadOptions, arguments: argparse.Namespace) -> HeadOptions:
    """`options` with the face of --candidate and, unless another is given, its prompt. Raises UserError."""
    if arguments.candidate is None:
        return options
    if arguments.photos:
        what = "A candidate is the face of a head of words, and photos say who somebody is."
        raise UserError(what, "Give either photos or --candidate.")
    said = candidate_in(arguments.candidate)
    if said["weights"] != options.weights:
        text = f"The candidate was found with the weights '{shown(said['weights'])}': with others its face may differ."
        print(text, file=sys.stderr)
    choice = replace(options.choice, chosen=said["coefficients"])
    return replace(options, prompt=options.prompt or said["prompt"], choice=choice)


def _begin_again(arguments: argparse.Namespace):
    """The lock and the job of a head that is made as another one was, but for the options that are given anew."""
    from idto3d.export.gltf.recipe import check_photos, recipe_of
    from idto3d.jobs.record import write_job
    from idto3d.jobs.run_folder import begin

    recipe = recipe_of(arguments.again)
    check_photos(recipe, len(arguments.photos))
    lock, job = begin(arguments.out, arguments.photos, head_options(arguments, recipe.options))
    job = replace(job, edits=recipe.edits)
    write_job(arguments.out, job)
    return lock, job


def head_options(arguments: argparse.Namespace, start: HeadOptions | None = None) -> HeadOptions:
    """The options asked for: those of `start`, the preset, then the named flags, then each --set. Raises UserError."""
    options = start or HeadOptions()
    if arguments.preset:  # which says how long and how fine, not who the head is
        own = {name: getattr(options, name) for name in OF_THE_HEAD}
        kept = {name: getattr(options.material, name) for name in OF_ITS_MATERIAL}
        preset = config.preset(arguments.preset)
        options = replace(preset, **own, material=replace(preset.material, **kept))
    named = {name: getattr(arguments, name) for name in ("prompt", "negative_prompt", "weights", "seed", "device")}
    named |= {name: one_line(named[name]) for name in ("prompt", "negative_prompt") if named[name] is not None}
    if arguments.expressions is not None:
        named["expressions"] = named_expressions(arguments.expressions)
    options = replace(options, **{name: value for name, value in named.items() if value is not None})
    return all_assigned(options, arguments.set)


def check_same(arguments: argparse.Namespace, job) -> None:
    """Raise UserError when what stands beside --resume asks for something else than the run was started with."""
    from idto3d.jobs.record import photo_record

    if head_options(arguments, job.options) != job.options:
        what = f"The run in '{arguments.out}' was started with other options."
        raise UserError(what, "Leave the options out to continue it, or choose another folder.")
    given = {photo_record(photo).sha256 for photo in arguments.photos}
    if given and given != {photo.sha256 for photo in job.photos}:
        what = f"The run in '{arguments.out}' was started with other photos."
        raise UserError(what, "Leave the photos out to continue it, or choose another folder.")
