# SPDX-License-Identifier: BSD-2-Clause
"""Which ends a frame may meet. Most frames have one. There are more where a backend may be
chosen freely, where several reasons for a drop hold at once, and where a bounded pace of the
daemon's may leave something out.
"""

from dataclasses import dataclass
from typing import Optional

from oracle import reading as fields
from oracle.leaving import framed, reset, rewritten, too_big, tunnelled, unreachable
from oracle.reading import Reading, read
from oracle.world import NOWHERE, OUTER, OWN, SILENT

DAEMON_MOST = 9000  # bytes of a packet that the daemon sends

# ICMP's errors and echo, and neighbour discovery: the kernel has them always.
ICMP_PASSED = {fields.ICMP: {0, 3, 4, 5, 8, 11, 12},
               fields.ICMPV6: {*range(130), *range(133, 138)}}

# Names for one thing: that no ports were found behind extension headers.
EXTENSIONS_END = ("PASS_PROTOCOL", "PASS_MALFORMED", "PASS_FRAGMENT")


@dataclass(frozen=True)
class End:
    action: str  # PASS, DROP, TX, REDIRECT
    verdicts: tuple  # any of them
    frame: Optional[bytes] = None  # None: it does not leave
    backend: object = None


def dropped(*verdicts):
    return [End("DROP", verdicts)]


def untouched(reading, *verdicts):
    return [End("PASS", verdicts, reading.frame)]


def is_martian(address):
    """Whether no client can have it: RFC 1812 section 5.3.7, RFC 6890; RFC 4291."""
    if address.is_multicast:
        return True
    if address.version == 4:
        return address.packed[0] in (0, 127) or address.packed == b"\xff" * 4
    return not any(address.packed[:8])


class Oracle:
    """Judges frames one after the other; note() is told the end of each."""

    def __init__(self, world):
        self.world = world
        self.chosen = {}  # flow: backend
        self.ended = set()  # flows of tracked services on whose ports others may have begun
        self.direct = set()  # (backend's address, protocol, port, peer's address, port)

    def judge(self, frame, device):
        """All ends that are right: a list of End."""
        reading = read(frame)
        if not reading.family:
            return untouched(reading, reading.why)
        return Judgement(self, reading, device).ends()

    def known_backend(self, reading):
        """The backend that has the packet's flow; None: it may be any one."""
        flow = self.flow(reading)
        if flow in self.ended or flow[0] and flow[0].tracked and reading.opens:
            return None
        return self.chosen.get(flow)

    def flow(self, reading):
        """All of whose packets go to one backend: (service or None, client, its port)."""
        service = self.world.services.get((reading.destination, reading.proto, reading.dport))
        port = None if service and service.by_address else reading.sport
        return service, reading.source, port

    def note(self, frame, met):
        """The frame met this end."""
        reading = read(frame)
        if not reading.has_ports():
            return
        flow = self.flow(reading)
        self.note_turn(reading, flow)
        if flow[0] and met.backend and flow not in self.ended:
            self.chosen[flow] = met.backend
        if "PASS_DIRECT" in met.verdicts:
            ends = ((reading.source, reading.sport), (reading.destination, reading.dport))
            for (address, port), peer in (ends, ends[::-1]):
                self.direct.add((address, reading.proto, port, *peer))

    def note_turn(self, reading, flow):
        """Behind a FIN, a RST, or a SYN on a port that was in use, the port of a service that
        tracks its flows may have another connection.
        """
        service = flow[0]
        reply = self.world.endpoints.get((reading.source, reading.proto, reading.sport))
        closes = reading.flags & (fields.FIN | fields.RST)
        if service and service.tracked and (closes or reading.opens and flow in self.chosen):
            self.ended.add(flow)
        if reply and reply[0].tracked and closes:
            self.ended.add((reply[0], reading.destination, reading.dport))


