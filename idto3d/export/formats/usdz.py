"""The head as USDZ: a mesh per part below one root, expressions as blend shapes, UsdPreviewSurface materials.

USD: right-handed, Y up, the face looks to +Z, metres, texture coordinates with v up; names of letters, digits and _.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from pxr import Gf, Sdf, Tf, Usd, UsdGeom, UsdShade, UsdSkel, UsdUtils, Vt

from idto3d.export.gltf.glb import ImageFiles
from idto3d.export.gltf.mesh import HeadMesh, PartMesh, target_name, visible
from idto3d.export.gltf.provenance import GENERATOR, Provenance, as_extras
from idto3d.files import atomic

ROOT = "/head"
JOINT = "root"  # blend shapes hang on a skeleton in USD; this one moves nothing
WRITTEN = 946728000  # noon of 2000-01-01 (UTC), what a package says of its files: the same head gives the same bytes
FLOAT, FLOAT2, COLOUR, NORMAL, TOKEN = (
    getattr(Sdf.ValueTypeNames, name) for name in ("Float", "Float2", "Color3f", "Normal3f", "Token")
)


def write_usdz(mesh: HeadMesh, images: Mapping[str, ImageFiles], provenance: Provenance, path: Path) -> Path:
    """Write the head to `path`, whole or not at all; `images` are those of each material that the parts name."""
    with tempfile.TemporaryDirectory() as place, atomic(path) as part:
        folder = Path(place)
        layer = folder / "head.usdc"
        stage = Usd.Stage.CreateNew(str(layer))
        _describe(stage, provenance)
        skeleton = _skeleton(stage, mesh) if mesh.names else None
        materials = {name: _material(stage, name, one, folder) for name, one in images.items()}
        for one in mesh.parts:
            drawn = _part(stage, one, mesh.names, skeleton, materials[one.material])
            drawn.CreateDoubleSidedAttr(images[one.material].see_through)
        stage.GetRootLayer().Save()
        for file in [*folder.rglob("*.usdc"), *folder.rglob("*.png"), *folder.rglob("*.jpg")]:
            os.utime(file, (WRITTEN, WRITTEN))
        package = folder / "head.usdz"
        UsdUtils.CreateNewUsdzPackage(str(layer), str(package))
        part.write_bytes(package.read_bytes())
    return path


def _describe(stage: Usd.Stage, provenance: Provenance) -> None:
    """Axes, units, where it comes from, and the root."""
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    extras = as_extras(provenance)
    extras = {name: extras[name] for name in ("generator", "ai_generated", "weights")} | {"seed": str(provenance.seed)}
    stage.GetRootLayer().customLayerData = extras
    stage.GetRootLayer().comment = GENERATOR
    root = UsdSkel.Root.Define(stage, ROOT)
    stage.SetDefaultPrim(root.GetPrim())


def _skeleton(stage: Usd.Stage, mesh: HeadMesh) -> UsdSkel.Skeleton:
    """One joint that stays, and the weights of all expressions, which are 0."""
    identity = Vt.Matrix4dArray([Gf.Matrix4d(1.0)])
    skeleton = UsdSkel.Skeleton.Define(stage, f"{ROOT}/skeleton")
    skeleton.CreateJointsAttr([JOINT])
    skeleton.CreateBindTransformsAttr(identity)
    skeleton.CreateRestTransformsAttr(identity)
    rest = UsdSkel.Animation.Define(stage, f"{ROOT}/skeleton/rest")
    rest.CreateBlendShapesAttr([target_name(name) for name in mesh.names])
    rest.CreateBlendShapeWeightsAttr([0.0] * len(mesh.names))
    UsdSkel.BindingAPI.Apply(skeleton.GetPrim()).CreateAnimationSourceRel().SetTargets([rest.GetPath()])
    return skeleton


def _part(
    stage: Usd.Stage,
    part: PartMesh,
    names: tuple[str, ...],
    skeleton: UsdSkel.Skeleton | None,
    material: UsdShade.Material,
) -> UsdGeom.Mesh:
    drawn = UsdGeom.Mesh.Define(stage, f"{ROOT}/{Tf.MakeValidIdentifier(part.name)}")
    drawn.CreatePointsAttr(_vectors(part.positions))
    drawn.CreateExtentAttr(_vectors(np.stack([part.positions.min(0), part.positions.max(0)])))
    drawn.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(np.full(len(part.faces), 3, np.int32)))
    drawn.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(part.faces.astype(np.int32).ravel()))
    drawn.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    drawn.CreateNormalsAttr(_vectors(part.normals))
    drawn.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
    up = np.ascontiguousarray(part.uvs * [1, -1] + [0, 1], np.float32)
    uvs = UsdGeom.PrimvarsAPI(drawn).CreatePrimvar("st", Sdf.ValueTypeNames.TexCoord2fArray, UsdGeom.Tokens.vertex)
    uvs.Set(Vt.Vec2fArray.FromNumpy(up))
    if part.pivot.any():
        drawn.AddTranslateOp().Set(Gf.Vec3d(*part.pivot.tolist()))
    UsdShade.MaterialBindingAPI.Apply(drawn.GetPrim()).Bind(material)
    if skeleton is not None:
        _blend_shapes(stage, drawn, part, names, skeleton)
    return drawn


def _blend_shapes(
    stage: Usd.Stage, drawn: UsdGeom.Mesh, part: PartMesh, names: tuple[str, ...], skeleton: UsdSkel.Skeleton
) -> None:
    """Every expression as a shape of the part, with the vertices that it moves or turns alone."""
    shapes = []
    for name, offsets, turns in zip(names, *visible(part), strict=True):
        shape = UsdSkel.BlendShape.Define(stage, drawn.GetPath().AppendChild(target_name(name)))
        rows = np.flatnonzero(offsets.any(1) | turns.any(1))
        rows = rows if len(rows) else np.zeros(1, np.int64)  # readers take a shape without points for one of all
        shape.CreateOffsetsAttr(_vectors(offsets[rows]))
        shape.CreateNormalOffsetsAttr(_vectors(turns[rows]))
        shape.CreatePointIndicesAttr(Vt.IntArray.FromNumpy(rows.astype(np.int32)))
        shapes.append(shape.GetPath())
    binding = UsdSkel.BindingAPI.Apply(drawn.GetPrim())
    binding.CreateSkeletonRel().SetTargets([skeleton.GetPath()])
    binding.CreateBlendShapesAttr([target_name(name) for name in names])
    binding.CreateBlendShapeTargetsRel().SetTargets(shapes)


def _material(stage: Usd.Stage, name: str, images: ImageFiles, folder: Path) -> UsdShade.Material:
    name = Tf.MakeValidIdentifier(name)
    material = UsdShade.Material.Define(stage, f"{ROOT}/materials/{name}")
    surface = _shader(stage, material, "surface", "UsdPreviewSurface")
    material.CreateSurfaceOutput().ConnectToSource(surface.ConnectableAPI(), "surface")
    reader = _shader(stage, material, "uvs", "UsdPrimvarReader_float2")
    reader.CreateInput("varname", Sdf.ValueTypeNames.String).Set("st")
    files = {"albedo": images.albedo, "metallic_roughness": images.metallic_roughness, "normal": images.normal}
    read = {
        kind: _texture(stage, material, reader, kind, _stored(folder, f"{name}_{kind}", content))
        for kind, content in files.items()
        if content is not None
    }
    surface.CreateInput("diffuseColor", COLOUR).ConnectToSource(read["albedo"].ConnectableAPI(), "rgb")
    surface.CreateInput("roughness", FLOAT).ConnectToSource(read["metallic_roughness"].ConnectableAPI(), "g")
    if images.metal:
        surface.CreateInput("metallic", FLOAT).ConnectToSource(read["metallic_roughness"].ConnectableAPI(), "b")
    if "normal" in read:
        surface.CreateInput("normal", NORMAL).ConnectToSource(read["normal"].ConnectableAPI(), "rgb")
    if images.see_through:
        surface.CreateInput("opacity", FLOAT).ConnectToSource(read["albedo"].ConnectableAPI(), "a")
        surface.CreateInput("opacityThreshold", FLOAT).Set(0.5)
    return material


def _shader(stage: Usd.Stage, material: UsdShade.Material, name: str, kind: str) -> UsdShade.Shader:
    shader = UsdShade.Shader.Define(stage, material.GetPath().AppendChild(name))
    shader.CreateIdAttr(kind)
    return shader


def _stored(folder: Path, name: str, content: bytes) -> str:
    """Write a picture beside the layer; its path as the layer has it."""
    ending = "png" if content.startswith(b"\x89PNG") else "jpg"
    (folder / "textures").mkdir(exist_ok=True)
    (folder / "textures" / f"{name}.{ending}").write_bytes(content)
    return f"./textures/{name}.{ending}"


def _texture(
    stage: Usd.Stage, material: UsdShade.Material, reader: UsdShade.Shader, kind: str, file: str
) -> UsdShade.Shader:
    shader = _shader(stage, material, kind, "UsdUVTexture")
    shader.CreateInput("file", Sdf.ValueTypeNames.Asset).Set(file)
    shader.CreateInput("st", FLOAT2).ConnectToSource(reader.ConnectableAPI(), "result")
    shader.CreateInput("sourceColorSpace", TOKEN).Set("sRGB" if kind == "albedo" else "raw")
    for side in ("wrapS", "wrapT"):
        shader.CreateInput(side, TOKEN).Set("clamp")
    if kind == "normal":  # from 0..1 to -1..1
        shader.CreateInput("scale", Sdf.ValueTypeNames.Float4).Set(Gf.Vec4f(2, 2, 2, 1))
        shader.CreateInput("bias", Sdf.ValueTypeNames.Float4).Set(Gf.Vec4f(-1, -1, -1, 0))
    return shader


def _vectors(values: np.ndarray) -> Vt.Vec3fArray:
    return Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(values, np.float32))
