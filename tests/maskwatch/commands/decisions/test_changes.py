"""``maskwatch decisions``: make, trace, take back, exchange."""

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from detectors.verdict import Verdict
from store.audit.reasons import MAX_REASON_LENGTH
from store.decisions.decisions import add_decision
from store.decisions.proposals import propose
from store.decisions.scopes import Scope
from store.engine.start import open_database
from store.requests.record_store import add_record
from store.requests.records import Stage
from store.settings import StoreSettings
from tests.makers import make_decision, make_record
from tests.maskwatch.conftest import Run

WHY = ("--reason", "A test.")


def listed(maskwatch: Run) -> list[tuple[str, str, str]]:
    lines = maskwatch("decisions", "list", "--json").out.splitlines()
    entries = [json.loads(line) for line in lines]
    return sorted((entry["kind"], entry["scope"], entry["value"]) for entry in entries)


@pytest.fixture
def maskwatch(maskwatch: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line on an empty database, behind a proxy."""
    monkeypatch.setenv("MASKWATCH_TRUSTED_PROXIES", "10.0.0.0/8")
    assert maskwatch("db", "upgrade").code == 0
    return maskwatch


def test_blocks_of_every_scope_are_made_and_an_allow_cancels_those_within(maskwatch: Run) -> None:
    for scope, value in (
        ("client", "203.0.113.7"),
        ("client", "2001:db8::1"),
        ("cidr", "203.0.113.0/25"),
        ("api_key", "acme"),
        ("content", "ab" * 32),
        ("similar", "ab" * 32 + "/8"),
    ):
        said = maskwatch("decisions", "add", value, "--scope", scope, *WHY)
        assert said.code == 0, said.err
    said = maskwatch("decisions", "allow", "203.0.113.0/24", "--scope", "cidr", *WHY)
    assert "the allow of 203.0.113.0/24 holds until" in said.out
    assert said.out.endswith("It ended the block of decisions 1, 3.\n")
    assert listed(maskwatch) == [
        ("allow", "cidr", "203.0.113.0/24"),
        ("block", "api_key", "key:acme"),
        ("block", "client", "ip:2001:db8::/64"),
        ("block", "content", "ab" * 32),
        ("block", "similar", "ab" * 32 + "/8"),
    ]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("203.0.113.7/24", "--scope", "cidr"), "has host bits: the network is 203.0.113.0/24"),
        (("ab" * 32 + "/64", "--scope", "similar"), "A radius of 64 is too wide"),
        (("203.0.113.7", "--until", "2020-01-01"), "A decision must end in the future"),
        (("10.1.2.3",), "is one of your trusted proxies"),
        (("10.0.0.0/9", "--scope", "cidr"), "has one of your trusted proxies in it"),
        (("127.0.0.1",), "this machine itself"),
    ],
)
def test_what_cannot_be_blocked_is_one_sentence(
    maskwatch: Run, arguments: tuple[str, ...], why: str
) -> None:
    said = maskwatch("decisions", "add", *arguments, *WHY)
    assert said.code == 1
    assert why in said.err
    assert listed(maskwatch) == []


def test_a_block_that_an_allow_overrides_says_so(maskwatch: Run) -> None:
    maskwatch("decisions", "allow", "203.0.113.0/24", "--scope", "cidr", *WHY)
    said = maskwatch("decisions", "add", "203.0.113.7", *WHY)
    assert said.out.endswith("It refuses nobody while the allow of decision 1 holds.\n")


def test_who_revokes_is_told_what_blocks_all_the_same(maskwatch: Run) -> None:
    maskwatch("decisions", "add", "203.0.113.0/24", "--scope", "cidr", *WHY)
    maskwatch("decisions", "add", "203.0.113.7", *WHY)
    maskwatch("decisions", "add", "203.0.113.7", *WHY)
    said = maskwatch("decisions", "revoke", "2", *WHY)
    assert said.out == ("Decision 2 is revoked. The block of decisions 1, 3 still holds for it.\n")


def test_a_trusted_proxy_is_blocked_by_force(maskwatch: Run) -> None:
    assert maskwatch("decisions", "add", "10.1.2.3", "--force", *WHY).code == 0
    assert listed(maskwatch) == [("block", "client", "ip:10.1.2.3")]


def test_the_second_who_revokes_is_told_who_was_first(maskwatch: Run) -> None:
    maskwatch("decisions", "add", "203.0.113.7", *WHY)
    assert maskwatch("decisions", "revoke", "1", *WHY).out == "Decision 1 is revoked.\n"
    said = maskwatch("decisions", "revoke", "1", *WHY)
    assert said.code == 1
    assert "revoked it at" in said.err
    assert "(A test.)" in said.err


def test_a_decision_shows_what_led_to_it_and_what_it_refused(
    maskwatch: Run, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    refused = [
        make_record(
            received_at=now - timedelta(minutes=number),
            client=client,
            stage=Stage.ADMISSION,
            verdict=Verdict.REFUSE,
            status=403,
            reasons=("blocked",),
        )
        for number, client in enumerate(("ip:203.0.113.7", "ip:203.0.113.8", "ip:198.51.100.1"))
    ]
    block = make_decision(
        scope=Scope.NETWORK,
        value="203.0.113.0/24",
        until=now + timedelta(hours=1),
        evidence={"request_ids": ["first"]},
    )
    settings = StoreSettings(var_dir=tmp_path / "var")
    with closing(open_database(settings)) as database, database.write() as session:
        add_decision(session, block, now - timedelta(minutes=30))
        for record in refused:
            add_record(session, record)
    shown = json.loads(maskwatch("decisions", "show", "1", "--json").out)
    assert shown["request_ids"] == ["first"]
    assert shown["refusals"] == 2
    assert set(shown["refused_request_ids"]) == {record.request_id for record in refused[:2]}
    text = maskwatch("decisions", "show", "1").out
    assert "Led to it: first" in text
    assert "Refused since: 2" in text
    assert maskwatch("decisions", "show", "9").err == "maskwatch: There is no decision 9.\n"


def test_a_proposal_is_listed_and_answered_once(maskwatch: Run, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    settings = StoreSettings(var_dir=tmp_path / "var")
    with closing(open_database(settings)) as database, database.write() as session:
        for number in (7, 8):
            new = make_decision(value=f"ip:203.0.113.{number}", until=now + timedelta(hours=1))
            propose(session, new, "The limit is 2.", now)
    assert len(maskwatch("decisions", "list", "--proposals").out.splitlines()) == 2
    assert "the block of ip:203.0.113.7 holds" in maskwatch("decisions", "accept", "1", *WHY).out
    assert maskwatch("decisions", "decline", "2", *WHY).code == 0
    said = maskwatch("decisions", "accept", "2", *WHY)
    assert "declined proposal 2 at" in said.err
    assert listed(maskwatch) == [("block", "client", "ip:203.0.113.7")]
    assert maskwatch("decisions", "list", "--proposals", "--json").out == ""


def test_a_scenario_says_whom_it_hits_and_is_turned_on_once(maskwatch: Run) -> None:
    said = maskwatch("decisions", "enable", "crafted_pictures", "--yes")
    assert "will block nobody by it" in said.out
    assert "The scenario crafted_pictures is on" in said.out
    # It does not ask, and names nobody whom that would hit.
    for words in ((), ("--yes",)):
        again = maskwatch("decisions", "enable", "crafted_pictures", *words)
        assert (again.code, again.out) == (1, "")
        assert "turned crafted_pictures on at" in again.err
    unknown = maskwatch("decisions", "enable", "moon", "--yes")
    assert "There is no scenario 'moon': there are" in unknown.err


def test_exports_leave_out_what_is_allowed(maskwatch: Run) -> None:
    maskwatch("decisions", "add", "203.0.113.0/29", "--scope", "cidr", *WHY)
    maskwatch("decisions", "allow", "203.0.113.3", *WHY)
    maskwatch("decisions", "add", "2001:db8::1", *WHY)
    maskwatch("decisions", "add", "acme", "--scope", "api_key", *WHY)
    nginx = maskwatch("decisions", "export", "--format", "nginx").out
    networks = ["203.0.113.0/31", "203.0.113.2", "203.0.113.4/30", "2001:db8::/64"]
    assert [line.split(";")[0] for line in nginx.splitlines()] == [f"deny {n}" for n in networks]
    fail2ban = maskwatch("decisions", "export", "--format", "fail2ban", "--jail", "parse").out
    assert fail2ban.splitlines() == [f"set parse banip {network}" for network in networks]
    crowdsec = json.loads(maskwatch("decisions", "export", "--format", "crowdsec").out)
    assert [(entry["scope"], entry["type"]) for entry in crowdsec] == [
        ("Range", "ban"),
        ("Ip", "ban"),
        ("Range", "ban"),
        ("Range", "ban"),
    ]


@pytest.mark.parametrize("name", ["", "a b", "a; b", "a\nstop", "ä"])
def test_a_jail_whose_name_would_be_another_command_is_refused(maskwatch: Run, name: str) -> None:
    maskwatch("decisions", "add", "203.0.113.7", *WHY)
    done = maskwatch("decisions", "export", "--format", "fail2ban", "--jail", name)
    assert (done.code, done.out) == (2, "")
    assert "letters, digits" in done.err


def test_an_export_is_taken_in_again_elsewhere(maskwatch: Run, tmp_path: Path) -> None:
    for value, scope in (("203.0.113.7", "client"), ("acme", "api_key"), ("ab" * 32, "content")):
        maskwatch("decisions", "add", value, "--scope", scope, *WHY)
    before = listed(maskwatch)
    file = tmp_path / "list.json"
    file.write_text(maskwatch("decisions", "export").out)
    for number in ("1", "2"):
        maskwatch("decisions", "revoke", number, *WHY)
    said = maskwatch("decisions", "import", str(file))
    assert said.out == "Took 2 decisions; 1 held already.\n"
    assert listed(maskwatch) == before


@pytest.mark.parametrize(
    "text",
    [
        "duration,scope,value\n24h,ip,192.0.2.1\n4h,range,198.51.100.0/24\n",
        "duration,scope,value\r24h,ip,192.0.2.1\r4h,range,198.51.100.0/24\r",
        '[{"duration": "3h59m55.75s", "scope": "Ip", "type": "ban", "value": "192.0.2.1"},'
        ' {"duration": "4h", "scope": "Range", "type": "ban", "value": "198.51.100.0/24"}]',
        '{"new": [{"duration": "4h", "scope": "Ip", "value": "192.0.2.1"},'
        ' {"duration": "4h", "scope": "range", "value": "198.51.100.0/24"}], "deleted": null}',
    ],
)
def test_lists_of_crowdsec_are_taken(maskwatch: Run, tmp_path: Path, text: str) -> None:
    file = tmp_path / "list"
    file.write_text(text)
    assert maskwatch("decisions", "import", str(file)).out == (
        "Took 2 decisions; 0 held already.\n"
    )
    assert listed(maskwatch) == [
        ("block", "cidr", "198.51.100.0/24"),
        ("block", "client", "ip:192.0.2.1"),
    ]


def test_of_a_list_with_broken_entries_nothing_is_taken_and_each_is_named(
    maskwatch: Run, tmp_path: Path
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(
        "duration,scope,value,type\n"
        "24h,ip,192.0.2.1,ban\n"
        "24h,range,192.0.2.1/24,ban\n"
        "-5m,ip,192.0.2.2,ban\n"
        "24h,country,FR,ban\n"
        "24h,ip,192.0.2.3,captcha\n"
        "24h,ip,10.0.0.1,ban\n"
    )
    said = maskwatch("decisions", "import", str(file))
    assert said.code == 1
    assert said.err.startswith("maskwatch: Nothing is taken: entry 3: 192.0.2.1/24 has host bits")
    for why in ("entry 4: The duration '-5m'", "entry 5: The scope 'country'", "entry 6: The type"):
        assert why in said.err
    assert "entry 7: 10.0.0.1" in said.err.replace("ip:", "")
    assert listed(maskwatch) == []
    said = maskwatch("decisions", "import", str(file), "--skip-broken")
    assert said.out.startswith("Took 1 decision; 0 held already. Left out: entry 3:")
    assert listed(maskwatch) == [("block", "client", "ip:192.0.2.1")]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[{", "begins like JSON and is none"),
        ("192.0.2.1\n", "neither JSON nor CSV"),
        ('{"deleted": []}', "neither a list of entries nor one named new"),
        ('{"new": 5}', "neither a list of entries nor one named new"),
        (f"duration,value\n4h,{'1' * 200_000}\n", "of the file is no CSV"),
        ('[{"value": "192.0.2.1", "until": "9999-12-31T23:59:59-14:00"}]', "entry 1"),
        ('[{"value": "192.0.2.1", "reason": "a\\ud800b"}]', "entry 1: The reason has characters"),
        ('[{"value": "192.0.2.1", "reason": "a\\u0000b"}]', "entry 1: The reason has characters"),
        ('[{"value": "ab:\\ud800"}]', "entry 1: Name a client"),
        ("[1]", "entry 1: It has no value"),
        ('[{"value": "192.0.2.1", "until": "yesterday"}]', "entry 1"),
    ],
)
def test_what_is_no_list_is_refused(maskwatch: Run, tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "list"
    file.write_text(text)
    said = maskwatch("decisions", "import", str(file))
    assert said.code == 1
    assert why in said.err
    assert "cannot be read" in maskwatch("decisions", "import", str(tmp_path / "none")).err


def test_a_long_reason_of_another_product_is_cut(maskwatch: Run, tmp_path: Path) -> None:
    file = tmp_path / "list.json"
    file.write_text(json.dumps([{"value": "192.0.2.1", "scenario": "x" * 10_000}]))
    assert maskwatch("decisions", "import", str(file)).code == 0
    (entry,) = maskwatch("decisions", "list", "--json").out.splitlines()
    assert json.loads(entry)["reason"] == "x" * MAX_REASON_LENGTH


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (("--for", "2026-11-20"), "write 90min, 24h or 7d"),
        (("--for", "-1h"), "write 90min, 24h or 7d"),
        (("--for", "9999999999d"), "write 90min, 24h or 7d"),
        (("--for", "1h", "--until", "2999-01-01"), "not both"),
    ],
)
def test_an_end_that_nobody_can_mean_is_refused(
    maskwatch: Run, end: tuple[str, ...], why: str
) -> None:
    said = maskwatch("decisions", "add", "192.0.2.1", *WHY, *end)
    assert said.code in {1, 2}
    assert why in said.err
    assert listed(maskwatch) == []


@pytest.mark.parametrize("command", ["show", "revoke", "accept", "decline"])
def test_a_number_that_no_row_has_is_no_fault(maskwatch: Run, command: str) -> None:
    why = () if command == "show" else WHY
    assert maskwatch("decisions", command, *why, "9" * 30).code == 2
    assert maskwatch("decisions", command, *why, "99").code == 1


@pytest.mark.parametrize(
    "text",
    [
        '[{"duration": "4h", "scope": "Ip", "value": "192.0.2.1", "simulated": true}]',
        "duration,value,simulated\n4h,192.0.2.1,true\n",
    ],
)
def test_what_is_simulated_elsewhere_refuses_nobody_here(
    maskwatch: Run, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "list"
    file.write_text(text)
    assert maskwatch("decisions", "import", str(file)).code == 0
    assert "block (simulated) client ip:192.0.2.1" in maskwatch("decisions", "list").out
    assert maskwatch("decisions", "export", "--format", "nginx").out == ""
    # What is enforced there comes beside it.
    file.write_text('[{"duration": "4h", "value": "192.0.2.1", "simulated": false}]')
    assert maskwatch("decisions", "import", str(file)).out.startswith("Took 1 decision;")
    # An export is taken in as it was: nothing of it starts to refuse, and nothing comes twice.
    file.write_text(maskwatch("decisions", "export").out)
    said = maskwatch("decisions", "import", str(file))
    assert said.out == "Took 0 decisions; 2 held already.\n"
