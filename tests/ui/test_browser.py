"""A visitor's story in a real browser, over the toy pipeline. Skipped where there is no Chromium."""

import pytest
from browsing import CHROMIUM, shoot

PAINTED = """() => {
  const viewer = [...document.querySelectorAll("*")].map((one) => one.idto3dViewer).find(Boolean);
  const sheet = Object.assign(document.createElement("canvas"), { width: 512, height: 512 });
  sheet.getContext("2d").fillRect(0, 0, 512, 512);
  viewer.io.trigger("sketch", { png: sheet.toDataURL("image/png"), azimuth_deg: 0, elevation_deg: 0, space: "view" });
}"""
SEEN = """() => {
  const [strip, now] = [".versions", ".version.now"].map((one) => document.querySelector(one).getBoundingClientRect());
  return now.left >= strip.left - 1 && now.right <= strip.right + 1;
}"""
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


def test_a_visitor_makes_a_head_leaves_comes_back_and_deletes_it(address, tab, page, photo):
    asked = []
    tab.on("request", lambda request: asked.append(request.url))
    empty = photo.with_name("nobody.png")
    empty.write_bytes(photo.read_bytes() + b" ")

    tab.goto(address)
    tab.wait_for_selector(".status.idle")
    shoot(tab, "1_empty")
    tab.set_input_files("#photos input[type=file]", [str(photo), str(empty)])
    tab.wait_for_selector("#photos img")
    tab.click("#generate")
    assert "Tick the box" in tab.inner_text("#message .refusal")
    shoot(tab, "2_refusal")

    tab.check("#consent input")
    tab.wait_for_selector("#message .refusal", state="detached")  # what it asks for is done
    tab.fill("#prompt textarea", "stall")
    tab.click("#generate")
    tab.wait_for_selector("#viewer img[src^='data:image/webp']")
    tab.wait_for_selector("text=step 9 of 30")
    tab.wait_for_selector("#taken .crops figure.used img")  # in place of the box, which would look empty after a reload
    assert "left out" in tab.inner_text(".crops figure.out")
    assert not tab.is_visible("#message .refusal") and not tab.is_visible("#generate")
    shoot(tab, "3_running")

    tab.reload()
    tab.wait_for_selector(".status.running")
    assert tab.is_visible("#taken figure.used") and not tab.is_visible("#photos")
    tab.click("#cancel")
    tab.wait_for_selector(".status.cancelled")
    shoot(tab, "4_cancelled")
    tab.click("#resume")
    tab.wait_for_selector(".status.done")
    assert "would be taken for another person (likeness 0.71" in tab.inner_text(".status")
    tab.wait_for_selector("#photos img", state="detached")
    assert tab.is_visible("#photos") and not tab.is_visible("#taken figure")
    assert not tab.is_checked("#consent input")
    box = tab.locator("#photos button[aria-dropeffect]")
    assert " ".join(box.inner_text().split()) == box.get_attribute("aria-label")
    tab.wait_for_selector("#versions [aria-pressed=true]")
    shoot(tab, "5_done")

    tab.evaluate("scrollTo(0, 0)")
    tab.evaluate(PAINTED)
    tab.wait_for_function("document.querySelector('#edit').getBoundingClientRect().top < 100")  # what becomes of it
    tab.click("#unmask")
    tab.wait_for_selector("#mask img", state="detached")

    tab.fill("#prompt textarea", "green hair")
    tab.click("#generate")
    tab.wait_for_selector("#question")
    assert tab.is_visible("#versions")  # the head is still there
    assert tab.is_disabled("#undo") and tab.is_disabled("#redo")
    tab.click("#as_change")
    tab.wait_for_selector("#versions .version.now [title='green hair']")
    assert tab.locator("#shelf .head:not(.new)").count() == 1
    assert tab.is_disabled("#redo")
    tab.click("#undo")
    tab.wait_for_selector("#versions .version.now [title='stall']")
    tab.wait_for_selector("#undo:disabled")
    assert tab.is_enabled("#redo")
    shoot(tab, "6_undone")
    tab.set_viewport_size({"width": 380, "height": 844})
    assert not tab.is_visible("#prompt") and tab.is_visible("#versions")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 380
    tab.click("#fold summary")
    assert tab.is_visible("#prompt")
    tab.click("#fold summary")
    tab.set_viewport_size({"width": 1440, "height": 1000})
    tab.add_style_tag(content="#versions .versions { width: 100px; }")  # as many versions on a small screen
    for name in ("green hair", "stall"):
        tab.click(f"#versions [title='{name}']")
        tab.wait_for_selector(f"#versions .version.now [title='{name}']")
        tab.wait_for_function(SEEN)
    drop = tab.locator("#versions [data-pick^=drop]")
    drop.click()  # it asks first, as what is deleted is gone
    assert drop.inner_text() == "Delete?"
    drop.blur()
    assert drop.inner_text() == "×" and tab.locator("#versions [title='green hair']").count() == 1
    for _ in range(2):
        drop.click()
    tab.wait_for_selector("#versions [title='green hair']", state="detached")
    tab.click("#shelf [data-pick=new]")
    tab.wait_for_selector(".status.idle")
    tab.locator("#shelf .head:not(.new)").click()
    tab.wait_for_selector(".status.done")
    tab.wait_for_function("document.querySelector('#prompt textarea').value === 'stall'")

    unused = photo.with_name("unused.png")
    unused.write_bytes(photo.read_bytes() + b"  ")
    tab.set_input_files("#photos input[type=file]", [str(unused)])
    tab.wait_for_selector("#cards li")
    tab.click("#delete")
    tab.wait_for_selector("#really")
    shoot(tab, "7_delete")
    tab.click("#really")
    tab.wait_for_selector(".status.idle")
    tab.wait_for_selector("#history", state="hidden")
    assert page[1].desk.ids() == []
    assert not list(page[1].shelf.folder.rglob("*.png")), "nor a photo of which no head was made"
    outside = {url for url in asked if not url.startswith((address, "data:", "blob:"))}
    assert not outside
