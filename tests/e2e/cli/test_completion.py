# SPDX-License-Identifier: BSD-2-Clause
"""The completion of bash says what the help says: both are made from the tables of
commands. No daemon runs; a stub answers in its place with names."""

import os
import re
import subprocess

import pytest

from lab import daemon

COMPLETION = os.path.join(daemon.BUILD, "sluicectl.bash-completion")

COMPLETE = """
    PATH=$1:$PATH; . "$2"; shift 2
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sluicectl; printf '%s\\n' "${COMPREPLY[@]}"
"""

STUB = """#!/bin/sh
[ "$1" = --socket ] && [ "$2" = /the/socket ] || exit 1
case "$3 $4" in
"service list") printf 'SERVICE ADDRESS\\nweb 192.0.2.1:80\\ndns 192.0.2.1:53\\n' ;;
"backend list") printf 'SERVICE BACKEND\\nweb one\\ndns two\\n'
	[ -z "$COLONS" ] || printf 'web 10.0.0.1:80\\nweb 10.0.0.1:443\\nweb [2001:db8::1]:80\\n' ;;
"limit top") printf 'SOURCE SERVICE\\n198.51.100.7 web\\nall dns\\n2001:db8::/64 web\\n' ;;
"deny list") printf 'PREFIX ENDS IN\\n203.0.113.0/24 -\\n\\nprefixes in the configuration\\nOF\\n' ;;
*) exit 1 ;;
esac
"""


@pytest.fixture
def complete(tmp_path):
    """complete("backend", "dr"): what bash offers for the last word."""
    stub = tmp_path / "sluicectl"
    stub.write_text(STUB)
    stub.chmod(0o755)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "web.yaml").touch()

    def run(*words):
        done = subprocess.run(
            ["bash", "-c", COMPLETE, "bash", str(tmp_path), COMPLETION, "sluicectl", *words],
            capture_output=True, text=True, check=True, timeout=20, cwd=tmp_path / "files",
            env={**os.environ, "SLUICE_SOCKET": "/the/socket"})
        assert done.stderr == ""
        return done.stdout.split()

    return run


def help_of(*words):
    done = subprocess.run([daemon.SLUICECTL, *words, "--help"], capture_output=True, text=True,
                          check=True, timeout=20)
    return done.stdout


def commands():
    """The words of each command, as the help lists them: ["backend", "drain"]."""
    lines = help_of().split("commands:\n")[1].split("\n\n")[0].splitlines()
    rows = [line for line in lines if not line.startswith("   ")]
    return [re.match(r"  ([a-z]+(?: [a-z]+)?)(?: |$)", row).group(1).split() for row in rows]


def options_in(text):
    """{"--mode": "MODE", "--json": ""}"""
    options = text.split("options, anywhere on the line:\n")[1]
    return dict(re.findall(r"^  (--[a-z]+) (\S*) ", options, re.MULTILINE))


def test_the_words_of_all_commands(complete):
    names = commands()
    assert len(names) > 20
    firsts = list(dict.fromkeys(words[0] for words in names))
    assert complete("") == firsts
    for first in firsts:
        seconds = [words[1] for words in names if words[0] == first and len(words) > 1]
        if seconds:
            assert complete(first, "") == seconds
    assert complete("backend", "dr") == ["drain"]


def test_the_options_of_each_command(complete):
    everywhere = complete("-")
    for words in commands():
        offered = complete(*words, "-")
        assert set(offered) == set(options_in(help_of(*words))), words
        assert offered[:len(everywhere)] == everywhere


def test_the_value_of_an_option_is_no_argument(complete):
    for option, value in options_in(help_of()).items():
        given = [option] + ({"": [], "[TIME]": ["2s"]}.get(value, ["/the/socket"]))
        assert "drain" in complete(*given, "backend", ""), option
        assert "drain" in complete("backend", *given, ""), option
    assert complete("limit", "--watch", "to") == ["top"]


@pytest.mark.parametrize("words, names", [
    (("service", "show"), ["web", "dns"]),
    (("backend", "list"), ["web", "dns"]),
    (("backend", "add"), ["web", "dns"]),
    (("limit", "list"), ["web", "dns"]),
    (("backend", "show"), ["web/one", "dns/two"]),
    (("backend", "drain"), ["web/one", "dns/two"]),
    (("backend", "enable"), ["web/one", "dns/two"]),
    (("backend", "disable"), ["web/one", "dns/two"]),
    (("backend", "weight"), ["web/one", "dns/two"]),
    (("backend", "remove"), ["web/one", "dns/two"]),
    (("limit", "show"), ["198.51.100.7", "2001:db8::/64"]),
    (("limit", "reset"), ["all", "198.51.100.7", "2001:db8::/64"]),
    (("limit", "reset", "all"), ["web", "dns"]),
    (("deny", "remove"), ["203.0.113.0/24"]),
    (("deny", "add"), []),
    (("check",), ["web.yaml"]),
    (("attach", "--mode"), ["auto", "native", "generic"]),
    (("--socket",), ["web.yaml"]),
    (("status", "--lines"), []),
])
def test_names(complete, words, names):
    assert complete(*words, "") == names


def at_colons(word):
    """As bash gives a word to a completion: taken apart."""
    return [part for part in re.split("(:+)", word) if part] or [""]


@pytest.mark.parametrize("typed, offered", [
    ("web/10", ["web/10.0.0.1:80", "web/10.0.0.1:443"]),
    ("web/10.0.0.1", ["web/10.0.0.1:80", "web/10.0.0.1:443"]),
    ("web/10.0.0.1:", ["80", "443"]),
    ("web/10.0.0.1:4", ["443"]),
    ("web/10.0.0.1:443", ["443"]),
    ("web/10.0.0.1:9", []),
    ("web/[2001:", ["db8::1]:80"]),
    ("web/[2001:db8", ["db8::1]:80"]),
    ("web/[2001:db8::", ["1]:80"]),
    ("web/[2001:db8::1]", ["1]:80"]),
    ("web/[2001:db8::1]:", ["80"]),
    ("web/o", ["web/one"]),
])
def test_names_with_colons(complete, monkeypatch, typed, offered):
    monkeypatch.setenv("COLONS", "1")
    for command in ("show", "drain"):
        assert complete("backend", command, *at_colons(typed)) == offered
        assert complete("--json", "backend", command, *at_colons(typed)) == offered
    assert complete("limit", "reset", *at_colons("2001:d")) == ["db8::/64"]
    behind = complete("limit", "reset", *at_colons("2001:db8::/64"), "")
    assert behind == ["web", "dns"], "the word before is one"


def test_interfaces(complete):
    for command in ("attach", "detach"):
        assert "lo" in complete(command, "")


def test_names_are_asked_for_at_the_socket_that_is_given(complete):
    assert complete("--socket", "/another", "service", "show", "") == []


def test_the_file_is_this_tools(tmp_path):
    made = subprocess.run([daemon.SLUICECTL, "completion", "bash"], capture_output=True, text=True,
                          check=True, timeout=20).stdout
    with open(COMPLETION) as file:
        assert file.read().endswith(made)
