# SPDX-License-Identifier: BSD-2-Clause
"""Stations that the daemon does not know, because their devices are not there."""

import struct

from lab.daemon import bpftool


ACTIVE, STANDBY = 1, 2  # SL_STATION_*


def pretend_station(balancer, daemon, station, state=ACTIVE):
    """Adds an entry (struct sl_station) to sl_stations."""
    device, mac, vlan, inner = station
    key = struct.pack("=IHH6sxx", balancer.ifindex(device), vlan, inner,
                      bytes.fromhex(mac.replace(":", "")))
    bpftool("map", "update", "id", daemon.map_id("sl_stations"), "key", "hex",
            *(f"{byte:02x}" for byte in key), "value", "hex", f"{state:02x}", "00", "00", "00")
