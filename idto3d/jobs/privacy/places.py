"""Where runs lie, and where their page keeps uploads and what it hands out, for all who look there."""

import hashlib
import os
from pathlib import Path

HEADS = "heads"  # what is handed out, below the page's folder; all else there are uploads


def default_root() -> Path:
    """Where runs lie: $IDTO3D_RUNS, or ~/.cache/idto3d/runs."""
    return Path(os.environ.get("IDTO3D_RUNS") or Path.home() / ".cache" / "idto3d" / "runs")


def uploads_of(runs: Path) -> Path:
    """The page's folder, beside that of its `runs`."""
    return runs.parent / f"{runs.name}-page"


def lock_of(uploads: Path) -> Path:
    """The file whose lock a page holds while it uses its folder `uploads`."""
    return uploads.with_name(f"{uploads.name}.lock")


def handed_out(job_id: str) -> str:
    """The name of the folder below `HEADS` of a job: a digest, since knowing an id is the right to its job."""
    return hashlib.sha256(job_id.encode()).hexdigest()[:40]
