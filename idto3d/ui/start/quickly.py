"""Loading Gradio sooner.

Whenever it is imported, Gradio 6 reads the source of each of its components, works out anew the stub file that editors
read of it, and compares the two: half of the time that loading it takes. It leaves that out for components whose source
is not at hand, as where a program is one file; here that is said of them while it is loaded.
"""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager

META = "ComponentMeta"  # the class of Gradio's components


def load_gradio() -> None:
    """Import Gradio, without its stub files."""
    with without_sources():
        import gradio  # noqa: F401


@contextmanager
def without_sources() -> Iterator[None]:
    """Meanwhile the files of components are not at hand, in the way that `inspect` says it."""
    usual = inspect.getfile

    def getfile(thing) -> str:
        if type(thing).__name__ == META:
            raise OSError("source code not available")
        return usual(thing)

    inspect.getfile = getfile
    try:
        yield
    finally:
        inspect.getfile = usual
