"""Which engine does the work of a page's jobs, by where the page is."""

from collections.abc import Mapping
from pathlib import Path

from idto3d.jobs.batch.ray_engine import RayEngine
from idto3d.jobs.engine import Engine, local_engine
from idto3d.jobs.space.engine import on_zero_gpu, space_engine


def engine_of(runs: Path, weights: str, cluster: str, environment: Mapping[str, str]) -> Engine:
    """A Ray cluster where there is an address of one, slices of the GPU on ZeroGPU, else processes of this machine.

    `weights` are the page's own. Raises UserError where the cluster or the package of ZeroGPU is not there.
    """
    if cluster:
        return RayEngine(cluster)
    local = local_engine(runs)
    return space_engine(environment, weights, local) if on_zero_gpu(environment) else local
