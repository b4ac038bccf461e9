"""Scans as programs write them: their colours and sizes are right, or a sentence says what is not read."""

import io

import numpy as np
import pytest
from foreign_glb import Foreign, rounded
from PIL import Image
from training.scans.scanned import BLUE, RED, two_coloured

from idto3d.errors import UserError
from idto3d.training.scans.mesh import read_mesh
from idto3d.training.scans.surfaces import LINEAR_OF_BYTE, MeshLimits, texels

LIMITS = MeshLimits()
POINTS = np.array([[-0.1, -0.1, 0], [0.1, -0.1, 0], [0.1, 0.1, 0.05], [-0.1, 0.1, 0]], np.float32)
FACES = np.array([0, 1, 2, 0, 2, 3], np.uint8)
LEFT, RIGHT = (np.tile(np.array([[u, 0.5]], np.float32), (4, 1)) for u in (0.25, 0.75))
HALVES = np.array([[BLUE, BLUE, RED, RED]] * 2, np.uint8)  # blue on the left


def colours(mesh) -> np.ndarray:
    weight = np.full((len(mesh.faces), 3), 1 / 3)
    return mesh.colours(np.arange(len(mesh.faces)), weight)


def read(folder, file: Foreign):
    (folder / "scan.glb").write_bytes(file.content())
    return read_mesh(folder / "scan.glb", LIMITS)


def sheet(file: Foreign, uvs: np.ndarray = LEFT, pixels: np.ndarray = HALVES, places: dict | None = None, **more):
    attributes = {"POSITION": file.accessor(POINTS), "TEXCOORD_0": file.accessor(uvs)} | more
    texture = {"index": file.picture(pixels)} | (places or {})
    surface = {"pbrMetallicRoughness": {"baseColorTexture": texture}}
    return file.mesh(attributes, surface, indices=file.accessor(FACES))


def test_what_is_opaque_keeps_its_colours_below_any_alpha(tmp_path):
    clear = np.dstack([HALVES, np.zeros(HALVES.shape[:2], np.uint8)])
    assert np.allclose(colours(read(tmp_path, sheet(Foreign(), pixels=clear))), LINEAR_OF_BYTE[list(BLUE)], atol=0.01)
    scan = two_coloured()
    scan.visual.material.image.putalpha(0)
    scan.export(tmp_path / "a.obj")
    mesh = read_mesh(tmp_path / "a.obj", LIMITS)
    left = mesh.vertices[mesh.faces].mean(1)[:, 0] > 0.03
    assert np.allclose(colours(mesh)[left], LINEAR_OF_BYTE[list(RED)], atol=0.01)


def test_a_texture_is_read_at_the_coordinates_it_names_moved_as_it_says(tmp_path):
    file = Foreign()
    second = sheet(file, LEFT, places={"texCoord": 1}, TEXCOORD_1=file.accessor(RIGHT))
    assert np.allclose(colours(read(tmp_path, second)), LINEAR_OF_BYTE[list(RED)], atol=0.01)
    moved = {"extensions": {"KHR_texture_transform": {"offset": [0.5, 0.0]}}}
    assert np.allclose(colours(read(tmp_path, sheet(Foreign(), places=moved))), LINEAR_OF_BYTE[list(RED)], atol=0.01)
    with pytest.raises(UserError, match="no coordinates for it .TEXCOORD_3"):
        read(tmp_path, sheet(Foreign(), places={"texCoord": 3}))


def test_rounded_numbers_are_as_large_as_they_mean(tmp_path):
    file = Foreign()
    attributes = {
        "POSITION": file.accessor(rounded(POINTS / 0.2, np.int16), normalized=True),
        "COLOR_0": file.accessor(rounded(np.tile([0.25, 0.5, 1.0, 0.0], (4, 1)), np.uint16), normalized=True),
    }
    file.header["extensionsRequired"] = ["KHR_mesh_quantization"]
    told = {"pbrMetallicRoughness": {"baseColorFactor": [1.0, 0.5, 0.5, 1.0]}}
    mesh = read(tmp_path, file.mesh(attributes, told, {"scale": [0.2] * 3}, indices=file.accessor(FACES)))
    assert np.allclose(mesh.vertices, POINTS, atol=1e-5)
    assert np.allclose(mesh.albedo, [0.25, 0.25, 0.5], atol=1e-4)


