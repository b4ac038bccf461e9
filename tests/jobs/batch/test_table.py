"""The table of people is read, or refused with every fault and its row."""

import pytest
from PIL import Image

from idto3d.errors import UserError
from idto3d.jobs.batch.names import folder_name
from idto3d.jobs.batch.table import read_table


@pytest.fixture
def table(tmp_path):
    """Writes a table of lines beside two photos of Anna and one of Bo."""
    (tmp_path / "anna").mkdir()
    for name in ("anna/1.jpg", "anna/2.png", "bo[1].jpg"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    (tmp_path / "anna" / "Thumbs.db").touch()

    def write(*lines, encoding="utf-8"):
        path = tmp_path / "people.csv"
        path.write_bytes("\n".join(lines).encode(encoding))
        return path

    return write


def faults(path, **given):
    with pytest.raises(UserError) as caught:
        read_table(path, **given)
    return str(caught.value)


def test_rows_become_people_with_photos_and_options(table, tmp_path):
    path = table(
        "name,photos,prompt,negative_prompt,expressions,seed,preset,shape.steps",
        'Anna,anna/*,"young, blond hair",beard,"smile,anger",7,,',
        "",
        "Bo,bo[1].jpg;anna/1.jpg;bo[1].jpg,,,,,standard,12",
        encoding="utf-8-sig",
    )
    anna, bo = read_table(path, "draft", ["shape.steps=5", "seed=3"])
    assert (anna.row, anna.name, anna.folder) == (2, "Anna", "Anna")
    assert anna.photos == (tmp_path / "anna" / "1.jpg", tmp_path / "anna" / "2.png")
    assert (anna.options.prompt, anna.options.negative_prompt) == ("young, blond hair", "beard")
    assert anna.options.expressions == ("neutral", "smile", "anger")
    assert (anna.options.seed, anna.options.shape.steps, anna.options.preset) == (7, 5, "draft")
    assert bo.photos == (tmp_path / "bo[1].jpg", tmp_path / "anna" / "1.jpg") and bo.row == 4
    assert (bo.options.preset, bo.options.shape.steps, bo.options.seed) == ("standard", 12, 3)


def test_every_fault_is_named_with_its_row(table):
    text = faults(
        table(
            "name,photos,prompt,seed,shape.steps,preset",
            "Anna,anna/1.jpg,,1,,",
            "Bo,nobody.jpg,,,,",
            "Cy,,,,,",
            "Di,,young,many,,",
            "Ed,,young,,0,",
            "ANNA,,young,,,",
            "Fa,anna,,,,",
            ",,young,,,",
            "Gu,,young,,,best",
            "Ha,,young,,,,,",
            "I\x1bI,,young,,,",
        )
    )
    rows = {int(line.split()[1]): line for line in text.splitlines() if line.startswith("  row")}
    assert sorted(rows) == list(range(3, 13)) and "10 faults" in text
    told = ("no photo 'nobody.jpg'", "nothing to make", "'many'", "shape.steps", "row 2 has the same", "is a folder")
    for row, part in enumerate((*told, "no name", "no preset named 'best'", "8 cells for 6", "cannot be shown"), 3):
        assert part in rows[row], rows[row]


@pytest.mark.parametrize(
    ("lines", "part"),
    [
        (("name,age", "Anna,3"), "'age' is no column"),
        (("name,prompt,prompt", "Anna,a,b"), "'prompt' stands twice"),
        (("photos", "a.jpg"), "column 'name' is missing"),
        (("name;prompt", "Anna;young"), "Separate by commas"),
        (("name,prompt",), "has no rows"),
        (("",), "column 'name' is missing"),
        (("name,prompt", 'Anna,"young'), "no table of comma-separated values"),
    ],
)
def test_what_is_no_table_is_refused(table, lines, part):
    assert part in faults(table(*lines))


def test_a_table_of_another_encoding_or_place_is_refused(table, tmp_path):
    assert "in UTF-8" in faults(table("name,prompt", "Zoë,young", encoding="latin-1"))
    assert "cannot be read" in faults(tmp_path / "none.csv")
    assert "cannot be read" in faults(tmp_path)


def test_folders_are_safe_apart_and_the_same_whatever_other_rows_there_are():
    kept = ("Anna", "Zoë Müller", "J. R. Smith", "李小龙", "a" * 120)
    assert tuple(map(folder_name, kept)) == kept
    odd = ("../x", "a/b", "a:b", "CON", "nul.txt", ".hidden", "results.csv", "x.", "…", "b" * 400)
    names = [folder_name(name) for name in odd]
    assert len(set(names)) == len(odd) and not set(names) & set(odd)
    for name in names:
        assert "/" not in name and not name.startswith(".") and len(name.encode()) <= 140, name
