"""What is told of photos as soon as they are there, and of weights before they are chosen."""

from pathlib import Path

import gradio as gr

from idto3d.errors import UserError
from idto3d.subject.verdict.judge import Verdicts
from idto3d.ui import lanes, views
from idto3d.ui.actions import Actions
from idto3d.ui.cards import verdicts as cards
from idto3d.ui.cards.offers import offered
from idto3d.ui.columns.ask import CHIPS, chip_choices, preset_choices
from idto3d.ui.columns.picker import picked
from idto3d.ui.page import Page
from idto3d.ui.photos import corrections_after
from idto3d.ui.visitor import visitor_of
from idto3d.ui.wired.frame import HIDDEN, UNSAID

NAME_BOX = """() => {
  const boxes = "#photos button[aria-dropeffect], #clip button[aria-dropeffect]";
  const plainer = {
    "Drop Media Here": "Drop photos here", "Drop Video Here": "Drop a clip here", "Click to Upload": "click to choose",
  };
  const reworded = (box) => {
    const texts = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const plain = plainer[texts.currentNode.data.trim()];
      if (plain) texts.currentNode.data = plain;
    }
  };
  const unnamed = "#photos [aria-label='common.webcam'], #clip [aria-label='common.webcam']";
  const camera = (button) => ["aria-label", "title"].forEach((fact) => button.setAttribute(fact, "Use the camera"));
  const name = () => document.querySelectorAll(boxes).forEach((box) => {
    reworded(box);
    const text = box.innerText.replace(/\\s+/g, " ").trim();
    if (text && box.getAttribute("aria-label") !== text) box.setAttribute("aria-label", text);
  });
  const all = () => { name(); document.querySelectorAll(unnamed).forEach(camera); };
  new MutationObserver(all).observe(document.body, { childList: true, subtree: true });
  all();
}"""  # Gradio's boxes for uploads speak of media, and have other names than those that are read on them


def wire_photos(page: Page, does: Actions, blocks: gr.Blocks) -> None:
    """Connect what is told at once."""
    _wire_cards(page, does)
    _wire_words(page)
    _wire_weights(page, does)
    _wire_minutes(page, does, blocks)
    blocks.load(None, js=NAME_BOX, **HIDDEN)


def _wire_cards(page: Page, does: Actions) -> None:
    inputs = page.inputs
    chips = [getattr(inputs, name) for name in CHIPS]

    def look(values, sender: gr.Request):
        paths = [Path(path) for path, _caption in values[inputs.photos] or ()]
        consent, chosen = values[inputs.consent], tuple(values[chip] for chip in chips)
        if paths and not consent:
            does.photos.open()  # it loads while the box is read
            yield {inputs.cards: cards.unasked([path.name for path in paths])} | _chips(page, Verdicts(), chosen)
            return
        try:
            for verdicts in does.photos.verdicts(paths, consent, visitor_of(sender), str(sender.session_hash)):
                yield {inputs.cards: cards.cards(verdicts)} | _chips(page, verdicts, chosen)
        except UserError as error:
            yield {inputs.cards: views.refusal(error)}

    def remove(photos, event: gr.EventData):
        return [photo for number, photo in enumerate(photos or ()) if str(number) != picked(event)]

    looks = {**HIDDEN, "trigger_mode": "multiple", **lanes.LOOK}
    told = [inputs.cards, inputs.chips, *chips]
    gr.on([inputs.photos.change, inputs.consent.change], look, {inputs.photos, inputs.consent, *chips}, told, **looks)
    inputs.consent.input(None, None, page.start.message, js=UNSAID, **HIDDEN)
    inputs.photos.change(lambda: "", None, page.memory.boxed, **HIDDEN, **lanes.STEER)
    inputs.cards.select(remove, inputs.photos, inputs.photos, **HIDDEN, **lanes.STEER)


def _chips(page: Page, verdicts: Verdicts, chosen: tuple[str, ...]) -> dict:
    """The chips for what photos suggest; they stay while one of them is `chosen` otherwise."""
    seen = {one.attribute: (one.word, one.sure) for one in verdicts.suggestions if one.taken}
    choices = {name: chip_choices(name, *seen.get(name, ())) for name in CHIPS}
    values = {getattr(page.inputs, name): gr.update(choices=words) for name, words in choices.items()}
    return values | {page.inputs.chips: gr.update(visible=bool(verdicts.suggestions) or any(chosen))}


def _wire_words(page: Page) -> None:
    inputs = page.inputs
    chips = [getattr(inputs, name) for name in CHIPS]

    def heed(prompt, *chosen):
        return list(corrections_after(prompt or "", dict(zip(CHIPS, chosen, strict=True))).values())

    inputs.prompt.blur(heed, [inputs.prompt, *chips], chips, **HIDDEN, **lanes.STEER)


def _wire_minutes(page: Page, does: Actions, blocks: gr.Blocks) -> None:
    inputs = page.inputs

    def tell(photos):
        return gr.update(choices=preset_choices(does.limits.presets, does.minutes(len(photos or ()))))

    when = [blocks.load, inputs.photos.change]
    gr.on(when, tell, inputs.photos, inputs.preset, **HIDDEN, **lanes.LOOK)


def _wire_weights(page: Page, does: Actions) -> None:
    inputs = page.inputs

    def tell(weights, sender: gr.Request):
        if not (weights or "").strip():
            return ""
        try:
            return offered(does.photos.offer(weights, visitor_of(sender)))
        except UserError as error:
            return views.refusal(error)

    inputs.weigh.click(tell, inputs.weights, inputs.offer, **HIDDEN, **lanes.LOOK)
    inputs.weights.submit(tell, inputs.weights, inputs.offer, **HIDDEN, **lanes.LOOK)
    inputs.weights.input(lambda: "", None, inputs.offer, **HIDDEN, **lanes.STEER)
