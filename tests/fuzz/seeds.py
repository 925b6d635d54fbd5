# SPDX-License-Identifier: BSD-2-Clause
"""Writes what fuzzing begins with, a file for each input: seeds.py DIRECTORY.

config:  the examples, and the configurations in the tests' C
api:     a request for each route of docs/api.md, and some that are malformed
answer:  the answers that tests/unit/health/probes_test.c knows, and in other ways sent
state:   files of each kind of record, whole and with faults
netlink: messages as the kernel sends them, for each that the next hops read
"""

import pathlib
import re
import shutil
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


# ---- config -------------------------------------------------------------------
def c_strings(source):
    """The string literals of C, those that follow each other as one."""
    for run in re.findall(r'"(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*', source):
        text = "".join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', run))
        yield text.encode().decode("unicode_escape").encode("latin-1")


def configs():
    for path in sorted((ROOT / "examples").glob("*.yaml")):
        yield path.read_bytes()
    for path in sorted((ROOT / "tests/unit/config").glob("*")):
        for text in c_strings(path.read_text()):
            if b"\n" in text and b":" in text:
                yield text


# ---- api ----------------------------------------------------------------------
BODIES = {
    "backends/web": b'{"address": "127.0.0.13", "port": 80, "name": "new", "weight": 3, "backup": true}',
    "drain": b'{"timeout": "30s"}',
    "weight": b'{"weight": 7}',
    "attach": b'{"interface": "back", "mode": "generic"}',
    "detach": b'{"interface": "front"}',
    "denied": b'{"prefix": "203.0.113.0/24", "for": "10m"}',
}
NAMES = {"name": "web-1", "service": "web", "address": "192.0.2.7", "prefix": "203.0.113.0%2F24"}


def request(method, path, body=b"", *headers):
    head = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers]
    if body:
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def requests():
    routes = re.findall(r"^\| `(GET|POST|DELETE) (/v1/[^`]*)`", (ROOT / "docs/api.md").read_text(), re.M)
    assert len(routes) > 20, "docs/api.md has the routes in a table"
    for method, path in routes:
        path = path.replace("/services/{name}", "/services/web")
        path = re.sub(r"\{(\w+)\}", lambda match: NAMES[match[1]], path)
        body = next((body for end, body in BODIES.items() if path.endswith(end)), b"")
        yield request(method, path, body if method == "POST" else b"")
    example = (ROOT / "examples/minimal.yaml").read_bytes()
    yield request("POST", "/v1/check?name=new.yaml", example, "Content-Type: application/yaml")
    yield request("GET", "/v1/sources?lines=7") + request("HEAD", "/v1/stats")
    yield request("GET", "/v1/services/%00%zz")
    yield request("PUT", "/v1/status", b"x" * 70000)
    yield request("POST", "/v1/denied", b"", "Expect: 100-continue", "Content-Length: 99999")
    yield (b"POST /v1/denied HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
           b"9\r\n{\"prefix\"\r\n0\r\n\r\n")
    yield b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"


# ---- answer -------------------------------------------------------------------
def answers():
    tests = (ROOT / "tests/unit/health/probes_test.c").read_text()
    tests = tests.replace("OK_HEAD", '"HTTP/1.1 200 OK\\r\\n"')
    tests = tests.replace("EMPTY", '"Content-Length: 0\\r\\n\\r\\n"')
    texts = [text for text in c_strings(tests) if text.startswith(b"HTTP/1.") or b"SSH" in text]
    assert len(texts) > 10, "tests/unit/health/probes_test.c has answers"
    for text in texts:
        yield b"c0" + text
        yield b"r7" + text
    yield b"s0HTTP/1.1 200 OK\r\n"
    yield b"c0HTTP/1.1 200 OK\r\n folded\r\n\r\n"
    yield (b"c0HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n"
           b"3\r\nabc\r\n0\r\nX: y\r\n\r\n")
    yield b"c0HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n\x1f\x8b\x08"
    yield b"c0HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"
    yield b"c0HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=\"a\", nonce=\"b\"\r\n\r\n"
    yield b"c0HTTP/2 200\r\nSet-Cookie: a=b\r\nContent-Length: 18446744073709551616\r\n\r\n"


