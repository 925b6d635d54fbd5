# SPDX-License-Identifier: BSD-2-Clause
"""What the scenarios share: configurations, and a lab that is ready to serve."""

from dataclasses import dataclass, field

from lab import topology
from lab.daemon import Daemon
from lab.servers import Nginx
from lab.topology import SERVICE4, SERVICE6

# Fast, so that tests are; the defaults are 2s, 1s.
CHECK = {"type": "http", "path": "/health", "interval": "200ms", "timeout": "100ms",
         "rise": 2, "fall": 2, "jitter": "0%"}
NO_CHECK = {"type": "none"}

# How packets go, and where the tests of it run.
PATHS = {
    "nat, routed": ("nat", topology.routed, {}),
    "nat, one arm": ("nat", topology.one_arm, {"answers": "balancer"}),
    "dsr, routed": ("dsr", topology.routed, {}),
    "dsr, one arm": ("dsr", topology.one_arm, {"answers": "direct"}),
    "ipip, routed": ("ipip", topology.routed, {"tunnel": True}),
    "ipip, one arm": ("ipip", topology.one_arm, {"answers": "direct", "tunnel": True}),
}


@dataclass
class Scene:
    top: topology.Topology
    servers: list = field(default_factory=list)
    daemon: Daemon = None

    @property
    def client(self):
        return self.top.client

    def server(self, name):
        return next(server for server in self.servers if server.host.name == name)


def backends(hosts, port, weights=None):
    """Entries for IPv4 ("web-1") and IPv6 ("web-1-v6") of every host."""
    entries = []
    for number, host in enumerate(hosts):
        for family, suffix in ((4, ""), (6, "-v6")):
            entry = {"name": host.name + suffix, "address": host.address(family), "port": port}
            if weights:
                entry["weight"] = weights[number]
            entries.append(entry)
    return entries


def service(name, hosts, port, forward="nat", *, proto="tcp", backend_port=None, weights=None,
            check=None, **more):
    """A service on both addresses."""
    if backend_port is None or forward != "nat":
        backend_port = port
    return {
        "name": name, "address": [SERVICE4, SERVICE6], "port": port, "protocol": proto,
        "forward": forward, "check": check or CHECK,
        "backends": backends(hosts, backend_port, weights), **more,
    }


def web(top, forward="nat", **more):
    """nginx on port 80; nat reaches it on 8080."""
    return service("web", more.pop("hosts", top.backends), 80, forward, backend_port=8080, **more)


def configuration(top, *services, mode=None, interfaces=None):
    entries = [{"name": name, **({"mode": mode} if mode else {})}
               for name in (top.interfaces if interfaces is None else interfaces)]
    return {"interfaces": entries, "services": list(services)}


def serve(lab, path="nat, routed", *, backends=3, clients=1, config=None, options=()):
    """A lab with nginx behind a running daemon; config: function(top, forward)."""
    forward, make, arguments = PATHS[path]
    top = make(lab, backends=backends, clients=clients, **arguments)
    scene = Scene(top, [Nginx(host).start() for host in top.backends])
    make_config = config or (lambda top, forward: configuration(top, web(top, forward)))
    scene.daemon = Daemon(top.balancer, make_config(top, forward), options=options).start()
    return scene


def undisturbed(load, since=0.0, changes=0):
    """Whether all requests since then were served, but for those that were under
    way when a table changed: without flow tracking, a connection whose slot moves
    is reset. One client asks one at a time, so that is one for each change.
    """
    failed = load.failed(since)
    assert len(failed) <= changes, failed
    return True


def all_serving(scene, name="web"):
    scene.daemon.wait_serving(name, 2 * len(scene.top.backends))
    return scene


def web_alone(top, **more):
    """A configuration with the web service alone; more: other keys of the file."""
    return {**configuration(top, web(top)), **more}


def refusal(done):
    """What a refused start says: exit 1, and one error in words, not several."""
    assert done.returncode == 1, f"exit {done.returncode}: {done.stderr}"
    errors = [line for line in done.stderr.splitlines() if " error " in line]
    assert len(errors) == 1, done.stderr
    assert "errno" not in errors[0].lower() and "libbpf" not in done.stderr.lower()
    return errors[0]
