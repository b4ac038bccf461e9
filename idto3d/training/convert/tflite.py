"""Reads a TensorFlow Lite file as a graph of `subject.graph.graph_net`. Needs ai-edge-litert, for the file's layout.

Constants keep the precision of the file; those in half precision are widened there by an operator of their own, which
is left out here. Operators that no wanted output needs are left out too.
"""

from collections.abc import Sequence

import numpy as np

from idto3d.errors import UserError

SAME, VALID = 0, 1  # of tflite.Padding
ACTIVATIONS = {0: "", 1: "relu", 3: "relu6"}  # of tflite.ActivationFunctionType
TRANSPOSED = "Convolution2DTransposeBias"  # MediaPipe's own operator; its options are padding, stride across and down
PLAIN = {
    "ADD": "add",
    "SUB": "sub",
    "MUL": "mul",
    "DIV": "div",
    "SQUARED_DIFFERENCE": "squared_difference",
    "NEG": "neg",
    "SQRT": "sqrt",
    "RSQRT": "rsqrt",
    "RELU": "relu",
    "LOGISTIC": "logistic",
    "HARD_SWISH": "hard_swish",
}
MADE_SMALLER = {"MEAN": "mean", "SUM": "sum"}
POOLS = {"MAX_POOL_2D": "max_pool", "AVERAGE_POOL_2D": "average_pool"}


def read_graph(data: bytes, outputs: Sequence[int]) -> tuple[dict, dict[str, np.ndarray]]:
    """The graph and its tensors by name; `outputs` are the numbers of the model's outputs that are wanted.

    Raises UserError where the file asks for what the graph cannot say.
    """
    reader = _Reader(data)
    main = reader.main
    wanted = [str(main.outputs[number]) for number in outputs]
    nodes = _needed([node for op in main.operators if (node := reader.node(op))], wanted)
    name = {str(main.inputs[0]): "input"}
    for node in nodes:
        node["in"] = [name.get(given, given) for given in node["in"]]
    used = {given for node in nodes for given in node["in"]} & set(reader.tensors)
    shape = [int(size) for size in main.tensors[main.inputs[0]].shape]
    return {"input": shape, "outputs": wanted, "nodes": nodes}, {key: reader.tensors[key] for key in sorted(used)}


def _needed(nodes: list[dict], wanted: list[str]) -> list[dict]:
    """`nodes` without those that contribute nothing to `wanted`."""
    known, kept = set(wanted), []
    for node in reversed(nodes):
        if node["out"] in known:
            known |= set(node["in"])
            kept.append(node)
    return kept[::-1]


