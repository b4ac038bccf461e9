"""Run inside Blender: draws a GLB's shots without light, each material sending out its base colour.

blender -b --factory-startup --python in_blender.py -- HEAD.glb SHOTS.json FOLDER

SHOTS.json is a list of `Shot.told`. Writes FOLDER/NAME.png of each, RGBA, the head alone
opaque. Cycles, on the processor.
"""

import json
import math
import sys
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

if not hasattr(np, "bool"):
    np.bool = bool  # Blender 3.4's importer of glTF asks numpy for a name that newer ones do not have

UPRIGHT = Matrix.Rotation(math.pi / 2, 4, "X")  # glTF's Y up to Blender's Z up
CUT = 0.5  # opacity under which nothing is drawn of what is cut out


def without_light(material) -> None:
    """The material made to send out its base colour; cut out where glTF says so, also by Cycles."""
    nodes, links = material.node_tree.nodes, material.node_tree.links
    shader = next(node for node in nodes if node.type == "BSDF_PRINCIPLED")
    output = next(node for node in nodes if node.type == "OUTPUT_MATERIAL")
    glow = nodes.new("ShaderNodeEmission")
    links.new(shader.inputs["Base Color"].links[0].from_socket, glow.inputs["Color"])
    links.new(glow.outputs[0], output.inputs["Surface"])
    if shader.inputs["Alpha"].is_linked:
        cut, clear, mix = (nodes.new(f"ShaderNode{kind}") for kind in ("Math", "BsdfTransparent", "MixShader"))
        cut.operation, cut.inputs[1].default_value = "GREATER_THAN", CUT
        links.new(shader.inputs["Alpha"].links[0].from_socket, cut.inputs[0])
        links.new(cut.outputs[0], mix.inputs[0])
        links.new(clear.outputs[0], mix.inputs[1])
        links.new(glow.outputs[0], mix.inputs[2])
        links.new(mix.outputs[0], output.inputs["Surface"])


def prepare() -> None:
    """Cycles with few samples, colours as they are stored, nothing behind the head."""
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.device = "CYCLES", "CPU"
    scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.max_bounces = 16, False, 0
    scene.cycles.transparent_max_bounces = 64
    scene.cycles.pixel_filter_type, scene.cycles.use_adaptive_sampling = "BOX", False
    scene.cycles.filter_width = 1.0
    scene.view_settings.view_transform, scene.render.film_transparent = "Standard", True
    scene.render.image_settings.file_format, scene.render.image_settings.color_mode = "PNG", "RGBA"
    for material in bpy.data.materials:
        if material.node_tree and any(node.type == "BSDF_PRINCIPLED" for node in material.node_tree.nodes):
            without_light(material)


def draw(shot: dict, folder: Path) -> None:
    """One shot into a file."""
    scene = bpy.context.scene
    lens = bpy.data.cameras.new("camera")
    lens.sensor_fit, lens.angle, lens.clip_start = "VERTICAL", math.radians(shot["fov_deg"]), 0.05
    camera = bpy.data.objects.new("camera", lens)
    scene.collection.objects.link(camera)
    camera.matrix_world = UPRIGHT @ Matrix(shot["c2w"])
    for mesh in bpy.data.meshes:
        for key in mesh.shape_keys.key_blocks if mesh.shape_keys else ():
            key.value = shot["weights"].get(key.name, 0.0)
    scene.camera = camera
    scene.render.resolution_x = scene.render.resolution_y = shot["size"]
    scene.render.filepath = str(folder / f"{shot['name']}.png")
    bpy.ops.render.render(write_still=True)


def main(glb: str, shots: str, folder: str) -> None:
    """All shots."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=glb)
    prepare()
    for shot in json.loads(Path(shots).read_text()):
        draw(shot, Path(folder))
    print("BLENDER", bpy.app.version_string)


if __name__ == "__main__":
    main(*sys.argv[sys.argv.index("--") + 1 :])
