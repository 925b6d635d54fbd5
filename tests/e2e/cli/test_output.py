# SPDX-License-Identifier: BSD-2-Clause
"""What sluicectl prints, for people and for programs, and what its commands do."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import termios

import pytest

from lab import clients, daemon
from scenario import all_serving
from scenario_api import CHANGING, READING, Impostor, ctl, reply


@pytest.mark.parametrize("command", READING + CHANGING, ids=" ".join)
def test_a_command_prints_for_people_and_for_programs(scene, command):
    people = scene.daemon.ctl(*command)
    assert people.stdout and not people.stderr
    assert "\033" not in people.stdout, "colours only on a terminal"
    assert all(line == line.rstrip() for line in people.stdout.splitlines())
    for args in (["--json", *command], [*command, "--json"], [command[0], "--json", *command[1:]]):
        programs = scene.daemon.ctl(*args)
        assert not programs.stderr
        assert isinstance(json.loads(programs.stdout), dict)


def test_json_is_what_the_daemon_answers(scene):
    ours = scene.daemon.ctl_json("status")
    theirs = scene.daemon.status()
    for answer in (ours, theirs):
        answer.pop("uptime_s")
        answer.pop("longest_step_ms")
    assert ours == theirs
    names = [row["name"] for row in scene.daemon.ctl_json("backend", "list", "web")["backends"]]
    assert names == ["web-1", "web-1-v6", "web-2", "web-2-v6"]


def test_the_tables_say_what_is_there(scene):
    service = scene.daemon.ctl("service", "show", "web").stdout
    assert f"{scene.top.service(4)}:80, [{scene.top.service(6)}]:80" in service
    assert "4/4" in service and "/health" in service
    backends = scene.daemon.ctl("backend", "list").stdout.splitlines()
    assert backends[0].split()[:3] == ["SERVICE", "BACKEND", "ADDRESS"]
    assert len(backends) == 5
    assert scene.top.backends[0].mac in scene.daemon.ctl("backend", "show", "web/web-1").stdout
    assert clients.ask(scene.client, scene.top.service(4)).startswith("web-")
    assert "forwarded" in scene.daemon.ctl("stats").stdout


def test_status_leads_with_what_is_wrong(scene):
    scene.server("web-2").sick()
    try:
        scene.daemon.wait_serving("web", 2)
        lines = scene.daemon.ctl("status").stdout.splitlines()
        assert lines[0] == "problems:"
        assert any("web/web-2 " in line and "503" in line for line in lines[1:3]), lines
        assert any("degraded" in line for line in lines)
        shown = scene.daemon.ctl("backend", "show", "web", "web-2").stdout
        assert "down" in shown and "503" in shown
    finally:
        scene.server("web-2").sick(False)
        all_serving(scene)


def test_attach_and_detach_by_command(scene):
    assert "front" in scene.daemon.ctl("detach", "front").stdout
    assert scene.top.balancer.xdp("front") == {}
    done = scene.daemon.ctl("attach", "front", "--mode", "generic")
    assert "generic" in done.stdout and scene.top.balancer.xdp("front")["mode"] == 2
    scene.daemon.ctl("detach", "front")
    assert "native" in scene.daemon.ctl("attach", "--mode=native", "front").stdout
    assert scene.top.balancer.xdp("front")["mode"] == 1


def test_check_by_command(scene, unchanged, tmp_path):
    made = scene.daemon
    with open(made.config_path, encoding="utf-8") as file:
        good = file.read()
    assert made.ctl("check").stdout == (
        "configuration is valid: 1 service, 4 backends; "
        "a reload would add 0, remove 0, change 0 services\n")
    more = tmp_path / "more.yaml"
    more.write_text(good.replace('"port": 80,', '"port": 82,'), encoding="utf-8")
    assert "change 1 services" in made.ctl("check", str(more)).stdout
    by_stdin = ctl("--socket", made.socket_path, "check", "-", input=good)
    assert by_stdin.returncode == 0 and "is valid" in by_stdin.stdout

    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("interfaces: []\nservices: 3\n", encoding="utf-8")
    done = made.ctl("check", str(wrong), check=False)
    assert done.returncode == 1 and not done.stdout
    assert done.stderr.startswith(f"{wrong}:2:11: ") and done.stderr.count("\n") == 1
    done = ctl("--socket", made.socket_path, "check", "-", input="services: 3\n")
    assert done.returncode == 1 and done.stderr.startswith("standard input:1:11: ")
    for args, words in ((["check", str(tmp_path / "none")], "cannot open"),
                        (["check", str(tmp_path)], "cannot"),
                        (["check", "/dev/null"], "empty")):
        done = made.ctl(*args, check=False)
        assert done.returncode == 1 and words in done.stderr


def on_terminal(*args, env=None, columns=0):
    """What the command writes to a terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    try:
        environment = {**os.environ, **(env or {})}
        done = subprocess.run([daemon.SLUICECTL, *args], stdout=theirs, stdin=theirs,
                              stderr=subprocess.PIPE, timeout=60, env=environment)
        assert done.returncode == 0, done.stderr
        return os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)