class _Reader:
    """One model: its operators as nodes, its constants by the number of their tensor, as text."""

    def __init__(self, data: bytes):
        schema = _schema()
        self.schema, self.model = schema, schema.ModelT.InitFromPackedBuf(data, 0)
        self.main = self.model.subgraphs[0]
        self.names = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
        self.constants = {str(n): v for n in range(len(self.main.tensors)) if (v := self._constant(n)) is not None}
        self.tensors: dict[str, np.ndarray] = {}

    def _constant(self, number: int) -> np.ndarray | None:
        tensor = self.main.tensors[number]
        stored = self.model.buffers[tensor.buffer].data
        if stored is None or not len(stored):
            return None
        kind = {0: np.float32, 1: np.float16, 2: np.int32}.get(tensor.type)
        if kind is None:
            raise _unreadable(f"a tensor of type {tensor.type}")
        shape = () if tensor.shape is None else tuple(tensor.shape)
        return np.frombuffer(bytes(stored), kind).reshape(shape)

    def node(self, op) -> dict | None:
        """The node of an operator; None where it only widens a constant."""
        code = self.model.operatorCodes[op.opcodeIndex]
        name = self.names[max(code.builtinCode, code.deprecatedBuiltinCode)]
        name = code.customCode.decode() if name == "CUSTOM" else name
        given, out, options = [str(n) for n in op.inputs if n >= 0], str(op.outputs[0]), op.builtinOptions
        if name == "DEQUANTIZE":
            self.constants[out] = self.constants[given[0]]
            return None
        make = getattr(self, f"_{name.lower()}", None)
        if name in PLAIN:
            node = self._plain(name, given, options)
        elif name in POOLS:
            node = self._pool(name, given, options)
        elif name in MADE_SMALLER:
            node = self._smaller(name, given, options)
        elif name == TRANSPOSED:
            node = self._transposed(given, bytes(op.customOptions))
        elif make is not None:
            node = make(given, options)
        else:
            raise _unreadable(f"the operator {name}")
        return {**node, "in": [self._kept(key) for key in node["in"]], "out": out}

    def _kept(self, key: str) -> str:
        if key in self.constants:
            self.tensors.setdefault(key, self.constants[key])
        return key

    def _shaped(self, key: str, value: np.ndarray, how: str) -> str:
        """The name of the constant `key` laid out anew."""
        self.tensors[f"{key}_{how}"] = np.ascontiguousarray(value)
        return f"{key}_{how}"

    def _shape(self, key: str) -> list[int]:
        return [int(size) for size in self.main.tensors[int(key)].shape]

    def _numbers(self, key: str) -> list:
        return self.constants[key].tolist()

    def _plain(self, name: str, given: list[str], options) -> dict:
        if getattr(options, "fusedActivationFunction", 0):
            raise _unreadable(f"an activation inside {name}")
        return {"op": PLAIN[name], "in": given}

    def _pool(self, name: str, given: list[str], options) -> dict:
        if options.padding != VALID or options.fusedActivationFunction:
            raise _unreadable(f"a padded {name}, or one with an activation")
        size, stride = [options.filterHeight, options.filterWidth], [options.strideH, options.strideW]
        return {"op": POOLS[name], "in": given, "size": size, "stride": stride}

    def _smaller(self, name: str, given: list[str], options) -> dict:
        if not options.keepDims:
            raise _unreadable(f"{name} that drops axes")
        axes = np.atleast_1d(self.constants[given[1]]).tolist()
        return {"op": MADE_SMALLER[name], "in": given[:1], "axes": axes}

    def _convolution(self, given: list[str], options, weight: str, groups: int) -> dict:
        node = {"op": "conv", "in": [given[0], weight, given[2]], "stride": [options.strideH, options.strideW]}
        dilation = [options.dilationHFactor, options.dilationWFactor]
        activation = ACTIVATIONS.get(options.fusedActivationFunction)
        if activation is None:
            raise _unreadable("an activation inside a convolution")
        return {
            **node,
            "same": options.padding == SAME,
            "dilation": dilation,
            "groups": groups,
            "activation": activation,
        }

    def _conv_2d(self, given: list[str], options) -> dict:
        weight = self._shaped(given[1], self.constants[given[1]].transpose(0, 3, 1, 2), "oihw")
        return self._convolution(given, options, weight, 1)

    def _depthwise_conv_2d(self, given: list[str], options) -> dict:
        weight = self._shaped(given[1], self.constants[given[1]].transpose(3, 0, 1, 2), "oihw")
        return self._convolution(given, options, weight, self._shape(given[0])[3])

    def _transposed(self, given: list[str], options: bytes) -> dict:
        _, across, down = np.frombuffer(options, np.int32).tolist()
        weight = self.constants[given[1]]
        if weight.shape[1:3] != (down, across):
            raise _unreadable("a transposed convolution whose kernel is not as large as its stride")
        laid = self._shaped(given[1], weight.transpose(3, 0, 1, 2), "iohw")
        return {"op": "transposed_conv", "in": [given[0], laid, given[2]], "stride": [down, across]}

    def _prelu(self, given: list[str], options) -> dict:
        slope = self._shaped(given[1], self.constants[given[1]].reshape(-1), "c")
        return {"op": "prelu", "in": [given[0], slope]}

    def _pad(self, given: list[str], options) -> dict:
        return {"op": "pad", "in": given[:1], "widths": self._numbers(given[1])}

    def _concatenation(self, given: list[str], options) -> dict:
        return {"op": "concat", "in": given, "axis": options.axis}

    def _reshape(self, given: list[str], options) -> dict:
        return {"op": "reshape", "in": given[:1], "shape": self._numbers(given[1])}

    def _transpose(self, given: list[str], options) -> dict:
        return {"op": "transpose", "in": given[:1], "order": self._numbers(given[1])}

    def _resize_bilinear(self, given: list[str], options) -> dict:
        if options.alignCorners or not options.halfPixelCenters:
            raise _unreadable("a picture resized by its corners")
        return {"op": "resize_bilinear", "in": given[:1], "size": self._numbers(given[1])}

    def _strided_slice(self, given: list[str], options) -> dict:
        begin, end, step = (self._numbers(key) for key in given[1:])
        if set(step) != {1} or options.ellipsisMask or options.newAxisMask:
            raise _unreadable("a slice with steps or new axes")
        spans = []
        for axis, size in enumerate(self._shape(given[0])):
            start = 0 if options.beginMask >> axis & 1 else begin[axis]
            stop = size if options.endMask >> axis & 1 else end[axis]
            spans.append([start, start + 1 if options.shrinkAxisMask >> axis & 1 else stop])
        drop = [axis for axis in range(len(spans)) if options.shrinkAxisMask >> axis & 1]
        return {"op": "cut", "in": given[:1], "spans": spans, "drop": drop}


def _schema():
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError as fault:
        raise UserError(
            "TensorFlow Lite files cannot be read here.", "Run: python -m pip install -r requirements-dev.txt."
        ) from fault
    return schema_py_generated


def _unreadable(what: str) -> UserError:
    return UserError(f"The TensorFlow Lite file holds {what}.", "Use the file that the module's text names.")
