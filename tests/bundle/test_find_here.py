"""Weights that made something are found again where they are, and nobody is asked for those that are not."""

import shutil

from idto3d.bundle.find import fetch_weights, find_bundle, find_here
from idto3d.events import exhausted


def test_a_bundle_of_the_hub_is_here_once_it_was_fetched_and_is_found_without_a_request(hub, tiny_bundle):
    files = {str(path.relative_to(tiny_bundle)): path.read_bytes() for path in tiny_bundle.rglob("*") if path.is_file()}
    repo = hub.add("org/here", files)
    title = f"tiny (org/here@{repo.commit})"
    assert find_here("org/here", title) is None and not hub.requests
    located = exhausted(find_bundle(f"org/here@{repo.commit}"))
    assert located.title() == title and find_here("org/here", title) is None
    exhausted(fetch_weights(located))
    hub.requests.clear()
    assert find_here("org/here", title) == located and not hub.requests


def test_a_folder_is_here_while_it_holds_the_bundle_that_it_held(tiny_bundle, tmp_path):
    folder = shutil.copytree(tiny_bundle, tmp_path / "mine")
    assert find_here(str(folder), "tiny").folder == folder
    assert find_here(str(folder), "another") is None
    shutil.rmtree(folder)
    assert find_here(str(folder), "tiny") is None
    assert find_here("embedded", "idto3d-embedded") is not None
