"""Imports a GLB into Blender and prints what arrived, as one line of JSON. Run by check_glb.py, needs bpy.

python check_glb_blender.py HEAD.glb [PICTURE.png]
"""

import json
import struct
import sys
from math import acos, degrees, radians
from pathlib import Path

import bpy
import mathutils


def exported_tangents(path: str) -> dict[str, list[tuple]]:
    """The TANGENT attribute of each mesh of a GLB."""
    content = Path(path).read_bytes()
    length = int.from_bytes(content[12:16], "little")
    document, start = json.loads(content[20 : 20 + length]), 28 + length
    tangents = {}
    for mesh in document["meshes"]:
        accessor = document["accessors"][mesh["primitives"][0]["attributes"]["TANGENT"]]
        offset = start + document["bufferViews"][accessor["bufferView"]].get("byteOffset", 0)
        tangents[mesh["name"]] = list(struct.iter_unpack("<4f", content[offset : offset + 16 * accessor["count"]]))
    return tangents


def tangent_degrees(part, exported: list[tuple]) -> float:
    """Median angle between Blender's MikkTSpace tangents and the exported ones; wrong sides count as 180."""
    mesh = part.data
    mesh.calc_tangents()
    angles = []
    for loop in mesh.loops:
        x, y, z, side = exported[loop.vertex_index]
        same = mathutils.Vector((x, -z, y)).dot(loop.tangent)  # glTF's Y up to Blender's Z up
        angles.append(degrees(acos(max(-1.0, min(1.0, same)))) if side == loop.bitangent_sign else 180.0)
    return sorted(angles)[len(angles) // 2]


def sockets(material) -> list[str]:
    """The inputs of the Principled shader that are fed by a texture."""
    shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    return [socket.name for socket in shader.inputs if socket.is_linked]


def described(path: str) -> dict:
    """Names of what was imported, and each of the head's parts."""
    rig = next((one for one in bpy.data.objects if one.type == "ARMATURE"), None)
    parts = [one for one in bpy.data.objects if one.type == "MESH" and one.data.materials]
    tangents = exported_tangents(path)
    return {
        "blender": bpy.app.version_string,
        "bones": [bone.name for bone in rig.data.bones] if rig else [],
        "clips": [action.name for action in bpy.data.actions],
        "parts": {one.data.name: described_part(one, tangents[one.data.name]) for one in parts},
    }


def described_part(part, tangents: list[tuple]) -> dict:
    """Shape keys, size and material of one imported part."""
    keys = part.data.shape_keys
    points = [part.matrix_world @ vertex.co for vertex in part.data.vertices]
    return {
        "shape_keys": [key.name for key in keys.key_blocks] if keys else [],
        "size": [max(p[axis] for p in points) - min(p[axis] for p in points) for axis in range(3)],
        "front": list(min(points, key=lambda p: p.y)),
        "triangles": len(part.data.polygons),
        "sockets": sockets(part.data.materials[0]),
        "tangent_degrees": tangent_degrees(part, tangents),
    }


def render(picture: str) -> None:
    """The head from the front under one lamp, with Cycles."""
    scene = bpy.context.scene
    lens = bpy.data.cameras.new("camera")
    lens.angle = radians(21.5)
    camera = bpy.data.objects.new("camera", lens)
    camera.location, camera.rotation_euler = (0.0, -1.0, -0.017), (radians(90), 0.0, 0.0)
    lamp = bpy.data.objects.new("lamp", bpy.data.lights.new("lamp", "SUN"))
    lamp.data.energy, lamp.rotation_euler = 3.0, (radians(50), 0.0, radians(40))
    for one in (camera, lamp):
        scene.collection.objects.link(one)
    scene.camera, scene.render.engine, scene.cycles.samples = camera, "CYCLES", 16
    scene.render.resolution_x = scene.render.resolution_y = 384
    scene.render.filepath = picture
    bpy.ops.render.render(write_still=True)


def main() -> None:
    """Import, describe, perhaps render."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=sys.argv[1])
    found = described(sys.argv[1])
    if len(sys.argv) > 2:
        render(sys.argv[2])
    print(json.dumps(found))


if __name__ == "__main__":
    main()
