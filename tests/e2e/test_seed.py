# SPDX-License-Identifier: BSD-2-Clause
"""The seed by which flows are hashed: whose it is, and that it stays."""

import os
import secrets

from lab import clients, wait
from lab.clients import Load
from scenario import all_serving, serve, web_alone

PORTS = range(40000, 40048)  # of the client
SEED = secrets.token_hex(16)


def write_seed(scene):
    """Puts the seed beside the configuration; its name there."""
    path = os.path.join(os.path.dirname(scene.daemon.config_path), "hash-seed")
    with open(path, "w", encoding="ascii") as file:
        file.write(SEED + "\n")
    os.chmod(path, 0o600)
    return "hash-seed"


def restart_with(scene, config):
    """Another program with this configuration: the one before leaves nothing."""
    assert scene.daemon.stop() == 0
    scene.daemon.write(config)
    scene.daemon.start()
    all_serving(scene)


def chosen(scene, ports=PORTS):
    """The server that each of these ports of the client is led to."""
    address = scene.top.service(4)
    return {port: clients.ask(scene.client, address, source_port=port) for port in ports}


def test_a_flood_for_one_backend_misses_where_the_seed_is_secret(lab):
    """By the public seed, anyone can compute the sources that one backend serves. With a
    seed of the machine's own, these are spread over all; a pair that shares it, or the same
    machine later, chooses alike.
    """
    scene = all_serving(serve(lab))
    assert scene.daemon.status()["hash_seed"]["public"]
    public = chosen(scene)
    aimed = [port for port, server in public.items() if server == "web-1"]
    assert len(aimed) >= 6, public
    restart_with(scene, web_alone(scene.top))
    assert set(chosen(scene, aimed).values()) == {"web-1"}, "the public seed is always the same"
    secret = web_alone(scene.top, hash_seed={"file": write_seed(scene)})
    restart_with(scene, secret)
    assert not scene.daemon.status()["hash_seed"]["public"]
    spread = chosen(scene)
    assert len({spread[port] for port in aimed}) > 1, spread
    restart_with(scene, secret)
    assert chosen(scene) == spread


def seed_problems(scene):
    return [problem for problem in scene.daemon.status()["problems"] if "hash_seed" in problem]


def test_a_take_over_keeps_the_seed(lab):
    """Another seed would move most connections; a new one is taken when the program is new."""
    scene = all_serving(serve(lab, options=["--keep"]))
    before = scene.top.balancer.xdp("front")["prog"]["id"]
    assert scene.daemon.status()["hash_seed"]["public"] and not seed_problems(scene)
    own = web_alone(scene.top, hash_seed={"file": write_seed(scene)})
    with Load(scene.client, scene.top.service(4)) as load:
        wait.until(lambda: len(load.requests) > 50, "requests go on")
        assert scene.daemon.stop() == 0
        scene.daemon.write(own)
        scene.daemon.start()
        assert scene.top.balancer.xdp("front")["prog"]["id"] == before, "the program goes on"
        assert all(entry["adopted"] for entry in scene.daemon.status()["interfaces"])
        assert scene.daemon.status()["hash_seed"]["public"], "it is the old one that runs"
        problem, = seed_problems(scene)
        assert "mend it" in problem and SEED not in problem
        scene.daemon.ctl("reload")  # of the same file: no change
        scene.daemon.write({**web_alone(scene.top), "hash_seed": "frankfurt-edge"})
        for command in ("check", "reload"):
            done = scene.daemon.ctl(command, check=False)
            assert done.returncode == 1 and "hash_seed cannot change" in done.stderr
        count = len(load.requests)
        wait.until(lambda: len(load.requests) > count + 100, "requests go on")
        assert not load.failed()
    for device in scene.top.interfaces:
        scene.daemon.ctl("detach", device)
    assert scene.daemon.stop() == 0
    scene.daemon.write(own)
    scene.daemon.start()
    assert not seed_problems(scene)
    assert scene.daemon.status()["hash_seed"] == {"public": False, "text": None}
    assert "hash seed" not in scene.daemon.ctl("status").stdout
