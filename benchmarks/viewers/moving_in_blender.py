"""Run inside Blender: where it draws the vertices of a moving head. Arguments: GLB, SECONDS..., OUT.json."""

import json
import sys

import bpy
import numpy as np

if not hasattr(np, "bool"):
    np.bool = bool  # Blender 3.4's importer of glTF asks numpy for a name that newer ones do not have

glb, *times, out = sys.argv[sys.argv.index("--") + 1 :]
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.import_scene.gltf(filepath=glb)
fps = bpy.context.scene.render.fps
found = []
for time in times:
    frame = float(time) * fps
    bpy.context.scene.frame_set(int(frame), subframe=frame % 1)
    graph, places = bpy.context.evaluated_depsgraph_get(), {}
    for thing in (one for one in bpy.data.objects if one.type == "MESH"):
        whole = thing.evaluated_get(graph)
        points = [whole.matrix_world @ vertex.co for vertex in whole.data.vertices]
        places[thing.name] = [value for x, y, z in points for value in (x, z, -y)]  # Blender's Z is up
    found.append(places)
actions = [[action.name, *action.frame_range] for action in bpy.data.actions]
with open(out, "w") as file:
    json.dump({"version": bpy.app.version_string, "actions": actions, "places": found}, file)