# ---- netlink ------------------------------------------------------------------
NLMSG_ERROR, NLMSG_DONE = 2, 3
NEWLINK, DELLINK, NEWADDR, NEWROUTE, NEWNEIGH, DELNEIGH = 16, 17, 20, 24, 28, 29
ANSWERS, LOST, CUT, FORGED, NO_MORE = 1, 2, 4, 8, 16
MULTI, DUMP_INTR = 2, 16
REACHABLE, FAILED, PERMANENT = 2, 32, 128
MAC = bytes.fromhex("020000000001")
V4, V6 = bytes([10, 0, 0, 11]), bytes.fromhex("20010db8000000000000000000000011")


def attr(kind, payload):
    return struct.pack("=HH", len(payload) + 4, kind) + payload + bytes(-len(payload) % 4)


def number(kind, value):
    return attr(kind, struct.pack("=I", value))


def message(kind, payload, flags=0):
    return struct.pack("=IHHII", 16 + len(payload), kind, flags, 0, 0) + payload


def link(index, name, *more, kind=NEWLINK, flags=0x11043, arp=1, family=0):
    head = struct.pack("=BBHiII", family, 0, arp, index, flags, 0)
    attrs = [attr(3, name + b"\0"), attr(1, MAC), number(4, 1500), *more]
    return message(kind, head + b"".join(attrs), MULTI)


def link_info(name, data=b""):
    return attr(18, attr(1, name + b"\0") + (attr(2, data) if data else b""))


def xdp(program):
    """Of a device that runs it in the driver; 0: none."""
    ids = number(4, program) + number(5, program) if program else b""
    return attr(43, attr(2, bytes([1 if program else 0])) + ids)


def vlan(index, parent, tag):
    return link(index, b"eth0.%d" % tag, number(5, parent), link_info(
        b"vlan", attr(1, struct.pack("=H", tag)) + attr(5, struct.pack(">H", 0x8100))))


def neighbour(address, *more, kind=NEWNEIGH, state=REACHABLE, index=2, flags=0):
    family = 2 if len(address) == 4 else 10
    head = struct.pack("=BBHiHBB", family, 0, 0, index, state, flags, 1)
    return message(kind, head + b"".join([attr(1, address), attr(2, MAC), *more]))


def route(address, *more, kind=1, index=2):
    family = 2 if len(address) == 4 else 10
    head = struct.pack("=BBBBBBBBI", family, len(address) * 8, 0, 0, 254, 0, 0, kind, 0)
    return message(NEWROUTE, head + b"".join([attr(1, address), number(4, index), *more]))


def error(number_):
    return message(NLMSG_ERROR, struct.pack("=i", number_) + bytes(16))


def done():
    return message(NLMSG_DONE, struct.pack("=i", 0), MULTI)


def datagram(*messages, flags=0):
    payload = b"".join(messages)
    return struct.pack("<BH", flags, len(payload)) + payload


def generic(kind, command, *attrs):
    return message(kind, struct.pack("=BBH", command, 1, 0) + b"".join(attrs))


def features(index, bits, command=1):
    return generic(20, command, number(1, index), attr(3, struct.pack("=Q", bits)))


def family():
    """The answer to the question for the family "netdev"."""
    groups = attr(1, number(2, 4) + attr(1, b"mgmt\0")) + attr(2, number(2, 5) + attr(1, b"page-pool\0"))
    return generic(16, 1, attr(2, b"netdev\0"), attr(1, struct.pack("=H", 20)), attr(7, groups))


