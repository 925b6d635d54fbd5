# SPDX-License-Identifier: BSD-2-Clause
"""Changes at run time outlive the daemon, however it ends, and are taken back by name."""

import json
import os
import re
import shutil
import time

import pytest

from lab.daemon import Daemon

NAMES = ("a", "b", "c")


def config_of():
    """Without checks and traffic: what is asked here is what the daemon remembers."""
    entry = {"name": "web", "address": "198.51.100.10", "port": 80, "check": "none",
             "backends": [{"name": name, "address": f"10.0.0.{11 + i}"}
                          for i, name in enumerate(NAMES)]}
    other = {**entry, "name": "other", "port": 81}
    return {"interfaces": ["front"], "services": [entry, other]}


@pytest.fixture
def made(lab):
    ns = lab.namespace("lb")
    ns.ip("link add front type veth peer name back")
    ns.ip("link set front up")
    ns.ip("link set back up")
    return Daemon(ns, config_of(), options=["--keep"]).start()


def stop(made):
    assert made.stop() == 0


def kill(made):
    made.kill()


def reboot(made):
    """The program and its maps are gone, and /run is empty; the disk is as it was."""
    made.kill()
    made.ns.ip("link set dev front xdp off")
    shutil.rmtree(made.pin_dir)
    os.unlink(made.socket_path)


ENDS = pytest.mark.parametrize("end", (stop, kill, reboot), ids=lambda end: end.__name__)


def rows(made, name="web"):
    return {row["name"]: (row["state"], row["weight"]) for row in made.service(name)["backends"]}


def changes(made):
    return {row["text"]: (row["made"], row["uid"], row["user"])
            for row in made.status()["run_time"]}


def denied(made):
    return {row["prefix"]: row["ends_in_s"] for row in made.get("/v1/denied")["denied"]}


@ENDS
def test_what_was_changed_is_there_again(made, end):
    made.drain("web", "a", timeout="1h")
    made.disable("web", "b")
    made.weight("web", "c", 7)
    made.add("web", address="10.0.0.20", port=8080, name="new", weight=3, backup=True)
    made.remove("other", "a")
    made.ctl("deny", "add", "203.0.113.9")
    made.ctl("deny", "add", "2001:db8:1::/48", "--for", "2h")
    made.ctl("deny", "add", "192.0.2.1")
    made.ctl("deny", "remove", "192.0.2.1")
    made.weight("other", "b", 9)
    made.weight("other", "b", 1)  # as the file has it
    before = rows(made), rows(made, "other"), changes(made)
    assert before[0]["b"] == ("disabled", 1) and before[0]["new"] == ("up", 3)
    assert len(before[2]) == 7 and all(by[1:] == (0, "root") for by in before[2].values())

    end(made)
    assert os.stat(made.state_path).st_mode & 0o7777 == 0o600
    made.start()

    assert (rows(made), rows(made, "other")) == before[:2]
    after = changes(made)
    timeless = lambda told: {re.sub(r" \(ends in .*?\)", "", text): by for text, by in told.items()}
    assert timeless(after) == timeless(before[2])
    assert 0 < made.backend("web", "a")["ends_in_s"] <= 3600
    ends = denied(made)
    assert set(ends) == {"203.0.113.9", "2001:db8:1::/48"} and ends["203.0.113.9"] is None
    assert 0 < ends["2001:db8:1::/48"] <= 7201
    text = " ".join(made.ctl("status").stdout.split())
    assert re.search(r"backend web/b disabled at run time, by root \(uid 0\) at 20", text)
    assert not [problem for problem in made.status()["problems"] if "run time" in problem]
    made.kill()


def test_what_has_ended_meanwhile_has_ended(made):
    made.drain("web", "a", timeout="1s")
    made.ctl("deny", "add", "203.0.113.9", "--for", "1s")
    made.ctl("deny", "add", "203.0.113.10")
    made.kill()
    with open(made.state_path, encoding="utf-8") as file:
        text = file.read()
    with open(made.state_path, "w", encoding="utf-8") as file:  # as if it were long ago
        file.write(re.sub(r'"ends":\d+', '"ends":1000', text))
    made.start()
    assert made.backend("web", "a")["state"] == "disabled"
    assert denied(made) == {"203.0.113.10": None}
    made.kill()


def test_what_is_saved_is_kept_no_more(made):
    made.weight("web", "c", 7)
    assert os.path.exists(made.state_path)
    made.save()
    assert not os.path.exists(made.state_path) and changes(made) == {}
    made.weight("web", "c", 8)
    made.weight("web", "c", 7)
    assert not os.path.exists(made.state_path)
    made.kill()


