# SPDX-License-Identifier: BSD-2-Clause
"""sluicectl, where something else than sluiced answers."""

import subprocess

import pytest

from lab import daemon
from scenario_api import EVIL, Impostor, ctl, reply

IMPOSTORS = {
    "no HTTP": b"220 smtp ready\r\n",
    "nothing": b"",
    "HTML": reply(b"<html>"),
    "an array": reply([1, 2]),
    "a number": reply(b"7"),
    "no members": reply({}),
    "wrong types": reply({"services": 3, "interfaces": {"a": 1}, "problems": "x", "pid": []}),
    "rows of all kinds": reply({"services": [None, 1, "x", [], {"name": {}, "addresses": "x"}]}),
    "an error without words": reply({}, 500),
    "an error of another type": reply({"error": ["x"], "line": "y"}, 404),
    "control characters": reply({"version": EVIL, "config": EVIL, "problems": [EVIL] * 3,
                                 "services": [{"name": EVIL, "state": EVIL, "addresses": [EVIL]}]}),
    "control characters in an error": reply({"error": EVIL, "file": EVIL, "line": 3}, 422),
    "no UTF-8": reply(b'{"version": "\xff"}'),
    "deep": reply(b"[" * 100_000),
    "cut short": reply({"version": "1"})[:-3],
    "a redirect": b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("answer", IMPOSTORS.values(), ids=IMPOSTORS)
@pytest.mark.parametrize("options", ([], ["--json"]), ids=("people", "json"))
def test_nothing_that_answers_can_harm(tmp_path, answer, options):
    path = str(tmp_path / "control.sock")
    with Impostor(path, answer):
        done = subprocess.run([daemon.SLUICECTL, "--socket", path, "status", *options],
                              capture_output=True, timeout=60)
    assert done.returncode in (0, 1), "neither a crash nor misuse"
    assert (done.returncode == 1) == bool(done.stderr), "a failure has words"
    for text in (done.stdout, done.stderr):
        shown = text.decode()
        assert all(char.isprintable() or char == "\n" for char in shown), repr(shown)


def test_an_answer_without_end_is_left(tmp_path):
    path = str(tmp_path / "control.sock")
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    with Impostor(path, head + b" " * (300 * 1024 * 1024)):
        done = ctl("--socket", path, "status")
    assert done.returncode == 1 and "too large" in done.stderr
