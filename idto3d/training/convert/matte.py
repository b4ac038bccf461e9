"""Converts MediaPipe's selfie segmentation: how far each pixel of a square picture shows a person.

python -m idto3d.training.convert.matte --model selfie_segmentation.tflite --out weights/embedded/matte.safetensors
"""

import argparse

from idto3d.errors import run_command
from idto3d.training.convert.source import Origin, checked_bytes, write_graphs
from idto3d.training.convert.tflite import read_graph

ORIGIN = Origin(
    title="MediaPipe Selfie Segmentation",
    file="mediapipe/modules/selfie_segmentation/selfie_segmentation.tflite",
    sha256="9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
    carried_by="the PyPI package mediapipe 0.10.9",
    licence="Apache-2.0",
)
MATTE = "matte"  # name of the network


def main(arguments: list[str]) -> int:
    """Convert the file named on the command line. Raises UserError."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="selfie_segmentation.tflite")
    parser.add_argument("--out", required=True, help="the safetensors file to write")
    options = parser.parse_args(arguments)
    print(write_graphs(options.out, {MATTE: read_graph(checked_bytes(options.model, ORIGIN), (0,))}, ORIGIN))
    return 0


if __name__ == "__main__":
    run_command(main)
