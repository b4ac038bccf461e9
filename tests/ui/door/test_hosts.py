import pytest
from starlette.datastructures import Headers

from idto3d.ui.door.hosts import Hosts, name_of
from idto3d.ui.door.refusal import Refusal

LOCAL, BEYOND = Hosts(), Hosts(frozenset({"heads.example"}), addresses=True)


def headers(**values):
    return Headers({name.replace("_", "-"): value for name, value in values.items()})


@pytest.mark.parametrize("host", ["localhost:7860", "127.0.0.1:7860", "[::1]:7860", "LOCALHOST", "localhost."])
def test_the_names_of_this_machine_are_ours(host):
    LOCAL.check("POST", headers(host=host))


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "10.0.0.7:7860", "", "localhost:x", "a@localhost", "[::1", "[::1]x"],
)
def test_a_name_that_may_be_pointed_here_is_refused(host):
    with pytest.raises(Refusal) as refused:
        LOCAL.check("GET", headers(host=host))
    assert refused.value.status == 421


def test_none_or_two_names_are_refused():
    for raw in ([], [(b"host", b"localhost"), (b"host", b"evil.example")]):
        with pytest.raises(Refusal):
            LOCAL.check("GET", Headers(raw=raw))


def test_a_server_beyond_this_machine_goes_by_its_addresses_and_the_names_it_was_given():
    for host in ("10.0.0.7:7860", "[fe80::1]", "heads.example", "localhost:7860"):
        BEYOND.check("GET", headers(host=host))
    with pytest.raises(Refusal):
        BEYOND.check("GET", headers(host="evil.example"))


@pytest.mark.parametrize(
    "said",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:3000"},  # another program of this machine
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
def test_what_another_sites_page_sends_is_refused(said):
    with pytest.raises(Refusal) as refused:
        LOCAL.check("POST", headers(host="localhost:7860", **said))
    assert refused.value.status == 403


def test_our_own_page_a_program_and_a_link_from_elsewhere_are_served():
    LOCAL.check("POST", headers(host="localhost:7860", origin="http://localhost:7860", sec_fetch_site="same-origin"))
    LOCAL.check("GET", headers(host="localhost:7860", sec_fetch_site="cross-site"))
    BEYOND.check("POST", headers(host="10.0.0.7:7860", origin="https://heads.example"))  # behind a proxy


def test_a_name_is_read_without_its_port():
    assert [name_of(text) for text in ("A.b:80", "[::1]:80", "x", "x:", "x:y", "a:b:c")] == [
        "a.b",
        "::1",
        "x",
        "",
        "",
        "",
    ]