def test_sparse_values_over_others_and_targets_that_are_on_move_the_vertices(tmp_path):
    file = Foreign()
    over = file.sparse(np.array([2], np.uint8), POINTS[[2]] + 1)
    base = file.accessor(POINTS, bufferView=file.view(POINTS.tobytes()), sparse=over)
    target = {"POSITION": file.accessor(np.ones_like(POINTS))}
    indices = file.accessor(FACES)
    mesh = read(tmp_path, file.mesh({"POSITION": base}, indices=indices, targets=[target], node={"weights": [0.5]}))
    assert np.allclose(mesh.vertices, POINTS + 0.5 + [[0], [0], [1], [0]])


@pytest.mark.parametrize("extension", ["KHR_draco_mesh_compression", "EXT_meshopt_compression", "VENDOR_new"])
def test_what_is_not_understood_is_refused_by_name(tmp_path, extension):
    file = sheet(Foreign())
    file.header["extensionsRequired"] = [extension]
    with pytest.raises(UserError, match=f"needs {extension}"):
        read(tmp_path, file)


def test_a_skeleton_is_refused_by_name(tmp_path):
    file = sheet(Foreign())
    file.header["nodes"][0]["skin"] = 0
    with pytest.raises(UserError, match="a skeleton"):
        read(tmp_path, file)


def test_the_older_glossy_materials_have_their_own_colours(tmp_path):
    file = Foreign()
    file = sheet(file, LEFT)
    surface = file.header["materials"][0].pop("pbrMetallicRoughness")["baseColorTexture"]
    gloss = {"diffuseTexture": surface, "diffuseFactor": [1.0, 1.0, 0.5, 1.0]}
    file.header["materials"][0]["extensions"] = {"KHR_materials_pbrSpecularGlossiness": gloss}
    file.header["extensionsRequired"] = ["KHR_materials_pbrSpecularGlossiness"]
    assert np.allclose(colours(read(tmp_path, file)), LINEAR_OF_BYTE[list(BLUE)] * [1, 1, 0.5], atol=0.01)


@pytest.fixture
def scan(tmp_path):
    """A ball as OBJ with its texture in `Textures/Skin Map.PNG`, and what to write into its MTL file."""
    two_coloured().export(tmp_path / "a.obj")
    (tmp_path / "Textures").mkdir()
    next(tmp_path.glob("*.png")).rename(tmp_path / "Textures" / "Skin Map.PNG")
    library = next(tmp_path.glob("*.mtl"))

    def named(line: str, newmtl: str = ""):
        text = (tmp_path / "a.obj").read_text()
        used = next(one.split(None, 1)[1] for one in text.splitlines() if one.startswith("usemtl"))
        library.write_text(f"newmtl {newmtl or used}\nKd 0.5 0.5 0.5\n{line}\n")
        return read_mesh(tmp_path / "a.obj", LIMITS)

    return named


LINES = (
    "map_Kd Textures/Skin Map.PNG",
    "MAP_KD textures\\skin map.png",
    'map_kd "C:\\Users\\anna\\scans\\Textures\\Skin Map.png"',
    "map_Kd -clamp on -bm 0.5 -s 1 1 1 -o 0 0 0 -mm 0 1 Textures/Skin Map.PNG",
    "map_Kd -o 0.0 -s 1.0 TEXTURES/SKIN MAP.PNG",
    "map_Kd\t-blendu on\t/home/anna/textures/Skin Map.PNG",
)


