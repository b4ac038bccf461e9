"""The entries of bundle.json that name files of other Hub repositories, each at one commit.

A bundle may bring its own files, or only say where they come from: its base, a domain's UNet, an adapter in the layout
of IP-Adapter-FaceID (an identity branch together with its LoRA), and a second model for the refinement.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from idto3d.bundle.entries import expect_entries, wrong

REPO = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
COMMIT = re.compile(r"[0-9a-f]{40}")
SHA256 = re.compile(r"([0-9a-f]{64})?")
SUFFIXES = (".json", ".safetensors", ".bin", ".txt")


@dataclass(frozen=True)
class Source:
    """Files of the Hub repository `repo` at the commit `revision` (40 hexadecimal digits).

    `files` maps each path to its SHA-256, or to "" where that is only known once it was fetched.
    """

    repo: str
    revision: str
    licence: str
    files: Mapping[str, str]

    @property
    def variant(self) -> str | None:
        """The word diffusers has for these files' precision (`fp16`), None where their names have none."""
        return "fp16" if any(".fp16." in name for name in self.files) else None

    def title(self) -> str:
        """The repository with the first digits of its commit."""
        return f"{self.repo}@{self.revision[:8]}"


@dataclass(frozen=True)
class DomainSource:
    """Where a domain's networks come from, by the names of sources.

    `unet`: a UNet of its own, "" for the base's. `adapter`: one file in the layout of IP-Adapter-FaceID.
    """

    unet: str
    adapter: str


@dataclass(frozen=True)
class Refinement:
    """The second guidance, which judges the last steps of the texture.

    `base` and `adapter` name sources; without an adapter ("") it is asked by words alone. `prompt` has `{view}`,
    `{subject}` and perhaps `{expression}`. `weight` is that of its loss.
    """

    base: str
    adapter: str
    prompt: str
    guidance_scale: float
    weight: float


def parse_sources(data: Mapping) -> dict[str, Source]:
    """The entry `sources`. Raises UserError."""
    return {name: _source(entry, f"sources.{name}.") for name, entry in data.items()}


def _source(entry: object, prefix: str) -> Source:
    _expect_object(entry, prefix)
    expect_entries(entry, {"repo": str, "revision": str, "licence": str, "files": dict}, prefix)
    source = Source(**entry)
    checks = (
        (REPO.fullmatch(source.repo), "repo' should be like ORG/REPO"),
        (COMMIT.fullmatch(source.revision), "revision' should be a commit of 40 hexadecimal digits"),
        (source.files, "files' is empty"),
        (
            all(_is_inside(name) for name in source.files),
            f"files' should be {', '.join(SUFFIXES)} inside the repository",
        ),
        (all(_is_sha(value) for value in source.files.values()), "files' should map to SHA-256 digests or empty texts"),
    )
    for right, why in checks:
        if not right:
            raise wrong(f"'{prefix}{why}")
    return source


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix in SUFFIXES and not path.is_absolute() and ".." not in path.parts and "\\" not in name


def _is_sha(value: object) -> bool:
    return isinstance(value, str) and SHA256.fullmatch(value) is not None


def parse_domains(data: Mapping, sources: Mapping[str, Source]) -> dict[str, DomainSource]:
    """The entry `domains`, whose names must be among `sources`. Raises UserError."""
    found = {}
    for name, entry in data.items():
        prefix = f"domains.{name}."
        _expect_object(entry, prefix)
        expect_entries(entry, {"unet": str, "adapter": str}, prefix)
        found[name] = DomainSource(**entry)
        _expect_source(found[name].adapter, sources, f"{prefix}adapter")
        if found[name].unet:
            _expect_source(found[name].unet, sources, f"{prefix}unet")
    return found


def parse_refinement(data: Mapping, sources: Mapping[str, Source]) -> Refinement | None:
    """The entry `refinement`, None where it is empty. Raises UserError."""
    if not data:
        return None
    kinds = {"base": str, "adapter": str, "prompt": str, "guidance_scale": float, "weight": float}
    expect_entries(data, kinds, "refinement.")
    found = Refinement(**data)
    _expect_source(found.base, sources, "refinement.base")
    if found.adapter:
        _expect_source(found.adapter, sources, "refinement.adapter")
    if "{view}" not in found.prompt or "{subject}" not in found.prompt:
        raise wrong("'refinement.prompt' should have {view} and {subject}")
    if min(found.guidance_scale, found.weight) < 0:
        raise wrong("a strength of 'refinement' is negative")
    return found


def _expect_source(name: str, sources: Mapping[str, Source], where: str) -> None:
    if name not in sources:
        raise wrong(f"'{where}' names no entry of sources: '{name}'")


def _expect_object(entry: object, prefix: str) -> None:
    if not isinstance(entry, dict):
        raise wrong(f"'{prefix.removesuffix('.')}' should be an object")
