"""Damaged weights are refused in one sentence, before memory is taken, or the damage is without effect.

Files of a tiny bundle, and the networks that come with every bundle, are damaged one at a time in a way that the seed
chooses. A process with a limit of memory then loads them; where it does, it must answer as the whole file does.
"""

import hashlib
import multiprocessing
import random
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.gates.damage import damage
from benchmarks.gates.gate import Gate, Outcome, main_of

SECONDS = 20.0  # that loading or refusing may take
MEMORY = 2 << 30  # bytes of addresses beyond those that loading the whole bundle took
GROWTH_KB = 400_000  # resident memory beyond that of loading the whole files
EXTRAS = ("head_prior", "landmark_model", "landmarks", "matte", "identity", "personal", "template")


def run(count: int, seed: int, folder: Path) -> Outcome:
    """`count` damaged variants."""
    from benchmarks.tiny_bundle import write_tiny_bundle
    from idto3d.config import EMBEDDED

    whole = write_tiny_bundle(folder / "whole")
    for name in EXTRAS:
        shutil.copyfile(EMBEDDED / f"{name}.safetensors", folder / f"{name}.safetensors")
    failures, slowest, refused, chance = [], 0.0, 0, random.Random(seed)
    judge = Judge(folder)
    for number in range(count):
        variant, said = _variant(chance, folder, whole)
        verdict, seconds = judge.asked(variant)
        shutil.rmtree(folder / "variant", ignore_errors=True)
        slowest, refused = max(slowest, seconds), refused + (verdict == "refused")
        if verdict not in ("refused", "same"):
            failures.append(f"{number}: {said}: {verdict}")
    judge.end()
    return Outcome(count, tuple(failures), (("refused", refused), ("slowest, s", round(slowest, 2))))


def _variant(chance: random.Random, folder: Path, whole: Path) -> tuple[Path, str]:
    """A damaged bundle, or a damaged file that comes with one, and what was done to it."""
    target = folder / "variant"
    if chance.random() < 0.3:
        name = f"{chance.choice(EXTRAS)}.safetensors"
        target.mkdir()
        path = target / name
        shutil.copyfile(folder / name, path)
        return path, f"{name} {damage(chance, path)}"
    shutil.copytree(whole, target)
    unread = ("model_index.json",)
    path = chance.choice([one for one in sorted(target.rglob("*")) if one.is_file() and one.name not in unread])
    return target, f"{path.relative_to(target)} {damage(chance, path)}"


class Judge:
    """Holds the process that loads variants; one that dies or hangs is begun anew."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._begin()

    def _begin(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_judge, args=(theirs, self.folder), daemon=True)
        self.process.start()
        theirs.close()
        if not self.pipe.poll(300):
            raise RuntimeError("the whole weights could not be loaded")
        self.pipe.recv()

    def asked(self, variant: Path) -> tuple[str, float]:
        """What came of loading `variant`, and the seconds it took."""
        begun = time.monotonic()
        self.pipe.send(variant)
        try:
            verdict = self.pipe.recv() if self.pipe.poll(SECONDS) else "it took too long"
        except EOFError:
            verdict = "the process ended"
        seconds = time.monotonic() - begun
        if verdict in ("it took too long", "the process ended"):
            self.end()
            self._begin()
        return verdict, seconds

    def end(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _judge(pipe, folder: Path) -> None:
    """The process: learns how the whole files answer, limits its memory, and tells of each variant."""
    import torch

    torch.set_num_threads(1)
    answers = {path.name: answer(path) for path in (folder / "whole", *sorted(folder.glob("*.safetensors")))}
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    pipe.send("ready")
    while True:
        variant = pipe.recv()
        verdict = _verdict(variant, answers["whole" if variant.name == "variant" else variant.name])
        if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > peak + GROWTH_KB:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            verdict = f"{verdict}, but it took memory"
        pipe.send(verdict)


def _verdict(variant: Path, whole: str) -> str:
    from idto3d.errors import UserError

    try:
        return "same" if answer(variant) == whole else "it loaded and answers otherwise"
    except UserError as error:
        wanted = any("allocate" in str(fault) or isinstance(fault, MemoryError) for fault in _causes(error))
        return "refused only for want of memory" if wanted else "refused"
    except Exception as fault:  # whatever it is, it is what the gate looks for
        return f"{type(fault).__name__}: {str(fault)[:200]}"


def _causes(fault: BaseException | None) -> Iterator[BaseException]:
    while fault is not None:
        yield fault
        fault = fault.__cause__


def answer(path: Path) -> str:
    """A digest of how a bundle's folder, or a file that comes with one, answers."""
    digest = hashlib.sha256()
    for value in ANSWERS[path.stem](path):
        digest.update(value.detach().contiguous().float().numpy().tobytes())
    return digest.hexdigest()