def netlink():
    links = datagram(link(1, b"lo", arp=772), link(2, b"eth0"), vlan(3, 2, 100), flags=ANSWERS)
    known = datagram(features(2, 103), features(3, 0), done(), flags=ANSWERS)
    asked = datagram(family(), flags=ANSWERS)
    told = asked + links + datagram(done(), flags=ANSWERS) + known + datagram(features(1, 0), flags=ANSWERS)
    dumped = datagram(error(-2), flags=ANSWERS) + links + datagram(done(), flags=ANSWERS)
    quiet = datagram(flags=NO_MORE)  # to requests that have no answer
    on_link = [datagram(route(V4), flags=ANSWERS), datagram(neighbour(V4), flags=ANSWERS), quiet]
    via = [datagram(route(V6, attr(5, V6)), flags=ANSWERS),
           datagram(neighbour(V6, number(15, 1)), flags=ANSWERS), quiet]
    metrics = [datagram(route(V4, attr(8, number(2, 1400)), attr(18, struct.pack("=H", 10) + V6)),
                        flags=ANSWERS), datagram(error(-2), flags=ANSWERS), quiet]
    start = dumped + b"".join(on_link + via + metrics)
    yield start
    for name in (link(2, b"eth0", kind=DELLINK), link(9, b"v1", number(5, 2), link_info(b"veth"))):
        yield told + b"".join(on_link + via) + datagram(name) + quiet + datagram(features(2, 35, 4)) + quiet
    yield told + b"".join(on_link) + quiet + datagram(flags=LOST) + quiet + known
    yield start + datagram(link(2, b"eth0", flags=0x1002)) + quiet + b"".join(on_link + via)
    yield start + datagram(link(3, b"eth0.100", kind=DELLINK), link(7, b"br0", link_info(b"bridge")))
    yield start + datagram(link(2, b"eth0", xdp(7)), link(2, b"eth0", xdp(0))) + quiet
    yield start + datagram(neighbour(V4, kind=DELNEIGH)) + datagram(neighbour(V6, state=FAILED))
    yield start + datagram(neighbour(V4, state=PERMANENT), neighbour(V6, flags=8)) + quiet
    yield start + datagram(message(NEWADDR, bytes(8))) + quiet + b"".join(on_link)
    yield start + datagram(flags=LOST) + quiet + dumped + datagram(neighbour(V4), done(), flags=ANSWERS)
    yield start + datagram(flags=CUT) + datagram(link(2, b"eth0"), flags=FORGED) + quiet + dumped
    yield dumped + b"".join(datagram(route(address, kind=kind), flags=ANSWERS)
                            for address in (V4, V6) for kind in (2, 4, 6, 7))
    yield dumped + datagram(error(-101), flags=ANSWERS) * 3
    yield datagram(error(-2), flags=ANSWERS) + datagram(link(2, b"eth0"), message(NLMSG_DONE, b"", MULTI | DUMP_INTR), flags=ANSWERS) * 4
    yield datagram(error(-12), flags=ANSWERS) * 2
    yield datagram(error(-2**31), flags=ANSWERS) * 2
    for name in (b"", b"a-name-of-16-chr", b"a-name-that-is-far-too-long"):
        yield asked + datagram(link(2, name), done(), flags=ANSWERS) + b"".join(on_link)
    long = bytearray(link(2, b"eth0"))
    long[3] = 0x8a  # a length that is negative to libmnl
    yield asked + datagram(long, done(), flags=ANSWERS)
    yield dumped + datagram(long) + quiet


# ---- state --------------------------------------------------------------------
def states():
    change = '"service": "web", "backend": "web-1", "made": 1732339916000, "uid": 0, "user": "root"'
    records = [
        f'{{"change": "add", {change}, "address": "2001:db8::11", "port": 80, "weight": 3, '
        '"backup": true, "state": "up"}',
        f'{{"change": "remove", {change}, "undone": true}}',
        f'{{"change": "weight", {change}, "weight": 7}}',
        f'{{"change": "state", {change}, "state": "drain", "ends": 1732339917000}}',
        '{"change": "deny", "prefix": "203.0.113.0/24", "made": 1, "ends": 2}',
    ]
    whole = "\n".join(['{"sluice_state": 1, "records": 5}', *records, ""]).encode()
    yield whole
    yield whole[:-30]
    yield whole.replace(b": 5", b": 6")
    yield whole.replace(b": 1,", b": 2,", 1)
    yield b""


# ---- all ----------------------------------------------------------------------
def main(directory):
    for make in (("config", configs), ("api", requests), ("answer", answers), ("netlink", netlink),
                 ("state", states)):
        target = pathlib.Path(directory) / make[0]
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for index, data in enumerate(make[1]()):
            (target / f"{index:03}").write_bytes(data)


if __name__ == "__main__":
    main(*sys.argv[1:])
