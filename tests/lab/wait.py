# SPDX-License-Identifier: BSD-2-Clause
"""Waiting for a condition with a deadline; the tests never sleep blindly."""

import time


class TooLate(AssertionError):
    """The condition did not come true in time."""


def until(condition, what, timeout=10.0, pause=0.02):
    """Polls condition() until it returns something true, and returns that.

    `what` is said when it does not: "web-1 up". It may be a function, called
    only then, so that it can tell the last thing seen.
    """
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() >= deadline:
            text = what() if callable(what) else what
            raise TooLate(f"after {timeout:g} s still not: {text}")
        time.sleep(pause)
