"""What a visitor does in the viewer, in a real browser."""

from PIL import Image

PICTURE = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///ywAAAAAAQABAAACAUwAOw=="
HASH = """() => {
  viewer.draw(1);
  const gl = viewer.renderer.gl, pixels = new Uint8Array(4 * viewer.canvas.width * viewer.canvas.height);
  gl.readPixels(0, 0, viewer.canvas.width, viewer.canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
  return pixels.reduce((sum, value, place) => (sum * 31 + value * (place % 251 + 1)) >>> 0, 7);
}"""
NO_WEBGL = """const own = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, facts) {
  return kind === "webgl2" ? null : own.call(this, kind, facts);
};"""
VIEW = "({ ...viewer.state.view })"


def test_it_is_empty_then_shows_how_a_head_forms_then_the_head(tab):
    assert tab.is_visible(".idv-empty") and not tab.is_visible(".idv-tools")
    tab.evaluate("picture => setValue({ picture, caption: 'Mouth stretch' })", PICTURE)
    assert tab.is_visible(".idv-preview") and tab.inner_text(".idv-caption") == "Mouth stretch"
    assert not tab.is_visible(".idv-empty")
    tab.evaluate("setValue({ head: 'a.head' })")
    tab.wait_for_function("viewer.heads.head && viewer.drawn")
    assert not tab.is_visible(".idv-preview") and not tab.is_visible(".idv-caption")
    assert tab.is_visible(".idv-tools") and tab.locator(".idv-slider input:visible").count() >= 4
    origin = tab.url.rsplit("/", 1)[0]
    assert not [url for url in tab.asked if not url.startswith((origin, "data:", "blob:"))]


def test_it_knows_how_fast_the_machine_is_before_anybody_moves_anything(tab):
    tab.evaluate("setValue({ head: 'a.head' })")
    tab.wait_for_function("viewer.pace.measured === 2")


def test_a_slider_moves_the_face_and_a_double_click_brings_it_back(shown):
    before = shown.evaluate(HASH)
    slider = shown.get_by_label("Mouth stretch")
    slider.focus()
    for _ in range(30):
        slider.press("ArrowRight")
    assert shown.evaluate("viewer.state.face.weights['mouth stretch']") > 0.2
    assert shown.evaluate(HASH) != before
    slider.dblclick()
    assert shown.evaluate("viewer.state.face.weights['mouth stretch']") == 0
    assert shown.evaluate(HASH) == before


def test_a_face_moved_over_what_lies_still_is_the_picture_of_all_anew(shown):
    draw = HASH.replace("viewer.draw(1);", "viewer.setFace({ weights: { jawOpen: strength }, gaze: [0.5, 0] }); DRAW")
    draw = draw.replace("() =>", "(strength) =>")
    anew = draw.replace("DRAW", "viewer.renderer.viewed = ''; viewer.draw(1);")
    over = draw.replace("DRAW", "viewer.draw(1); viewer.draw(1);")
    share = "({ name, ranges }) => [name, ranges.still[1] / ranges.all[1]]"
    ranges = shown.evaluate(f"viewer.heads.head.parts.map({share})")
    still = dict(map(tuple, ranges))
    assert still["skin"] < 1 and still["eye_left"] == 0 and still["hair"] == 1
    for strength in (0.0, 0.4, 1.0):
        assert shown.evaluate(anew, strength) == shown.evaluate(over, strength)
    shown.wait_for_function("viewer.renderer.holds === viewer.renderer.viewed && viewer.renderer.held.size[0] > 0")


def test_the_first_move_on_a_slow_machine_takes_what_lies_still_as_it_lies(shown):
    drawn = """() => {
      const { renderer } = viewer, own = renderer.drawShots, parts = [];
      viewer.draw(2);
      viewer.hold(0.5);
      renderer.drawShots = (...told) => { parts.push(told[4]); own.apply(renderer, told); };
      viewer.setFace({ weights: { jawOpen: 1 }, gaze: [0, 0] });
      viewer.draw(0.5);
      delete renderer.drawShots;
      return parts;
    }"""
    shown.wait_for_function("viewer.pace.measured === 2")
    assert shown.evaluate(drawn) == ["moving"]


