"""What `export` writes beside head.glb where it is asked to, and what becomes of it when it no longer is."""

import sys
from dataclasses import replace

import numpy as np
import pygltflib
import pytest
from PIL import Image

from idto3d.config import ExportOptions
from idto3d.errors import UserError
from idto3d.events import StageStarted, StepDone
from idto3d.export.asset import write_asset
from idto3d.export.gltf.load import load_asset
from idto3d.export.gltf.provenance import Provenance
from idto3d.export.requested import outdated
from idto3d.head.parts import Head

PLAIN = ExportOptions(texture_size=32, render_size=32)
EVERYTHING = replace(
    PLAIN, lods=True, clip=True, expression_files=True, turntable_frames=2, formats=("glb", "obj", "usdz")
)
ON_REQUEST = {
    *("head_lod1.glb", "head_lod2.glb", "head.obj", "head.mtl", "head.usdz", "renders/turntable.mp4"),
    *(f"expressions/{name}.glb" for name in ("clip", "neutral", "mouthStretch", "jawOpen")),
}
GREYS = {f"textures/{name}_roughness.png" for name in ("skin", "eyes", "hair")} | {"textures/hair_opacity.png"}


@pytest.fixture
def write(portrait, painted, tmp_path):
    def written(options, name="run"):
        folder = tmp_path / name
        written.events = list(write_asset(portrait, None, folder, options, Provenance(seed=1), painted))
        return folder

    return written


@pytest.fixture(scope="module")
def everything(portrait, painted, tmp_path_factory):
    """A folder with all that can be asked for; it is only read."""
    folder = tmp_path_factory.mktemp("everything") / "run"
    list(write_asset(portrait, None, folder, EVERYTHING, Provenance(seed=1), painted))
    return folder


