# SPDX-License-Identifier: BSD-2-Clause
"""The backends' end of `ipip`: the kernel's tunnel devices, as examples/ipip.yaml sets
them up; where the kernel has none, tests/traffic/untunnel.c in their place.
"""

import os

from .daemon import BUILD

PROGRAM = os.path.join(BUILD, "traffic", "untunnel")
DEVICES = {"ipip4": "ipip", "ipip6": "ip6tnl"}
STAND_IN = "ipip"


def take_tunnelled(ns, addresses, device):
    """From now on the host hands itself the packets that come in others to its device,
    and serves the addresses (by family).
    """
    names = dict(zip((4, 6), DEVICES))
    if not all(_add(ns, name, kind) for name, kind in DEVICES.items()):
        names = {4: STAND_IN, 6: STAND_IN}
        _start_program(ns)
    ns.ip(*(f"link set {name} up" for name in set(names.values())))
    # Loose, as Debian has it. What comes out of a device that has no IPv4 address is
    # dropped then, so the service's is not on lo.
    ns.sysctl({f"net/ipv4/conf/{name}/rp_filter": 2 for name in (device, names[4])})
    ns.ip(f"address add {addresses[4]}/32 dev {names[4]}",
          f"address add {addresses[6]}/128 dev {names[6]} nodad")


def _add(ns, name, kind):
    done = ns.run("ip", "link", "add", name, "type", kind, "external", check=False)
    unknown = "Unknown device type" in done.stderr
    assert unknown or not done.returncode, done.stderr
    return not unknown


def _start_program(ns):
    log = ns.lab.path(f"untunnel-{ns.name}")
    read, write = os.pipe()
    with open(log, "wb") as output, os.fdopen(read, "rb") as said:
        try:
            ns.popen([PROGRAM, STAND_IN], stdout=write, stderr=output)
        finally:
            os.close(write)
        word = said.readline()  # nothing, if it has ended
    with open(log, encoding="utf-8") as output:
        assert word == b"ready\n", output.read()
