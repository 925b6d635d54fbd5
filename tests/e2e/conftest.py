# SPDX-License-Identifier: BSD-2-Clause
"""Figures that scenarios measure are told at the end of the run."""

import pytest

_figures = []


@pytest.fixture
def figure():
    """figure("a sentence with a number")"""
    return _figures.append


def pytest_terminal_summary(terminalreporter):
    if _figures:
        terminalreporter.section("figures")
        for sentence in _figures:
            terminalreporter.write_line(sentence)
