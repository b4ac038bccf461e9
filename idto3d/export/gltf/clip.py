"""An animation that shows what a head can do, for a file of its own: players start a file's clip by themselves."""

import numpy as np
import pygltflib as gltf

from idto3d.export.gltf.accessors import BufferWriter

NAME = "expressions"
HELD_S = 0.5  # seconds at rest in the beginning, so that whoever stops the clip there has the neutral head
STEP_S = 0.5  # seconds from rest to an expression, and back


def expression_clip(writer: BufferWriter, parts: int, count: int) -> gltf.Animation:
    """The neutral head for HELD_S, then each of `count` expressions in turn, STEP_S up and STEP_S down.

    It moves the weights of nodes 0..`parts` - 1, all by one sampler.
    """
    times = np.concatenate([[0.0], HELD_S + STEP_S * np.arange(2 * count + 1)]).astype(np.float32)
    weights = np.zeros((len(times), count), np.float32)
    weights[2 * np.arange(count) + 2, np.arange(count)] = 1.0
    sampler = gltf.AnimationSampler(
        input=writer.bounded_array(times), output=writer.array(weights.ravel()), interpolation="LINEAR"
    )
    targets = [gltf.AnimationChannelTarget(node=node, path="weights") for node in range(parts)]
    channels = [gltf.AnimationChannel(sampler=0, target=target) for target in targets]
    return gltf.Animation(name=NAME, samplers=[sampler], channels=channels)
