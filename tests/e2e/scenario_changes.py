# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of changes at run time share: a daemon that is as its file says."""

import contextlib
import json
import os

import pytest

from lab.netns import Lab
from scenario import all_serving, configuration, serve, web


@pytest.fixture(scope="module")
def running():
    with Lab() as lab:
        yield serve(lab, backends=2)


@pytest.fixture
def scene(running):
    """As from the start: the daemon is a new one where the last test left changes."""
    made = running.daemon
    config = configuration(running.top, web(running.top))
    with open(made.config_path, encoding="utf-8") as file:
        same = file.read() == json.dumps(config, indent=1)
    if made.process.poll() is not None or made.status()["changes"] or not same:
        if made.process.poll() is None:
            assert made.stop() == 0
        with contextlib.suppress(FileNotFoundError):
            os.unlink(made.state_path)
        os.chown(made.config_path, 0, 0)
        made.write(config)
        made.start()
    return all_serving(running)


def settled(backend):
    """Without what changes by itself."""
    return {name: value for name, value in backend.items()
            if name not in ("check", "since_s", "ends_in_s", "stats", "live", "next_hop", "reason")}
