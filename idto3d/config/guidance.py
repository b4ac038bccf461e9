"""How the frozen diffusion models are asked."""

from dataclasses import dataclass

from idto3d.config.declared import option

COMPILE = ("off", "kernels", "graphs")  # of the frozen networks


@dataclass(frozen=True)
class GuidanceOptions:
    """How the frozen diffusion model is asked. A value of None takes the bundle's own default."""

    guidance_scale: float | None = option(
        None, "classifier-free guidance scale s in eps_u + s (eps_c - eps_u)", least=0, like=7.5
    )
    words: float = option(1.0, "factor on that scale, given or the weights' own", least=0, most=10)
    lambda_id: float | None = option(None, "strength of the identity branch", least=0, like=1.0)
    lambda_exp: float | None = option(None, "strength of the expression branch", least=0, like=1.0)
    compile: str = option(
        "off", "compile the networks: takes minutes, then steps are quicker; graphs: as CUDA graphs", choices=COMPILE
    )
    form: str = option("sds", "distillation form", choices=("sds", "csd", "sds_shared"))
    refinement: bool = option(True, "ask the bundle's second guidance, where it has one, in the last texture steps")
    beside: bool = option(True, "ask the bundle's further guidances beside the first, where it has some")