@pytest.mark.parametrize("line", LINES)
def test_an_obj_keeps_its_colours_however_its_texture_is_spelled(scan, line):
    mesh = scan(line)
    side = mesh.vertices[mesh.faces].mean(1)[:, 0]
    assert mesh.coloured and np.allclose(colours(mesh)[side > 0.03], LINEAR_OF_BYTE[list(RED)], atol=0.01)
    assert np.allclose(colours(mesh)[side < -0.03], LINEAR_OF_BYTE[list(BLUE)], atol=0.01)


def test_the_scale_and_offset_of_a_map_move_it(scan):
    mesh = scan("map_Kd -o 0.25 0 -s 0.5 1 Textures/Skin Map.PNG")  # 0.2 -> 0.35, 0.8 -> 0.65
    assert np.isclose(np.unique(mesh.uv[:, 0]), [0.35, 0.65], atol=1e-5).all()
    with pytest.raises(UserError, match="the option -mm"):
        scan("map_Kd -mm 0.5 2 Textures/Skin Map.PNG")


def test_names_of_materials_and_files_in_another_letter_case_are_the_same(scan, tmp_path):
    next(tmp_path.glob("*.mtl")).rename(tmp_path / "MATERIAL.MTL")
    text = (tmp_path / "a.obj").read_text()
    lines = ["mtllib .\\material.mtl" if one.startswith("mtllib") else one for one in text.splitlines()]
    (tmp_path / "a.obj").write_text("\n".join("usemtl SKIN" if one.startswith("usemtl") else one for one in lines))
    (tmp_path / "MATERIAL.MTL").write_text("newmtl skin\nmap_Kd Textures/Skin Map.PNG\n")
    assert read_mesh(tmp_path / "a.obj", LIMITS).textures


def test_a_texture_or_a_material_that_is_not_there_is_named_and_no_colour(scan):
    mesh = scan("map_Kd lost.png")
    assert mesh.missing == ("lost.png",) and not mesh.coloured
    assert scan("map_Kd Textures/Skin Map.PNG", newmtl="another").missing


def test_colours_of_vertices_are_seen_below_a_material_without_a_texture(tmp_path):
    rows = [f"v {x} {y} {z} 0.8 0.2 {0.1 * i}" for i, (x, y, z) in enumerate(POINTS.tolist())]
    faces = ["vt 0 0", "vt 1 1", "usemtl plain", "f 1/1 2/2 3/1", "f 1/1 3/1 4/2"]
    (tmp_path / "a.obj").write_text("\n".join(["mtllib a.mtl", *rows, *faces]) + "\n")
    for text in ("newmtl plain\nKd 0.7 0.7 0.7\n", None):
        (tmp_path / "a.mtl").write_text(text) if text else (tmp_path / "a.mtl").unlink()
        mesh = read_mesh(tmp_path / "a.obj", LIMITS)
        assert mesh.coloured and np.allclose(mesh.albedo[:, 0], LINEAR_OF_BYTE[204], atol=0.01)


def test_a_ply_finds_its_texture_and_a_glb_its_own_outside_pictures(tmp_path):
    Image.fromarray(HALVES).save(tmp_path / "Skin.PNG")
    file = sheet(Foreign())
    file.header["images"] = [{"uri": "skin.png"}]
    assert np.allclose(colours(read(tmp_path, file)), LINEAR_OF_BYTE[list(BLUE)], atol=0.01)
    file.header["images"] = [{"uri": "../skin%20other.png"}]
    assert read(tmp_path, file).missing == ("../skin%20other.png",)


def test_a_texture_whose_description_names_too_much_is_refused(monkeypatch):
    from idto3d.subject.costs import descriptions

    facts, file = Image.Exif(), io.BytesIO()
    facts[0x010E] = "a" * 400
    Image.new("RGB", (4, 4)).save(file, "PNG", exif=facts)
    assert texels(file.getvalue(), "a.obj", MeshLimits()).shape == (4, 4, 3)
    monkeypatch.setattr(descriptions, "SPARE", 0)
    monkeypatch.setattr(descriptions, "MOST_COPIES", 0)
    with pytest.raises(UserError, match="description inside 'texture of a.obj'"):
        texels(file.getvalue(), "a.obj", MeshLimits())
