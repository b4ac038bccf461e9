"""Prompts and options of any kind: each is understood or refused in two sentences, within a second.

python -m benchmarks.gates.words [--count 50000] [--seed 0]
"""

import contextlib
import io
import time
from pathlib import Path
from random import Random

from benchmarks.gates.gate import Gate, Outcome, main_of
from idto3d import cli
from idto3d.config import HeadOptions
from idto3d.errors import UserError
from idto3d.options import option_names
from idto3d.words import asked, captions, reading
from idto3d.words.prompts import lost_words
from idto3d.words.traits import ATTRIBUTES

SLOWEST = 1.0  # seconds of the processor that one try may take
CLAUSES = (
    *("with ", "no ", "and ", "without a ", "a man, ", "old-", "aged 3", "99 years old ", "hair ", "not a beard nor "),
    *("hair is ", "make her ", "he has ", "20 years older ", "remove the ", "lipstick ", "eyes ", "long and ", "much "),
    *(word + " " for words in ATTRIBUTES.values() for word in words),
)
ODD = (
    *(
        "\0",
        "\ud800",
        "\u202e",
        "é",
        "ß",
        "İ",
        "漢",
        "👩🏽‍🦰",
        "\n",
        "\t",
        "%s",
        "{view}",
        "{subject}",
        "\\",
        "'",
        '"',
        "$(x)",
    ),
    *(
        "-",
        "--",
        "=",
        ",",
        ".",
        "/",
        "..",
        "~",
        "@",
        "#",
        ":",
        " ",
        "NaN",
        "inf",
        "1e999",
        "-0",
        "0x10",
        "１２",
        "None",
    ),
)
VALUES = (
    "",
    "1",
    "-1",
    "0.5",
    "1e400",
    "nan",
    "inf",
    "true",
    "9" * 400,
    "a" * 300,
    "1,2",
    "1,2,3",
    "none",
    "draft",
    "smile",
)
FLAGS = ("--prompt", "--negative-prompt", "--seed", "--weights", "--device", "--preset", "--expressions")
VIEW_FLAGS = ("--mode", "--light", "--light-rotation-deg", "--azimuth-deg", "--elevation-deg", "--size", "--expression")


def text_of(random: Random) -> str:
    """Something that somebody may type, short or very long."""
    pieces = random.choices((*CLAUSES, *ODD, *VALUES), k=random.randrange(1, 12))
    text = "".join(pieces)
    long = text * random.choice((1, 1, 1, 1, 10, 500)) if len(text) < 200 else text
    return long + random.choice(("", "", " hat"))


def option_words(random: Random) -> list[str]:
    """Words of a `generate` command line."""
    words = []
    for _ in range(random.randrange(1, 4)):
        if random.random() < 0.5:
            name = random.choice(option_names(HeadOptions())) if random.random() < 0.8 else text_of(random)
            words += ["--set", f"{name}={random.choice((*VALUES, text_of(random)))}"]
        else:
            words += [random.choice(FLAGS), random.choice((*VALUES, text_of(random)))]
    return words


def view_words(random: Random) -> list[str]:
    """Words of a `render` command line."""
    out = random.choice(("a.png", "a.mp4", "a.PNG", "a.gif", "a", "a" * 300 + ".png", "\0.png"))
    return ["--out", out, random.choice(VIEW_FLAGS), random.choice((*VALUES, text_of(random)))]


def read_prompt(random: Random, _folder: Path) -> None:
    """A prompt goes through all that reads it."""
    prompt = text_of(random)
    asked.read_edit(prompt)
    traits = reading.said_traits(prompt)
    subject = captions.subject_phrase({"hair_colour": "brown"} | traits, prompt)
    lost_words(captions.caption("front", "albedo", subject), subject)


def read_options(random: Random, folder: Path) -> None:
    """Options of a run go as far as a run folder."""
    arguments = cli.make_parser().parse_args(["generate", "--out", str(folder / "out"), *option_words(random)])
    cli.head_options(arguments)


def read_view(random: Random, folder: Path) -> None:
    """Options of a picture are read, and found to be of no head."""
    with contextlib.redirect_stderr(io.StringIO()):
        code = cli.main(["render", str(folder), *view_words(random)])
    if code != cli.FIXABLE:
        raise RuntimeError(f"exit code {code}")


def attempted(kind, seed: int, folder: Path) -> tuple[str, float]:
    """What is wrong with one try, if anything, and the seconds it took."""
    begun, wrong = time.process_time(), ""
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            kind(Random(seed), folder)
    except UserError as refusal:
        wrong = "" if refusal.what and refusal.remedy else "a refusal that says nothing"
    except SystemExit as ended:  # argparse's own refusals
        wrong = "" if ended.code == cli.FIXABLE else f"exit code {ended.code}"
    except Exception as fault:
        wrong = f"{type(fault).__name__}: {fault}"[:200]
    seconds = time.process_time() - begun
    slow = f"took {seconds:.1f} s" if seconds > SLOWEST else ""
    return " and ".join(filter(None, (wrong, slow))), seconds


def run(count: int, seed: int, folder: Path) -> Outcome:
    """`count` tries, of prompts, options and views in turn."""
    failures, slowest = [], 0.0
    for number in range(seed, seed + count):
        kind = (read_prompt, read_options, read_view)[number % 3]
        wrong, seconds = attempted(kind, number, folder)
        slowest = max(slowest, seconds)
        if wrong:
            failures.append(f"{kind.__name__} of seed {number}: {wrong}")
    return Outcome(count, tuple(failures), (("slowest_seconds", slowest),))


GATE = Gate("words", "Any prompt and any option is understood or refused in two sentences.", 50_000, run)

if __name__ == "__main__":
    main_of(GATE)
