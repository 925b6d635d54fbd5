# SPDX-License-Identifier: BSD-2-Clause
"""How sluicectl ends: 0, 1 with a sentence, or 2 and its usage; and how it finds the daemon."""

import json
import os
import shutil
import socket
import subprocess

import pytest

from lab import daemon
from scenario_api import CHANGING, READING, ctl, small


@pytest.mark.parametrize("args, words", (
    (["service", "show", "nosuch"], "web"),
    (["service", "show", "../status"], "../status"),
    (["service", "show", "a\033[31mb"], "no service"),
    (["backend", "show", "web", "nosuch"], "web-1"),
    (["backend", "list", "nosuch"], "web"),
    (["backend", "drain", "web", "nosuch"], "web-1"),
    (["backend", "drain", "web/nosuch", "--wait"], "web-1"),
    (["backend", "enable", "nosuch/web-1"], "web"),
    (["backend", "add", "web", "127.0.0.1"], "loopback"),
    (["backend", "add", "web", "10.9.0.1", "--name", "web-1"], "already"),
    (["backend", "add", "nosuch", "10.9.0.1"], "web"),
    (["backend", "remove", "web", "nosuch"], "web-1"),
    (["attach", "nosuch"], "front"),
    (["attach", "\xff\xfe"], "no interface"),
    (["detach", "lo"], "front"),
), ids=lambda value: repr(value)[:40])
def test_a_refusal_is_exit_1_and_a_sentence(scene, unchanged, args, words):
    done = scene.daemon.ctl(*args, check=False)
    assert done.returncode == 1 and not done.stdout
    assert words in done.stderr and done.stderr.startswith("sluicectl: ")
    assert done.stderr.count("\n") == 1 and "\033" not in done.stderr


