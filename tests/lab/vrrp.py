# SPDX-License-Identifier: BSD-2-Clause
"""keepalived, which moves addresses between machines by VRRP.

All instances of a machine move together. Each has a virtual MAC address, on a macvlan device
(RFC 5798 section 7.3; keepalived's `use_vmac`).
"""

import contextlib
import re
import signal
from dataclasses import dataclass

HEAD = """\
global_defs {{
    vrrp_version 3
    vrrp_garp_master_repeat 2
    vrrp_garp_master_delay 1
}}
track_file gone {{
    file "{gone}"
}}
vrrp_sync_group all {{
    group {{ {names} }}
    track_file {{ gone weight 0 }}
}}
"""
INSTANCE = """\
vrrp_instance {name} {{
    state BACKUP
    interface {device}
    use_vmac v-{name}
    virtual_router_id {number}
    priority {priority}
    advert_int {interval}
    virtual_ipaddress {{
        {addresses}
    }}
}}
"""
# Of IPv6, the first address is of the link alone (RFC 5798 section 5.2.9).
LINK_LOCAL = "fe80::5e:{}"
INTERVAL = 0.5  # seconds between advertisements


@dataclass
class Instance:
    """An address, and the device on whose link it moves."""

    name: str
    device: str
    number: int
    address: str

    def text(self, priority):
        addresses = [f"{self.address}/32"]
        if ":" in self.address:
            addresses = [LINK_LOCAL.format(self.number), f"{self.address}/128"]
        return INSTANCE.format(name=self.name, device=self.device, number=self.number,
                               priority=priority, interval=INTERVAL,
                               addresses="\n        ".join(addresses))


class Keepalived:
    """Of the machines on a link, the one with the highest priority holds the addresses, unless
    it is told to leave. Use it as a context manager.
    """

    def __init__(self, ns, instances, priority):
        self.ns, self.instances = ns, instances
        self.directory = ns.lab.path(f"keepalived-{ns.name}", "")
        self.gone, self.config, self.log_path = (
            self.directory + name for name in ("gone", "keepalived.conf", "log"))
        self.leave(False)
        with open(self.config, "w", encoding="ascii") as file:
            file.write(HEAD.format(gone=self.gone, names=" ".join(i.name for i in instances)))
            file.writelines(instance.text(priority) for instance in instances)
        self.process = None

    def __enter__(self):
        with open(self.log_path, "ab") as log:
            self.process = self.ns.popen(
                ["keepalived", "--dont-fork", "--log-console", "--log-detail", "--vrrp",
                 "--use-file", self.config, "--pid", self.directory + "pid",
                 "--vrrp_pid", self.directory + "vrrp_pid"], stdout=log, stderr=log)
        return self

    def __exit__(self, *_):
        """Its child is told by it alone."""
        self.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(ProcessLookupError):
            self.process.wait(timeout=10)

    def leave(self, yes=True):
        """Gives the addresses up, or stands by to hold them again."""
        with open(self.gone, "w", encoding="ascii") as file:
            file.write(f"{int(yes)}\n")

    @property
    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def entered(self, state):
        """How often each instance has come into the state: MASTER, BACKUP or FAULT."""
        log = self.log
        return {instance.name: len(re.findall(rf"\({instance.name}\) Entering {state} STATE", log))
                for instance in self.instances}

    def held(self):
        """The names of the instances whose addresses the machine has."""
        shown = self.ns.run("ip", "-brief", "address", "show").stdout
        return {instance.name for instance in self.instances if f" {instance.address}/" in shown}
