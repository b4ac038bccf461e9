"""One time left for a whole run, by what its stages were expected to take and what they do take.

The expectation scales with how the run has gone so far; at first it counts for itself. What is told goes on from what
was told last: a change of mind comes bit by bit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

TRUST = 0.3  # of the whole plan: how long the plan counts as much as what was measured
STEP = 0.2  # by which what is told may fall faster than time goes by, or rise over what was told last
NOTHING: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True)
class Countdown:
    """plan: expected seconds by stage, in order. begun and at: when it began and was told last, seconds since 1970.

    given: of the plan, seconds that were done before the run was resumed. left: what was told, None before.
    """

    plan: Mapping[str, float] = field(default_factory=lambda: NOTHING)
    begun: float = 0.0
    given: float = 0.0
    left: float | None = None
    at: float = 0.0


def planned(plan: Mapping[str, float], moment: float) -> Countdown:
    """A countdown that begins at `moment`. Raises ValueError, TypeError or AttributeError for no plan of seconds."""
    seconds = {stage: float(amount) for stage, amount in plan.items()}
    return Countdown(seconds, moment, 0.0, sum(seconds.values()) or None, moment)


def skipped(now: Countdown, stage: str, share: float) -> Countdown:
    """`now` where the `share` 0..1 of a stage was done before."""
    return replace(now, given=now.given + share * now.plan.get(stage, 0.0))


def told(now: Countdown, moment: float, stage: str, share: float, jump: bool = False) -> Countdown:
    """`now` at `moment`, when the `share` 0..1 of a stage of the plan is done. jump: tell the truth at once."""
    if stage not in now.plan or now.left is None:
        return now
    stages, total = list(now.plan), sum(now.plan.values())
    done = sum(now.plan[name] for name in stages[: stages.index(stage)]) + share * now.plan[stage]
    trusted = TRUST * total
    pace = (max(moment - now.begun, 0.0) + trusted) / (max(done - now.given, 0.0) + trusted)
    left = pace * (total - done)
    expected = max(now.left - max(moment - now.at, 0.0), 0.0)
    if not jump:
        left = min(max(left, (1 - STEP) * expected), (1 + STEP) * now.left + 1.0)
    return replace(now, left=left, at=moment)
