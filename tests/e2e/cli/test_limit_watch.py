# SPDX-License-Identifier: BSD-2-Clause
"""`sluicectl limit top --watch`: into a pipe, as JSON, and on a terminal."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import time

from lab import daemon
from scenario_metered import over, scene  # fixtures


def watch(scene, *args, **options):
    return scene.top.balancer.popen(
        [daemon.SLUICECTL, "--socket", scene.daemon.socket_path, "limit", "top", *args], **options)


def test_watch_into_a_pipe_shows_one_after_the_other(scene, over):
    process = watch(scene, "--watch", "100ms", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                    text=True)
    lines, blocks = [], 0
    while blocks < 3:
        lines.append(process.stdout.readline())
        blocks += lines[-1] == "\n"
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=10)
    assert process.returncode == 0 and not errors
    text = "".join(lines) + rest
    assert "\033" not in text
    for block in text.split("\n\n")[:3]:
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\nSOURCE ", block), block
        assert over.ipv4 in block


def test_watch_as_json(scene, over):
    process = watch(scene, "--watch=100ms", "--json", stdout=subprocess.PIPE, text=True)
    text = ""
    while text.count("\n}\n") < 2:
        text += process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 0
    first, _ = json.JSONDecoder().raw_decode(text)
    assert any(row["source"] == over.ipv4 for row in first["sources"])


def test_watch_on_a_terminal_stays_in_one_place(scene, over):
    ours, theirs = pty.openpty()
    try:
        subprocess.run(["stty", "rows", "6", "cols", "200"], stdin=theirs, check=True)
        process = watch(scene, "--watch", "100ms", stdin=theirs, stdout=theirs,
                        stderr=subprocess.PIPE)
        text = ""
        deadline = time.monotonic() + 10
        while text.count("\033[H\033[2J") < 4 and time.monotonic() < deadline:
            if select.select([ours], [], [], 0.2)[0]:
                text += os.read(ours, 65536).decode()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0 and not process.stderr.read()
    finally:
        os.close(ours)
        os.close(theirs)
    pictures = text.split("\033[H\033[2J")[1:-1]
    assert len(pictures) >= 3
    for picture in pictures:
        assert picture.count("\n") < 6, "it fits the window"
        assert over.ipv4 in picture or "... and" in picture


def test_watch_ends_with_the_daemon(lab):
    made = daemon.Daemon(lab.namespace("lb"), {"interfaces": [], "services": []}).start()
    process = made.ns.popen(
        [daemon.SLUICECTL, "--socket", made.socket_path, "limit", "top", "--watch=100ms"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert "Z\n" in process.stdout.readline()
    assert made.stop() == 0
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 1 and "is it running?" in errors
