# SPDX-License-Identifier: BSD-2-Clause
"""bench-trafgen.sh through a sluice over a veth, and what bench-pktgen.sh -S needs of
tc. pktgen itself is tested in the guest (tests/guest), whose kernel has it.
"""

import json
import os
import re

import pytest

from bench.bed import OTHER_MAC, Bed
from bench.scenarios import configuration
from lab import packets, wait
from lab.daemon import BUILD, ROOT, SLUICECTL, Daemon
from lab.packets import IP, TCP, UDP, Ether, IPv6, Raw
from lab.xdp import attach_pass

TRAFGEN = os.path.join(ROOT, "scripts", "bench-trafgen.sh")
PKTGEN = os.path.join(ROOT, "scripts", "bench-pktgen.sh")
SYN_OBJECT = os.path.join(BUILD, "bench", "syn.bpf.o")
OPEN4, OPEN6, TIGHT = "198.51.100.1", "fd00:51::1", "198.51.100.2"


def service(name, address, proto, **more):
    net = "fd00:18::{}" if ":" in address else "198.18.0.{}"
    return {"name": name, "address": address, "port": 80, "protocol": proto, "forward": "dsr",
            "check": {"type": "none"}, **more,
            "backends": [{"address": net.format(number)} for number in (1, 2)]}


@pytest.fixture
def scene(lab):
    bed = Bed(lab)
    attach_pass(bed.far, "far0", "lab_pass")
    bed.daemon = Daemon(bed.balancer, configuration([
        service("udp", OPEN4, "udp"), service("tcp", OPEN4, "tcp"),
        service("udp-v6", OPEN6, "udp"), service("tcp-v6", OPEN6, "tcp"),
        service("tight", TIGHT, "udp", limit={"rate": "1/h", "burst": 1}),
    ])).start()
    link = json.loads(bed.balancer.run("ip", "-json", "link", "show", "lb0").stdout)[0]
    bed.mac = link["address"]
    return bed


def offer(bed, *options, ask=True):
    """{"offered": packets, ...} of a second."""
    command = ["-l", f"{SLUICECTL} --socket {bed.daemon.socket_path}"] if ask else []
    done = bed.far.run(TRAFGEN, "-i", "far0", "-m", bed.mac, "-n", 1, *options, *command)
    rows = re.findall(r"^(\w[\w ]*\w) +(\d+) +([\d.]+)$", done.stdout, re.M)
    assert len(rows) >= 3, done.stdout
    for _, packets, rate in rows:
        assert float(rate) * 1e6 == pytest.approx(int(packets), rel=0.5, abs=600)
    return {name: int(packets) for name, packets, _ in rows}


@pytest.mark.alone("a rate, most of which must arrive")
@pytest.mark.parametrize("options", [
    ("-d", OPEN4), ("-d", OPEN4, "-f", 65536, "-s", 1000), ("-d", OPEN4, "-S", "-f", "flood"),
    ("-d", OPEN6, "-S", "-f", 1000),
])
def test_what_trafgen_offers_is_forwarded(scene, options):
    told = offer(scene, *options)
    # Some of it may find the veth's ring full, on a machine that does more than this.
    assert told["offered"] > 1000 and told["forwarded"] > 0.5 * told["offered"]
    assert told["forwarded"] + told.get("lost", 0) + told.get("not sent", 0) == told["offered"]
    assert told["dropped"] == 0
    assert scene.daemon.verdicts()["FORWARDED"] == told["forwarded"]


@pytest.mark.alone("a rate, most of which must arrive")
def test_flows_are_as_many_as_wanted(scene):
    offer(scene, "-d", OPEN4, "-f", 100)
    used = [scene.daemon.backend_stats("udp", f"198.18.0.{n}:80")["packets"] for n in (1, 2)]
    assert min(used) > 0.2 * max(used)


@pytest.mark.alone("a rate, most of which must arrive")
def test_what_is_over_its_limit_is_told(scene):
    told = offer(scene, "-d", TIGHT)
    assert told["dropped"] > 1000 and told["forwarded"] <= 2


@pytest.mark.alone("a rate, most of which must arrive")
def test_without_sluicectl_what_comes_back_is_counted(scene):
    told = offer(scene, "-d", OPEN4, ask=False)
    known = told["forwarded"] + told["dropped"] + told.get("not sent", 0)
    assert told["forwarded"] > 1000 and known == pytest.approx(told["offered"], abs=5)


@pytest.mark.parametrize("script", [TRAFGEN, PKTGEN])
@pytest.mark.parametrize("options, words", [
    ((), "-i, -m and -d are needed"),
    (("-i", "far0", "-m", "nobody", "-d", OPEN4), "is no MAC address"),
    (("-i", "far0", "-m", "02:00:00:00:00:01", "-d", "x; reboot"), "is no address"),
    (("-i", "far0", "-m", "02:00:00:00:00:01", "-d", OPEN4, "-f", "many"), "-f takes a number"),
    (("-i", "none", "-m", "02:00:00:00:00:01", "-d", OPEN4), "no device none"),
])
def test_what_cannot_be_sent_is_refused(scene, script, options, words):
    done = scene.far.run(script, *options, check=False)
    assert done.returncode and words in done.stderr


# ---- SYNs of pktgen's UDP ----------------------------------------------------
def pktgen_frame(mac, ip):
    payload = b"\xbe\x9b\xe9\x55" + bytes(14)
    return Ether(dst=mac) / ip / UDP(sport=40000, dport=80) / Raw(payload)


def other_frame(mac, ip):
    return Ether(dst=mac) / ip / UDP(sport=40000, dport=80) / Raw(bytes(18))


@pytest.mark.parametrize("ip", [IP(src="10.0.0.7", dst=OPEN4),
                                IPv6(src="2001:db8:f::1", dst=OPEN6)])
def test_pktgen_is_made_to_send_syns(scene, ip):
    far = scene.far
    far.run("tc", "qdisc", "add", "dev", "far1", "clsact")
    far.run("tc", "filter", "add", "dev", "far1", "egress", "bpf", "da", "obj", SYN_OBJECT,
            "sec", "tc")
    with packets.Capture(far, "far1", outgoing=True) as capture:
        packets.send(far, "far1", [pktgen_frame(OTHER_MAC, ip), other_frame(OTHER_MAC, ip)])
        wait.until(lambda: len(capture.packets(lambda p: type(ip) in p)) == 2, "both are sent")
        syn, other = capture.packets(lambda p: type(ip) in p)
    assert syn[TCP].flags == "S" and syn[TCP].sport == 40000 and syn[TCP].dport == 80
    assert syn[type(ip)].src == ip.src and syn[type(ip)].dst == ip.dst
    assert len(syn) == len(pktgen_frame(OTHER_MAC, ip)), "the frame keeps its length"
    assert bytes(other) == bytes(other_frame(OTHER_MAC, ip)), "others' are left alone"
    assert not packets.wrong_checksums([bytes(syn)])
    assert scene.daemon.verdicts()["FORWARDED"] == 2