def _bundle(path: Path) -> Iterator:
    import torch

    from idto3d.guidance.loading import load_bundle
    from idto3d.guidance.prediction import Guidance
    from idto3d.words.prompts import DOMAINS

    bundle = load_bundle(path, torch.device("cpu"), torch.float32)
    guidance = Guidance(bundle)
    info, identity = bundle.info, torch.linspace(-1, 1, bundle.info.identity_encoder.dimension)
    yield torch.tensor([info.guidance_scale, info.image_size, info.sampling_from, info.timesteps.highest()])
    yield guidance.alpha_bars
    for domain in DOMAINS:
        prompt = info.prompt(domain, "front", "person with Green hair", info.expressions.get("smile", ""))
        asked = guidance.conditions([prompt], "", identity, [info.expressions.get("smile", "")], torch.ones(1, 3))
        noisy = torch.linspace(-1, 1, 64).reshape(guidance.latent_shape(1))
        yield from guidance.predict(domain, noisy, torch.tensor([300]), asked)
        yield guidance.encode(torch.linspace(0, 1, 3 * 32 * 32).reshape(1, 3, 32, 32))
        yield guidance.decode(noisy)


def _head_prior(path: Path) -> Iterator:
    import torch

    from idto3d.head.prior_file import load_start_prior

    prior = load_start_prior(path, torch.device("cpu"), 192)
    yield from prior.state_dict().values()
    yield from (prior.mean_distance(torch.zeros(1, 3)), prior.word_shift(prior.phrases[:2]))


def _landmark_model(path: Path) -> Iterator:
    import torch

    from idto3d.evidence.landmark_model import load_landmark_model

    return (torch.from_numpy(value) for value in vars(load_landmark_model(path)).values())


def _graphs(path: Path) -> Iterator:
    import torch

    from idto3d.subject.graph.graph_net import load_graphs
    from idto3d.subject.landmarks import LandmarkReader
    from idto3d.subject.matte import load_matte

    if path.stem == "matte":
        nets = {"matte": load_matte(path)}
    else:
        LandmarkReader(path)
        nets = load_graphs(path, ("points", "expression"))
    for net in nets.values():
        yield from net(torch.linspace(0, 1, torch.Size(net.shape).numel()).reshape(net.shape))


def _identity(path: Path) -> Iterator:
    import torch

    from idto3d.subject.identity.identity_file import load_identity

    net = load_identity(path)
    code, scores = net(torch.linspace(0, 1, 3 * 96 * 96).reshape(1, 3, 96, 96), torch.full((1, 5, 2), 40.0))
    yield from (code, *scores.values(), net.coefficient_map, net.mirror, net.code_mean, net.code_std)


def _personal(path: Path) -> Iterator:
    import torch

    from idto3d.bundle.layout import TEMPLATE_FILE
    from idto3d.config import EMBEDDED
    from idto3d.errors import UserError
    from idto3d.head.motion.personal_file import load_personal
    from idto3d.head.template_file import load_template

    template = load_template(EMBEDDED / TEMPLATE_FILE)
    personal = load_personal(path, template)
    if personal is None:
        raise UserError("The expressions are those of another template.", "Fetch the weights again.")
    yield from (personal.differences(template.neutral, 1.02 * template.neutral), personal.basis, personal.weights)
    yield torch.cat([personal.points, personal.moved])


def _template(path: Path) -> Iterator:
    from idto3d.head.template_file import load_template

    template = load_template(path)
    yield from (template.neutral, template.identity, template.original, template.moves.offset)


ANSWERS: dict[str, Callable[[Path], Iterator]] = {
    "whole": _bundle,
    "variant": _bundle,
    "head_prior": _head_prior,
    "landmark_model": _landmark_model,
    "landmarks": _graphs,
    "matte": _graphs,
    "identity": _identity,
    "personal": _personal,
    "template": _template,
}
GATE = Gate(
    "weights",
    "A damaged file of weights is refused in one sentence, in seconds and before memory is taken, or changes nothing.",
    2_000,
    run,
)

if __name__ == "__main__":
    main_of(GATE)
