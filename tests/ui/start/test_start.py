"""The page is there soon, or says at once why it cannot be."""

import errno
import inspect
import os
import re
import socket
from pathlib import Path

import gradio as gr
import pytest

from idto3d.errors import UserError
from idto3d.ui.start.port import _refusal, expect_free
from idto3d.ui.start.quickly import without_sources


def test_a_port_that_is_taken_is_refused_at_once():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UserError, match=f"listens on port {port} already.*another --port"):
            expect_free("127.0.0.1", port)
    expect_free("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "port", "said"),
    [
        ("127.0.0.1", 99999, "no port 99999.*from 1 to 65535"),
        ("127.0.0.1", -1, "no port -1.*from 1 to 65535"),
        ("203.0.113.7", 0, "no address of this machine.*0.0.0.0"),
        ("a..b", 0, "not the name of a host.*spelling"),
        ("a" * 80, 0, "not the name of a host.*spelling"),
    ],
)
def test_a_host_and_a_port_that_cannot_be_are_refused_each_with_its_remedy(host, port, said):
    with pytest.raises(UserError, match=said):
        expect_free(host, port)


@pytest.mark.parametrize(
    ("number", "port", "said"),
    [
        (errno.EACCES, 80, "Port 80 is kept for the system.*above 1023"),
        (errno.EACCES, 8080, "cannot listen on port 8080.*Permission denied.*another --host or --port"),
        (errno.EAFNOSUPPORT, 8080, "cannot listen on port 8080 of '::1'"),
    ],
)
def test_what_the_system_does_not_allow_is_refused(number, port, said):
    assert re.search(said, str(_refusal(OSError(number, os.strerror(number)), "::1", port)))


def test_gradio_works_out_no_stub_files_while_it_is_loaded():
    with without_sources():
        with pytest.raises(OSError, match="not available"):
            inspect.getfile(gr.HTML)
        assert inspect.getfile(test_gradio_works_out_no_stub_files_while_it_is_loaded) == __file__

        class Unseen(gr.HTML):  # a file of stubs would lie beside this one
            EVENTS = ()

    assert inspect.getfile(gr.HTML).endswith("html.py")
    assert issubclass(Unseen, gr.HTML) and not list(Path(__file__).parent.glob("*.pyi"))
