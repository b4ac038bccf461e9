import pytest

from idto3d.errors import discreet


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("'/home/anna/runs/x1/job.json' cannot be read.", "'job.json' cannot be read."),
        ("'/srv/my runs/x1' is full.", "'x1' is full."),
        ("Look into /var/log/page.log for more.", "Look into page.log for more."),
        (
            "See https://example.org/a/b and people/anna/photo.png.",
            "See https://example.org/a/b and people/anna/photo.png.",
        ),
        ("Half and/or all, 1/2.", "Half and/or all, 1/2."),
    ],
)
def test_what_strangers_read_names_no_folder_of_the_server(text, read):
    assert discreet(text) == read
