"""Files of the Hub by way of a server on 127.0.0.1: first and later pulls, and everything that may go wrong."""

import hashlib
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import twins
from fake_hub import SLOW_SECONDS
from huggingface_hub import constants
from safetensors.torch import load_file

from idto3d.bundle.checked import recorded
from idto3d.bundle.find import fetch
from idto3d.bundle.hub import cached, plan
from idto3d.bundle.sources import Source
from idto3d.errors import UserError
from idto3d.events import Notice, StageStarted, StepDone

ROOT = Path(__file__).parents[2]
WEIGHTS = bytes(range(256)) * 12000


def story(generator):
    """All events, and what the generator returned."""
    events = []
    while True:
        try:
            events.append(next(generator))
        except StopIteration as end:
            return events, end.value


@pytest.fixture
def source(hub, request):
    """A source of two files in a repository of the test's own."""
    name = "org/" + request.node.name.translate(str.maketrans("[", "-", "]"))[:80]
    repo = hub.add(name, {"unet/model.safetensors": WEIGHTS, "config.json": b"{}", "unasked.safetensors": b"x" * 9999})
    return Source(name, repo.commit, "MIT", {"unet/model.safetensors": "", "config.json": ""})


def refused(source, said, remedy=""):
    with pytest.raises(UserError, match=said) as caught:
        story(fetch(source))
    assert remedy in caught.value.remedy and caught.value.what.endswith(".")


def test_a_first_pull_says_size_and_licence_then_counts_then_records(source, hub):
    events, folder = story(fetch(source))
    assert isinstance(events[0], Notice) and events[0].text == (
        f"Fetching 2 files of {source.repo}@{source.revision[:8]} (3.1 MB), licence: MIT."
    )
    assert events[1] == StageStarted("weights", 3)
    steps = [event.step for event in events if isinstance(event, StepDone)]
    assert steps == sorted(steps) and steps[-1] == 3
    assert (folder / "unet/model.safetensors").read_bytes() == WEIGHTS
    assert not list(folder.rglob("unasked*"))
    assert recorded(source)["unet/model.safetensors"] == hashlib.sha256(WEIGHTS).hexdigest()


def test_planning_downloads_nothing(source, hub):
    order = plan(source)
    assert (order.size, order.missing, len(order.files)) == (len(WEIGHTS) + 2, len(WEIGHTS) + 2, 2)
    assert not [request for request in hub.requests if request.startswith("GET") and "/resolve/" in request]


def test_a_second_pull_asks_nobody(source, hub):
    _, folder = story(fetch(source))
    hub.requests.clear()
    assert story(fetch(source)) == ([], folder)
    assert hub.requests == []


def test_a_pinned_commit_is_fetched_when_the_repository_has_moved_on(source, hub):
    moved = hub.add(source.repo, {"unet/model.safetensors": b"new", "config.json": b"{}"})
    assert moved.commit != source.revision
    _, folder = story(fetch(source))
    assert (folder / "unet/model.safetensors").read_bytes() == WEIGHTS
    assert (story(fetch(replace(source, revision=moved.commit)))[1] / "unet/model.safetensors").read_bytes() == b"new"