@pytest.mark.parametrize("args, words", (
    ([], "usage:"),
    (["statsu"], 'did you mean "status"?'),
    (["relaod"], 'did you mean "reload"?'),
    (["servce", "list"], 'did you mean "service list"?'),
    (["service", "shwo", "web"], 'did you mean "service show"?'),
    (["stat"], 'did you mean "stats"?'),
    (["service"], "service show"),
    (["bakcend"], 'did you mean "backend"?'),
    (["--json", "bakcend"], 'did you mean'),
    (["se", "list"], "there is no command"),
    (["xyzzy"], "there is no command"),
    (["backend", "xyzzy"], "see sluicectl backend --help"),
    (["xyz\033[31m"], "there is no command"),
    (["status", "more"], "too many"),
    (["service", "show"], "missing"),
    (["backend", "show", "web"], "SERVICE/NAME"),
    (["backend", "show", "web/"], "SERVICE/NAME"),
    (["attach"], "missing"),
    (["--jso", "status"], "did you mean --json?"),
    (["--socket=", "status"], "--socket"),
    (["--socket", "/" + "x" * 200, "status"], "too long"),
    (["service", "show", ""], "NAME is empty"),
    (["backend", "show", "", "web-1"], "SERVICE is empty"),
    (["attach", ""], "INTERFACE is empty"),
    (["attach", "lo", "--mode", "turbo"], "auto, native or generic"),
    (["attach", "lo", "--mode", "skb"], "did you mean generic?"),
    (["backend", "drain", "web/web-1", "--timeout", "soon"], "from 1s to 720h"),
    (["backend", "drain", "web/web-1", "--timeout", "\xff"], "--timeout"),
    (["backend", "drain", "web/web-1", "--timeout", "721h"], "from 1s to 720h"),
    (["backend", "weight", "web/web-1", "65536"], "from 0 to 65535"),
    (["backend", "add", "web", "10.9.0.1:0"], "from 1 to 65535"),
    (["backend", "add", "web", "10.9.0.1", "--weight", "65536"], "from 0 to 65535"),
    (["limit", "show", "web"], "an IPv4 or IPv6 address"),
    (["limit", "reset", "nobody"], '"all"'),
    (["limit", "top", "--lines", "0"], "from 1 to 1000"),
    (["deny", "add", "192.0.2.7/24"], "did you mean 192.0.2.0/24?"),
    (["deny", "add", "192.0.2.0/24", "--for", "0s"], "from 1s to 720h"),
    (["deny", "remove", "nobody"], "a prefix like"),
    (["deny", "list", "--lines", "x"], "from 1 to 1000"),
    (["check", ""], "FILE is empty"),
    (["service", "show", "x" * 300], "at most 63"),
    (["revert", ""], "SERVICE is empty"),
    (["revert", "web", "x" * 64], "at most 63"),
    (["revert", "web", "web-1", "more"], "too many"),
    (["revert", "web/web-1", "more"], "too many"),
    (["revert", "web/"], "SERVICE/NAME"),
    (["--json=yes", "status"], "--json"),
    (["status", "--socket"], "--socket"),
    (["status", "-j"], "-j"),
    (["reload", "--mode", "native"], "--mode"),
    (["backend", "enable", "web/web-1", "--wait"], "--wait"),
    (["backend", "drain", "web/web-1", "--backup"], "--backup"),
    (["backend", "drain", "web"], "SERVICE/NAME"),
    (["backend", "drain", "web/web-1", "5m"], "too many"),
    (["backend", "drain", "web/web-1", "--timeout"], "--timeout"),
    (["backend", "weight", "web", "web-1"], "SERVICE/NAME"),
    (["backend", "weight", "web/web-1"], "missing"),
    (["backend", "weight", "web/web-1", "-1"], "-1"),
    (["backend", "weight", "web/web-1", "5%"], "5%"),
    (["backend", "weight", "web", "web-1", "x"], "from 0 to 65535"),
    (["backend", "add", "web"], "missing"),
    (["backend", "add", "web", "web-3"], "[ADDRESS]:PORT"),
    (["backend", "add", "web", "10.9.0.1:"], "[ADDRESS]:PORT"),
    (["backend", "add", "web", "[10.9.0.1]:80"], "[ADDRESS]:PORT"),
    (["backend", "add", "web", "[2001:db8::1"], "[ADDRESS]:PORT"),
    (["backend", "add", "web", "[2001:db8::1]80"], "[ADDRESS]:PORT"),
    (["backend", "add", "web", "10.9.0.1", "--weight", "many"], "--weight"),
    (["backend", "remove"], "missing"),
    (["config"], "config save"),
    (["config", "shwo"], 'did you mean "config show"?'),
), ids=lambda value: repr(value)[:40])
def test_misuse_is_exit_2(args, words):
    done = ctl(*args)
    assert done.returncode == 2 and not done.stdout
    assert words in done.stderr and "\033" not in done.stderr
    if len(args) > 1 or "there is no" in words:
        assert done.stderr.count("\n") == 1 or "--json" in args, "the error is on the last line"
    done = ctl("--json", *args)
    assert done.returncode == 2 and not done.stdout
    assert set(json.loads(done.stderr)) == {"error"}


@pytest.mark.parametrize("args", (
    ["deny", "add", "0.0.0.0/0"], ["deny", "add", "::/0"],
), ids=repr)
def test_what_the_daemon_calls_malformed_is_misuse(scene, unchanged, args):
    done = scene.daemon.ctl(*args, check=False)
    assert done.returncode == 2 and not done.stdout
    assert done.stderr.startswith("sluicectl: ") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("args", (
    ["service", "show", "nosuch"], ["attach", "nosuch"], ["check", "/nonexistent"],
), ids=" ".join)
def test_a_refusal_in_json(scene, unchanged, args):
    done = scene.daemon.ctl("--json", *args, check=False)
    assert done.returncode == 1 and not done.stdout
    answer = json.loads(done.stderr)
    assert set(answer) == {"error"} and answer["error"]