def test_single_movements_are_grouped_and_gaze_turns_the_eye_with_its_lid(shown):
    assert shown.locator(".idv-panel details summary").all_inner_texts() == ["Eyes1", "Jaw1"]
    before = shown.evaluate(HASH)
    shown.get_by_label("Look up or down").fill("1")
    assert shown.evaluate("viewer.state.face.gaze[1]") == 1
    assert shown.evaluate(HASH) != before
    moved = shown.evaluate("viewer.heads.head.parts.map((part) => [part.name, Boolean(part.posed.key)])")
    assert dict(map(tuple, moved)) == {"skin": True, "eye_left": False, "hair": False}
    turned = shown.evaluate("Array.from(viewer.heads.head.parts[1].gaze.rotation)")
    assert turned[7] > 0.3  # what looks ahead looks up


def test_keys_turn_zoom_and_reset(shown):
    canvas = shown.locator(".idv-canvas")
    canvas.focus()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowUp", "+"):
        canvas.press(key)
    view = shown.evaluate(VIEW)
    assert view["azimuth"] == 10 and view["elevation"] == 15 and 1.09 < view["zoom"] < 1.11
    canvas.press("Home")
    assert shown.evaluate(VIEW) == {"azimuth": 0, "elevation": 0, "zoom": 1, "pan": [0, 0]}
    canvas.press(" ")
    shown.wait_for_function("Math.abs(viewer.state.view.azimuth) > 1")
    canvas.press(" ")
    assert not shown.evaluate("viewer.state.turning")


def test_dragging_and_the_wheel_turn_and_zoom(shown):
    box = shown.locator(".idv-canvas").bounding_box()
    x, y = box["x"] + box["width"] / 3, box["y"] + box["height"] / 2
    shown.mouse.move(x, y)
    shown.mouse.down()
    shown.mouse.move(x + 50, y + 25, steps=3)
    shown.mouse.up()
    shown.mouse.wheel(0, -300)
    shown.wait_for_function("viewer.state.view.zoom > 1.2")
    view = shown.evaluate(VIEW)
    assert round(view["azimuth"]) == -20 and round(view["elevation"]) == 10


def test_lights_are_chosen_turned_and_looked_at_by_a_lamp_alone(shown):
    shown.get_by_role("tab", name="Light").click()
    shown.get_by_role("radio", name="Night neon pink cyan").click()
    shown.wait_for_function("viewer.lamps.light.name === 'night_neon_pink_cyan'")
    before = shown.evaluate(HASH)
    shown.get_by_label("Turn the light").fill("90")
    turned = shown.evaluate(HASH)
    shown.get_by_role("button", name="Left", exact=True).click()
    shown.wait_for_function("viewer.lamps.light.name === 'light_left' && viewer.state.turn === 0")
    shown.get_by_role("radio", name="Direct").check()
    lamp = shown.evaluate(HASH)
    shown.get_by_role("radio", name="Diffuse").check()
    assert len({before, turned, lamp, shown.evaluate(HASH)}) == 4


def test_a_light_of_ones_own_is_sent_and_chosen_when_it_is_there(shown):
    shown.evaluate("setValue({ uploads: true, lights: { studio_three_point: 'studio_three_point.light' } })")
    shown.get_by_role("tab", name="Light").click()
    file = {"name": "mine.hdr", "mimeType": "application/octet-stream", "buffer": b"x"}
    shown.locator("input[type=file]").set_input_files(file)
    shown.wait_for_function("told.length")
    assert shown.evaluate("told") == [["light", {"path": "/sent/mine.hdr", "name": "mine.hdr"}]]
    shown.evaluate("setValue({ lights: { ...viewer.value.lights, mine: 'light_left.light' } })")
    shown.wait_for_function("viewer.state.light === 'mine' && viewer.lamps.light.name === 'light_left'")
    shown.evaluate("viewer.lamps.set('studio_three_point')")
    shown.evaluate("((lights) => { setValue({ lights: '' }); setValue({ lights }); })(viewer.value.lights)")
    assert shown.evaluate("viewer.state.light") == "studio_three_point"  # it is new only once
    panel = "document.querySelector('.idv-lights')"
    assert shown.evaluate(f"{panel}.children[0].dataset.light") == "mine"  # where it is seen
    assert shown.evaluate(f"{panel}.previousElementSibling.className") == "idv-own"


