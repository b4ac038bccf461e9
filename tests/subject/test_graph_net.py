"""Converted networks: the operators, and what is refused."""

import json

import numpy as np
import pytest
import torch
from torch.nn import functional

from idto3d.errors import UserError
from idto3d.files import write_tensors
from idto3d.subject.graph.graph_net import KEY, VERSION, GraphNet, load_graphs
from idto3d.subject.graph.graph_ops import conv, same_padding, transposed_conv

PLAIN = {"dilation": [1, 1], "groups": 1, "activation": ""}
GRAPH = {
    "input": [1, 4, 4, 2],
    "outputs": ["b"],
    "nodes": [
        {"op": "conv", "in": ["input", "w", "c"], "out": "a", "stride": [2, 2], "same": True, **PLAIN},
        {"op": "prelu", "in": ["a", "s"], "out": "b"},
    ],
}


def weights() -> dict:
    generator = torch.Generator().manual_seed(0)
    shapes = {"w": (3, 2, 3, 3), "c": (3,), "s": (3,)}
    return {name: torch.randn(shape, generator=generator).half() for name, shape in shapes.items()}


def written(path, graph, version=VERSION, tensors=None):
    tensors = {f"net.{name}": value for name, value in (tensors or weights()).items()}
    return write_tensors(path, tensors, {KEY: json.dumps({"version": version, "networks": {"net": graph}})})


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "expected"),
    [(4, 3, 2, (0, 1)), (5, 3, 2, (1, 1)), (4, 3, 1, (1, 1)), (4, 2, 2, (0, 0))],
)
def test_an_odd_row_of_padding_goes_behind(size, kernel, stride, expected):
    assert same_padding(size, kernel, stride, 1) == expected


def test_a_padded_convolution_keeps_one_place_in_two():
    x, tensors = torch.arange(32.0).reshape(1, 4, 4, 2), {n: v.float() for n, v in weights().items()}
    wide = functional.pad(x.permute(0, 3, 1, 2), (0, 1, 0, 1))
    expected = functional.conv2d(wide, tensors["w"], tensors["c"], 2).permute(0, 2, 3, 1)
    assert torch.allclose(conv(x, tensors["w"], tensors["c"], stride=(2, 2), same=True, **PLAIN), expected)


def test_a_transposed_convolution_puts_its_kernel_at_every_place():
    x, weight, bias = torch.rand(1, 2, 2, 3), torch.rand(3, 1, 2, 2), torch.tensor([0.5])
    y = transposed_conv(x, weight, bias, stride=(2, 2))
    for row, column in np.ndindex(4, 4):
        expected = x[0, row // 2, column // 2] @ weight[:, 0, row % 2, column % 2] + 0.5
        assert torch.allclose(y[0, row, column, 0], expected)


def test_a_written_network_runs_and_lets_gradients_through(tmp_path):
    net = load_graphs(written(tmp_path / "net.safetensors", GRAPH), ["net"])["net"]
    x = torch.rand(2, 4, 4, 2, requires_grad=True)
    (y,) = net(x)
    y.sum().backward()
    assert y.shape == (2, 2, 2, 3) and float(x.grad.abs().sum()) > 0 and not list(net.parameters())


@pytest.mark.parametrize(
    ("node", "told"),
    [
        ({"op": "exec", "in": ["a"], "out": "b"}, "'exec'"),
        ({"op": "prelu", "in": ["a", "gone"], "out": "b"}, "'gone'"),
        ({"op": "prelu", "in": ["a", "w"], "out": "b"}, "cannot be run"),
        ({"op": "conv", "in": ["a"], "out": "b", "evil": 1}, "cannot be run"),
    ],
)
def test_a_graph_that_does_not_fit_is_refused(tmp_path, node, told):
    path = written(tmp_path / "net.safetensors", {**GRAPH, "nodes": [GRAPH["nodes"][0], node]})
    with pytest.raises(UserError, match=told) as refused:
        load_graphs(path, ["net"])
    assert refused.value.remedy.startswith("Fetch the weights again")


@pytest.mark.parametrize("left_out", ["dilation", "groups", "activation"])
def test_an_option_left_out_is_refused(tmp_path, left_out):
    first = {name: value for name, value in GRAPH["nodes"][0].items() if name != left_out}
    with pytest.raises(UserError, match=left_out):
        load_graphs(written(tmp_path / "net.safetensors", {**GRAPH, "nodes": [first, GRAPH["nodes"][1]]}), ["net"])


def test_a_result_that_goes_nowhere_is_refused(tmp_path):
    with pytest.raises(UserError, match="nothing takes the result 'b'"):
        load_graphs(written(tmp_path / "net.safetensors", {**GRAPH, "outputs": ["a"]}), ["net"])
    with pytest.raises(UserError, match="nothing takes the result 'b'"):
        load_graphs(written(tmp_path / "net.safetensors", {**GRAPH, "outputs": []}), ["net"])


def test_files_of_another_kind_are_refused(tmp_path):
    write_tensors(tmp_path / "plain.safetensors", weights())
    (tmp_path / "text.safetensors").write_text("no tensors")
    written(tmp_path / "old.safetensors", GRAPH, version=0)
    for name in ("plain", "text", "old", "none"):
        with pytest.raises(UserError):
            load_graphs(tmp_path / f"{name}.safetensors", ["net"])
    with pytest.raises(UserError, match="'other'"):
        load_graphs(written(tmp_path / "net.safetensors", GRAPH), ["other"])


def test_a_picture_of_another_size_is_a_mistake():
    with pytest.raises(ValueError, match="takes"):
        GraphNet(GRAPH, weights())(torch.zeros(1, 5, 4, 2))
