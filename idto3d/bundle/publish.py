"""Uploading a bundle to the Hub in one commit, together with its model card."""

from pathlib import Path, PurePosixPath

from huggingface_hub import CommitOperationAdd, HfApi, ModelCard, ModelCardData, get_token
from huggingface_hub.errors import HfHubHTTPError

from idto3d.bundle.hub import asked
from idto3d.bundle.info import BundleInfo, read_info
from idto3d.bundle.layout import own_files
from idto3d.bundle.sources import REPO, Source
from idto3d.errors import UserError
from idto3d.files import read_names

CARD = "README.md"
LICENCES = ("apache-2.0", "mit", "cc0-1.0", "cc-by-4.0", "creativeml-openrail-m")


def publish_bundle(folder: Path, repo: str, private: bool = False) -> str:
    """Upload the bundle in `folder` to `repo`, which is made where it is missing; returns ORG/REPO@COMMIT.

    Raises UserError where the folder is no whole bundle, has no model card or holds other files, where nobody is
    logged in, and where the Hub refuses.
    """
    folder = Path(folder)
    if not REPO.fullmatch(repo):
        raise UserError(f"'{repo}' is no name of a repository.", "Give it as ORG/REPO.")
    info = read_info(folder)
    additions = [_addition(folder, path, info) for path in bundle_files(folder, info)]
    if get_token() is None:
        raise UserError("Nobody is logged in to the Hub.", "Run: hf auth login")
    source = Source(repo, "main", info.licence, {})
    commit = asked(source, lambda: _upload(repo, private, additions, info))
    return f"{repo}@{commit}"


def _upload(repo: str, private: bool, additions: list[CommitOperationAdd], info: BundleInfo) -> str:
    api = HfApi()
    try:
        api.create_repo(repo, private=private, exist_ok=True)
        return api.create_commit(repo, additions, commit_message=f"The bundle {info.name}").oid
    except HfHubHTTPError as fault:
        if fault.response.status_code not in (401, 403):
            raise
        raise UserError(
            f"The Hub does not let you write to {repo}.", "Log in with a token that may write there: hf auth login"
        ) from fault


def bundle_files(folder: Path, info: BundleInfo) -> list[Path]:
    """The files that are published: what loading the bundle takes, its card, licences and notices; no hidden ones.

    Raises UserError where the model card or a file of the layout is missing, a weight file is damaged, or something
    does not belong there.
    """
    if not (folder / CARD).is_file():
        raise UserError(
            f"There is no model card in {folder}.",
            f"Write {CARD}: what it was trained on, its licence, what was measured, and its limits.",
        )
    found = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    present = {path.as_posix() for path in found if not _hidden(path)}
    _expect_whole(folder, present, set(own_files(info, present)))
    paths = [folder / name for name in sorted(present)]
    for path in paths:
        if path.suffix == ".safetensors":
            read_names(path)
    return paths


def _expect_whole(folder: Path, present: set[str], wanted: set[str]) -> None:
    for name in sorted(wanted - present):
        raise UserError(
            f"The bundle in {folder} is incomplete: {name} is missing.",
            "Finish its training, whose stage 'bundle' writes all files, or copy the file there.",
        )
    for name in sorted(present - wanted - {CARD}):
        if not PurePosixPath(name).name.startswith(("LICEN", "NOTICE")):
            raise UserError(
                f"{name} does not belong to a bundle.",
                f"Move it elsewhere; only what loading takes, {CARD}, licences and notices are published.",
            )


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _addition(folder: Path, path: Path, info: BundleInfo) -> CommitOperationAdd:
    name = path.relative_to(folder).as_posix()
    content = model_card(path, info).encode() if name == CARD else str(path)
    return CommitOperationAdd(name, content)


def model_card(path: Path, info: BundleInfo) -> str:
    """The text of a model card with the header that the Hub reads, unless it already has one of its own."""
    card = ModelCard(path.read_text(encoding="utf-8"), ignore_metadata_errors=True)
    if card.data.to_dict():
        return str(card)
    first = info.licence.split(";")[0].split(",")[0].strip().lower()
    named = {"license": first} if first in LICENCES else {"license": "other", "license_name": "see-model-card"}
    card.data = ModelCardData(**named, library_name="idto3d", tags=["3d", "face", "score-distillation"])
    return str(card)
