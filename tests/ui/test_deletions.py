"""Delete my data: what is in no run goes as well."""

import types

from PIL import Image

from idto3d.jobs.privacy.traces import Traces
from idto3d.ui.actions import Actions
from idto3d.ui.heads import thumbs
from idto3d.ui.shelf import Shelf


def test_what_was_uploaded_and_is_in_no_job_is_deleted_with_its_copies_and_nothing_else(tmp_path):
    shelf, faces = Shelf(tmp_path / "page"), {"0123/anna.png": b"a face", "4567/anna.png": b"a face", "89/b.png": b"b"}
    for name, content in faces.items():
        (shelf.folder / name).parent.mkdir(parents=True)
        (shelf.folder / name).write_bytes(content)
    (elsewhere := tmp_path / "elsewhere" / "b.png").parent.mkdir()
    elsewhere.write_bytes(b"b")
    asked = [str(shelf.folder / "0123" / "anna.png"), str(elsewhere), str(shelf.folder / "gone" / "c.png")]
    told = Actions(types.SimpleNamespace(root=tmp_path), shelf).delete_all([], asked)
    assert told == ([], None, "Deleted: 1 upload; nothing is left.")
    assert [path.name for path in shelf.folder.rglob("*.png")] == ["b.png"] and elsewhere.is_file()


def test_no_picture_of_a_deleted_head_stays_in_memory(tmp_path):
    (front := tmp_path / "a" / "renders" / "front.png").parent.mkdir(parents=True)
    Image.new("RGB", (32, 32), "grey").save(front)
    assert thumbs.thumb(tmp_path / "a") and thumbs._encoded.cache_info().currsize
    desk = types.SimpleNamespace(root=tmp_path, delete=lambda job_id: Traces(tmp_path, (), 0, 0.0))
    Actions(desk, Shelf(tmp_path / "page")).delete("a" * 22)
    assert not thumbs._encoded.cache_info().currsize