def test_mixes_are_kept_by_name_in_the_browser(shown):
    shown.get_by_label("Smile").fill("0.6")
    shown.get_by_label("Name of the mix").fill("<b>wry</b>")
    shown.get_by_role("button", name="Save mix").click()
    shown.reload()
    shown.evaluate("setValue({ head: 'a.head' })")
    shown.wait_for_function("viewer.heads.head && viewer.drawn")
    shown.get_by_role("button", name="<b>wry</b>", exact=True).click()
    assert shown.evaluate("viewer.state.face.weights") == {"smile": 0.6}
    shown.get_by_role("button", name="Delete <b>wry</b>").click()
    assert shown.locator(".idv-chip").count() == 0


def test_what_stands_in_the_browsers_storage_may_be_anything(shown):
    shown.evaluate("localStorage.setItem('idto3d-mixes', '[1, 2')")
    shown.reload()
    shown.evaluate(
        "localStorage.setItem('idto3d-mixes', JSON.stringify({ odd: { weights: { smile: 'x', jawOpen: 9 } } }))"
    )
    shown.evaluate("setValue({ head: 'a.head' })")
    shown.wait_for_function("viewer.heads.head")
    shown.get_by_role("button", name="odd", exact=True).click()
    assert shown.evaluate("viewer.state.face") == {"weights": {"jawOpen": 1}, "gaze": [0, 0]}


def test_two_heads_are_compared_by_a_line_and_side_by_side(shown):
    shown.evaluate("setValue({ other: 'b.head', other_name: 'b', compare: 'split' })")
    shown.wait_for_function("viewer.heads.other")
    line = shown.get_by_label("Line between the two heads")
    assert line.is_visible() and shown.locator(".idv-tag:visible").all_inner_texts() == ["a", "b"]
    half = shown.evaluate(HASH)
    line.focus()
    line.press("ArrowRight")
    assert shown.evaluate("viewer.split") == 0.55 and shown.evaluate(HASH) != half
    shown.get_by_label("Compare side by side").click()
    assert shown.evaluate("told") == [["compare", {"how": "side"}]]
    assert shown.evaluate("viewer.shots().length") == 2 and not line.is_visible()
    shown.evaluate("setValue({ other: '', compare: '' })")
    assert shown.evaluate("viewer.shots().length") == 1


def test_a_picture_of_a_change_lies_over_the_head_until_it_is_moved_and_goes_with_the_next(shown):
    preview = shown.locator(".idv-preview")
    shown.evaluate("picture => setValue({ over: true, picture, caption: 'so far' })", PICTURE)
    shown.evaluate("setValue({ over: true, head: 'a.head' })")
    assert preview.is_visible() and shown.inner_text(".idv-caption") == "so far"
    assert shown.is_visible(".idv-tools") and shown.locator(".idv-panel:visible").count() == 1
    assert preview.bounding_box()["width"] > 300
    shown.locator(".idv-canvas").press("ArrowRight")
    assert preview.bounding_box()["width"] < 200
    seen = "document.querySelector('.idv-preview').checkVisibility()"
    made = "setValue({ over: false, head: 'b.head', picture: '' })"
    assert shown.evaluate(f"() => {{ window.former = viewer.heads.head; {made}; return {seen}; }}")  # until it is there
    shown.wait_for_function("viewer.heads.head !== former")
    assert not preview.is_visible() and not shown.is_visible(".idv-caption")


