"""Heads held in one expression, for programs that know no morph targets."""

from dataclasses import replace
from pathlib import Path

from idto3d.export.gltf.glb import ImageFiles, glb_bytes
from idto3d.export.gltf.load import Asset
from idto3d.export.gltf.mesh import still
from idto3d.export.gltf.provenance import Provenance
from idto3d.export.images import png_bytes


def solid(asset: Asset) -> Asset:
    """Without the parts that are not opaque."""
    parts = tuple(part for part in asset.mesh.parts if not asset.textures[part.material].see_through)
    worn = {part.material: asset.textures[part.material] for part in parts}
    return replace(asset, mesh=replace(asset.mesh, parts=parts), textures=worn)


def write_still(asset: Asset, expression: str, path: Path) -> None:
    """Write the head, held in `expression` ("" is neutral), without morph targets to the file `path`."""
    images = {
        name: ImageFiles(
            png_bytes(one.albedo),
            png_bytes(one.metallic_roughness),
            None if one.normal is None else png_bytes(one.normal),
            see_through=one.see_through,
        )
        for name, one in asset.textures.items()
    }
    path.write_bytes(glb_bytes(still(asset.mesh, expression or "neutral"), images, Provenance()))
