import errno
import subprocess
from dataclasses import replace
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from idto3d.config import ExportOptions
from idto3d.events import Preview, StageStarted, StepDone
from idto3d.export.asset import write_asset
from idto3d.export.gltf.load import load_asset
from idto3d.export.gltf.mesh import SMALLEST_MOVE_M, posed
from idto3d.export.gltf.provenance import Provenance
from idto3d.export.stills import contact_sheet
from idto3d.export.video import write_video
from idto3d.head.parts import Head

OPTIONS = ExportOptions(faces=500, texture_size=64, turntable_frames=4, render_size=32, expression_files=True)


def finished(generator):
    """All events of a generator and what it returned."""
    events = []
    while True:
        try:
            events.append(next(generator))
        except StopIteration as stop:
            return events, stop.value


@pytest.fixture(scope="module")
def run(head, sample, tmp_path_factory):
    folder = tmp_path_factory.mktemp("asset") / "run"
    return finished(write_asset(head, sample, folder, OPTIONS, Provenance(seed=1, weights="embedded")))


def test_an_artist_gets_every_file(run):
    folder = run[1].parent
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert names == {
        "head.glb",
        "textures/skin_albedo.png",
        "textures/skin_metallic_roughness.png",
        "textures/skin_normal.png",
        "renders/front.png",
        "renders/left.png",
        "renders/back.png",
        "renders/right.png",
        "renders/turntable.mp4",
        "expressions/contact_sheet.png",
        "expressions/neutral.glb",
        "expressions/mouthStretch.glb",
        "expressions/browRaised.glb",
    }


def test_every_announced_step_is_reported_once_and_in_order(run):
    events, _ = run
    assert isinstance(events[0], StageStarted)
    steps = [event.step for event in events if isinstance(event, StepDone)]
    assert steps == list(range(1, events[0].steps + 1))
    assert {event.kind for event in events if isinstance(event, Preview)} == {"albedo", "sheet"}


def test_the_head_opens_its_mouth_as_far_as_the_dense_one(run, head):
    mesh = load_asset(run[1].parent).mesh
    dense = -head.parts[0].displacements[1, :, 1].min().item()
    assert dense > 0.012
    (opened,) = posed(mesh, {"mouth stretch": 1.0})
    assert (mesh.parts[0].positions - opened.positions)[:, 1].max() == pytest.approx(dense, rel=0.1)


def test_the_head_faces_plus_z_in_metres(run):
    positions = load_asset(run[1].parent).mesh.parts[0].positions
    nose = positions[positions[:, 2].argmax()]
    assert nose[2] == pytest.approx(0.114, abs=0.003) and abs(nose[0]) < 0.01
    assert np.ptp(positions[:, 1]) == pytest.approx(0.24, abs=0.005)


def test_each_expression_file_has_its_own_shape_and_colours(run, tmp_path):
    folder = run[1].parent
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "head.glb").write_bytes((folder / "expressions" / "browRaised.glb").read_bytes())
    one, whole = load_asset(tmp_path / "one"), load_asset(folder)
    np.testing.assert_allclose(
        one.mesh.parts[0].positions, posed(whole.mesh, {"brow raised": 1.0})[0].positions, atol=SMALLEST_MOVE_M
    )
    assert whole.textures["skin"].albedo[..., 2].mean() < 20 and one.textures["skin"].albedo[..., 2].mean() > 150


def test_textures_beside_the_head_are_those_inside_it(run):
    inside = load_asset(run[1].parent).textures["skin"]
    for name in ("metallic_roughness", "normal"):
        outside = np.asarray(Image.open(run[1].parent / "textures" / f"skin_{name}.png"))
        np.testing.assert_array_equal(outside, getattr(inside, name))
    albedo = np.asarray(Image.open(run[1].parent / "textures" / "skin_albedo.png")).astype(int)
    assert np.abs(albedo - inside.albedo).mean() < 6


