"""Faces to choose from, hair as pictures, and animations, in a real browser over the toy pipeline."""

import threading

import pytest
from browsing import CHROMIUM, shoot

from idto3d.ui.wired import making
from idto3d.ui.wired.frame import NEW, frame

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

BREATH = 1000  # milliseconds: nobody presses in the very moment in which a page on a busy machine learns what it shows


class Late:
    """In place of `making.frame`: the first look at an empty stage is answered when the visitor has gone on."""

    def __init__(self):
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self, page, does, jobs, opened, seen="", boxed=""):
        if opened == NEW and not self.begun.is_set():
            self.begun.set()
            self.go_on.wait(60)
        return frame(page, does, jobs, opened, seen, boxed)


def test_a_visitor_chooses_a_face_makes_it_changes_its_hair_and_lets_it_move(address, tab, page, photo, monkeypatch):
    does = page[1]
    tab.goto(address)
    tab.wait_for_selector(".status.idle")
    tab.click("#show_nine")
    assert "Nothing is said" in tab.inner_text("#faces .refusal")
    tab.fill("#prompt textarea", "slow young")
    tab.click("#show_nine")
    tab.wait_for_selector("#faces .face.wait")
    tab.reload()  # it is asked again, and answered once
    tab.wait_for_function("document.querySelectorAll('#faces button.face').length === 9")
    assert tab.is_disabled("#more_like")
    tab.wait_for_timeout(BREATH)
    tab.wait_for_function("document.querySelector('#prompt textarea').value === 'slow young'")
    tab.click("#faces button.face >> nth=4")
    tab.wait_for_selector("#faces .face.now")
    tab.reload()
    tab.wait_for_selector("#faces [data-pick='4'].now")
    tab.click("#more_like:enabled")
    tab.wait_for_selector("#faces [data-pick='2']:not(.now)")
    tab.wait_for_selector("#faces .now", state="detached")
    tab.wait_for_selector("#faces button[data-pick='2']")
    tab.wait_for_timeout(BREATH)
    tab.click("#faces [data-pick='2']")
    tab.wait_for_selector("#faces [data-pick='2'].now")
    tab.fill("#prompt textarea", "young with red hair")
    tab.wait_for_selector("text=These are for other words")
    shoot(tab, "8_faces")
    tab.click("#generate")
    tab.wait_for_selector(".status.done")
    (job_id,) = does.desk.ids()
    assert does.look(job_id).options.choice.chosen == (2.0, 1.0, 4.0)
    tab.wait_for_selector("#message:has-text('chosen for “slow young”')")
    tab.wait_for_selector("#faces [data-pick='2'].now")  # it stays as it was asked for
    tab.reload()
    tab.wait_for_function("document.querySelector('#prompt textarea')?.value === 'young with red hair'")
    tab.wait_for_selector("#faces [data-pick='2'].now")
    tab.fill("#prompt textarea", "an old man")
    tab.wait_for_selector("text=chosen for other words")
    tab.fill("#prompt textarea", "young with red hair")
    tab.wait_for_selector("text=chosen for other words", state="hidden")
    monkeypatch.setattr(making, "frame", late := Late())
    tab.click("#shelf [data-pick=new]")
    tab.wait_for_selector("#faces button", state="detached")
    assert late.begun.wait(60)
    tab.wait_for_function("document.querySelector('#prompt textarea').value === ''")  # it goes with the face
    tab.locator("#shelf .head:not(.new)").click()
    tab.wait_for_selector("text=the face that was chosen for this head")
    tab.wait_for_selector(".status.done")
    late.go_on.set()
    tab.wait_for_selector(".status.idle")  # what was asked before arrives last
    tab.wait_for_selector(".status.done")

    tab.click("#hair > button")
    tab.wait_for_selector("#hairs img")
    tab.click("#hairs [data-pick='bald']")
    tab.wait_for_selector("#versions .version.now [title='bald']")

    (clip := photo.with_name("hello.webm")).write_bytes(b"anna in person")
    tab.click("#new_film > button")
    tab.set_input_files("#clip input[type=file]", str(clip))
    tab.wait_for_selector("#clip video")
    tab.click("#film")
    tab.wait_for_selector("#animate_message .refusal:has-text('need a yes')")
    tab.check("#clip_consent input")
    tab.wait_for_selector("#animate_message .refusal", state="detached")
    tab.click("#film")
    tab.wait_for_selector("#films figure[data-film=a001] video.source")  # the clip that only the browser has
    tab.wait_for_selector("#films figcaption:has-text('hello')")
    left = [path for root in (does.desk.root, does.shelf.folder) for path in root.rglob("*") if path.is_file()]
    assert not [path for path in left if path.read_bytes() == clip.read_bytes()]
    shoot(tab, "9_film")
    tab.reload()
    tab.wait_for_selector("#films figure[data-film=a001] video")
    assert not tab.locator("#films .source").count()
    for _ in range(2):  # it asks first
        tab.click("#films [data-pick='drop a001']")
    tab.wait_for_selector("#films figure", state="detached")
    tab.set_viewport_size({"width": 380, "height": 844})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 380
