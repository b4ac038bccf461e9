"""`python -m idto3d`."""

from idto3d.cli import entry

if __name__ == "__main__":
    entry()
