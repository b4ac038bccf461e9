import asyncio

import pytest

from idto3d.errors import UserError
from idto3d.jobs.limits import LOCAL, PUBLIC
from idto3d.ui.door import access as access_
from idto3d.ui.door import passwords
from idto3d.ui.door.access import access


@pytest.fixture
def accounts(tmp_path, monkeypatch):
    """A file of passwords with one for anna, written as a host would."""
    monkeypatch.setattr(passwords.getpass, "getpass", lambda _: "correct horse")
    path = tmp_path / "accounts"
    assert passwords.main([str(path), "anna"]) == 0
    return path


def test_a_page_of_this_machine_asks_for_nothing():
    who = access("127.0.0.1", False, None, (), {})
    assert who.limits is LOCAL and who.accounts is None and who.notice == ""


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.4", "heads.example", ""])
def test_a_page_for_others_must_be_wanted(host, accounts):
    with pytest.raises(UserError, match="everybody who can reach") as refused:
        access(host, False, None, (), {})
    assert "--auth" in refused.value.remedy and "--public" in refused.value.remedy
    assert access(host, True, None, (), {}).limits is PUBLIC
    who = access(host, False, accounts, (), {})
    assert who.limits is LOCAL and list(who.accounts) == ["anna"] and str(accounts) in who.notice


def test_a_space_is_public_and_says_so():
    who = access("0.0.0.0", False, None, (), {"SPACE_ID": "me/heads", "SPACE_HOST": "me-heads.hf.space"})
    assert who.limits is PUBLIC and "Space" in who.notice
    assert who.hosts.knows("me-heads.hf.space") and not who.hosts.knows("other.hf.space")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.4"])
def test_a_page_for_others_goes_by_the_names_of_its_machine(monkeypatch, host):
    monkeypatch.setattr(access_.socket, "gethostname", lambda: "Studio.lan")
    hosts = access(host, True, None, (), {}).hosts
    assert all(hosts.knows(name) for name in ("studio.lan", "studio", "studio.local", "192.168.0.4"))
    assert not hosts.knows("studio.example") and not hosts.knows("other.local")
    assert not access("127.0.0.1", False, None, (), {}).hosts.knows("studio.local")


def test_names_are_given_by_the_host_and_read_strictly():
    assert access("127.0.0.1", False, None, ("Heads.example",), {}).hosts.knows("heads.example")
    with pytest.raises(UserError, match="no name of a host"):
        access("127.0.0.1", False, None, ("http://heads.example/",), {})


def test_only_the_right_password_lets_in(accounts):
    text = accounts.read_text()
    assert "horse" not in text and accounts.stat().st_mode & 0o077 == 0

    async def tries():
        allowed = passwords.login(passwords.read_accounts(accounts))
        return [await allowed(*pair) for pair in (("anna", "correct horse"), ("anna", "x"), ("ben", "correct horse"))]

    assert asyncio.run(tries()) == [True, False, False]


@pytest.mark.parametrize("text", ["", "# nobody\n", "anna:secret\n", "anna:00:11\n", ":" * 9, "\xff"])
def test_a_file_that_lets_nobody_in_is_refused(tmp_path, text):
    path = tmp_path / "accounts"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError):
        access("0.0.0.0", False, path, (), {})


def test_a_switch_that_is_neither_yes_nor_no_is_refused(monkeypatch):
    from idto3d.ui.start.asked import parse

    monkeypatch.setenv("IDTO3D_PUBLIC", "perhaps")
    with pytest.raises(UserError, match="IDTO3D_PUBLIC"):
        parse([])
    monkeypatch.setenv("IDTO3D_PUBLIC", "yes")
    monkeypatch.setenv("IDTO3D_HOSTS", "a.example,b.example")
    asked = parse(["--allow-host", "c.example"])
    assert asked.public and asked.allow_host == ["a.example", "b.example", "c.example"]
