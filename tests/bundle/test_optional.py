"""Guidances that a bundle can do without: not fetched unasked, and given up with a word where the Hub has lost them."""

import hashlib
import json

import pytest
import torch
import twins
from huggingface_hub import constants

from idto3d.bundle import find as weights_module
from idto3d.bundle.find import fetch_planned, fetch_weights, find_bundle, find_here, plan_weights
from idto3d.bundle.info import read_info
from idto3d.config import HeadOptions
from idto3d.errors import UserError
from idto3d.events import Notice, exhausted
from idto3d.guidance import memory
from idto3d.guidance.loading import load_weights
from idto3d.stages.models import load_models

CPU = torch.device("cpu")


def fetched(**wanted):
    """What is said, and the fetched weights."""
    texts, fetching = [], fetch_weights(exhausted(find_bundle("community")), **wanted)
    while True:
        try:
            event = next(fetching)
        except StopIteration as end:
            return texts, end.value
        texts += [event.text] if isinstance(event, Notice) else []


@pytest.fixture
def fresh(hub, tmp_path, monkeypatch, request):
    """A twin of which nothing was ever fetched, in the place of `community`; the name of its owner on the Hub."""
    owner = "fresh-" + hashlib.sha256(request.node.name.encode()).hexdigest()[:12]
    folder = tmp_path / "fresh"
    folder.mkdir()
    (folder / "bundle.json").write_text(json.dumps(twins.community(hub, owner)))
    monkeypatch.setitem(weights_module.NAMED, "community", folder)
    return owner


def test_the_refinements_model_is_not_fetched_where_nobody_refines(fresh, hub):
    fetched(refine=False)
    assert not [request for request in hub.requests if "/photo/resolve" in request]
    assert [request for request in hub.requests if "/depth/resolve" in request]


def test_further_guidances_are_not_fetched_where_nobody_asks_them(fresh, hub):
    _, weights = fetched(refine=False, beside=False)
    assert not [request for request in hub.requests if "/depth/" in request or "/photo/" in request]
    assert weights.info.beside == () and weights.info.refinement is None


def renamed(hub, repo):
    """The files of a repository under other names, at the commit that the bundle names."""
    there = hub.repos[repo]
    for files in there.commits.values():
        for name in list(files):
            files[f"new/{name}"] = files.pop(name)


def gone(hub, repo):
    del hub.repos[repo]


def closed(hub, repo):
    hub.repos[repo].gated = True


@pytest.mark.parametrize(
    ("lose", "source", "lost"),
    [
        (renamed, "depth", "made without its guidance by depth maps"),
        (gone, "photo", "made without its refinement"),
        (closed, "depth", "made without its guidance by depth maps"),
    ],
)
def test_what_the_hub_has_not_got_of_the_optional_is_said_and_the_rest_goes_on(fresh, hub, lose, source, lost):
    lose(hub, f"{fresh}/{source}")
    texts, weights = fetched()
    (said,) = [text for text in texts if "Fetching" not in text]
    assert f"{fresh}/{source}" in said and lost in said
    assert set(weights.sources) == {"sd15", "normal", "depth", "faceid", "photo"} - {source}
    assert (weights.info.beside == ()) == (source == "depth")
    assert (weights.info.refinement is None) == (source == "photo")
    assert load_weights(weights, CPU).info.name == "community"


def test_of_the_rest_nothing_may_be_missing_and_no_connection_is_no_missing_file(fresh, hub, monkeypatch):
    renamed(hub, f"{fresh}/normal")
    with pytest.raises(UserError, match=f"{fresh}/normal.* has no file unet/"):
        fetched()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="HF_HUB_OFFLINE forbids"):
        fetched()


def large(hub):
    """The requests for the contents of files."""
    return [request for request in hub.requests if request.startswith("GET") and "/resolve/" in request]


def test_what_is_lost_is_told_before_anything_is_fetched(fresh, hub):
    renamed(hub, f"{fresh}/faceid")
    with pytest.raises(UserError, match=f"{fresh}/faceid.* has no file"):
        fetched()
    assert not large(hub)


def test_how_much_it_is_in_all_is_told_once_and_first(fresh, hub):
    gone(hub, f"{fresh}/depth")
    texts, _ = fetched(refine=False)
    assert "made without its guidance by depth maps" in texts[0] and texts[1].endswith(" in all, from 3 repositories.")
    assert len(texts) == 5 and all("licence: " in text for text in texts[2:])
    assert fetched(refine=False, beside=False)[0] == []


def test_weights_that_memory_has_no_room_for_by_far_are_not_fetched(fresh, hub, monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda _: 1000)
    located, options = exhausted(find_bundle("community")), HeadOptions(weights="community", device="cpu")
    with pytest.raises(UserError, match=r"takes more than 0\.0 GB of memory for its networks alone, and 0\.0 are free"):
        exhausted(load_models(options, None, located))
    assert not large(hub)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_least_that_they_take_is_no_more_than_they_take(fresh, hub, dtype):
    planned = exhausted(plan_weights(exhausted(find_bundle("community"))))
    least = sum(memory.least_bytes(planned, name, dtype) for name in planned.orders)
    assert set(planned.orders) == {"sd15", "normal", "depth", "faceid", "photo"}
    weights = exhausted(fetch_planned(planned))
    there = memory.networks_bytes(weights, dtype, refine=True)
    files = [path for folder in weights.sources.values() for path in folder.rglob("*.safetensors")]
    headers = sum(int.from_bytes(path.read_bytes()[:8], "little") for path in files)  # long beside so small networks
    assert 0.3 * there < least <= there + 2 * headers


def test_an_edit_asks_the_optional_guidances_that_are_here_and_fetches_none(fresh, hub):
    fetched(refine=False, beside=False)
    hub.requests.clear()
    here = find_here("community", "community")
    assert here.info.beside == () and here.info.refinement is None and not hub.requests
    fetched()
    hub.requests.clear()
    here = find_here("community", "community")
    assert here.info == read_info(here.folder) and not hub.requests
