"""The product on one page: photos and words in, events out, a relightable and expressive head last.

A person is read from the photos, a shape is grown from the head prior by the geometry guidance, its surface is
painted by the albedo guidance, all of it is saved, and the asset is written. Closing a generator cancels the run.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from idto3d.bundle.encoder import encoder_name
from idto3d.bundle.find import LocatedBundle, find_bundle
from idto3d.bundle.resolved import expect_served, resolved
from idto3d.checks import checked, checked_edit
from idto3d.config import EditOptions, ExportOptions, HeadOptions, RenderOptions
from idto3d.device import choose_device
from idto3d.events import Event, Finished, Notice
from idto3d.export.asset import write_asset
from idto3d.export.gltf.former import Former, former_of, provenance_of
from idto3d.export.gltf.load import load_asset
from idto3d.export.requested import outdated
from idto3d.export.stills import FRONT, PICTURES, remaining
from idto3d.export.view import draw_view
from idto3d.export.viewer.lights import light_bytes
from idto3d.export.viewer.payload import payload_bytes
from idto3d.files import remove
from idto3d.head.start import start_of
from idto3d.moves import move_all
from idto3d.render.environment import load_environment
from idto3d.render.material import Material
from idto3d.stages.carriers import on_template, on_tetrahedra
from idto3d.stages.edit.carried_mask import as_file, carried
from idto3d.stages.edit.ground import load_ahead, load_ground
from idto3d.stages.edit.paint.told import as_told
from idto3d.stages.fit import fit_head
from idto3d.stages.likeness import likeness
from idto3d.stages.material import Canvas
from idto3d.stages.models import Models, load_encoder, load_models, make_wish, ready_device
from idto3d.stages.notices import notices
from idto3d.stages.optimise import Checkpoints
from idto3d.stages.saved import FILE, FinishedHead, load_head, save_head, tidy_saved
from idto3d.subject.encoders import obstacle, to_download
from idto3d.subject.face import IdentityEncoder
from idto3d.subject.landmarks import LandmarkReader
from idto3d.subject.matte import load_matte
from idto3d.subject.subject import Subject, covers, read_subject, with_masks

Writing = tuple[Sequence[Path], Former | None]  # which pictures an asset has at once, and what it may take over
WHOLE: Writing = (PICTURES, None)
SCRATCH = ".export"  # where a new asset is made beside the one of before


def create_head(photos: list[Path], options: HeadOptions, folder: Path, checkpoints: Checkpoints) -> Iterator[Event]:
    """Turn photos of one person, words, or both into a head in `folder`, reporting as it goes.

    The stages save themselves in `checkpoints`, and go on from what they find there. The last event is Finished.
    Raises UserError for what the user can fix.
    """
    device = ready_device(checked(options))
    weights = yield from find_bundle(options.weights)
    expect_served(options, weights.info, device.type)
    subject, encoder = yield from meet(photos, options, weights)
    models = yield from load_models(options, encoder, weights)
    options = replace(options, weights=weights.address(options.weights))
    finished, canvas = yield from make(subject, models, options, checkpoints)
    if subject is not None:
        yield likeness(canvas, subject, encoder)
    save_head(folder, finished)
    glb = yield from write(finished, folder)
    yield Finished(folder, glb)


def meet(
    photos: list[Path], options: HeadOptions, weights: LocatedBundle
) -> Generator[Event, None, tuple[Subject | None, IdentityEncoder | None]]:
    """Who the photos show, and the encoder of the weights, to which they show it; without photos neither is needed.

    What the encoder downloads is said first. Raises UserError where its packages are missing.
    """
    if not photos:
        return None, None
    name = encoder_name(weights.info, options.subject.encoder)
    if missing := obstacle(name):
        raise missing
    if download := to_download(name):
        yield Notice(download)
    encoder = load_encoder(weights, options.subject.encoder)
    subject = yield from read_subject(photos, options.subject, encoder, LandmarkReader(weights.landmarks_path()))
    yield from covers(subject)
    return with_masks(subject, load_matte(weights.matte_path())), encoder


def make(
    subject: Subject | None, models: Models, options: HeadOptions, checkpoints: Checkpoints
) -> Generator[Event, None, tuple[FinishedHead, Canvas]]:
    """Work out who the head is, grow its shape, and paint it."""
    options = resolved(options, models.guidance.info)
    start = start_of(subject, options, models.prior)
    wish = make_wish(start, options, models)
    yield from notices(options, start, wish)
    fitted = yield from fit_head(subject, start, models, options)
    if options.shape.carrier == "tets":
        made = yield from on_tetrahedra(wish, start, fitted, models, options, checkpoints)
    else:
        made = yield from on_template(wish, fitted, models, options, checkpoints)
    about = (options, models.title, models.guidance.info.licences())
    grown = (made.head, made.coefficients, made.carrier, models.prior, made.field)
    photos = 0 if subject is None else len(subject.photos)
    finished = FinishedHead(start, *grown, *about, made.painted, made.meshes, photos=photos)
    return as_told(finished, models.template, models.prior), made.canvas


def write(finished: FinishedHead, folder: Path, how: Writing = WHOLE) -> Generator[Event, None, Path]:
    """Write the asset of a finished head into `folder`; returns the path of head.glb."""

    def sample(_material: str, points: torch.Tensor, expression: int) -> Material:
        return finished.field.material(points, expression)  # all parts lie in one field

    worn, options = (finished.painted, finished.meshes), finished.options.export
    return (yield from write_asset(finished.head, sample, folder, options, provenance_of(finished), *worn, *how))


def export_head(folder: Path, options: ExportOptions | None = None, into: Path | None = None) -> Iterator[Event]:
    """Make the asset again from the head that is saved in `folder`, without photos and without weights.

    `options` take the place of those it was exported with, and are kept in turn. Where it goes: see `put_down`. The
    last event is Finished. Raises UserError where no head is saved there.
    """
    saved = load_head(folder)
    wanted = checked(replace(saved.options, export=options or saved.options.export))
    yield from put_down(replace(saved, options=wanted), folder, into)


def edit_head(folder: Path, options: EditOptions, into: Path | None = None) -> Iterator[Event]:
    """Change the head that is saved in `folder` as `options` ask, without photos.

    Where the edited head goes: see `put_down`; in a folder of its own it has the picture of its front alone until the
    `remaining_pictures` are added. The last event is Finished. Raises UserError where no head is saved there, and for
    what the user can ask otherwise.
    """
    from idto3d.stages.edit.edited import edited
    from idto3d.stages.edit.guidance.guide import load_guide

    before = load_head(folder)
    kept, (template, prior) = carried(checked_edit(options)), load_ground(before)
    with as_file(kept, into or folder) as asked:
        after = yield from edited(before, asked, template, prior, load_guide)
    after = replace(after, edits=(*before.edits, kept))
    how = WHOLE if into is None else ((FRONT,), former_of(folder, before, after))
    yield from put_down(after, folder, into, how)


def prepare() -> None:
    """Load what every edit needs, ahead of the first one, which shows something the sooner."""
    load_ahead(choose_device(HeadOptions().device))


def remaining_pictures(folder: Path) -> Iterator[tuple[Path, bytes] | None]:
    """The pictures that the finished head in `folder` is without, by their names there; None while one is drawn."""
    return remaining(folder)


def put_down(finished: FinishedHead, folder: Path, into: Path | None, how: Writing = WHOLE) -> Iterator[Event]:
    """Write a head with its asset `into` an empty folder, or in place of the head that lies in `folder`.

    There the asset of before stays until the new one is whole; then what it had and the new one has not is removed.
    """
    scratch = into or folder / SCRATCH
    try:
        glb = yield from write(finished, scratch, how)
        save_head(scratch, finished, folder)
        if into is None:
            for file in outdated(folder, scratch):
                remove(file)
            move_all(scratch, folder, (FILE, glb.name))
            tidy_saved(folder)
    finally:
        if into is None:
            remove(scratch)
    yield Finished(into or folder, (into or folder) / glb.name)


def render_view(folder: Path, options: RenderOptions) -> np.ndarray:
    """A picture [S, S, 3] uint8 sRGB of the finished head in `folder`; with `options.video` also its turntable."""
    return draw_view(folder, options)


def viewer_head(folder: Path) -> bytes:
    """What the page's viewer reads of the finished head in `folder`. Raises UserError where there is none."""
    return payload_bytes(load_asset(folder))


def viewer_light(path: Path) -> bytes:
    """What it reads of a light, a .hdr or .exr file. Raises UserError where that cannot be read."""
    return light_bytes(load_environment(path))