def test_colours_are_for_terminals(scene):
    args = ("--socket", scene.daemon.socket_path, "backend", "list")
    environment = {"NO_COLOR": ""}
    assert "\033[32mup\033[0m" in on_terminal(*args, env=environment)
    assert "\033" not in on_terminal(*args, env={"NO_COLOR": "1"})
    assert "\033" not in on_terminal(*args, "--json", env=environment)


def test_status_fits_a_terminal(tmp_path):
    path = str(tmp_path / "control.sock")
    address = "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff"
    status = {
        "version": "1.2.3", "pid": 4194304, "uptime_s": 10**9, "config": "/etc/sluice/sluice.yaml",
        "started": "2026-11-22T05:31:56Z", "reloaded": "2026-11-22T05:31:56Z",
        "problems": ["a backend that is down because of one reason or another, " * 5] * 30,
        "interfaces": [{"name": "x" * 15, "ifindex": 2**31, "mode": "generic",
                        "program_id": 2**32 - 1, "adopted": True, "shared": False}],
        "services": [{"name": "n" * 63, "addresses": [address] * 16, "port": 65535,
                      "protocol": "tcp", "forward": "nat", "state": "degraded",
                      "backends_serving": 65536, "backends_total": 65536}],
    }
    with Impostor(path, reply(status)):
        done = ctl("--socket", path, "status")
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert "... and 10 more" in done.stdout


# A row that any table can show, its values as long as they can be.
LONGEST = {
    "name": "n" * 50, "service": "s" * 50, "backend": "b" * 50, "number": 16, "exempt": 1000000,
    "address": "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", "port": 65535, "protocol": "tcp",
    "addresses": ["2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff"] * 16, "forward": "ipip",
    "state": "degraded", "weight": 65535, "since_s": 86400 * 999 + 3600 * 23, "live": 2**32,
    "serving": True, "reason": "a reason with too many words for the width of any line " * 3,
    "backends_serving": 65536, "backends_total": 65536, "scope": "all services",
    "source": "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff/128", "rate": "1000000/min", "burst": 10**9,
    "count": "connections", "algorithm": "sliding-window", "per": "service", "action": "respond",
    "dry_run": True, "remaining": 10**12, "resets_in_ms": 3600000, "refused": 2**62,
    "since": "2026-11-22T05:31:56Z", "by": "the configuration", "text": "a verdict in words " * 4,
    "packets": 2**62, "bytes": 2**62, "connections": 2**62, "dropped_packets": 2**62,
    "dropped_bytes": 2**62, "refused_packets": 2**62, "reply_packets": 2**62,
    "reply_bytes": 2**62, "prefix": "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff/128", "allow": 10**6,
    "deny": 10**6, "ends_in_s": 720 * 3600, "limit": 10**12, "sources": 10**7,
    "stats": dict.fromkeys(("gate", "bucket", "refused", "exempt", "pressure", "evicted",
                            "connections", "packets", "bytes"), 2**62),
}


@pytest.mark.parametrize("columns", (80, 120))
@pytest.mark.parametrize("command", [
    ["status"], ["service", "list"], ["service", "show", "web"], ["backend", "list"],
    ["backend", "show", "web/a"], ["stats"], ["limit", "list"], ["limit", "list", "web"],
    ["limit", "top"], ["limit", "show", "192.0.2.1"], ["deny", "list"],
], ids=" ".join)
def test_tables_fit_a_terminal(tmp_path, command, columns):
    path = str(tmp_path / "control.sock")
    rows = {name: [LONGEST] * 2 for name in (
        "services", "backends", "verdicts", "limits", "sources", "denied", "configured")}
    answer = {**LONGEST, **rows, "interfaces": [{"name": "x" * 15, "mode": "generic",
                                                 "program_id": 2**32 - 1}]}
    answer["check"] = {"type": "http", "text": "a word " * 40, "path": "/" + "p" * 40}
    with Impostor(path, reply(answer)):
        plain = on_terminal("--socket", path, *command, env={"NO_COLOR": "1"}, columns=columns)
    for line in plain.splitlines():
        assert len(line) <= columns and line == line.rstrip(), line
    assert "n" * 9 in plain or "s" * 9 in plain or "2001:db8" in plain
    with Impostor(path + "2", reply(answer)):
        whole = ctl("--socket", path + "2", *command).stdout
    assert len(whole.splitlines()) <= len(plain.splitlines()), "what is no terminal has no width"