def test_denials_for_good_are_saved(made):
    made.ctl("deny", "add", "203.0.113.9")
    made.ctl("deny", "add", "2001:db8:1::/48")
    made.ctl("deny", "add", "203.0.113.10", "--for", "1h")
    made.weight("web", "c", 7)
    assert made.save()["changes"] == 3
    assert set(denied(made)) == {"203.0.113.10"}
    listed = made.get("/v1/denied")["configured"]
    assert listed == [{"scope": "all services", "allow": 0, "deny": 2}]
    assert [row["by"] for row in made.get("/v1/sources/203.0.113.9")["denied"]] == ["configuration"]
    assert made.reload()["changed"] == 0
    assert made.save()["changes"] == 0
    made.kill()
    made.start()
    assert set(denied(made)) == {"203.0.113.10"} and rows(made)["c"] == ("up", 7)
    assert made.get("/v1/sources/203.0.113.9")["denied"]
    made.kill()


def test_denials_beside_allowed_prefixes_stay_at_run_time(made):
    """In the file, the longer of two prefixes decides; at run time, none can let in."""
    made.write(config_of() | {"allow": ["203.0.113.9", "192.0.2.0/24"]})
    made.reload()
    made.ctl("deny", "add", "203.0.113.0/24")
    assert made.save()["changes"] == 0
    assert set(denied(made)) == {"203.0.113.0/24"}
    made.kill()


def test_a_file_that_has_no_such_service_any_more(made):
    made.disable("other", "a")
    made.disable("web", "a")
    made.kill()
    config = config_of()
    del config["services"][1]
    made.write(config)
    made.start()
    assert list(changes(made)) == ["backend web/a disabled at run time"]
    assert "is forgotten: backend other/a disabled at run time" in made.log
    made.write(config_of())
    made.reload()
    assert rows(made, "other")["a"] == ("up", 1)
    made.kill()


def test_denials_of_a_sluice_without_such_a_file_are_taken_over(made):
    made.ctl("deny", "add", "203.0.113.9")
    made.ctl("deny", "add", "203.0.113.10", "--for", "1h")
    made.kill()
    os.unlink(made.state_path)
    made.start()
    assert {text.split(" denied")[0]: by for text, (_, by, _) in changes(made).items()} == {
        "203.0.113.9": None, "203.0.113.10": None}
    reboot(made)
    made.start()
    ends = denied(made)
    assert ends["203.0.113.9"] is None and 0 < ends["203.0.113.10"] <= 3601
    made.kill()


# ---- taking back ----------------------------------------------------------------
REVERTS = {
    # arguments: the texts that stay
    "a backend": (["web", "a"], {"web/b", "other/a", "203.0.113.9"}),
    "a backend in one word": (["web/a"], {"web/b", "other/a", "203.0.113.9"}),
    "a service": (["web"], {"other/a", "203.0.113.9"}),
    "all": ([], set()),
}


@pytest.mark.parametrize("row", REVERTS.values(), ids=REVERTS)
def test_changes_are_taken_back(made, row):
    arguments, kept = row
    original = rows(made)
    made.weight("web", "a", 5)
    made.drain("web", "a")
    made.disable("web", "b")
    made.disable("other", "a")
    made.ctl("deny", "add", "203.0.113.9")
    answer = made.ctl_json("revert", *arguments)
    assert answer["changes"] + answer["denied"] == 5 - len(kept)
    for started in (False, True):
        texts = " ".join(changes(made))
        assert all(name in texts for name in kept) and len(changes(made)) == len(kept)
        assert rows(made)["a"] == original["a"]
        assert ("203.0.113.9" in denied(made)) == ("203.0.113.9" in kept)
        if not started:
            made.kill()
            made.start()
    line = [line for line in made.log.splitlines() if "taken back" in line]
    assert len(line) == 1 and "root (uid 0, process" in line[0]
    made.kill()


def test_what_was_not_changed_cannot_be_taken_back(made):
    made.weight("web", "a", 5)
    for arguments in (["web/b"], ["nosuch"], ["other"]):
        done = made.ctl("revert", *arguments, check=False)
        assert done.returncode == 1 and "web/a given weight 5" in done.stderr
    assert made.request("POST", "/v1/revert", '{"backend": "a"}')[0] == 400
    assert len(changes(made)) == 1
    made.kill()


# ---- faults of the file -----------------------------------------------------------
def cut_line(text):
    return text[:-20], ["web/a", "web/b"]


def cut_lines(text):
    return "".join(text.splitlines(keepends=True)[:-1]), ["web/a", "web/b"]


def garbage(text):
    return "\0\xff nothing\n", []


def empty(text):
    return "", []


def newer(text):
    return text.replace('"sluice_state":1', '"sluice_state":2'), []


def bad_record(text):
    lines = text.splitlines(keepends=True)
    return lines[0] + lines[1] + '{"change": "explode"}\n' + lines[3], ["web/a"]


