"""A clip of a face drives a head from beginning to end, and leaves nothing of itself."""

import json
import re
import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from idto3d import cli
from idto3d.animation import animate
from idto3d.config import AnimateOptions, ExportOptions
from idto3d.errors import UserError
from idto3d.events import Finished, Notice, Preview, StageStarted, StepDone, exhausted
from idto3d.export.asset import write_asset
from idto3d.export.gltf.provenance import Provenance
from idto3d.export.gltf.reading import open_glb
from idto3d.export.video import write_video
from idto3d.subject.clip.film import open_film

FACE = Path(__file__).parents[1] / "subject" / "renders" / "front.webp"
JPEG = b"\xff\xd8\xff"  # how pictures of an MJPEG film begin
QUICK = AnimateOptions(size=32)
SHIFTS = (0, 4, 8, None, 8, 4)  # pixels to the right in each picture; None: nobody is there


@pytest.fixture
def folder(tmp_path, portrait, sample):
    """The folder of a portrait's asset."""
    options = ExportOptions(faces=2000, texture_size=64, render_size=32)
    exhausted(write_asset(portrait, sample, tmp_path / "head", options, Provenance(), pictures=()))
    return tmp_path / "head"


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Six pictures of a face, of which one is empty."""
    face = np.array(Image.open(FACE).convert("RGB"))
    path = tmp_path_factory.mktemp("clips") / "somebody.mp4"
    pictures = (np.full_like(face, 90) if by is None else np.roll(face, by, 1) for by in SHIFTS)
    for _ in write_video(path, pictures, "test", 25):
        pass
    return path


def test_a_clip_becomes_a_moving_head_and_nothing_of_it_is_kept(folder, clip, tmp_path):
    into, before = tmp_path / "moving", {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    events = list(animate(folder, clip, QUICK, into))
    assert sorted(path.name for path in into.rglob("*")) == ["clip.glb", "preview.mp4", "track.json"]
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before, "the head stays"
    assert isinstance(events[-1], Finished) and events[-1].glb == into / "clip.glb"
    assert [event.stage for event in events if isinstance(event, StageStarted)] == ["clip", "preview"]
    assert all(event.step <= event.steps for event in events if isinstance(event, StepDone))
    assert {event.image.shape for event in events if isinstance(event, Preview)} == {(32, 32, 3)}, "the head alone"
    (lost,) = [event.text for event in events if isinstance(event, Notice)]
    assert "1 of 6 pictures" in lost and "0.1" in lost
    track = json.loads((into / "track.json").read_text())
    assert track["fps"] == 25 and len(track["weights"]) == 6 and track["seen"].count(False) == 1
    shown = open_film(into / "preview.mp4", AnimateOptions())
    assert (shown.width, shown.height) == (32, 32) and len(list(shown.pictures())) == 6
    times = open_glb((into / "clip.glb").read_bytes(), "clip.glb").all("animations")[0]["samplers"][0]["input"]
    assert open_glb((into / "clip.glb").read_bytes(), "clip.glb").one("accessors", times)["count"] == 6


def test_who_stops_it_leaves_nothing(folder, clip, tmp_path):
    into = tmp_path / "moving"
    for stage in ("clip", "preview"):
        events = animate(folder, clip, QUICK, into)
        next(event for event in events if isinstance(event, StepDone) and event.stage == stage)
        events.close()
        assert not into.exists()
    into.mkdir()
    (into / "mine.txt").write_text("kept")
    events = animate(folder, clip, QUICK, into)
    next(event for event in events if isinstance(event, StepDone) and event.stage == "preview")
    events.close()
    assert [path.name for path in into.iterdir()] == ["mine.txt"], "of a folder that was there only what is ours goes"


def test_how_much_of_a_damaged_clip_was_read_is_told(folder, tmp_path):
    face, clip = np.array(Image.open(FACE).convert("RGB").resize((160, 160))), tmp_path / "damaged.avi"
    given = ["-f", "rawvideo", "-s", "160x160", "-pix_fmt", "rgb24", "-r", "10", "-i", "pipe:0"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *given, "-c:v", "mjpeg", clip]
    subprocess.run(command, input=np.stack([face] * 20).tobytes(), check=True)
    head, *pictures = clip.read_bytes().split(JPEG)
    ruined = b"".join(bytes(len(JPEG) + len(one) - 200) + one[-200:] for one in pictures[5:])  # but what comes between
    clip.write_bytes(JPEG.join([head, *pictures[:5]]) + ruined)
    events = list(animate(folder, clip, AnimateOptions(size=0), tmp_path / "moving"))
    (told,) = [event.text for event in events if isinstance(event, Notice)]
    assert re.fullmatch(r"Only 0.5 of 2\.\d seconds could be read; the rest of the clip is damaged\.", told)


def test_a_clip_without_a_face_and_a_folder_without_a_head_are_refused(folder, clip, tmp_path):
    empty = tmp_path / "empty.mp4"
    for _ in write_video(empty, (np.full((64, 64, 3), 90, np.uint8) for _ in range(6)), "test", 25):
        pass
    into = tmp_path / "moving"
    with pytest.raises(UserError, match="No face was seen in 'empty.mp4'"):
        list(animate(folder, empty, QUICK, into))
    with pytest.raises(UserError, match="no head.glb"):
        list(animate(tmp_path / "nothing", clip, QUICK, into))
    assert not into.exists()


def test_a_head_without_expressions_is_refused(portrait, sample, clip, tmp_path):
    options = ExportOptions(faces=2000, texture_size=64, render_size=32, only="neutral")
    exhausted(write_asset(portrait, sample, tmp_path / "head", options, Provenance(), pictures=()))
    with pytest.raises(UserError, match="This head has no expressions"):
        list(animate(tmp_path / "head", clip, QUICK, tmp_path / "moving"))


def test_the_command_line_animates_and_says_what_is_wrong(folder, clip, tmp_path, capsys):
    assert cli.main(["animate", str(folder), str(clip), "--size", "0", "--strength", "1.5"]) == 0
    made = folder / "animations" / "somebody"
    assert capsys.readouterr().out.strip() == str(made / "clip.glb")
    assert sorted(path.name for path in made.iterdir()) == ["clip.glb", "track.json"]
    faults = {
        "There is no finished head": [str(tmp_path), str(clip)],
        "There is no clip": [str(folder), str(tmp_path / "none.mp4")],
        "strength cannot be 9": [str(folder), str(clip), "--strength", "9"],
        "is there already": [str(folder), str(clip), "--out", str(made)],
        "longest": [str(folder), str(clip), "--max-seconds", "0.1"],
    }
    faults["lasts 0.2 seconds"] = faults.pop("longest")
    for what, words in faults.items():
        assert cli.main(["animate", *words]) == 2, what
        assert what in capsys.readouterr().err
