# SPDX-License-Identifier: BSD-2-Clause
"""Each module has a daemon that serves; modules whose daemon is another one say so."""

from scenario_api import scene, unchanged

__all__ = ["scene", "unchanged"]
