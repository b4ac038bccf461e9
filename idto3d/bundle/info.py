"""bundle.json: what a bundle says about itself. Strict: a wrong, missing or unknown entry is refused."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from idto3d.bundle.entries import FILE, REMEDY, expect_entries, wrong
from idto3d.bundle.sources import (
    DomainSource,
    Refinement,
    Source,
    parse_domains,
    parse_refinement,
    parse_sources,
)
from idto3d.errors import UserError
from idto3d.words import prompts
from idto3d.words.captions import filled
from idto3d.words.prompts import DOMAINS

SCHEMA = 1


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
    base: str = "base"
    identity_pooling: str = "mean"
    training: Mapping = field(default_factory=dict)
    vocabulary: tuple[str, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)
    domains: Mapping[str, DomainSource] = field(default_factory=dict)
    refinement: Refinement | None = None
    schema: int = SCHEMA

    def prompt(self, domain: str, view: str, subject: str, expression: str = "") -> str:
        """The prompt of a domain for a view word, a subject such as "person with green hair", and a descriptor."""
        return filled(self.prompts[domain], view, subject, expression)

    def heard(self, text: str) -> str:
        """`text` as it is sent: a word that a closed vocabulary lacks is said in the form that it has ("an" as "a")."""
        return prompts.heard(text, frozenset(self.vocabulary)) if self.vocabulary else text

    def in_words(self) -> bool:
        """Whether expressions are asked for in words alone, for want of an expression branch."""
        return bool(self.domains)

    def licences(self) -> tuple[str, ...]:
        """The bundle's own licence, and that of every source."""
        return (self.licence, *(f"{source.repo}: {source.licence}" for source in self.sources.values()))

    def unknown_words(self, text: str) -> list[str]:
        """Words of `text` that the text encoder never saw; none for an open vocabulary."""
        return prompts.unknown_words(text, frozenset(self.vocabulary)) if self.vocabulary else []


KINDS = {
    "schema": int,
    "name": str,
    "licence": str,
    "base": str,
    "image_size": int,
    "identity_encoder": dict,
    "identity_pooling": str,
    "expressions": dict,
    "prompts": dict,
    "lambda_id": float,
    "lambda_exp": float,
    "guidance_scale": float,
    "training": dict,
    "vocabulary": list,
    "sources": dict,
    "domains": dict,
    "refinement": dict,
}
OPTIONAL = ("sources", "domains", "refinement")


def read_info(folder: str | Path) -> BundleInfo:
    """Parse `folder`/bundle.json. Raises UserError where it is missing, not JSON, or says something wrong."""
    path = Path(folder) / FILE
    if not path.is_file():
        raise UserError(f"There is no {FILE} in {folder}.", "Choose a folder that holds a bundle.")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as fault:
        raise UserError(f"{path} is not readable JSON: {fault}.", REMEDY) from fault
    return parse_info(data)


def write_info(info: BundleInfo, folder: str | Path) -> None:
    """Write bundle.json. Raises UserError where it could not be read back."""
    data = asdict(info) | {"vocabulary": list(info.vocabulary)}
    data = {key: value for key, value in data.items() if value or key not in OPTIONAL}
    parse_info(data)
    text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    (Path(folder) / FILE).write_text(text, encoding="utf-8")


def parse_info(data: object) -> BundleInfo:
    """BundleInfo from parsed JSON. Raises UserError that names the first wrong entry."""
    if not isinstance(data, dict):
        raise wrong("it should be an object")
    if data.get("schema") != SCHEMA:
        version = data.get("schema")
        raise UserError(f"{FILE} has schema version {version}, this program reads {SCHEMA}.", "Update idto3d.")
    expect_entries(data, KINDS, "", OPTIONAL)
    encoder = data["identity_encoder"]
    expect_entries(encoder, {"name": str, "dimension": int}, "identity_encoder.")
    sources = parse_sources(data.get("sources") or {})
    info = BundleInfo(
        **{key: data[key] for key in KINDS if key not in ("identity_encoder", "vocabulary", *OPTIONAL)},
        identity_encoder=EncoderInfo(**encoder),
        vocabulary=tuple(data["vocabulary"]),
        sources=sources,
        domains=parse_domains(data.get("domains") or {}, sources),
        refinement=parse_refinement(data.get("refinement") or {}, sources),
    )
    _expect_sense(info)
    return info


def check_encoder_name(info: BundleInfo, name: str) -> None:
    """Raises UserError unless an identity encoder that is yet to be loaded is the one the bundle was trained with."""
    if info.identity_encoder.name != name:
        raise _another_encoder(info, name)


def check_encoder(info: BundleInfo, name: str, dimension: int) -> None:
    """Raises UserError unless the identity encoder `name` is the one the bundle was trained with."""
    needed = info.identity_encoder
    if (needed.name, needed.dimension) != (name, dimension):
        raise _another_encoder(info, f"{name} ({dimension} numbers)")


def _another_encoder(info: BundleInfo, used: str) -> UserError:
    needed = info.identity_encoder
    return UserError(
        f"The weights '{info.name}' need the identity encoder {needed.name} ({needed.dimension} numbers), "
        f"but {used} is in use.",
        f"Choose the encoder {needed.name} (--set subject.encoder={needed.name}), or other weights.",
    )


def _expect_sense(info: BundleInfo) -> None:
    texts = [*info.expressions.values(), *info.prompts.values(), *info.vocabulary]
    parts = Path(info.base).parts
    checks = (
        (all(isinstance(text, str) for text in texts), "expressions, prompts and vocabulary should hold texts"),
        (bool(info.expressions), "'expressions' is empty"),
        (set(info.prompts) == set(DOMAINS), f"'prompts' should have exactly {', '.join(DOMAINS)}"),
        (all("{view}" in text for text in info.prompts.values()), "a prompt has no {view}"),
        (all("{subject}" in text for text in info.prompts.values()), "a prompt has no {subject}"),
        (info.image_size > 0 and info.image_size % 8 == 0, "'image_size' should be a positive multiple of 8"),
        (info.identity_encoder.dimension > 0, "'identity_encoder.dimension' should be positive"),
        (info.identity_pooling == "mean", "'identity_pooling' should be mean"),
        (min(info.lambda_id, info.lambda_exp, info.guidance_scale) >= 0, "a strength is negative"),
        (
            info.base in info.sources or (len(parts) == 1 and parts[0] not in ("..", "/")),
            "'base' should be the name of a folder inside the bundle, or of a source",
        ),
        (set(info.domains) in (set(), set(DOMAINS)), f"'domains' should have all of {', '.join(DOMAINS)}, or none"),
        (not info.domains or info.lambda_exp == 0, "'lambda_exp' should be 0, there is no expression branch"),
        (
            not info.domains or all("{expression}" in text for text in info.prompts.values()),
            "a prompt has no {expression}, and there is no expression branch",
        ),
    )
    for right, why in checks:
        if not right:
            raise wrong(why)
