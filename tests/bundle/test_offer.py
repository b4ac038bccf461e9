"""What a choice of weights would mean is told before any of them is fetched, and nobody is asked unasked."""

import json

import pytest
import torch
import twins

from idto3d.bundle import find as weights_module
from idto3d.bundle.find import fetch_weights, find_bundle
from idto3d.bundle.hub import cached
from idto3d.bundle.offer import Offer, at_hand, looked_up
from idto3d.bundle.sources import Source
from idto3d.config import EMBEDDED
from idto3d.errors import UserError
from idto3d.events import exhausted
from idto3d.head.sculpt.forms import FORMS_FILE
from idto3d.jobs.intake import offers
from idto3d.jobs.intake.offered import Offered, from_plain


@pytest.fixture
def repository(hub, tiny_bundle, request):
    """A bundle on the Hub, in a repository of the test's own."""
    files = {p.relative_to(tiny_bundle).as_posix(): p.read_bytes() for p in tiny_bundle.rglob("*") if p.is_file()}
    name = f"org/{request.node.name[:60]}"
    return name, hub.add(name, files | {"notes.txt": b"unasked" * 1000})


@pytest.fixture
def community(hub, tmp_path, monkeypatch, request):
    folder = tmp_path / "community"
    folder.mkdir()
    listed = twins.community(hub, request.node.name[:40])
    folder.joinpath("bundle.json").write_text(json.dumps(listed))
    monkeypatch.setitem(weights_module.NAMED, "community", folder)
    return listed


def test_what_comes_along_is_known_without_a_request(hub, tiny_bundle):
    embedded = at_hand("embedded")
    assert (embedded.encoder, embedded.missing, embedded.free, embedded.heavy) == ("portrait", 0, True, False)
    assert 50e6 < embedded.size < 96e6 and "Apache-2.0" in embedded.licences[0]
    own = [
        path for path in EMBEDDED.rglob("*.safetensors") if path.name != FORMS_FILE
    ]  # which is there for all bundles
    assert embedded.size >= sum(path.stat().st_size for path in own)
    assert embedded.fetching() == f"All of it is on this machine ({embedded.size / 1e6:.1f} MB)."
    tiny = at_hand(str(tiny_bundle))
    assert (tiny.title, tiny.licences, tiny.encoder) == ("tiny", ("CC0",), "dlib")
    assert looked_up(str(tiny_bundle)) == tiny and hub.requests == []


def test_a_bundle_on_the_hub_is_looked_up_by_its_card_alone(hub, repository):
    name, repo = repository
    assert at_hand(name) is None and at_hand(f"{name}@{repo.commit}") is None and hub.requests == []
    offer = looked_up(name)
    assert offer.weights == f"{name}@{repo.commit}" and offer.title == f"tiny ({name}@{repo.commit[:8]})"
    needed = sum(len(content) for path, content in repo.files.items() if path != "notes.txt")
    assert offer.size == needed and offer.size - len(repo.files["bundle.json"]) == offer.missing
    assert offer.fetching().endswith("would be fetched from the Hub.")
    fetched = [request for request in hub.requests if request.startswith("GET") and "/resolve/" in request]
    assert fetched == [f"GET /{name}/resolve/{repo.commit}/bundle.json"]
    assert cached(Source(name, repo.commit, "", {"base/unet/config.json": ""})) is None


def test_what_was_looked_up_is_remembered_and_what_was_fetched_is_here(hub, repository):
    name, repo = repository
    offer = looked_up(name)
    hub.requests.clear()
    again = at_hand(offer.weights)
    assert (again.title, again.encoder, again.missing) == (offer.title, "dlib", None) and hub.requests == []
    exhausted(fetch_weights(exhausted(find_bundle(offer.weights))))
    hub.requests.clear()
    here = at_hand(offer.weights)
    assert (here.missing, here.size) == (0, offer.size) and hub.requests == []


