"""Photos of a person in, an expressive and relightable 3D head out."""

__version__ = "0.1.0"
