"""The viewer as a component of a Gradio page, and how much of it there is."""

import gzip

import gradio as gr
import pytest
from PIL import Image

from idto3d.config import HDRI
from idto3d.ui.viewer import component
from idto3d.ui.viewer.component import COLUMNS, SPRITE, viewer_component, viewer_head, viewer_script


@pytest.fixture
def address(monkeypatch):
    """The address of a page with the viewer, a button that gives it a picture, and what it last told."""
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    with gr.Blocks(analytics_enabled=False) as blocks:
        viewer, told = viewer_component(), gr.Textbox(elem_id="told")
        gr.Button("Give", elem_id="give").click(
            lambda: component.EMPTY | {"caption": "forming", "picture": "data:,"}, None, viewer
        )

        def mask(event: gr.EventData):
            return event._data["png"]

        viewer.mask(mask, None, told)
    _, address, _ = blocks.launch(prevent_thread_lock=True, quiet=True, run_history=False)
    yield address
    blocks.close(verbose=False)


def test_gradio_mounts_it_gives_it_values_and_hears_it(browser, address):
    tab = browser.new_page()
    tab.set_default_timeout(60_000)
    tab.goto(address)
    tab.wait_for_selector("#viewer .idv-empty")
    tab.click("#give")
    tab.wait_for_selector("#viewer .idv-caption:has-text('forming')")
    tab.evaluate(
        "document.querySelector('.idv-root').parentElement.idto3dViewer.io.trigger('mask', { png: 'painted' })"
    )
    tab.wait_for_function("document.querySelector('#told textarea').value === 'painted'")
    assert tab.locator("#viewer .idv").count() == 1
    tab.close()


def test_no_rule_of_the_page_takes_a_look_away(browser, address):
    tab = browser.new_page()
    tab.set_default_timeout(60_000)
    tab.goto(address)
    tab.wait_for_selector("#viewer .idv-empty")
    looks = tab.evaluate(
        """() => {
            const look = (around, one) => {
                const box = document.createElement("div"), button = document.createElement("button");
                Object.assign(button, { type: "button", className: one });
                box.className = around;
                box.append(button);
                document.querySelector("#viewer .idv").append(box);
                const { backgroundImage, backgroundColor, paddingLeft } = getComputedStyle(button);
                return [backgroundImage.slice(0, 4), backgroundColor, paddingLeft];
            };
            return [look("idv-lights", ""), look("", "idv-button"), look("", "idv-icon")];
        }"""
    )
    tab.close()
    assert looks[0][0] == "url(" and looks[1][2] == "13px" and looks[2][2] == "7px"
    assert all(colour != "rgba(0, 0, 0, 0)" for _, colour, _ in looks)


def test_it_is_small_and_carries_no_other_address():
    assert len(viewer_script()) < 100_000 and SPRITE.stat().st_size < 200_000
    assert len(gzip.compress(viewer_head().encode())) < 150_000
    assert "http" not in viewer_head().replace("http://www.w3.org/2000/svg", "")


def test_its_scripts_and_styles_stay_short():
    files = [*component.HERE.glob("*.js"), *component.HERE.glob("*.css")]
    assert {path.name: n for path in files if (n := len(path.read_text().splitlines())) > 300} == {}
    assert {path.stem for path in files if path.suffix == ".js"} == {*component.DRAWS, *component.SHOWS}


def test_every_light_has_its_thumbnail():
    rows = -(-len(list(HDRI.glob("*.hdr"))) // COLUMNS)
    with Image.open(SPRITE) as sprite:
        assert sprite.size == (64 * COLUMNS, 64 * rows)
