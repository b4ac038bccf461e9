"""Networks of others become safetensors: only from the files that are meant, and the committed ones are these."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from idto3d.config import EMBEDDED, LANDMARKS_FILE, MATTE_FILE
from idto3d.errors import UserError
from idto3d.files import read_metadata, read_tensors
from idto3d.subject.graph.graph_net import KEY
from idto3d.training.convert import landmarks, matte
from idto3d.training.convert.source import checked_bytes

KINDS = {
    LANDMARKS_FILE: (landmarks, "--task", os.environ.get("IDTO3D_FACE_LANDMARKER", "")),
    MATTE_FILE: (matte, "--model", os.environ.get("IDTO3D_SELFIE_SEGMENTATION", "")),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_file_of_another_hash_is_refused_before_it_is_opened(tmp_path, name):
    module, option, _ = KINDS[name]
    other = tmp_path / "other"
    other.write_bytes(b"something else")
    with pytest.raises(UserError, match="is not the file that is converted") as refused:
        module.main([option, str(other), "--out", str(tmp_path / "out.safetensors")])
    assert module.ORIGIN.carried_by in refused.value.remedy
    with pytest.raises(UserError, match="cannot be read"):
        checked_bytes(tmp_path / "absent", module.ORIGIN)
    assert not (tmp_path / "out.safetensors").exists()


def test_the_file_that_is_meant_is_read(tmp_path):
    path = tmp_path / "any"
    path.write_bytes(b"content")
    origin = landmarks.Origin("any", "any", hashlib.sha256(b"content").hexdigest(), "nobody", "MIT")
    assert checked_bytes(path, origin) == b"content"


@pytest.mark.parametrize("name", KINDS)
def test_the_committed_weights_and_their_notice_name_their_origin(name):
    origin = KINDS[name][0].ORIGIN
    said = json.loads(read_metadata(EMBEDDED / name)[KEY])["origin"]
    assert said == vars(origin) and said["licence"] == "Apache-2.0"
    notice = (EMBEDDED / "NOTICE.md").read_text()
    row = next(line for line in notice.splitlines() if line.startswith(f"| {name} |"))
    assert origin.sha256 in row and origin.licence in row and origin.carried_by.removeprefix("the ") in row


@pytest.mark.parametrize("name", KINDS)
def test_converting_again_gives_the_committed_weights(tmp_path, name):
    """With IDTO3D_FACE_LANDMARKER or IDTO3D_SELFIE_SEGMENTATION, the paths of the files, and ai-edge-litert."""
    pytest.importorskip("ai_edge_litert")
    module, option, source = KINDS[name]
    if not Path(source).is_file():
        pytest.skip("the file is not here")
    module.main([option, source, "--out", str(tmp_path / name)])
    made, committed = tmp_path / name, EMBEDDED / name
    assert read_metadata(made) == read_metadata(committed)
    assert all((value == read_tensors(committed)[key]).all() for key, value in read_tensors(made).items())