@pytest.mark.parametrize("fault", (cut_line, cut_lines, garbage, empty, newer, bad_record),
                         ids=lambda fault: fault.__name__)
def test_a_file_with_a_fault_is_kept_and_told(made, fault):
    for name in NAMES[:2]:
        made.disable("web", name)
    made.ctl("deny", "add", "203.0.113.9")
    made.kill()
    with open(made.state_path, encoding="latin-1") as file:
        text, names = fault(file.read())
    for aside in (made.state_path + ".bad", made.state_path + ".bad.1"):
        with open(made.state_path, "w", encoding="latin-1") as file:
            file.write(text)
        made.start()
        with open(aside, encoding="latin-1") as file:
            assert file.read() == text
        (problem,) = [p for p in made.status()["problems"] if "may be lost" in p]
        assert aside in problem
        edits = [text for text in changes(made) if "backend" in text]
        assert [text.split()[1] for text in edits] == names
        assert denied(made) == {"203.0.113.9": None}, "the maps still had it"
        os.rename(aside, aside + ".seen")
        assert not [p for p in made.status()["problems"] if "may be lost" in p]
        os.rename(aside + ".seen", aside)
        made.kill()


def test_two_daemons_do_not_share_a_file(made):
    second = Daemon(made.ns, {"interfaces": [], "services": []}, name="second")
    second.state_path = made.state_path
    done = second.run()
    assert done.returncode == 1 and f"process {made.process.pid}" in done.stderr
    assert "--state" in done.stderr
    made.kill()


# ---- a disk that takes nothing ------------------------------------------------------
def test_a_change_that_cannot_be_kept_is_refused(made):
    """The state is on a file system that becomes read-only, and is full, in turn."""
    made.disable("web", "a")
    made.kill()
    room = os.path.dirname(made.state_path) + "/small"
    os.mkdir(room)
    made.state_path = room + "/state"
    mount = made.ns.run  # in the daemon's mount namespace alone
    argv = made.argv()
    made.argv = lambda: ["unshare", "--mount", "sh", "-c",
                         f"mount -t tmpfs -o size=64k,mode=755 small {room} && exec \"$@\"", "sh",
                         *argv]
    made.start()
    entered = ["nsenter", "-t", str(made.process.pid), "--mount"]
    made.disable("web", "b")
    before = rows(made), denied(made)
    mount(*entered, "sh", "-c", f"cat /dev/zero > {room}/fill", check=False)
    for method, path, body in (("POST", "/v1/backends/web/c/disable", None),
                               ("POST", "/v1/backends/web", {"address": "10.0.0.9"}),
                               ("DELETE", "/v1/backends/web/c", None),
                               ("POST", "/v1/denied", {"prefix": "203.0.113.7"})):
        status, answer = made.request(method, path, json.dumps(body) if body else None)
        assert status == 507 and "cannot be kept" in answer["error"], answer
    assert (rows(made), denied(made)) == before and len(changes(made)) == 1
    mount(*entered, "rm", f"{room}/fill")
    made.disable("web", "c")
    assert len(changes(made)) == 2
    made.kill()


def test_without_a_place_it_starts_and_says_so(lab):
    ns = lab.namespace("lb")
    made = Daemon(ns, {"interfaces": [], "services": []})
    made.state_path = "/proc/nosuch/state"
    made.start()
    (problem,) = [p for p in made.status()["problems"] if "cannot be kept" in p]
    assert "/proc/nosuch" in problem
    assert made.request("POST", "/v1/denied", '{"prefix": "203.0.113.7"}')[0] == 507
    assert denied(made) == {}
    made.stop()


# ---- very many ----------------------------------------------------------------------
def test_ten_thousand_denials_are_kept(made):
    prefixes = {f"10.{i >> 8}.{i & 255}.0/24" for i in range(10000)}
    now = 1000 * int(time.time())
    made.kill()
    with open(made.state_path, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write('{"sluice_state":1,"records":%d}\n' % len(prefixes))
        for prefix in prefixes:
            file.write(json.dumps({"change": "deny", "prefix": prefix, "made": now, "uid": 0}) + "\n")
    made.start()
    inode = os.stat(made.state_path).st_ino
    made.ctl("deny", "add", "203.0.113.9")
    made.ctl("deny", "remove", sorted(prefixes)[0])
    assert os.stat(made.state_path).st_ino == inode, "a line is appended"
    made.kill()
    made.start()
    answer = made.get("/v1/denied")
    assert len(answer["denied"]) + answer["more"] == 10000
    status = made.status()["run_time"]
    assert len(status) == 101 and "9900 further" in status[-1]["text"]
    made.ctl("revert")
    assert denied(made) == {} and not os.path.exists(made.state_path)
    made.kill()
