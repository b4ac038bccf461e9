"""The entries of bundle.json that name files of other Hub repositories, each at one commit.

A bundle may bring its own files, or only say where they come from: its base, a domain's UNet, an adapter in the layout
of IP-Adapter-FaceID (an identity branch together with its LoRA), and a second model for the refinement.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from idto3d.bundle.asking import Asking, expect_one
from idto3d.bundle.entries import expect

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
    `{subject}` and perhaps `{expression}`. `weight` is that of its loss, `asking` how it is asked otherwise.
    """

    base: str
    adapter: str
    prompt: str
    guidance_scale: float
    weight: float
    asking: Asking = Asking()


def expect_source(name: str, source: Source) -> None:
    """Raise UserError unless a source names a repository, a commit, and files of kinds that are loaded."""
    digests, paths = source.files.values(), source.files
    expect(
        f"'sources.{name}.",
        (REPO.fullmatch(source.repo), "repo' should be like ORG/REPO"),
        (COMMIT.fullmatch(source.revision), "revision' should be a commit of 40 hexadecimal digits"),
        (paths, "files' is empty"),
        (all(_is_inside(path) for path in paths), f"files' should be {', '.join(SUFFIXES)} inside the repository"),
        (all(map(SHA256.fullmatch, digests)), "files' should map to SHA-256 digests or empty texts"),
    )


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return path.suffix in SUFFIXES and not path.is_absolute() and ".." not in path.parts and "\\" not in name


def expect_domain(name: str, domain: DomainSource, sources: Mapping[str, Source]) -> None:
    """Raise UserError unless the networks of a domain are among `sources`."""
    _expect_name(domain.adapter, sources, f"domains.{name}.adapter")
    if domain.unet:
        _expect_name(domain.unet, sources, f"domains.{name}.unet")


def expect_refinement(second: Refinement, sources: Mapping[str, Source]) -> None:
    """Raise UserError unless the second guidance can be loaded from `sources`, and asked."""
    _expect_name(second.base, sources, "refinement.base")
    if second.adapter:
        _expect_name(second.adapter, sources, "refinement.adapter")
    asks = "{view}" in second.prompt and "{subject}" in second.prompt
    positive = 0 <= min(second.guidance_scale, second.weight) <= max(second.guidance_scale, second.weight) <= 1000
    expect(
        "",
        (asks, "'refinement.prompt' should have {view} and {subject}"),
        (positive, "a strength of 'refinement' is negative, or larger than 1000"),
    )
    expect_one("refinement.asking", second.asking)


def _expect_name(name: str, sources: Mapping[str, Source], where: str) -> None:
    expect("", (name in sources, f"'{where}' names no entry of sources: '{name}'"))