def test_pictures_and_video_say_that_a_machine_made_them(run):
    folder = run[1].parent
    for path in folder.rglob("*.png"):
        notes = Image.open(path).text
        assert notes["ai_generated"] == "true" and notes["weights"] == "embedded"
        assert "trainedAlgorithmicMedia" in notes["XML:com.adobe.xmp"]
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    said = subprocess.run([ffmpeg, "-i", folder / "renders" / "turntable.mp4"], capture_output=True, text=True).stderr
    assert "ai_generated=true" in said


def test_cancelling_leaves_only_whole_files(head, sample, tmp_path):
    options = replace(OPTIONS, faces=100, texture_size=16, turntable_frames=2)
    total = len(finished(write_asset(head, sample, tmp_path / "all", options, Provenance()))[0])
    for stop in range(1, total, 3):
        generator = write_asset(head, sample, tmp_path / str(stop), options, Provenance())
        for _ in range(stop):
            next(generator)
        generator.close()
        assert not [path for path in (tmp_path / str(stop)).rglob(".*")]


def test_a_head_without_a_neutral_expression_is_refused(head, sample, tmp_path):
    odd = replace(head, expressions=("smile", "grin", "anger"))
    with pytest.raises(ValueError, match="neutral"):
        finished(write_asset(odd, sample, tmp_path, OPTIONS, Provenance()))


def test_a_head_with_one_expression_and_no_turntable_is_written_too(head, sample, tmp_path):
    (part,) = head.parts
    alone = Head(("neutral",), (replace(part, displacements=part.displacements[:1]),))
    options = ExportOptions(faces=500, texture_size=64, turntable_frames=0)
    events, glb = finished(write_asset(alone, sample, tmp_path, options, Provenance()))
    assert load_asset(glb.parent).mesh.names == ()
    assert [event for event in events if isinstance(event, StepDone)][-1].step == events[0].steps


def test_the_contact_sheet_sets_expressions_in_a_grid():
    pictures = [np.full((24, 32, 3), shade, np.uint8) for shade in (10, 20, 30, 40, 50)]
    sheet = contact_sheet(pictures, ["a", "b", "c", "d", "e"])
    assert sheet.shape == (2 * (24 + 14), 3 * 32, 3)
    assert [sheet[0, column, 0] for column in (0, 32, 64)] == [10, 20, 30]
    assert (sheet[24:38, :32] < 100).any()


def test_a_video_of_odd_size_is_written_and_a_failing_one_leaves_nothing(tmp_path):
    frames = [np.full((25, 33, 3), shade, np.uint8) for shade in (0, 128, 255)]
    assert list(write_video(tmp_path / "a.mp4", iter(frames), "test")) == [1, 2, 3]
    assert imageio_ffmpeg.count_frames_and_secs(str(tmp_path / "a.mp4"))[0] == 3

    def broken():
        yield frames[0]
        raise RuntimeError("the renderer failed")

    with pytest.raises(RuntimeError):
        list(write_video(tmp_path / "b.mp4", broken(), "test"))
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no disk that is always full")
def test_a_video_that_the_disk_does_not_hold_is_refused_and_leaves_nothing(tmp_path):
    (tmp_path / ".a.part.mp4").symlink_to("/dev/full")
    noise, given = np.random.default_rng(0), []

    def pictures():
        for number in range(2000):
            given.append(number)
            yield noise.integers(0, 255, (64, 64, 3)).astype(np.uint8)

    with pytest.raises(OSError) as told:
        list(write_video(tmp_path / "a.mp4", pictures(), "test"))
    assert told.value.errno == errno.ENOSPC and not list(tmp_path.iterdir())
    assert len(given) < 2000, "nothing is drawn for an encoder that has ended"


def test_a_video_is_a_file_also_where_its_name_is_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = Path("http://127.0.0.1:9/a.mp4")
    assert list(write_video(path, iter([np.zeros((8, 8, 3), np.uint8)]), "test")) == [1]
    assert (tmp_path / "http:" / "127.0.0.1:9" / "a.mp4").is_file()


def test_a_video_has_pictures_of_two_pixels_at_least(tmp_path):
    for frames in ([], [np.zeros((1, 9, 3), np.uint8)]):
        with pytest.raises(ValueError, match="at least"):
            list(write_video(tmp_path / "a.mp4", iter(frames), "test"))
    assert not list(tmp_path.iterdir())
