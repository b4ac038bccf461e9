"""A piece of HTML whose buttons can be pressed: each has `data-pick`, and that is what a handler is told.

One that has `data-ask` as well, a question, shows that when it is first pressed, and is heard when it is pressed again.
"""

import gradio as gr

HEARS = """
const forget = button => {
  if (!button.dataset.plain) return;
  button.textContent = button.dataset.plain;
  delete button.dataset.plain;
};
const answered = button => {
  if (!button.dataset.ask || button.dataset.plain) return true;
  button.dataset.plain = button.textContent;
  button.textContent = button.dataset.ask;
  for (const end of ['blur', 'pointerleave']) button.addEventListener(end, () => forget(button), {once: true});
  return false;
};
element.addEventListener('click', event => {
  const chosen = event.target.closest('[data-pick]');
  if (chosen && element.contains(chosen) && answered(chosen)) trigger('select', {pick: chosen.dataset.pick});
});
"""


def picker(value: str, elem_id: str, visible: bool = True, js: str = "") -> gr.HTML:
    """HTML that fires `select` when something in it that has `data-pick` is pressed; `js` is run once beside that."""
    return gr.HTML(value, js_on_load=HEARS + js, elem_id=elem_id, visible=visible)


def picked(event: gr.EventData) -> str:
    """What was pressed; anything may come from a browser, so whatever is no text is ''."""
    data = event._data
    pick = data.get("pick") if isinstance(data, dict) else None
    return pick if isinstance(pick, str) else ""