def names_in(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def moved_into(folder, path):
    """The asset in a GLB of any name, read back."""
    folder.mkdir(exist_ok=True)
    (folder / "head.glb").write_bytes(path.read_bytes())
    return load_asset(folder)


def test_nothing_is_written_that_was_not_asked_for(write, everything):
    plain = names_in(write(PLAIN))
    assert not plain & ON_REQUEST
    assert names_in(everything) - plain == ON_REQUEST | GREYS


def expect_every_step(events):
    (started,) = (event for event in events if isinstance(event, StageStarted))
    assert [event.step for event in events if isinstance(event, StepDone)] == list(range(1, started.steps + 1))


@pytest.mark.parametrize("options", [PLAIN, replace(PLAIN, only="neutral", lods=True)])
def test_every_step_is_announced(write, options):
    write(options)
    expect_every_step(write.events)


def test_the_same_head_gives_the_same_bytes_and_announces_each_of_many_files(write, everything):
    other = write(EVERYTHING, "other")
    expect_every_step(write.events)
    for name in sorted(names_in(everything)):
        assert (everything / name).read_bytes() == (other / name).read_bytes(), name


def test_levels_of_detail_are_other_triangles_over_the_same_vertices_and_targets(everything, tmp_path, issues):
    folder = everything
    whole = load_asset(folder).mesh
    total = sum(len(part.faces) for part in whole.parts)
    for name, share in (("head_lod1.glb", 0.5), ("head_lod2.glb", 0.25)):
        coarse = moved_into(tmp_path / "lod", folder / name).mesh
        assert coarse.names == whole.names
        assert sum(len(part.faces) for part in coarse.parts) == pytest.approx(share * total, abs=2)
        for fine, less in zip(whole.parts, coarse.parts, strict=True):
            for values in ("positions", "normals", "uvs", "displacements", "normal_displacements", "pivot"):
                np.testing.assert_array_equal(getattr(fine, values), getattr(less, values))
        assert issues(folder / name) == []


def test_the_clip_has_the_head_with_its_targets_and_starts_at_rest(everything, tmp_path, issues):
    folder = everything
    document = pygltflib.GLTF2.load_binary(str(folder / "expressions" / "clip.glb"))
    assert [animation.name for animation in document.animations] == ["expressions"]
    assert [channel.target.node for channel in document.animations[0].channels] == [0, 1, 2]
    clip, head = moved_into(tmp_path / "clip", folder / "expressions" / "clip.glb").mesh, load_asset(folder).mesh
    np.testing.assert_array_equal(clip.parts[0].displacements, head.parts[0].displacements)
    assert not pygltflib.GLTF2.load_binary(str(folder / "head.glb")).animations
    assert issues(folder / "expressions" / "clip.glb") == []


def test_dense_targets_load_as_sparse_ones_do(write):
    sparse, dense = (load_asset(write(replace(PLAIN, morphs=kind), kind)).mesh for kind in ("sparse", "dense"))
    for one, other in zip(sparse.parts, dense.parts, strict=True):
        np.testing.assert_array_equal(one.displacements, other.displacements)
        np.testing.assert_array_equal(one.normal_displacements, other.normal_displacements)
    document = pygltflib.GLTF2.load_binary(str(write(PLAIN).parent / "dense" / "head.glb"))
    assert not any(accessor.sparse for accessor in document.accessors)


def obj_of(folder):
    """Vertices, uvs, normals and faces by group of head.obj, and the material of each group."""
    values, groups, materials, group = {"v": [], "vt": [], "vn": []}, {}, {}, None
    for line in (folder / "head.obj").read_text().splitlines():
        kind, *words = line.split()
        if kind in values:
            values[kind].append([float(word) for word in words])
        elif kind == "g":
            groups[group := words[0]] = []
        elif kind == "usemtl":
            materials[group] = words[0]
        elif kind == "f":
            groups[group].append([[int(number) for number in word.split("/")] for word in words])
    return {kind: np.array(rows) for kind, rows in values.items()}, groups, materials


def test_an_obj_opens_with_its_parts_and_textures(everything):
    folder = everything
    values, groups, materials = obj_of(folder)
    mesh = load_asset(folder).mesh
    assert materials == {"skin": "skin", "eye_left": "eyes", "hair": "hair"}
    assert [len(groups[part.name]) for part in mesh.parts] == [len(part.faces) for part in mesh.parts]
    eye, faces = mesh.parts[1], np.array(groups["eye_left"])
    at = values["v"][faces[..., 0] - 1]
    np.testing.assert_allclose(at, (eye.positions + eye.pivot)[eye.faces], atol=1e-6)
    np.testing.assert_allclose(values["vt"][faces[..., 1] - 1], eye.uvs[eye.faces] * [1, -1] + [0, 1], atol=1e-6)
    np.testing.assert_allclose(values["vn"][faces[..., 2] - 1], eye.normals[eye.faces], atol=1e-5)
    words = (folder / "head.mtl").read_text().split()
    named = [word for word in words if word.endswith(".png")]
    assert len(named) == 8 and all((folder / name).is_file() for name in named)
    opacity = np.asarray(Image.open(folder / "textures" / "hair_opacity.png"))
    assert opacity.ndim == 2 and opacity[8, 3] == 255 and opacity[8, 24] == 0


def test_a_usdz_opens_with_its_parts_expressions_and_textures(everything):
    usd = pytest.importorskip("pxr.Usd")
    from pxr import UsdGeom, UsdShade, UsdSkel

    folder = everything
    stage, mesh = usd.Stage.Open(str(folder / "head.usdz")), load_asset(folder).mesh
    assert stage.GetDefaultPrim().GetName() == "head" and UsdGeom.GetStageUpAxis(stage) == "Y"
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1.0
    assert stage.GetRootLayer().customLayerData["ai_generated"]
    for part in mesh.parts:
        drawn = UsdGeom.Mesh.Get(stage, f"/head/{part.name}")
        assert len(drawn.GetPointsAttr().Get()) == len(part.positions)
        assert len(drawn.GetFaceVertexIndicesAttr().Get()) == 3 * len(part.faces)
        place = drawn.GetLocalTransformation().ExtractTranslation()
        np.testing.assert_allclose(place, part.pivot, atol=1e-6)
        binding = UsdSkel.BindingAPI(drawn)
        assert list(binding.GetBlendShapesAttr().Get()) == ["mouthStretch", "jawOpen"]
        assert len(binding.GetBlendShapeTargetsRel().GetTargets()) == 2
        material, _ = UsdShade.MaterialBindingAPI(drawn).ComputeBoundMaterial()
        assert material.GetPrim().GetName() == part.material
    skin = mesh.parts[0]
    shape = UsdSkel.BlendShape.Get(stage, "/head/skin/mouthStretch")
    moved = np.zeros_like(skin.positions)
    moved[np.array(shape.GetPointIndicesAttr().Get())] = shape.GetOffsetsAttr().Get()
    np.testing.assert_allclose(moved, skin.displacements[0], atol=1e-7)
    for prim in stage.Traverse():
        if prim.GetTypeName() == "Shader" and (file := UsdShade.Shader(prim).GetInput("file")):
            assert file.Get().resolvedPath


@pytest.fixture(scope="module")
def parted(portrait, painted, tmp_path_factory):
    """An asset whose hair an edit has parted, which has a name of two words."""
    skin, eye, hair = portrait.parts
    second = replace(hair, name="hair 2", material="hair 2")
    beards = (replace(hair, name="beard", material="beard"), replace(hair, name="beard 2", material="beard 2"))
    head = Head(portrait.expressions, (skin, eye, hair, second, *beards))
    more = {name: painted["hair"] for name in ("hair 2", "beard", "beard 2")}
    asked, folder = replace(PLAIN, formats=("glb", "obj", "usdz")), tmp_path_factory.mktemp("parted")
    list(write_asset(head, None, folder, asked, Provenance(seed=1), painted | more))
    return folder


def test_a_part_of_a_name_of_two_words_has_one_of_one_word_where_blanks_end_names(parted):
    _, groups, materials = obj_of(parted)
    assert materials["hair_2"] == "hair_2" and len(groups["hair_2"]) == len(groups["hair"]) == len(groups["beard_2"])
    lines = [line.split() for line in (parted / "head.mtl").read_text().splitlines() if not line.startswith("#")]
    named = [words for words in lines if words[0].startswith(("map_", "norm"))]
    assert all(len(words) == 2 and (parted / words[1]).is_file() for words in named)
    assert ["newmtl", "hair_2"] in lines and ["map_Kd", "textures/hair_2_albedo.png"] in named
    assert not [path for path in names_in(parted) if " " in path]


def test_a_usdz_has_a_part_of_a_name_of_two_words(parted):
    usd = pytest.importorskip("pxr.Usd")
    from pxr import UsdGeom, UsdShade

    stage = usd.Stage.Open(str(parted / "head.usdz"))
    for name in ("hair", "hair_2", "beard_2"):
        drawn = UsdGeom.Mesh.Get(stage, f"/head/{name}")
        material, _ = UsdShade.MaterialBindingAPI(drawn).ComputeBoundMaterial()
        assert len(drawn.GetPointsAttr().Get()) and material.GetPrim().GetName() == name


def test_what_is_parted_of_a_beard_has_one_side_as_the_beard_has(parted):
    document = pygltflib.GLTF2.load_binary(str(parted / "head.glb"))
    counts = {one.name: document.accessors[one.primitives[0].indices].count for one in document.meshes}
    assert counts["beard 2"] == counts["beard"] == counts["hair 2"] / 2


def test_a_usdz_is_packed_as_it_has_to_be(everything):
    import zipfile

    pytest.importorskip("pxr.Usd")
    with zipfile.ZipFile(everything / "head.usdz") as archive:
        entries = archive.infolist()
    assert entries[0].filename == "head.usdc" and all(entry.compress_type == 0 for entry in entries)
    for entry in entries:
        assert (entry.header_offset + 30 + len(entry.filename) + len(entry.extra)) % 64 == 0


def test_a_package_that_is_missing_is_said_before_anything_is_written(write, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pxr", None)
    with pytest.raises(UserError, match="usd-core"):
        write(EVERYTHING)
    assert not (tmp_path / "run").exists()
    assert (write(replace(PLAIN, formats=("glb", "obj"))) / "head.obj").is_file()


def test_what_a_newer_asset_is_without_is_named_as_outdated(write, everything):
    old, new = everything, write(replace(PLAIN, clip=True), "new")
    left = {path.relative_to(old).as_posix() for path in outdated(old, new)}
    assert left == (ON_REQUEST | GREYS) - {"expressions/clip.glb"}
    assert outdated(old, old) == []
