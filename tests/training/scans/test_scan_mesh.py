"""Reading scanned meshes: colours, places, tables, and what is refused."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import trimesh
from PIL import Image
from training.scans.scanned import (
    BLUE,
    RED,
    BlindEncoder,
    GreenEncoder,
    ball,
    glb_of,
    png_header,
    two_coloured,
    with_eyes,
)

from idto3d.errors import UserError
from idto3d.training.scans.mesh import read_mesh, sample
from idto3d.training.scans.pose import EYES_MIDPOINT, axes, find_eyes, find_pose
from idto3d.training.scans.surfaces import LINEAR_OF_BYTE, MeshLimits
from idto3d.training.scans.table import expression_index, read_attributes, read_neutrals
from idto3d.words.captions import described

LIMITS = MeshLimits()


def corner_colours(mesh) -> np.ndarray:
    """[F, 3] linear colours near the first corner of every face."""
    weight = np.broadcast_to(np.array([0.98, 0.01, 0.01]), (len(mesh.faces), 3))
    return mesh.colours(np.arange(len(mesh.faces)), weight)


@pytest.mark.parametrize("ending", ["obj", "glb"])
def test_textures_colour_the_side_they_belong_to(tmp_path, ending):
    two_coloured().export(tmp_path / f"a.{ending}")
    mesh = read_mesh(tmp_path / f"a.{ending}", LIMITS)
    first = mesh.vertices[mesh.faces[:, 0], 0]
    colours = corner_colours(mesh)
    assert mesh.coloured and np.allclose(colours[first > 0.03], LINEAR_OF_BYTE[list(RED)], atol=0.01)
    assert np.allclose(colours[first < -0.03], LINEAR_OF_BYTE[list(BLUE)], atol=0.01)


def test_vertex_colours_are_srgb_in_ply_and_linear_in_glb(tmp_path):
    vertices, faces = ball()
    colours = np.full((len(vertices), 3), 128, np.uint8)
    colours[0] = 255
    scan = trimesh.Trimesh(vertices, faces, process=False, vertex_colors=colours)
    for ending, expected in (("ply", LINEAR_OF_BYTE[128]), ("glb", 128 / 255)):
        scan.export(tmp_path / f"a.{ending}")
        assert np.median(read_mesh(tmp_path / f"a.{ending}", LIMITS).albedo) == pytest.approx(expected, abs=1e-3)


def test_a_seam_in_the_texture_is_no_edge_of_the_surface(tmp_path):
    scan = two_coloured()
    scan.unmerge_vertices()  # every face has corners of its own, as after any unwrapping
    scan.export(tmp_path / "a.glb")
    mesh = read_mesh(tmp_path / "a.glb", LIMITS)
    outward = (mesh.vertices - [0, -0.01, 0.01]) / np.array([0.1, 0.18, 0.12]) ** 2
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    assert (mesh.normals * outward).sum(1).min() > 0.98


def test_a_texture_is_read_between_its_texels_and_shrunk_to_what_a_picture_shows(tmp_path):
    image = np.zeros((2, 2, 3), np.uint8)
    image[0] = 255  # the upper row, v = 0.75
    uv = np.array([[0.25, 0.75], [0.25, 0.25], [0.25, 0.5]])
    assert np.allclose(sample(image, uv)[:, 0], [1, 0, 0.5])
    two_coloured().export(tmp_path / "a.obj")
    mesh = read_mesh(tmp_path / "a.obj", LIMITS)
    mesh = replace(mesh, textures=(np.zeros((2048, 2048, 3), np.uint8),), uv=mesh.vertices[:, :2] * 2)
    assert mesh.for_pixels(256).textures[0].shape[0] in range(400, 1025)


def test_hostile_and_broken_meshes_are_refused_in_words(tmp_path):
    def refused(name: str, what: str, limits: MeshLimits = LIMITS) -> None:
        with pytest.raises(UserError, match=what):
            read_mesh(tmp_path / name, limits)

    (tmp_path / "cut.ply").write_bytes(b"ply\nformat binary_little_endian 1.0\nelement vertex 99999\nend_header\n")
    (tmp_path / "claims.glb").write_bytes(glb_of({"accessors": [{"count": 10**12}]}))
    (tmp_path / "points.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\n")
    (tmp_path / "wild.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 nan 0\nf 1 2 3\n")
    two_coloured().export(tmp_path / "ball.glb")
    refused("missing.obj", "cannot be read as a mesh")
    refused("cut.ply", "cannot be read as a mesh|holds no triangles")
    refused("claims.glb", "claims 1000000000000 vertices")
    refused("points.obj", "cannot be read as a mesh|holds no triangles")
    refused("wild.obj", "no points in space")
    refused("ball.glb", "larger than", MeshLimits(megabytes=0.001))
    refused("ball.glb", "1280 triangles, more than 1000", MeshLimits(faces=1000))


def test_a_texture_too_large_or_from_elsewhere_is_not_opened(tmp_path):
    (tmp_path / "inner").mkdir()
    two_coloured().export(tmp_path / "inner" / "a.obj")
    picture = next((tmp_path / "inner").glob("*.png"))
    material = next((tmp_path / "inner").glob("*.mtl"))
    Image.new("RGB", (4, 4), "red").save(tmp_path / "outside.png")
    material.write_text(material.read_text().replace(picture.name, "../outside.png"))
    assert not read_mesh(tmp_path / "inner" / "a.obj", LIMITS).textures
    material.write_text(material.read_text().replace("../outside.png", picture.name))
    picture.write_bytes(png_header(13000, 13000))
    with pytest.raises(UserError, match="169 megapixels"):
        read_mesh(tmp_path / "inner" / "a.obj", LIMITS)


def test_eyes_are_levelled_and_put_where_ours_are(tmp_path):
    with_eyes(12.0).export(tmp_path / "a.ply")
    mesh = read_mesh(tmp_path / "a.ply", LIMITS)
    pose = find_pose(mesh, axes("y", "z"), 1.0, GreenEncoder(), None)
    placed = replace(
        mesh, vertices=pose.place(mesh.vertices).astype(np.float32), normals=mesh.normals @ pose.rotation.T
    )
    right, left = find_eyes(placed, GreenEncoder())
    assert pose.seen and abs(left[1] - right[1]) < 0.003 and left[0] > right[0]
    assert np.allclose((right + left) / 2, EYES_MIDPOINT, atol=0.004)
    with pytest.raises(UserError, match="mm apart.*--scale auto"):
        find_pose(mesh, axes("y", "z"), 0.01, GreenEncoder(), None)
    assert find_pose(mesh, axes("y", "z"), None, BlindEncoder(), pose) is pose
    assert find_pose(mesh, axes("y", "z"), None, GreenEncoder(), pose) is pose
    elsewhere = replace(mesh, vertices=mesh.vertices + np.array([0, 0.1, 0], np.float32))
    moved = find_pose(elsewhere, axes("y", "z"), None, GreenEncoder(), pose)
    assert moved is not pose and np.allclose(moved.place(elsewhere.vertices), pose.place(mesh.vertices), atol=0.002)


def test_a_small_tilt_is_within_the_detectors_error_and_stays(tmp_path):
    with_eyes(2.0).export(tmp_path / "a.ply")
    pose = find_pose(read_mesh(tmp_path / "a.ply", LIMITS), axes("y", "z"), None, GreenEncoder(), None)
    assert np.array_equal(pose.rotation, np.eye(3)) and 0.8 < pose.scale < 1.25


def test_axes_turn_the_file_to_ours_without_mirroring():
    turn = axes("z", "-y")
    assert np.array_equal(turn @ [0, 0, 1], [0, 1, 0]) and np.array_equal(turn @ [0, -1, 0], [0, 0, 1])
    assert np.linalg.det(turn) == pytest.approx(1)
    with pytest.raises(UserError, match="different axes"):
        axes("y", "-y")


def test_expressions_are_known_by_near_words():
    assert expression_index("neutral") == expression_index("1_neutral") == expression_index("Relaxed") == 0
    assert expression_index("18_eye_closed") == expression_index("eyes closed") == 6
    assert expression_index("lip puckerer") is None and expression_index("007") is None


def test_tables_with_odd_columns_or_cells_are_refused(tmp_path):
    path = tmp_path / "t.csv"
    for text, what in (
        ("name,age\nanna,young\n", "columns"),
        ("subject,mood\nanna,glad\n", "columns"),
        ("", "columns"),
        ("subject,age\n,young\n", "line 2 names no subject"),
        ("subject,shows\nanna,smile\n", "not which scan"),
        ("subject,age\nanna," + "very " * 9 + "\n", "9 words for age"),
    ):
        path.write_text(text)
        with pytest.raises(UserError, match=what):
            read_attributes(path)
    with pytest.raises(UserError, match="cannot be read"):
        read_attributes(tmp_path / "missing.csv")
    path.write_text("[1, 2]")
    with pytest.raises(UserError, match="neutrals_closed.json"):
        read_neutrals(path)


def test_people_are_described_by_what_is_known():
    synthetic = {"skin": "pale", "hair_style": "curly", "hair_colour": "green", "beard": "stubble", "melanin": 0.1}
    assert described(synthetic) == "person with pale skin and curly green hair and stubble"
    assert described(synthetic | {"hair_style": "bald"}, ("hair",)) == "person with bald head"
    assert described({}) == "person" and described({"age": "old"}) == "old person"
    scanned = {"age": "young", "ancestry": "african", "gender": "male", "hair_colour": "black"}
    assert described(scanned) == "young african male with black hair"
    assert described(scanned, ("ancestry", "hair")) == "african person with black hair"


def test_an_error_keeps_its_words_between_processes():
    error = pickle.loads(pickle.dumps(UserError("A thing is wrong.", "Mend it.")))
    assert (error.what, error.remedy, str(error)) == ("A thing is wrong.", "Mend it.", "A thing is wrong. Mend it.")