@pytest.mark.parametrize("args, words", (
    (["--nosuch"], "--nosuch"),
    (["-x"], "x"),
    (["extra"], "extra"),
    (["--config"], "config"),
    (["--config", ""], "--config"),
    (["--check=yes"], "check"),
    (["--socket", ""], "--socket"),
    (["--socket", "/" + "x" * 200], "107 bytes"),
    (["--pin-dir", "relative"], "absolute"),
    (["--pin-dir", ""], "absolute"),
), ids=repr)
def test_misuse_of_the_daemon_is_exit_2(args, words):
    done = subprocess.run([daemon.SLUICED, *args], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and not done.stdout and words in done.stderr


COMMANDS = ("status", "service list", "service show", "backend list", "backend show", "stats",
            "attach", "detach", "check", "reload", "backend drain", "backend enable",
            "backend disable", "backend weight", "backend add", "backend remove", "config show",
            "config save", "limit list", "limit top", "limit show", "limit reset", "deny add",
            "deny remove", "deny list")


def test_help(scene):
    whole = ctl("--help")
    assert whole.returncode == 0 and not whole.stderr
    for command in COMMANDS:
        assert f"\n  {command} " in whole.stdout
        for args in ([*command.split(), "--help"], ["--help", *command.split()]):
            done = ctl(*args)
            assert done.returncode == 0 and not done.stderr
            assert done.stdout.startswith(f"usage: sluicectl {command}")
    group = ctl("service", "--help")
    assert "service show" in group.stdout and "backend show" not in group.stdout
    assert "--mode" not in group.stdout, "no option of other commands"
    assert max(map(len, whole.stdout.splitlines())) <= 80
    assert ctl("xyzzy", "--help").returncode == 2
    for args in (["--version"], ["status", "--version"]):
        done = ctl(*args)
        assert done.returncode == 0
        assert done.stdout == f"sluicectl {scene.daemon.status()['version']}\n"


def test_the_socket_may_come_from_the_environment(scene):
    done = ctl("status", env={"SLUICE_SOCKET": scene.daemon.socket_path})
    assert done.returncode == 0 and "web" in done.stdout
    done = ctl("status", "--socket", scene.daemon.socket_path, env={"SLUICE_SOCKET": "/nowhere"})
    assert done.returncode == 0


def test_a_proxy_in_the_environment_is_nobodys_business(scene):
    proxy = {"http_proxy": "http://192.0.2.1:3128", "all_proxy": "http://192.0.2.1:3128"}
    assert ctl("status", "--socket", scene.daemon.socket_path, env=proxy).returncode == 0


def test_without_a_daemon_it_says_so(tmp_path):
    path = str(tmp_path / "control.sock")
    others = (["detach", "x"], ["backend", "drain", "web/web-1", "--wait"],
              ["backend", "add", "web", "10.9.0.1"], ["backend", "weight", "web/web-1", "1"])
    for command in READING + CHANGING + others:
        done = ctl("--socket", path, *command)
        assert done.returncode == 1 and not done.stdout
        assert done.stderr == f"sluicectl: no sluiced answers on {path}: is it running?\n"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(path)
    assert "is it running?" in ctl("--socket", path, "status").stderr


def test_without_permission_it_says_so(lab):
    made = small(lab).start()
    program = lab.path("sluicectl")
    shutil.copy(daemon.SLUICECTL, program)
    os.chmod(lab.directory, 0o755)
    os.chmod(os.path.dirname(made.socket_path), 0o755)
    done = made.ns.run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program,
                       "--socket", made.socket_path, "status", check=False)
    assert done.returncode == 1
    assert f"permission denied on {made.socket_path}" in done.stderr


def test_a_full_disk_is_a_failure(scene):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([daemon.SLUICECTL, "--socket", scene.daemon.socket_path, "status"],
                              stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 1 and "cannot write" in done.stderr
