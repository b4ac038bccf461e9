"""Where files of the project are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
EMBEDDED = ROOT / "weights" / "embedded"
COMMUNITY = ROOT / "weights" / "community"
NAMED = {"embedded": EMBEDDED, "community": COMMUNITY}  # folders of the weights that are called by a name
HDRI = ROOT / "assets" / "hdri"
LANDMARKS_FILE, MATTE_FILE = "landmarks.safetensors", "matte.safetensors"  # in a bundle; else the embedded one's
