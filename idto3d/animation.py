"""A clip of a face drives a finished head, on one page: film in, events out, a moving GLB and its preview last.

The clip's pictures are looked at one after the other and forgotten: what is kept of them are numbers. Closing the
generator cancels.
"""

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import numpy as np

from idto3d.bundle.layout import LANDMARK_MODEL_FILE, TEMPLATE_FILE
from idto3d.checks import checked_motion
from idto3d.config import EMBEDDED, LANDMARKS_FILE, AnimateOptions
from idto3d.errors import UserError, shown
from idto3d.events import Event, Finished, Notice, Preview, StageStarted, StepDone
from idto3d.evidence.landmark_model import load_landmark_model
from idto3d.evidence.motion.reading import track_of
from idto3d.evidence.motion.track import Track
from idto3d.export.gltf.load import Asset, load_asset
from idto3d.export.gltf.provenance import notes_of
from idto3d.export.moving.clip import moving_glb
from idto3d.export.moving.neck import neck_of
from idto3d.export.moving.preview import Stage
from idto3d.export.video import write_video
from idto3d.files import remove, write_atomic, write_json
from idto3d.head.template_file import load_template
from idto3d.subject.clip.film import Film, open_film
from idto3d.subject.clip.following import Follower
from idto3d.subject.encoders import make_encoder
from idto3d.subject.landmarks import LandmarkReader, Landmarks
from idto3d.words.arkit import ARKIT

CLIP, PREVIEW = "clip", "preview"  # stages
GLB, FILM, TRACK = "clip.glb", "preview.mp4", "track.json"  # files
SHOWN_EVERY = 10  # pictures of the preview
SHORT, SHORT_S = 0.9, 0.5  # share of a clip that is read, and seconds that are not, from which on that is told


def animate(folder: Path, clip: Path, options: AnimateOptions, into: Path) -> Iterator[Event]:
    """Animate the finished head in `folder` by the film `clip` of one face; the files go `into` a new folder.

    They are clip.glb, which plays it, preview.mp4, unless its size is 0, and track.json, the same as numbers. No
    picture of the clip is kept, nor its sound. The last event is Finished. Raises UserError where there is no head, no
    clip that can be read, or no face in it; nothing is left then, nor when the generator is closed.
    """
    options, new = checked_motion(options), not into.exists()
    asset = load_asset(folder)
    _expect_moving(asset)
    film = open_film(clip, options)
    try:
        seen = yield from _followed(film)
        track = yield from _track(seen, film, options)
        neck = neck_of(asset.mesh)
        glb = write_atomic(into / GLB, moving_glb((folder / "head.glb").read_bytes(), neck, track, "clip"))
        write_json(into / TRACK, track.as_json())
        if options.size:
            yield from _preview(
                Stage(asset, neck), track, options.size, into / FILM, notes_of(asset.provenance)["Software"]
            )
    except BaseException:
        for path in (into,) if new else (into / GLB, into / TRACK, into / FILM):
            remove(path)
        raise
    yield Finished(into, glb)


def _expect_moving(asset: Asset) -> None:
    """Raise UserError for a head that nothing could move."""
    if not set(asset.mesh.names) & set(ARKIT):
        raise UserError("This head has no expressions.", "Export it with export.only=all first.")


def _followed(film: Film) -> Generator[Event, None, list[Landmarks | None]]:
    """The landmarks in each picture of the clip, None where there is no face."""
    follower = Follower(LandmarkReader(EMBEDDED / LANDMARKS_FILE), lambda: make_encoder("dlib"), film.fps)
    seen: list[Landmarks | None] = []
    yield StageStarted(CLIP, film.frames)
    for pixels in film.pictures():
        seen.append(follower.read(pixels))
        yield StepDone(CLIP, min(len(seen), film.frames), film.frames)
    if not any(seen):
        what = f"No face was seen in '{shown(film.path.name)}'."
        raise UserError(what, "Film one face from the front, upright and well lit.")
    yield from map(Notice, _remarks(film, len(seen) / film.fps, follower.others))
    return seen


def _remarks(film: Film, read_s: float, others: int) -> Iterator[str]:
    """What is to be said of a clip of which so many seconds were read, with so many faces beside the largest."""
    if read_s < min(SHORT * film.seconds, film.seconds - SHORT_S):
        yield f"Only {read_s:.1f} of {film.seconds:.1f} seconds could be read; the rest of the clip is damaged."
    if others:
        yield f"{others + 1} faces were seen: the largest drives the head."


def _track(seen: Sequence[Landmarks | None], film: Film, options: AnimateOptions) -> Generator[Event, None, Track]:
    """How the head is to move; where no face was seen is said."""
    template = load_template(EMBEDDED / TEMPLATE_FILE)
    model = load_landmark_model(EMBEDDED / LANDMARK_MODEL_FILE)
    track = track_of(seen, film.fps, template, model, options)
    if not track.seen.all():
        yield Notice(_lost(track))
    return track


def _lost(track: Track) -> str:
    gone = np.flatnonzero(~track.seen)
    first, last = gone[0] / track.fps, (gone[-1] + 1) / track.fps
    count = f"{len(gone)} of {len(track.seen)} pictures"
    return f"No face was seen in {count}, between {first:.1f} and {last:.1f} seconds: the head moves on evenly there."


def _preview(stage: Stage, track: Track, size: int, path: Path, notes: str) -> Iterator[Event]:
    """Write the film of the moving head, showing some of its pictures."""
    total, latest = len(track.weights), []

    def pictures() -> Iterator[np.ndarray]:
        for picture in stage.film(track, size):
            latest[:] = [picture]
            yield picture

    yield StageStarted(PREVIEW, total)
    for number in write_video(path, pictures(), notes, track.fps):
        if number % SHOWN_EVERY == 1:
            yield Preview(PREVIEW, "relit", latest[0])
        yield StepDone(PREVIEW, number, total)
