"""bundle.json: what it says is read, and the first wrong thing in it is named in one sentence."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from idto3d.bundle.asking import Asking, Beside, StageDefaults, Timesteps
from idto3d.bundle.encoder import check_encoder, encoder_name
from idto3d.bundle.info import BundleInfo, read_info, write_info
from idto3d.bundle.sources import Source
from idto3d.config import COMMUNITY, EMBEDDED
from idto3d.errors import UserError
from idto3d.words.prompts import DOMAINS

ROOT = Path(__file__).parents[2]


def test_what_is_written_is_read_again(info, tmp_path):
    own = replace(info, timesteps=Timesteps(albedo=(10, 20)), sampling_from=40, name="Zoë")
    write_info(own, tmp_path)
    assert read_info(tmp_path) == own and "Zoë" in (tmp_path / "bundle.json").read_text(encoding="utf-8")


def test_a_bundle_that_says_nothing_of_timesteps_is_asked_at_those_of_the_paper(info, tmp_path):
    said = asdict(info)
    for optional in ("timesteps", "sampling_from", "sources", "refinement"):
        del said[optional]
    (tmp_path / "bundle.json").write_text(json.dumps(said))
    found = read_info(tmp_path)
    assert found.timesteps == Timesteps((200, 700), (50, 200), (50, 900), (50, 500), (50, 100))
    assert found.sampling_from == 1000 and found.timesteps.highest() == 900


def test_the_weights_that_come_along_say_where_they_are_asked():
    embedded, community = read_info(EMBEDDED), read_info(COMMUNITY)
    assert embedded.timesteps == Timesteps((200, 300), (50, 200), (50, 300), (50, 300), (50, 100))
    assert embedded.sampling_from == 100
    assert (community.timesteps, community.sampling_from) == (Timesteps((20, 800), (20, 110)), 1000)
    assert community.beside[0].timesteps == Timesteps((20, 800), (20, 210))


def test_weights_of_the_schema_before_are_read_without_the_newer_entries(info, tmp_path):
    former = asdict(info) | {"schema": 2}
    newer = {name: former.pop(name) for name in ("asking", "beside", "stages", "scorer")}
    (tmp_path / "bundle.json").write_text(json.dumps(former))
    found = read_info(tmp_path)
    assert found == replace(info, schema=2) and found.stages == StageDefaults(128, 30.0, 128, 4000.0)
    for name, value in newer.items():
        (tmp_path / "bundle.json").write_text(json.dumps(former | {name: value}))
        with pytest.raises(UserError, match=f"'{name}' is an entry of schema version 3, not 2"):
            read_info(tmp_path)
    write_info(found, tmp_path)
    assert read_info(tmp_path) == info


def test_a_bundle_says_how_each_guidance_is_asked_and_what_it_leaves_out_is_left_open(info, tmp_path):
    own = Asking(50.0, "blurry", "black", ("front", "back"), 0.5, 0.0, (60.0, 110.0))
    depth = Beside("geometry", "depth", "faceid", "", "{view} {subject}", 0.5, own, Timesteps(shape_late=(20, 210)))
    source = Source("org/model", "a" * 40, "MIT", {"a.bin": ""})
    full = replace(info, sources={"faceid": source}, asking={"geometry": own, "albedo": Asking()}, beside=(depth,))
    write_info(replace(full, stages=StageDefaults(512, 0.0, 256, 1.0)), tmp_path)
    assert read_info(tmp_path) == replace(full, stages=StageDefaults(512, 0.0, 256, 1.0))
    said = json.loads((tmp_path / "bundle.json").read_text())
    said |= {"asking": {"geometry": {"background": "black"}}, "beside": [{**asdict(depth), "asking": {}}]}
    del said["stages"]
    (tmp_path / "bundle.json").write_text(json.dumps(said))
    found = read_info(tmp_path)
    assert found.asking == {"geometry": Asking(background="black")} and found.stages == StageDefaults()
    assert found.beside == (replace(depth, asking=Asking()),)


def test_weights_of_the_first_schema_are_refused_with_what_to_add(info, tmp_path):
    (tmp_path / "bundle.json").write_text(json.dumps(asdict(info) | {"schema": 1}))
    with pytest.raises(UserError, match="schema version 1, this program reads 2 and 3") as refused:
        read_info(tmp_path)
    for word in ("newer revision", '"schema" to 2', '"timesteps"', '"sampling_from"'):
        assert word in refused.value.remedy


def test_reading_bundle_json_needs_no_network_library_and_no_torch():
    code = (
        "import sys, importlib, pkgutil, idto3d.bundle as room\n"
        "for module in pkgutil.iter_modules(room.__path__): importlib.import_module(f'idto3d.bundle.{module.name}')\n"
        "print([name for name in ('torch', 'diffusers', 'transformers') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert answer.stdout == "[]\n", answer.stderr


def test_an_encoder_with_terms_of_its_own_is_never_chosen_unasked(info: BundleInfo):
    def named(name):
        return replace(info, identity_encoder=replace(info.identity_encoder, name=name))

    assert [encoder_name(named(name), "auto") for name in ("dlib", "portrait")] == ["dlib", "portrait"]
    assert encoder_name(named("insightface"), "insightface") == "insightface"
    for own, asked in (("insightface", "auto"), ("dlib", "portrait")):
        with pytest.raises(UserError, match=f"subject.encoder={own}"):
            encoder_name(named(own), asked)


def test_another_identity_encoder_is_refused(info):
    check_encoder(info, "dlib", 6)
    for name, dimension in (("insightface", 6), ("dlib", 128)):
        with pytest.raises(UserError, match="identity encoder dlib"):
            check_encoder(info, name, dimension)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"schema": 4}, "schema version 4.*Update idto3d"),
        ({"schema": None}, "schema version None"),
        ({"colour": "blue"}, "'colour' is not known"),
        ({"name": 3}, "'name' should be a text"),
        ({"lambda_id": "much"}, "'lambda_id' should be a number"),
        ({"lambda_id": True}, "'lambda_id' should be a number"),
        ({"lambda_exp": -1}, "negative"),
        ({"identity_encoder": {"name": "dlib"}}, "'identity_encoder.dimension' is missing"),
        ({"identity_pooling": "concatenate"}, "identity_pooling"),
        ({"expressions": {}}, "'expressions' is empty"),
        ({"expressions": {"neutral": 1}}, "'expressions.neutral' should be a text"),
        ({"expressions": ["neutral"]}, "'expressions' should be an object"),
        ({"vocabulary": ["a", 3]}, "'vocabulary' should be a text"),
        ({"lambda_id": float("nan")}, "NaN is no number"),
        ({"image_size": 64.5}, "'image_size' should be a whole number"),
        ({"timesteps": {"shape_early": [300, 200]}}, "'timesteps.shape_early' should be two timesteps"),
        ({"timesteps": {"albedo": [50, 1000]}}, "'timesteps.albedo' should be two timesteps"),
        ({"timesteps": {"joint": [50]}}, "'timesteps.joint' should have 2 values"),
        ({"timesteps": {"joint": 50}}, "'timesteps.joint' should be a list"),
        ({"timesteps": {"texture": [50, 100]}}, "'timesteps.texture' is not known"),
        ({"sampling_from": 0}, "'sampling_from'"),
        ({"prompts": {"geometry": "{view} {subject}"}}, "'prompts'"),
        ({"prompts": {"geometry": "{view} {subject}", "albedo": "{view}"}}, "{subject}"),
        ({"image_size": 100}, "image_size"),
        ({"base": "../elsewhere"}, "'base'"),
        ({"base": "/etc"}, "'base'"),
        ({"base": {"repo": "org/model"}}, "'base' should be a text"),
        ({"asking": {"colour": {}}}, "'asking.colour' should be one of geometry, albedo"),
        ({"asking": {"albedo": {"scale": 3}}}, "'asking.albedo.scale' is not known"),
        ({"asking": {"albedo": {"guidance_scale": -1}}}, "'asking.albedo.guidance_scale' should lie within 0..1000"),
        ({"asking": {"albedo": {"lambda_id": 1001}}}, "'asking.albedo.lambda_id' should lie within 0..1000"),
        ({"asking": {"albedo": {"lora": "much"}}}, "'asking.albedo.lora' should be a number"),
        ({"asking": {"albedo": {"background": "blue"}}}, "'asking.albedo.background' should be one of white, black"),
        ({"asking": {"albedo": {"views": []}}}, "'asking.albedo.views' should be 1 to 64 words"),
        ({"asking": {"albedo": {"views": ["front", " "]}}}, "'asking.albedo.views' has an empty word"),
        ({"asking": {"albedo": {"identity_fades_deg": [90, 45]}}}, "'asking.albedo.identity_fades_deg' should be two"),
        ({"asking": {"albedo": {"identity_fades_deg": [90]}}}, "'asking.albedo.identity_fades_deg' should have 2"),
        ({"stages": {"shape_image_size": 4}}, "'stages.shape_image_size' should lie within 16..2048"),
        ({"stages": {"material_anchor": -1}}, "'stages.material_anchor' should be a number of at least 0"),
        ({"stages": {"steps": 3}}, "'stages.steps' is not known"),
        ({"scorer": "nowhere"}, "'scorer' names no entry of sources"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path, info, changes, said):
    (tmp_path / "bundle.json").write_text(json.dumps({**asdict(info), **changes}))
    with pytest.raises(UserError, match=said):
        read_info(tmp_path)


SOURCE = {"repo": "org/model", "revision": "a" * 40, "licence": "MIT", "files": {"a.bin": ""}}


def further(changes):
    """A further guidance with `changes`, and one source."""
    one = {"domain": "geometry", "picture": "depth", "unet": "depth", "adapter": "", "prompt": "{view} {subject}"}
    return {"sources": {"base": SOURCE}, "beside": [one | changes]}


ELSEWHERE = {"sources": {"faceid": SOURCE}, "lambda_exp": 0.0}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sources": {"base": {**SOURCE, "revision": "main"}}}, "40 hexadecimal"),
        ({"sources": {"base": {**SOURCE, "repo": "model"}}}, "ORG/REPO"),
        ({"sources": {"base": {**SOURCE, "files": {"../a.bin": ""}}}}, "inside the repository"),
        ({"sources": {"base": {**SOURCE, "files": {"a.py": ""}}}}, "inside the repository"),
        ({"sources": {"base": {**SOURCE, "files": {"a.bin": "123"}}}}, "SHA-256"),
        ({"sources": {"base": {**SOURCE, "files": {}}}}, "empty"),
        ({"sources": {"base": 3}}, "should be an object"),
        ({"domains": {"geometry": {"unet": "", "adapter": "nowhere"}}}, "names no entry of sources"),
        (ELSEWHERE | {"domains": {"geometry": {"unet": "", "adapter": "faceid"}}}, "all of geometry, albedo"),
        (ELSEWHERE | {"domains": {d: {"unet": "", "adapter": "faceid"} for d in ("geometry", "albedo")}}, "expression"),
        (
            {"sources": {"faceid": SOURCE}, "domains": {d: {"unet": "", "adapter": "faceid"} for d in DOMAINS}},
            "'lambda_exp' should be 0",
        ),
        (
            {"refinement": {"base": "nowhere", "adapter": "", "prompt": "", "guidance_scale": 1, "weight": 1}},
            "no entry",
        ),
        (further({}), "'beside.0.unet' names no entry of sources: 'depth'"),
        (further({"unet": "base", "adapter": "nowhere"}), "'beside.0.adapter' names no entry of sources"),
        (further({"unet": "base", "domain": "albedo"}), "'beside.0.domain' should be geometry"),
        (further({"unet": "base", "picture": "smell"}), "'beside.0.picture' should be one of normal, depth"),
        (further({"unet": "base", "prompt": "{view}"}), "'beside.0.prompt' should have {view} and {subject}"),
        (further({"unet": "base", "weight": -1}), "'beside.0.weight' should lie within 0..1000"),
        (further({"unet": "base", "asking": {"lora": -1}}), "'beside.0.asking.lora' should lie within"),
        (further({"unet": "base", "timesteps": {"joint": [9, 1]}}), "'beside.0.timesteps.joint' should be two"),
    ],
)
def test_a_wrong_entry_about_the_hub_is_named(tmp_path, info, changes, said):
    (tmp_path / "bundle.json").write_text(json.dumps({**asdict(info), **changes}))
    with pytest.raises(UserError, match=said):
        read_info(tmp_path)


def test_a_missing_entry_is_named(tmp_path, info):
    data = asdict(info)
    del data["licence"]
    (tmp_path / "bundle.json").write_text(json.dumps(data))
    with pytest.raises(UserError, match="'licence' is missing"):
        read_info(tmp_path)
    (tmp_path / "bundle.json").write_text("[1]")
    with pytest.raises(UserError, match="object"):
        read_info(tmp_path)


def test_words_outside_the_vocabulary_are_named_unless_it_is_open(info):
    assert info.unknown_words("a normal face with a Tiara") == ["with", "tiara"]
    assert replace(info, vocabulary=()).unknown_words("tiara") == []
