# SPDX-License-Identifier: BSD-2-Clause
"""Namespaces that responder_host.py runs in."""

import pytest

from lab.netns import Lab
from responder_host import make_host


@pytest.fixture(scope="module")
def shared_lab():
    with Lab() as lab:
        yield lab


@pytest.fixture
def host(lab):
    return make_host(lab)