def test_the_community_list_is_weighed_only_when_it_is_asked_for(hub, community):
    known = at_hand("community")
    assert (known.size, known.missing, hub.requests) == (None, None, [])
    assert "when it is looked up" in known.fetching()
    offer = looked_up("community")
    sizes = [
        len(hub.repos[source["repo"]].files[path])
        for name, source in community["sources"].items()
        if name != community["scorer"]  # which is fetched by name alone
        for path in source["files"]
    ]
    assert offer.missing == sum(sizes) and offer.size > offer.missing
    pickled = [one for one in community["sources"].values() if any(name.endswith(".bin") for name in one["files"])]
    copied = [len(hub.repos[one["repo"]].files[path]) for one in pickled for path in one["files"]]
    assert offer.copies == sum(copied) > 0
    assert any("IP-Adapter-FaceID" in licence for licence in offer.licences)
    assert not [request for request in hub.requests if request.startswith("GET") and "/resolve/" in request]


def test_what_cannot_be_offered_is_refused_in_words(hub, tmp_path):
    for name, said in (
        ("org/nobody", "no repository org/nobody"),
        (str(tmp_path), "no bundle.json"),
        ("??", "no weights"),
    ):
        with pytest.raises(UserError, match=said) as refused:
            looked_up(name)
        assert refused.value.remedy.endswith((".", "login"))
    hub.add("org/nothing-here", {"README.md": b"hello"})
    with pytest.raises(UserError, match="bundle.json"):
        looked_up("org/nothing-here")


def test_a_folder_that_lacks_a_file_is_refused(tiny_bundle, tmp_path):
    import shutil

    folder = shutil.copytree(tiny_bundle, tmp_path / "bundle")
    (folder / "geometry" / "lora.safetensors").unlink()
    with pytest.raises(UserError, match="have no geometry/lora.safetensors"):
        at_hand(str(folder))


def an_offer(**facts):
    return Offer(**{"weights": "w", "title": "w", "licences": ("CC0",), "encoder": "dlib", "side": 128, **facts})


def test_what_hinders_and_what_is_to_be_read_first_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(offers, "looked_up", lambda weights: an_offer(size=9, missing=9, **facts))
    facts = {}
    assert offers.offered("w", "cpu", ask=True) == Offered(an_offer(size=9, missing=9))
    facts = {"side": 512}
    assert "takes hours" in offers.offered("w", "cpu", ask=True).warnings[0]
    monkeypatch.setattr(offers, "choose_device", lambda name: torch.device("cpu"))
    unasked = offers.offered("w", "auto", ask=True)
    assert "take hours" in unasked.hindrance[0] and "--device cpu" in unasked.hindrance[1] and not unasked.warnings
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")  # its GPU is lent to jobs alone
    assert offers.offered("w", "auto", ask=True).hindrance is None
    facts = {"encoder": "insightface"}
    monkeypatch.setattr(offers, "obstacle", lambda name: UserError("It is not installed.", "Install it."))
    found = offers.offered("w", "cpu", ask=True)
    assert found.hindrance is None and "non-commercial" in found.warnings[0]
    assert found.warnings[-1].startswith("It is not installed. Without it heads are made from words alone.")
    monkeypatch.setattr(offers, "obstacle", lambda name: None)
    monkeypatch.setattr(offers.constants, "HF_HUB_CACHE", str(tmp_path / "not" / "yet"))
    monkeypatch.setattr(offers.shutil, "disk_usage", lambda path: type("Use", (), {"free": 1_000_000_000}))
    assert "disk has 1.0 GB left" in offers.offered("w", "cpu", ask=True).hindrance[0]
    facts = {"copies": 2_000_000_000}
    assert "take 2.0 GB more" in offers.offered("w", "cpu", ask=True).hindrance[0]
    said, data = offers.answer({"weights": "w", "device": "cpu", "ask": True})
    assert from_plain(json.loads(json.dumps(said))["offered"]) == offers.offered("w", "cpu", ask=True) and data == b""
