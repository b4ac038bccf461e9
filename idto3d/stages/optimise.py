"""What both optimisations share: guarded steps, averaged parameters, and a state that can be saved and resumed."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from idto3d.stop import undisturbed

AVERAGE = 0.95  # weight of the past in the running mean of the parameters
CLIP = 1.0


class Optimiser:
    """Adam over groups (parameters, rate) of a field, with a running mean of its parameters.

    Steps whose loss or gradient is not finite are skipped and counted in `skipped`.
    """

    def __init__(self, field: nn.Module, groups: Iterable[tuple[list[nn.Parameter], float]], total: int):
        self.field, self.total, self.step_count, self.skipped, self.whole = field, total, 0, 0, True
        self._adam = torch.optim.Adam(
            [{"params": list(parameters), "lr": rate, "peak": rate} for parameters, rate in groups], betas=(0.9, 0.99)
        )
        self._mean = {name: value.detach().clone() for name, value in field.named_parameters()}

    def step(self, loss: Tensor) -> bool:
        """Follow the loss's gradient; False where that was not finite and nothing was changed."""
        self._adam.zero_grad(set_to_none=True)
        loss.backward()
        norms = [nn.utils.clip_grad_norm_(group["params"], CLIP) for group in self._adam.param_groups]
        finite = bool(torch.isfinite(loss) and all(torch.isfinite(norm) for norm in norms))
        undisturbed(lambda: self._count(finite))
        return finite

    def _count(self, finite: bool) -> None:
        """Finish a step, as a whole; `whole` says that none is half done."""
        self.whole = False
        self.step_count += 1
        self._set_rates()
        if finite:
            self._adam.step()
            self._follow()
        self.skipped += not finite
        self.whole = True

    def _set_rates(self) -> None:
        share = self.step_count / self.total
        for group in self._adam.param_groups:
            group["lr"] = group["peak"] * min(1.0, self.step_count / 10) * (1.0 if share < 0.5 else 2.1 - 2 * share)

    @torch.no_grad()
    def _follow(self) -> None:
        keep = min(AVERAGE, 1 - 1 / (self.step_count + 1))
        for name, value in self.field.named_parameters():
            self._mean[name].lerp_(value, 1 - keep)

    @torch.no_grad()
    def settle(self) -> None:
        """Put the running mean into the field: less noise than the last step's values."""
        for name, value in self.field.named_parameters():
            value.copy_(self._mean[name])

    def tensors(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Everything a resumed run needs, flat: field, mean, Adam's moments, and the state of its random numbers."""
        saved = {"random": generator.get_state(), "skipped": torch.tensor(self.skipped)}
        saved |= {f"field.{name}": value for name, value in self.field.state_dict().items()}
        saved |= {f"mean.{name}": value for name, value in self._mean.items()}
        for number, state in self._adam.state_dict()["state"].items():
            saved |= {f"adam.{number}.{key}": torch.as_tensor(value) for key, value in state.items()}
        return saved

    def load(self, tensors: Mapping[str, Tensor], step: int, generator: torch.Generator) -> None:
        """Continue after `step` from `tensors` of an earlier `tensors()`; `generator` goes on where it was."""
        self.field.load_state_dict(under("field.", tensors))
        device = next(iter(self._mean.values())).device
        self._mean = {name: value.to(device).clone() for name, value in under("mean.", tensors).items()}
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in under("adam.", tensors).items():
            number, name = key.split(".", 1)
            state.setdefault(int(number), {})[name] = value.clone()
        self._adam.load_state_dict({"state": state, "param_groups": self._adam.state_dict()["param_groups"]})
        self.step_count, self.skipped = step, int(tensors["skipped"])
        generator.set_state(tensors["random"].cpu())


def under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those of `tensors` whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
