"""How much one visitor, and all of them together, may ask of a page. Imports no torch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The defaults are those of a page that people who trust each other share; `PUBLIC` is for strangers.

    Megabytes are 10^6 bytes. A visitor is who logged in, otherwise the address a request came from; of uploads, calls
    and open requests it is the address in any case, as they are counted before it is known who sends them.
    """

    photos: int = 20  # files in one upload request, and photos of one head
    photo_megabytes: float = 30.0
    visitor_megabytes: float = 1200.0  # uploads of one visitor that lie here at a time
    total_megabytes: float = 8000.0  # uploads of everybody that lie here at a time
    free_megabytes: float = 1000.0  # left on the disk after an upload
    upload_keep_seconds: float = 6 * 3600.0  # an upload that is in no living job
    clip_megabytes: float = 100.0  # of a clip that a head is animated from
    clip_seconds: float = 120.0
    animations: int = 20  # of one head
    visitor_jobs: int = 6  # queued or running
    total_jobs: int = 20  # queued or running
    visitor_jobs_an_hour: int = 60
    visitor_edits_an_hour: int = 600
    versions: int = 100  # of one head; each takes up to 100 MB of the disk
    job_seconds: float = 24 * 3600.0  # of work, waiting not counted
    keep_seconds: float = 24 * 3600.0  # a job that has ended
    view_pixels: int = 2048  # side of a drawing
    view_seconds: float = 60.0
    visitor_views: int = 2  # waiting or being drawn; a newer one of the page supersedes the older
    total_views: int = 32
    visitor_calls_a_second: float = 50.0  # watching, steering, drawing; more for some seconds after a silence
    visitor_requests: int = 400  # being answered at a time; a page that is looked at holds two open
    look_seconds: float = 60.0  # of looking at one photo before a head is made of it
    visitor_looks: int = 4  # photos of a visitor that wait to be looked at, or are
    total_looks: int = 32
    choice_seconds: float = 300.0  # of proposing faces for words
    visitor_choices: int = 2  # waiting or being worked on; a newer one supersedes the older
    presets: tuple[str, ...] = ("draft", "standard", "paper")
    weights: tuple[str, ...] | None = None  # that a visitor may choose beside the server's own; None: any
    trusted: bool = True  # visitors may be shown details, and names of what is installed


LOCAL = Limits()
PUBLIC = Limits(
    photo_megabytes=15.0,
    visitor_megabytes=300.0,
    total_megabytes=4000.0,
    upload_keep_seconds=3600.0,
    clip_megabytes=15.0,
    clip_seconds=20.0,
    animations=4,
    visitor_jobs=2,
    visitor_jobs_an_hour=5,
    visitor_edits_an_hour=40,
    versions=15,
    job_seconds=1800.0,
    keep_seconds=4 * 3600.0,
    view_pixels=1024,
    view_seconds=20.0,
    visitor_views=1,
    visitor_calls_a_second=10.0,
    visitor_requests=100,
    look_seconds=20.0,
    visitor_looks=2,
    choice_seconds=120.0,
    visitor_choices=1,
    presets=("draft", "standard"),
    weights=("embedded",),
    trusted=False,
)
