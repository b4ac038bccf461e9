"""bundle.json: what a bundle says about itself. Strict: a wrong, missing or unknown entry is refused.

`read_info` is the one way in: JSON, the schema's version, the type of every entry (`entries.parsed`), their sense.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from idto3d.bundle.asking import (
    LEVELS,
    MOST_SIDE,
    MOST_STRENGTH,
    Asking,
    Beside,
    StageDefaults,
    Timesteps,
    expect_asking,
    expect_beside,
    expect_stages,
    expect_timesteps,
)
from idto3d.bundle.entries import FILE, expect, parsed, wrong
from idto3d.bundle.sources import (
    DomainSource,
    Refinement,
    Source,
    expect_domain,
    expect_refinement,
    expect_source,
)
from idto3d.errors import UserError
from idto3d.files import read_json
from idto3d.words import prompts
from idto3d.words.captions import filled
from idto3d.words.prompts import DOMAINS

SCHEMA = 3
FORMER = 2  # which is read too; it has none of NEW
NEW = ("asking", "beside", "stages", "scorer")
MOST_NUMBERS = 65536
LARGE_SIDE = 256  # pixels of the pictures they judge, from which weights take hours for a head on a CPU


@dataclass(frozen=True)
class EncoderInfo:
    """The identity encoder a bundle was trained with: its name and the length of its embeddings."""

    name: str
    dimension: int

    def has_file(self) -> bool:
        """Whether the encoder is one of ours whose network the bundle brings along."""
        return self.name == "portrait"


@dataclass(frozen=True)
class BundleInfo:
    """The contents of bundle.json.

    `base` is the sub-folder of the base model, or the name of its source. `expressions` maps names to descriptors,
    `prompts` domains to templates with `{view}`, `{subject}` and, where there is no expression branch, `{expression}`.
    `identity_pooling` says how several photos become one identity (only "mean": the mean of the unit embeddings).
    An empty `vocabulary` means an open one. A domain that `domains` lacks has its files in the bundle's own folder.
    `sampling_from` are the levels of noise, 1..1000, that sampling puts on the picture of the base's morphable head and
    takes away again; with all 1000 it begins with noise alone. `asking` says by domain how it is asked, `beside` names
    further guidances, `stages` the options of the stages that suit them. `scorer` is the name of the source of a CLIP
    model that chooses heads of words where it is on this machine; empty: ours does.
    """

    name: str
    licence: str
    image_size: int
    identity_encoder: EncoderInfo
    expressions: Mapping[str, str]
    prompts: Mapping[str, str]
    lambda_id: float = 1.0
    lambda_exp: float = 1.0
    guidance_scale: float = 7.5
    timesteps: Timesteps = Timesteps()
    sampling_from: int = LEVELS
    base: str = "base"
    identity_pooling: str = "mean"
    training: Mapping[str, object] = field(default_factory=dict)
    vocabulary: tuple[str, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)
    domains: Mapping[str, DomainSource] = field(default_factory=dict)
    refinement: Refinement | None = None
    asking: Mapping[str, Asking] = field(default_factory=dict)
    beside: tuple[Beside, ...] = ()
    stages: StageDefaults = StageDefaults()
    scorer: str = ""
    schema: int = SCHEMA

    def prompt(self, domain: str, view: str, subject: str, expression: str = "") -> str:
        """The prompt of a domain for a view word, a subject such as "person with green hair", and a descriptor."""
        return filled(self.prompts[domain], view, subject, expression)

    def heavy(self) -> bool:
        """Whether they want a graphics card."""
        return self.image_size >= LARGE_SIDE

    def heard(self, text: str) -> str:
        """`text` as it is sent: a word that a closed vocabulary lacks is said in the form that it has ("an" as "a")."""
        return prompts.heard(text, frozenset(self.vocabulary)) if self.vocabulary else text

    def in_words(self) -> bool:
        """Whether expressions are asked for in words alone, for want of an expression branch."""
        return bool(self.domains)

    def licences(self) -> tuple[str, ...]:
        """The bundle's own licence, and that of every source that a head is made of."""
        made_of = [source for name, source in self.sources.items() if name != self.scorer]
        return (self.licence, *(f"{source.repo}: {source.licence}" for source in made_of))

    def unknown_words(self, text: str) -> list[str]:
        """Words of `text` that the text encoder never saw; none for an open vocabulary."""
        return prompts.unknown_words(text, frozenset(self.vocabulary)) if self.vocabulary else []


