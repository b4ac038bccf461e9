"""The port of the page, looked at before anything is loaded, so that a refusal is quick."""

import errno
import os
import socket

from idto3d.errors import UserError

ASK_ANOTHER = "Choose another --host or --port."
PRIVILEGED = 1024  # ports below are not for everybody


def expect_free(host: str, port: int) -> None:
    """Raise UserError where the page cannot listen on `port` of `host`, as another does already."""
    name = host.strip("[]")
    try:
        with socket.socket(socket.AF_INET6 if ":" in name else socket.AF_INET) as trial:
            if os.name == "posix":  # elsewhere it would let two listen
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((name, port))
    except OverflowError:
        raise UserError(f"There is no port {port}.", "Choose a --port from 1 to 65535.") from None
    except (socket.gaierror, UnicodeError):  # the latter for what can be no name
        what = f"'{name}' is not the name of a host that is known here."
        raise UserError(what, "Check its spelling, or choose --host 127.0.0.1.") from None
    except OSError as error:
        raise _refusal(error, name, port) from None


def _refusal(error: OSError, name: str, port: int) -> UserError:
    if error.errno == errno.EADDRINUSE:
        return UserError(f"Something listens on port {port} already.", "Stop what uses it, or choose another --port.")
    if error.errno == errno.EADDRNOTAVAIL:
        remedy = "Choose --host 127.0.0.1, or 0.0.0.0 for all that it has."
        return UserError(f"'{name}' is no address of this machine.", remedy)
    if error.errno == errno.EACCES and port < PRIVILEGED:
        return UserError(f"Port {port} is kept for the system.", f"Choose a --port above {PRIVILEGED - 1}.")
    return UserError(f"The page cannot listen on port {port} of '{name}': {error.strerror}.", ASK_ANOTHER)
