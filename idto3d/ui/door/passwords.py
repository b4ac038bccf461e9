"""Who may log in: a file of lines NAME:SALT:HASH, salt and scrypt hash hexadecimal. Lines that begin with # are notes.

    python -m idto3d.ui.door.passwords FILE NAME

asks for a password and writes or replaces the line of that name.
"""

import argparse
import asyncio
import getpass
import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from idto3d.errors import UserError, run_command
from idto3d.files import write_atomic

LINE = re.compile(r"([^:\s#][^:]{0,63}):([0-9a-f]{32}):([0-9a-f]{64})")
NOBODY = ("0" * 32, "0" * 64)
AT_ONCE = 2  # passwords tried at a time: each takes 16 MB and some time, on purpose
SHORTEST = 8

Accounts = Mapping[str, tuple[str, str]]


def read_accounts(path: Path) -> Accounts:
    """Salt and hash by name. Raises UserError for a file that cannot be read, is none of this kind, or names nobody."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        raise UserError(f"The file of passwords '{path}' cannot be read.", "Check its name and its rights.") from None
    accounts = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        found = LINE.fullmatch(line.strip())
        if not found:
            what = f"Line {number} of '{path}' is not NAME:SALT:HASH."
            raise UserError(what, f"Write it with python -m {_module()} {path} NAME.")
        accounts[found[1]] = (found[2], found[3])
    if not accounts:
        raise UserError(f"'{path}' names nobody.", f"Add somebody with python -m {_module()} {path} NAME.")
    return accounts


def hash_of(password: str, salt: str) -> str:
    """The scrypt hash of a password, hexadecimal as its salt."""
    return hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), n=1 << 14, r=8, p=1, dklen=32).hex()


def login(accounts: Accounts) -> Callable[[str, str], Awaitable[bool]]:
    """Whether a name and a password belong together; takes as long for a name that is not known."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def allowed(name: str, password: str) -> bool:
        salt, wanted = accounts.get(name, NOBODY)
        async with turn:
            given = await asyncio.to_thread(hash_of, password, salt)
        return hmac.compare_digest(given, wanted) and name in accounts

    return allowed


def main(words: list[str]) -> int:
    """Ask for a password and write the line of a name. Returns the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m {_module()}", description="Let somebody log in to the page.")
    parser.add_argument("file", type=Path)
    parser.add_argument("name")
    asked = parser.parse_args(words)
    password, salt = getpass.getpass("Password: "), secrets.token_hex(16)
    if len(password) < SHORTEST:
        raise UserError(f"This password has {len(password)} characters.", f"Choose one of {SHORTEST} or more.")
    line = f"{asked.name}:{salt}:{hash_of(password, salt)}"
    if not LINE.fullmatch(line):
        raise UserError(f"'{asked.name}' is no name to log in with.", "Choose one without colons, of up to 64 letters.")
    accounts = read_accounts(asked.file) if asked.file.exists() else {}
    lines = {name: f"{name}:{':'.join(both)}" for name, both in accounts.items()} | {asked.name: line}
    write_atomic(asked.file, "".join(f"{line}\n" for line in lines.values()).encode())
    asked.file.chmod(0o600)
    return 0


def _module() -> str:
    return "idto3d.ui.door.passwords"


if __name__ == "__main__":
    run_command(main)
