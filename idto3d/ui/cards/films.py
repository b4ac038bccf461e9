"""The animations of a head: each a film to be played, with what can be taken away."""

from collections.abc import Callable, Sequence
from html import escape

from idto3d.jobs.animations.store import Animation

BESIDE = """
const films = () => [...element.querySelectorAll("figure[data-film]")];
const together = (one, other) => {
  for (const event of ["play", "pause", "seeked"]) one.addEventListener(event, () => {
    if (event === "play") other.play();
    else if (event === "pause") other.pause();
    if (Math.abs(other.currentTime - one.currentTime) > 0.1) other.currentTime = one.currentTime;
  });
};
const place = () => {
  const clips = window.idto3dClips || (window.idto3dClips = { known: {}, next: "" });
  for (const figure of films()) {
    const name = figure.dataset.clip;
    if (!(name in clips.known)) {
      const fresh = clips.next && !clips.before.includes(name);
      clips.known[name] = fresh ? clips.next : "";
      if (fresh) clips.next = "";
    }
    const film = figure.querySelector("video");
    if (!clips.known[name] || !film || figure.querySelector(".source")) continue;
    const source = document.createElement("video");
    Object.assign(source, { src: clips.known[name], muted: true, playsInline: true, className: "source" });
    source.setAttribute("aria-label", "The clip, as this page still has it");
    film.before(source);
    together(film, source);
  }
};
new MutationObserver(place).observe(element, { childList: true, subtree: true });
place();
"""  # the clip of this tab beside what became of it: it never comes back from the server

REMEMBER = """async () => {
  const clip = document.querySelector("#clip video");
  const before = [...document.querySelectorAll("#films figure[data-film]")].map((figure) => figure.dataset.clip);
  const clips = window.idto3dClips || (window.idto3dClips = { known: {} });
  Object.assign(clips, { before, next: "" });
  if (!clip || !clip.src) return;
  const blob = await fetch(clip.src).then((answer) => answer.ok ? answer.blob() : null).catch(() => null);
  if (blob) clips.next = URL.createObjectURL(blob);
}"""  # to be waited for: the server gives the clip away as soon as the animation is asked for

FORGET = """() => {
  const clips = window.idto3dClips;
  if (clips) [clips.next, ...Object.values(clips.known)].filter(Boolean).forEach((url) => URL.revokeObjectURL(url));
  delete window.idto3dClips;
}"""


def films(job_id: str, found: Sequence[Animation], addresses: Callable[[Animation], tuple[str, str]]) -> str:
    """The animations of a head, newest first; nothing where there are none. addresses: of GLB and film of one."""
    cards = "".join(_card(job_id, one, *addresses(one)) for one in reversed(found))
    return f'<div class="films">{cards}</div>' if cards else ""


def _card(job_id: str, one: Animation, glb: str, film: str) -> str:
    name, glb, film = escape(one.name), escape(glb), escape(film)
    video = (
        f'<video controls muted loop playsinline preload="metadata" src="{film}" aria-label="The head as in {name}">'
        "</video>"
        if film
        else ""
    )
    takes = f'<a href="{glb}" download="{name}.glb">GLB</a>'
    takes += f'<a href="{film}" download="{name}.mp4">Film</a>' if film else ""
    drop = (
        f'<button type="button" data-pick="drop {one.id}" data-ask="Delete?"'  # it is gone for good
        f' aria-label="Delete the animation {name}">×</button>'
    )
    caption = f"<figcaption><b>{name}</b>{takes}{drop}</figcaption>"
    clip = escape(f"{job_id} {one.id} {one.created}")  # ids begin again in every head, and after all are deleted
    return f'<figure data-film="{one.id}" data-clip="{clip}"><div class="screens">{video}</div>{caption}</figure>'
