# SPDX-License-Identifier: BSD-2-Clause
"""A responder that a client has taken over, or that hangs: what it can do to the daemon, to
other processes and to the responder after it."""

import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from lab import wait
from lab.daemon import BUILD
from responder_host import BINARY, Responder
from test_responder import WEB4, configuration, curl

REAL = os.path.join(BUILD, "sluice-responder")
HOSTILE = os.path.join(BUILD, "responder", "hostile")


def place(program, directory):
    """As the responder that the daemon in this directory starts next."""
    shutil.copy(program, os.path.join(directory, "next"))
    os.replace(os.path.join(directory, "next"), os.path.join(directory, "sluice-responder"))


@pytest.fixture
def directory(tmp_path):
    tmp_path.chmod(0o755)
    shutil.copy(BINARY, tmp_path / "responder_test")
    return str(tmp_path)


def start(host, directory, program):
    place(program, directory)
    made = Responder(host, configuration(), binary=os.path.join(directory, "responder_test"))
    made.routes()
    return made


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_one_that_is_taken_over_harms_itself_alone(host, directory, figure):
    made = start(host, directory, HOSTILE)
    wait.until(lambda: "says more than it is asked for" in made.log, "it has flooded",
               timeout=30)
    place(REAL, directory)
    spent = cpu_seconds(made.process.pid)
    assert made.hear() == ["down"]
    made.wait_up()
    assert curl(made, WEB4)[0] == 429
    lines = made.log.splitlines()
    copied = [line for line in lines if "sluice-responder writes: " in line]
    figure(f"a responder that floods: {len(copied)} lines in the log, {spent:.2f} s of CPU time")
    assert "writes: shutdown: Function not implemented" in copied[0]
    # At most eight lines a second, each marked as the responder's, and none that is raw.
    assert all("writes: " in line for line in lines if "forged" in line)
    assert not any("\x1b" in line for line in lines)
    assert 2 <= len(copied) < 200
    assert spent < 5  # 16 MiB a line at a time would take minutes
    made.command("quit")


def test_one_that_hangs_is_replaced(host, directory):
    made = start(host, directory, REAL)
    old = made.child
    os.kill(old, signal.SIGSTOP)
    assert made.hear(timeout=20) == ["down"]
    made.wait_up()
    assert made.child != old
    assert re.search(r"has not answered for [34] seconds, it is ended", made.log)
    assert curl(made, WEB4)[0] == 429
    made.command("quit")


def test_what_waits_for_one_that_hangs_is_bounded(host, directory):
    made = start(host, directory, REAL)
    os.kill(made.child, signal.SIGSTOP)
    told = configuration({"body": "x" * 4000})
    before = memory_kib(made.process.pid)
    # Each is some 5 KB. After three seconds it is replaced, so a slow machine tells it fewer.
    made.write(told)
    begun = time.monotonic()
    for _ in range(1000):
        made.command("tell", made.path)
        if time.monotonic() > begun + 1.5:
            break
    # The address sanitizer keeps what was freed.
    if not sanitized(made.process.pid):
        assert memory_kib(made.process.pid) - before < 2048
    assert made.hear(timeout=20) == ["down"]
    made.wait_up()
    made.routes()
    assert curl(made, WEB4)[2] == "x" * 4000
    made.command("quit")


def sanitized(pid):
    with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as file:
        return "libasan" in file.read()


def memory_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def test_no_process_of_another_user_can_end_it(host, directory):
    made = start(host, directory, REAL)
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                           "kill", "-9", str(made.child)],
                          check=False, capture_output=True, text=True)
    assert done.returncode and "not permitted" in done.stderr
    made.command("quit")