@dataclass
class Judgement:
    oracle: Oracle
    reading: Reading
    device: str

    @property
    def world(self):
        return self.oracle.world

    def sent_here(self):
        """Whether the frame was sent to this machine, by one machine (and so not to a group)."""
        reading = self.reading
        return not reading.frame[6] & 1 and (
            self.device, reading.target_mac, reading.vlans) in self.world.stations

    def ends(self):
        reading, world = self.reading, self.world
        if not reading.has_ports():
            return self.not_served(reading.why)
        service = world.services.get((reading.destination, reading.proto, reading.dport))
        if service:
            return self.request(service) if self.sent_here() \
                else untouched(reading, "PASS_FOREIGN_FRAME")
        reply = world.endpoints.get((reading.source, reading.proto, reading.sport))
        if reply:
            return self.reply(*reply) if self.sent_here() \
                else untouched(reading, "PASS_FOREIGN_FRAME")
        if (reading.destination, reading.proto, reading.dport) in world.endpoints:
            return untouched(reading, "PASS_DIRECT" if self.sent_here() else "PASS_FOREIGN_FRAME")
        return self.not_served("PASS_NO_SERVICE")

    # ---- for no service (UNSERVED PACKETS of the manual) --------------------------
    def not_served(self, verdict):
        reading, world = self.reading, self.world
        verdicts = (verdict,)
        if verdict in EXTENSIONS_END and reading.family == 6 and not reading.plain:
            verdicts = EXTENSIONS_END
        if reading.destination not in world.addresses or world.unserved == "pass" \
                or not self.sent_here() or self.is_passed_icmp():
            return untouched(reading, *verdicts)
        if world.unserved == "reject" and self.may_refuse_unserved(verdict):
            return [self.refusal("REJECTED_UNSERVED", port=reading.proto == fields.UDP)]
        if reading.deep:  # it may be a fragment of ICMP that is too deep to be seen as such
            return dropped("DROP_UNSERVED") + untouched(reading, "PASS_FRAGMENT")
        return dropped("DROP_UNSERVED")

    def is_passed_icmp(self):
        reading = self.reading
        if not reading.is_icmp:
            return False
        if reading.later_fragment:
            return True
        return reading.why == "PASS_PROTOCOL" and reading.l4 < reading.end \
            and reading.frame[reading.l4] in ICMP_PASSED[reading.proto]

    def may_refuse_unserved(self, verdict):
        reading = self.reading
        if reading.first_fragment or reading.later_fragment or not self.may_refuse():
            return False
        if verdict == "PASS_NO_SERVICE":
            return reading.whole
        return verdict == "PASS_PROTOCOL" and reading.end - reading.l4 >= 8 \
            and not reading.is_icmp

    # ---- refusals -----------------------------------------------------------------
    def may_refuse(self):
        """No refusal of a reset, of a packet with options or extension headers, or to what is
        no single machine's address (RFC 1122 section 3.2.2).
        """
        source, reading = self.reading.source, self.reading
        if not reading.plain or source.is_multicast or source.is_unspecified:
            return False
        if reading.family == 4 and (source.packed[0] in (0, 127) or source.packed[0] >= 224):
            return False
        return True

    def refusal(self, verdict, port=False):
        """A reset of TCP; for all else ICMP."""
        reading = self.reading
        if reading.proto != fields.TCP:
            return End("TX", (verdict,), unreachable(reading, port))
        if reading.flags & fields.RST:
            return End("DROP", ("DROP_UNSERVED", "DROP_NO_BACKEND"))
        return End("TX", (verdict,), reset(reading))

    # ---- for a service --------------------------------------------------------------
    def request(self, service):
        reading = self.reading
        reasons = list(self.broken())
        if reading.source_routed:
            return self.not_served("PASS_PROTOCOL") + (dropped(*reasons) if reasons else [])
        if is_martian(reading.source) or reading.source in self.world.own \
                or reading.source in self.world.addresses:
            reasons.append("DROP_MARTIAN")
        if self.world.denies(service, reading.source):
            reasons.append("DROP_DENIED")
        if reasons:
            return dropped(*reasons)
        if service.is_down:
            if service.rejects and self.may_refuse():
                return [self.refusal("REJECTED")]
            return dropped("DROP_NO_BACKEND")
        known = self.oracle.known_backend(reading)
        return [end for backend in ([known] if known else service.backends)
                for end in self.forwarded(service, backend)]

    def broken(self):
        if not self.reading.whole:
            yield "DROP_MALFORMED"
        if self.reading.first_fragment:
            yield "DROP_FRAGMENT"

    def forwarded(self, service, backend):
        """The ends of a packet whose backend is this one."""
        reading, way = self.reading, backend.way
        reasons = ["DROP_TTL"] if reading.ttl <= 1 else []
        if service.forward == "nat" and reading.source == backend.address:
            return [End("DROP", ("DROP_HAIRPIN", *reasons), backend=backend)]
        room = way.mtu - (OUTER[reading.family] if service.forward == "ipip" else 0)
        if reading.size > room:
            cut = reading.may_be_cut and service.forward != "ipip"
            return self.oversize(room, cut, "FRAGMENTED", "REJECTED_TOO_BIG", reasons)
        if reasons:
            return dropped(*reasons)
        if service.forward == "ipip":
            frame = tunnelled(reading, service, backend)
        else:
            to = (backend.address, backend.port) if service.forward == "nat" else None
            frame = framed(reading, way, rewritten(reading, destination=to))
        return [End(self.action(way), ("FORWARDED",), frame, backend)]

    def action(self, way):
        return "TX" if way.device == self.device else "REDIRECT"

    def oversize(self, room, cut, fragmented, rejected, reasons):
        """A packet that is too long may meet its last hop as well."""
        reading = self.reading
        if cut:
            daemon = [fragmented] if reading.size <= DAEMON_MOST else []
            return dropped(*daemon, "DROP_TOO_BIG", *reasons)
        if self.may_refuse():
            return [End("TX", (rejected,), too_big(reading, room)),
                    *(dropped(*reasons) if reasons else ())]
        return dropped("DROP_TOO_BIG", *reasons)

    # ---- from a nat backend ------------------------------------------------------------
    def reply(self, service, backend):
        reading = self.reading
        if (self.device, reading.vlans) != (backend.way.device,
                                            (backend.way.vlan,) if backend.way.vlan else ()):
            return self.not_served("PASS_ELSEWHERE")
        if reading.opens and reading.whole:
            return untouched(reading, "PASS_DIRECT")
        ends = self.returned(service)
        if (reading.source, reading.proto, reading.sport, reading.destination,
                reading.dport) in self.oracle.direct:
            ends = ends + untouched(reading, "PASS_DIRECT")
        return ends

    def returned(self, service):
        reading = self.reading
        if is_martian(reading.destination):
            return untouched(reading, "PASS_DIRECT", "PASS_OWN")
        way = self.world.way_to(reading.destination)
        if way is None:
            return untouched(reading, "PASS_OWN", "PASS_PROTOCOL") + dropped(
                "DROP_NO_ROUTE", "HELD", "DROP_UNSENT", "DROP_TTL", *self.broken())
        if way is OWN:
            return untouched(reading, "PASS_OWN")
        if way is NOWHERE:
            return dropped("DROP_NO_ROUTE")
        reasons = list(self.broken())
        if reading.source_routed:
            return untouched(reading, "PASS_PROTOCOL") + (dropped(*reasons) if reasons else [])
        if reasons:
            return dropped(*reasons)
        reasons = ["DROP_TTL"] if reading.ttl <= 1 else []
        if way is SILENT:
            return dropped("HELD", "DROP_UNSENT", *reasons)
        if reading.size > way.mtu:
            return self.oversize(way.mtu, reading.may_be_cut, "FRAGMENTED_REPLY",
                                 "REJECTED_REPLY", reasons)
        if reasons:
            return dropped(*reasons)
        frame = framed(reading, way, rewritten(reading, source=(service.address, service.port)))
        return [End(self.action(way), ("RETURNED",), frame)]