def read_info(folder: str | Path) -> BundleInfo:
    """Parse `folder`/bundle.json. Raises UserError where it is missing, not JSON, or says something wrong."""
    path = Path(folder) / FILE
    if not path.is_file():
        raise UserError(f"There is no {FILE} in {folder}.", "Choose a folder that holds a bundle.")
    return _info(read_json(path))


def write_info(info: BundleInfo, folder: str | Path) -> None:
    """Write bundle.json, without the entries that are empty. Raises UserError where it could not be read back."""
    said = asdict(info) | {"schema": SCHEMA}
    data = {key: value for key, value in said.items() if value not in (None, {}, (), "")}
    text = json.dumps(data, indent=2, ensure_ascii=False)
    _info(json.loads(text))
    (Path(folder) / FILE).write_text(text + "\n", encoding="utf-8")


def _info(data: object) -> BundleInfo:
    if not isinstance(data, dict):
        raise wrong("it should be an object")
    _expect_schema(data.get("schema"), data)
    info = parsed(BundleInfo, data)
    _expect_sense(info)
    return info


def _expect_schema(version: object, data: Mapping) -> None:
    if version in (FORMER, SCHEMA) and type(version) is int:
        if version == FORMER:
            _expect_former(data)
        return
    remedy = "Update idto3d."
    if version == 1:
        remedy = (
            'Fetch a newer revision of these weights, or set "schema" to 2 and, where their base sees a morphable '
            'head, add "timesteps" and "sampling_from" as weights/embedded/bundle.json has them.'
        )
    raise UserError(f"{FILE} has schema version {version}, this program reads {FORMER} and {SCHEMA}.", remedy)


def _expect_former(data: Mapping) -> None:
    second = data.get("refinement")
    new = [name for name in NEW if name in data]
    new += ["refinement.asking"] if isinstance(second, dict) and "asking" in second else []
    for name in new:
        raise wrong(f"'{name}' is an entry of schema version {SCHEMA}, not {FORMER}")


def _expect_sense(info: BundleInfo) -> None:
    texts, parts = info.prompts.values(), Path(info.base).parts
    strengths = (info.lambda_id, info.lambda_exp, info.guidance_scale)
    inside = len(parts) == 1 and parts[0] not in ("..", "/")
    expect(
        "",
        (bool(info.expressions), "'expressions' is empty"),
        (set(info.prompts) == set(DOMAINS), f"'prompts' should have exactly {', '.join(DOMAINS)}"),
        (all("{view}" in text for text in texts), "a prompt has no {view}"),
        (all("{subject}" in text for text in texts), "a prompt has no {subject}"),
        (info.image_size > 0 and info.image_size % 8 == 0, "'image_size' should be a positive multiple of 8"),
        (info.image_size <= MOST_SIDE, f"'image_size' should be at most {MOST_SIDE}"),
        (0 < info.identity_encoder.dimension <= MOST_NUMBERS, "'identity_encoder.dimension' should be positive"),
        (info.identity_pooling == "mean", "'identity_pooling' should be mean"),
        (min(strengths) >= 0, "a strength is negative"),
        (max(strengths) <= MOST_STRENGTH, f"a strength is larger than {MOST_STRENGTH}"),
        (
            info.base in info.sources or inside,
            "'base' should name a folder inside the bundle, or a source",
        ),
        (0 < info.sampling_from <= LEVELS, f"'sampling_from' should lie within 1..{LEVELS}"),
    )
    expect_timesteps("timesteps", info.timesteps)
    expect_asking(info.asking)
    expect_stages(info.stages)
    _expect_elsewhere(info)


def _expect_elsewhere(info: BundleInfo) -> None:
    """Of what comes from other repositories."""
    for name, source in info.sources.items():
        expect_source(name, source)
    for name, domain in info.domains.items():
        expect_domain(name, domain, info.sources)
    if info.refinement is not None:
        expect_refinement(info.refinement, info.sources)
    expect_beside(info.beside, info.sources)
    asks, by_words = all("{expression}" in text for text in info.prompts.values()), bool(info.domains)
    expect(
        "",
        (set(info.domains) in (set(), set(DOMAINS)), f"'domains' should have all of {', '.join(DOMAINS)}, or none"),
        (not by_words or info.lambda_exp == 0, "'lambda_exp' should be 0, there is no expression branch"),
        (not by_words or asks, "a prompt has no {expression}, and there is no expression branch"),
        (not info.scorer or info.scorer in info.sources, "'scorer' names no entry of sources"),
    )
