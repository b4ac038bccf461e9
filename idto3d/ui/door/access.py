"""Who may come to the page: people of this machine, those with a password, or everybody."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from idto3d.errors import UserError
from idto3d.jobs.limits import LOCAL, PUBLIC, Limits
from idto3d.ui.door.hosts import LOOPBACK, Hosts, name_of
from idto3d.ui.door.passwords import Accounts, read_accounts

EVERYWHERE = ("0.0.0.0", "::", "")
YES, NO = ("1", "yes", "true", "on"), ("", "0", "no", "false", "off")


@dataclass(frozen=True)
class Access:
    """Who may come. `accounts` is None where nobody has to log in; `notice` is said when the page starts."""

    host: str = "127.0.0.1"
    hosts: Hosts = Hosts()
    limits: Limits = LOCAL
    accounts: Accounts | None = None
    notice: str = ""


def is_loopback(host: str) -> bool:
    """Whether a page that listens there is reached from this machine alone."""
    return host.strip("[]") in LOOPBACK or host.startswith("127.")


def switched_on(name: str, environment: Mapping[str, str]) -> bool:
    """Whether a yes-or-no variable of the environment says yes. Raises UserError for what is neither."""
    text = environment.get(name, "").strip().lower()
    if text not in YES + NO:
        raise UserError(f"{name} is '{text}'.", "Set it to yes or no.")
    return text in YES


def access(
    host: str, public: bool, auth: Path | None, names: tuple[str, ...], environment: Mapping[str, str] = os.environ
) -> Access:
    """Who may come to a page that listens at `host` and is also called `names`.

    On a Space of Hugging Face (SPACE_ID is set) a page without `auth` is public. Raises UserError where the page would
    be open to others and nobody said so, and for a file of passwords or names that cannot be.
    """
    space = bool(environment.get("SPACE_ID"))
    public = public or (space and auth is None)
    if not is_loopback(host) and not public and auth is None:
        what = f"With --host {host}, everybody who can reach this machine can use the page, and its processor."
        raise UserError(what, "Add --auth FILE with names and passwords, or --public to serve strangers within limits.")
    given = tuple(names) + tuple(filter(None, environment.get("SPACE_HOST", "").split(",") if space else ()))
    return Access(
        host=host,
        hosts=_hosts(host, given),
        limits=PUBLIC if public else LOCAL,
        accounts=read_accounts(auth) if auth else None,
        notice=_notice(host, public, auth, space),
    )


def _hosts(host: str, names: tuple[str, ...]) -> Hosts:
    known = {name: name_of(name.strip()) for name in names}
    for name, read in known.items():
        if not read:
            raise UserError(
                f"'{name}' is no name of a host.", "Give a name without address or path, as idto3d.example."
            )
    if is_loopback(host):
        return Hosts(frozenset(known.values()))
    own = set() if host in EVERYWHERE else {host.strip("[]").lower()}
    return Hosts(frozenset({*known.values(), *own, *_of_this_machine()} - {""}), addresses=True)


def _of_this_machine() -> set[str]:
    """What a network at home or at work calls this machine: its name, without a domain, and as .local.

    Nobody elsewhere can point the last two here: no public server of names knows them.
    """
    whole = name_of(socket.gethostname())
    short = whole.partition(".")[0]
    return {whole, short, f"{short}.local"} if short else set()


def _notice(host: str, public: bool, auth: Path | None, space: bool) -> str:
    """What is said of who may come; empty for a page of this machine alone."""
    if public:
        why = "This is a Space, so the page is public" if space else "The page is public"
        return f"{why}: everybody who can reach it may use it, within the limits for strangers."
    if auth:
        return f"The page is for those with a password in '{auth}'."
    return ""
