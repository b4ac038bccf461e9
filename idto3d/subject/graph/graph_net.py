"""Networks of others, converted once to safetensors (`training.convert`): tensors, and what to do with them as JSON.

The JSON text under the key `graphs` of the file's metadata holds the format's version and, for each network by name,
    input   the shape of the only input, [B, H, W, C] or [B, N, C]
    outputs names of its results
    nodes   what is computed, in order: {"op", "in", "out"} and the operator's options, see `subject.graph.graph_ops`
Names in "in" are "input", a former node's "out", or a tensor of the file, which is called NETWORK.NAME there.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from idto3d.errors import UserError
from idto3d.files import first_line, json_object, read_metadata, read_tensors
from idto3d.subject.graph.graph_ops import OPERATORS

VERSION = 1
KEY = "graphs"
INPUT = "input"
MOST_NUMBERS = 1 << 24  # in the result of a node; ours have up to 1.5 million
MOST_OPTION, MOST_STEP = 4096, 64
REMEDY = "Fetch the weights again, or convert them anew: weights/embedded/NOTICE.md tells from what."


class GraphNet(nn.Module):
    """Runs one converted network; frozen, differentiable in its input, on any device."""

    def __init__(self, graph: Mapping, tensors: Mapping[str, Tensor], name: str = "network"):
        """`tensors`: its weights by name, kept as float32. Raises UserError for a graph that cannot be run."""
        super().__init__()
        self.name = name
        with _Fitting(name):
            self.shape = tuple(int(size) for size in graph["input"])
            self.outputs = tuple(graph["outputs"])
            self.nodes = tuple(_node(node) for node in graph["nodes"])
            used = {given for _, given, _, _ in self.nodes for given in given if given in tensors}
            self.places = {given: f"t{number}" for number, given in enumerate(sorted(used))}
            for given, place in self.places.items():
                self.register_buffer(place, tensors[given].float())
            self._expect_all_used()
            self._tried()

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """The results for `x`, shaped as the graph's input; the first axis may be longer. Raises ValueError."""
        if tuple(x.shape[1:]) != self.shape[1:]:
            raise ValueError(f"{self.name} takes {list(self.shape)}, got {list(x.shape)}")
        known = {given: getattr(self, place) for given, place in self.places.items()} | {INPUT: x}
        for operator, given, out, options in self.nodes:
            known[out] = operator(*(known[name] for name in given), **options)
        return tuple(known[name] for name in self.outputs)

    def _expect_all_used(self) -> None:
        """Raises ValueError where a node's result goes nowhere: something that took it was left out."""
        taken = {name for _, given, _, _ in self.nodes for name in given} | set(self.outputs)
        idle = [out for _, _, out, _ in self.nodes if out not in taken]
        if idle or not self.outputs:
            raise ValueError(f"nothing takes the result '{idle[0]}'" if idle else "it has no results")

    @torch.inference_mode()
    def _tried(self) -> None:
        """Run it once on zeros, which takes 0.05 s, to learn here whether all shapes fit.

        First without numbers (torch's device meta), which takes no memory however large what a node asks for.
        """
        known = {given: getattr(self, place).to("meta") for given, place in self.places.items()}
        known[INPUT] = torch.empty(self.shape, device="meta")
        for operator, given, out, options in self.nodes:
            known[out] = operator(*(known[name] for name in given), **options)
            if known[out].numel() > MOST_NUMBERS:
                raise ValueError(f"'{out}' has {known[out].numel()} numbers")
        self(torch.zeros(self.shape))


def load_graphs(path: str | Path, names: Sequence[str]) -> dict[str, GraphNet]:
    """The networks called `names` of the file `path`, on the CPU.

    Raises UserError where the file is missing, damaged, of another version, or does not hold a network that can be run.
    """
    path = Path(path)
    text = read_metadata(path).get(KEY)
    tensors = read_tensors(path)
    with _Fitting(path.name):
        described = json_object(text)
        if described["version"] != VERSION:
            what = f"The networks in {path.name} are of another version of idto3d."
            raise UserError(what, REMEDY)
        return {name: GraphNet(described["networks"][name], _own(tensors, name), name) for name in names}


def _own(tensors: Mapping[str, Tensor], network: str) -> dict[str, Tensor]:
    start = f"{network}."
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}


def _node(node: Mapping) -> tuple:
    options = {name: value for name, value in node.items() if name not in ("op", "in", "out")}
    if node["op"] not in OPERATORS:
        raise ValueError(f"the operator '{node['op']}' is unknown")
    if any(abs(number) > MOST_OPTION for number in _numbers(options)):
        raise ValueError(f"an option of '{node['op']}' is larger than {MOST_OPTION}")
    given = (*options.get("dilation", ()), *options.get("stride", ()))
    if any(not 1 <= number <= MOST_STEP for number in given if node["op"] == "conv"):
        raise ValueError(f"a step of '{node['op']}' is none of 1..{MOST_STEP}")
    return OPERATORS[node["op"]], tuple(node["in"]), str(node["out"]), options


def _numbers(value: object) -> Iterator[float]:
    """All numbers in JSON."""
    if isinstance(value, (int, float)):
        yield value
    elif isinstance(value, (list, dict)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _numbers(one)


class _Fitting:
    """Whatever a graph of another kind raises becomes one sentence of what and one of what to do."""

    def __init__(self, name: str):
        self.name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind, fault, trace) -> None:
        if isinstance(fault, (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RuntimeError)):
            raise UserError(f"The network {self.name} cannot be run: {first_line(fault)}.", REMEDY) from fault