def test_no_room_is_left_for_controls_where_there_is_no_head(shown):
    shown.set_viewport_size({"width": 1000, "height": 700})
    whole, stage = (shown.locator(one) for one in (".idv-grid", ".idv-stage"))
    assert stage.bounding_box()["width"] < whole.bounding_box()["width"] - 300
    shown.evaluate("picture => setValue({ head: '', picture })", PICTURE)
    assert stage.bounding_box()["width"] > whole.bounding_box()["width"] - 3


def test_the_tools_lie_below_two_heads_side_by_side(shown):
    shown.evaluate("setValue({ other: 'b.head', other_name: 'b', compare: 'side' })")
    shown.wait_for_function("viewer.heads.other")
    tools, stage = (shown.locator(one).bounding_box() for one in (".idv-tools", ".idv-stage"))
    assert tools["y"] > stage["y"] + 0.82 * stage["height"] and tools["width"] < stage["width"]
    assert tools["x"] > stage["x"] and tools["x"] + tools["width"] < stage["x"] + stage["width"]


def test_without_webgl_the_page_is_asked_for_pictures(browser, site):
    context = browser.new_context(viewport={"width": 460, "height": 640})
    tab = context.new_page()
    tab.add_init_script(NO_WEBGL)
    tab.goto(site)
    tab.evaluate("setValue({ head: 'a.head' })")
    tab.wait_for_function("told.length")
    tab.get_by_label("Smile").fill("0.5")
    tab.wait_for_function("told[told.length - 1][1].expressions.smile === 0.5")
    asked = tab.evaluate("told[told.length - 1]")
    fields = {"mode", "light", "light_rotation_deg", "azimuth_deg", "elevation_deg", "expressions", "size"}
    assert asked[0] == "view" and set(asked[1]) == fields and 16 <= asked[1]["size"] <= 1024
    tab.get_by_label("Look up or down").fill("0.8")  # by an expression that this head has, and by no other
    tab.wait_for_function("told[told.length - 1][1].expressions.eyeLookUpLeft === 0.8")
    assert tab.evaluate("told[told.length - 1][1].expressions") == {"smile": 0.5, "eyeLookUpLeft": 0.8}
    tab.evaluate("picture => setValue({ picture })", PICTURE)
    assert tab.is_visible(".idv-preview") and not tab.is_visible("text=Wireframe")
    tab.get_by_role("tab", name="Light").click()
    assert tab.is_visible("text=Turn the light") and not tab.is_visible("text=Exposure")
    context.close()


def test_mounted_again_it_goes_on_where_it_was_and_the_former_ends(shown):
    shown.evaluate("viewer.setView({ azimuth: 42 }); window.former = viewer; again()")
    shown.evaluate("setValue({ head: 'a.head' })")
    shown.wait_for_function("viewer !== former && viewer.heads.head && viewer.drawn")
    assert shown.evaluate("[former.ended, viewer.state.view.azimuth]") == [True, 42]
    assert shown.locator(".idv").count() == 1


def test_a_head_that_cannot_be_read_is_said_and_the_next_one_is_shown(tab):
    tab.evaluate("setValue({ head: 'nowhere.head' })")
    tab.wait_for_function("document.querySelector('.idv-caption').textContent.includes('404')")
    tab.evaluate("setValue({ head: 'a.head' })")
    tab.wait_for_function("viewer.heads.head && viewer.drawn")
    assert not tab.is_visible(".idv-caption")


def test_a_picture_and_a_turntable_are_saved(shown):
    with shown.expect_download() as picture:
        shown.get_by_role("button", name="Save a picture").first.click()
    with Image.open(picture.value.path()) as image:
        assert image.size == (1024, 1024) and image.mode == "RGBA" and image.getextrema()[3] == (0, 255)
    shown.evaluate("viewer.filmFrames = 24")
    with shown.expect_download() as film:
        shown.get_by_role("button", name="Save a turntable").first.click()
    assert film.value.suggested_filename == "a.webm" and film.value.path().stat().st_size > 1_000
    assert shown.evaluate("[viewer.state.view.azimuth, viewer.state.background]") == [0, "page"]
