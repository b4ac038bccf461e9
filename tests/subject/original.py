"""The networks as they were published, run by LiteRT, for the tests that ours agree with them; None where they lack."""

import importlib.util
import os
import zipfile
from pathlib import Path

import numpy as np
import torch

HERE = importlib.util.find_spec("ai_edge_litert") is not None
TASK, MATTE = (Path(os.environ.get(name, "")) for name in ("IDTO3D_FACE_LANDMARKER", "IDTO3D_SELFIE_SEGMENTATION"))


def landmarker_file(name: str) -> bytes:
    """A .tflite file of face_landmarker.task, to which IDTO3D_FACE_LANDMARKER leads."""
    with zipfile.ZipFile(TASK) as task:
        return task.read(name)


class Original:
    """A network as LiteRT runs it, called as ours is: [1, ...] in, its first `count` outputs out."""

    def __init__(self, model: bytes, count: int = 1):
        from ai_edge_litert.interpreter import Interpreter

        self._model = model  # the interpreter reads from these bytes without keeping them
        self._interpreter = Interpreter(model_content=model, num_threads=1)
        self._interpreter.allocate_tensors()
        outputs = sorted(self._interpreter.get_output_details(), key=lambda output: output["name"])
        self._outputs = [output["index"] for output in outputs[:count]]

    def __call__(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        place = self._interpreter.get_input_details()[0]["index"]
        self._interpreter.set_tensor(place, np.ascontiguousarray(x.numpy()))
        self._interpreter.invoke()
        return tuple(torch.from_numpy(self._interpreter.get_tensor(index).copy()) for index in self._outputs)


def without_the_end(model: bytes, operators: int) -> bytes:
    """A .tflite file without its last `operators`, what the first of them took being the output, and no custom ones."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    read = schema.ModelT.InitFromPackedBuf(model, 0)
    (main,) = read.subgraphs
    main.outputs = [main.operators[-operators].inputs[0]]
    main.operators = main.operators[:-operators]
    for code in read.operatorCodes:
        if code.customCode:
            code.customCode, code.builtinCode, code.deprecatedBuiltinCode = None, 0, 0
    builder = flatbuffers.Builder(len(model))
    builder.Finish(read.Pack(builder), b"TFL3")
    return bytes(builder.Output())