def test_offline_what_is_here_is_used_and_what_is_not_is_refused(source, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    refused(source, "HF_HUB_OFFLINE forbids", "--weights embedded")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    story(fetch(source))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert story(fetch(source))[0] == []


def test_a_hub_that_cannot_be_reached_is_said_at_once():
    code = (
        "from idto3d.bundle.sources import Source; from idto3d.bundle.hub import plan\n"
        "from idto3d.errors import UserError\n"
        "try: plan(Source('org/repo', 'a' * 40, 'MIT', {'a.json': ''}))\n"
        "except UserError as error: print(error)"
    )
    nowhere = {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9"}
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=nowhere, capture_output=True, text=True)
    assert "the Hub (http://127.0.0.1:9) cannot be reached. Check the connection" in answer.stdout, answer.stderr


def test_what_is_not_there_is_named(source, hub):
    without = Source(source.repo, source.revision, "MIT", {"config.json": "", "vae.safetensors": ""})
    refused(without, "has no file vae.safetensors")
    refused(Source(source.repo, "b" * 40, "MIT", source.files), "has no revision bbbb")
    refused(Source("org/nobody", source.revision, "MIT", source.files), "no repository org/nobody", "hf auth login")


def test_a_gated_repository_says_where_to_accept_its_conditions(source, hub):
    hub.repos[source.repo].gated = True
    refused(source, "is gated", f"{hub.url}/{source.repo}")


def test_a_download_that_breaks_off_is_said_and_goes_on_later(source, hub, monkeypatch):
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)
    hub.repos[source.repo].truncated.add("unet/model.safetensors")
    refused(source, "broke off", "Run it again")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    refused(source, "HF_HUB_OFFLINE forbids")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    hub.repos[source.repo].truncated.clear()
    events, folder = story(fetch(source))
    assert "Fetching 1 file of" in events[0].text
    assert (folder / "unet/model.safetensors").read_bytes() == WEIGHTS


@pytest.mark.parametrize("name", ["unet/model.safetensors", "config.json"], ids=["large", "small"])
def test_a_file_with_another_hash_is_refused_removed_and_fetched_anew(source, hub, name):
    hub.repos[source.repo].altered.add(name)
    refused(source, f"{name} of .* is not the file that was published", "run it again")
    hub.repos[source.repo].altered.clear()
    assert (story(fetch(source))[1] / "config.json").read_bytes() == b"{}"
    assert (story(fetch(source))[1] / "unet/model.safetensors").read_bytes() == WEIGHTS


def test_a_file_with_another_hash_than_the_bundle_knows_is_refused(source):
    refused(Source(source.repo, source.revision, "MIT", {"config.json": "a" * 64}), "not aaaaaaaaaaaaaaaa")


def test_a_file_cut_on_the_disk_is_found_before_it_is_loaded(source):
    _, folder = story(fetch(source))
    path = (folder / "unet/model.safetensors").resolve()
    path.write_bytes(WEIGHTS[:100])
    refused(source, "not the file that was published")
    assert (story(fetch(source))[1] / "unet/model.safetensors").read_bytes() == WEIGHTS


def test_closing_the_story_stops_the_download(source, hub, monkeypatch):
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 50_000)
    hub.repos[source.repo].slow.add("unet/model.safetensors")
    events = fetch(source)
    for event in events:
        if isinstance(event, StepDone):
            events.close()
    time.sleep(2 * SLOW_SECONDS)
    blobs = Path(constants.HF_HUB_CACHE, "models--" + source.repo.replace("/", "--"), "blobs").iterdir()
    assert all(blob.stat().st_size < len(WEIGHTS) for blob in blobs) and cached(source) is None
    hub.repos[source.repo].slow.clear()
    assert (story(fetch(source))[1] / "unet/model.safetensors").read_bytes() == WEIGHTS


def test_pickled_weights_are_converted_once_and_never_run(hub, monkeypatch):
    repo = hub.add("org/pickles", twins.faceid(0))
    adapter = Source("org/pickles", repo.commit, "MIT", dict.fromkeys(repo.files, ""))
    _, folder = story(fetch(adapter))
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {".safetensors"}
    state = load_file(folder / "ip-adapter-faceid_sd15.safetensors")
    assert "image_proj.proj.0.weight" in state and "ip_adapter.0.to_q_lora.down.weight" in state
    monkeypatch.setattr(torch, "load", None)
    assert story(fetch(adapter)) == ([], folder)


class Trap:
    """What a pickle could do."""

    def __reduce__(self):
        return (os.mkdir, ("sprung",))


@pytest.mark.parametrize("content", [{"image_proj": Trap()}, {"image_proj": [1, 2]}, "text"])
def test_a_pickle_with_more_than_tensors_is_refused(hub, tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    repo = hub.add(f"org/trap-{type(content).__name__}-{len(str(content))}", {"a.bin": twins.pickled(content)})
    name = next(iter(hub.repos))
    refused(Source(name, repo.commit, "MIT", {"a.bin": ""}), "more than tensors")
    assert not (tmp_path / "sprung").exists()
