// SPDX-License-Identifier: BSD-2-Clause
/* Where an address is reached, and how that changes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/nexthop/watched.h"
#include "harness.h"
#include "scenarios.h"

void on_link(void)
{
	struct seen a;

	watch(&a, "10.77.0.2");
	check(strcmp(hop_text(&a.last), "no-neighbour dev=v0 gw=-") == 0);
	expect(&a, via("-", 0, P0_MAC), SOON);
	check(a.calls == 1);
	unwatch(&a);
}

void known_at_once(void)
{
	struct seen a, b;

	ip("neigh add 10.77.0.2 lladdr 02:77:00:00:00:99 dev v0 nud stale");
	watch(&a, "10.77.0.2");
	check(strcmp(hop_text(&a.last), via("-", 0, "02:77:00:00:00:99")) == 0);
	watch(&b, "10.77.0.2");
	check(strcmp(hop_text(&b.last), via("-", 0, "02:77:00:00:00:99")) == 0);
	/* That MAC is wrong, and is found to be, for both. */
	expect(&a, via("-", 0, P0_MAC), LATER);
	expect(&b, via("-", 0, P0_MAC), SOON);
	check(a.calls == b.calls);
	unwatch(&a);
	unwatch(&b);
}

void via_gateway(void)
{
	struct seen a, b, c;

	ip("route add 10.99.0.0/16 via 10.77.0.2");
	ip("route add 10.98.0.0/16 via inet6 fd78::2 dev v1");
	watch(&a, "10.99.1.1");
	watch(&b, "10.99.1.2");
	watch(&c, "10.98.1.1");
	expect(&a, via("10.77.0.2", 0, P0_MAC), SOON);
	expect(&b, via("10.77.0.2", 0, P0_MAC), SOON);
	expect(&c, via("fd78::2", 1, P1_MAC), SOON);
	check(a.calls == 1 && b.calls == 1 && c.calls == 1);
	unwatch(&a);
	unwatch(&b);
	unwatch(&c);
}

void ipv6(void)
{
	struct seen a, b;

	ip("route add fd99::/16 via fd77::2");
	watch(&a, "fd78::2");
	watch(&b, "fd99::1");
	expect(&a, via("-", 1, P1_MAC), SOON);
	expect(&b, via("fd77::2", 0, P0_MAC), SOON);
	unwatch(&a);
	unwatch(&b);
}

/* The peer announces its new MAC address. */
void mac_changes(void)
{
	struct seen a;

	watch(&a, "10.77.0.2");
	expect(&a, via("-", 0, P0_MAC), SOON);
	/* An announcement so soon after another would be taken for a duplicate. */
	wait_for(A_WHILE);
	peer_ip("link set p0 address 02:77:00:00:00:42");
	expect(&a, via("-", 0, "02:77:00:00:00:42"), SOON);
	check(a.calls == 2);
	unwatch(&a);
}

/* It does not: only a neighbour that is probed without traffic is found out. */
void mac_changes_silently(void)
{
	struct seen a, b;

	watch(&a, "10.78.0.2");
	watch(&b, "fd78::2");
	expect(&a, via("-", 1, P1_MAC), SOON);
	expect(&b, via("-", 1, P1_MAC), SOON);
	peer_ip("link set p1 address 02:78:00:00:00:42");
	expect(&a, via("-", 1, "02:78:00:00:00:42"), LATER);
	expect(&b, via("-", 1, "02:78:00:00:00:42"), LATER);
	unwatch(&a);
	unwatch(&b);
}

void dies_and_returns(void)
{
	struct seen a;

	watch(&a, "10.78.0.2");
	expect(&a, via("-", 1, P1_MAC), SOON);
	peer_ip("address del 10.78.0.2/24 dev p1");
	expect(&a, "no-neighbour dev=v1 gw=-", LATER);
	peer_ip("address add 10.78.0.2/24 dev p1");
	expect(&a, via("-", 1, P1_MAC), SOON);
	check(a.calls == 3);
	unwatch(&a);
}

void appears_later(void)
{
	struct seen a, b;

	watch(&a, "10.77.0.50");
	watch(&b, "fd77::50");
	wait_for(A_WHILE);
	check(a.calls == 0 && b.calls == 0);
	check(a.last.state == NEXTHOP_NO_NEIGHBOUR && b.last.state == NEXTHOP_NO_NEIGHBOUR);
	peer_ip("address add 10.77.0.50/24 dev p0");
	peer_ip("address add fd77::50/64 dev p0 nodad");
	expect(&a, via("-", 0, P0_MAC), SOON);
	expect(&b, via("-", 0, P0_MAC), SOON);
	unwatch(&a);
	unwatch(&b);
}

void link_goes_down(void)
{
	struct seen a, b;

	ip("route add 10.99.0.0/16 via 10.77.0.2");
	watch(&a, "10.77.0.2");
	watch(&b, "10.99.0.1");
	expect(&a, via("-", 0, P0_MAC), SOON);
	peer_ip("link set p0 down");
	expect(&a, "link-down dev=v0 gw=-", SOON);
	expect(&b, "link-down dev=v0 gw=10.77.0.2", SOON);
	peer_ip("link set p0 up");
	expect(&a, via("-", 0, P0_MAC), SOON);
	expect(&b, via("10.77.0.2", 0, P0_MAC), SOON);
	/* Taken down here, the device loses its routes as well. */
	ip("link set v0 down");
	expect(&a, "link-down dev=v0 gw=-", SOON);
	expect(&b, "link-down dev=v0 gw=-", SOON);
	ip("link set v0 up");
	expect(&a, via("-", 0, P0_MAC), SOON);
	expect(&b, "no-route dev= gw=-", SOON);
	ip("link set v0 name w0");
	expect(&a, "resolved dev=w0 gw=- dst=" P0_MAC " src=02:77:00:00:00:01 out=w0 vlan=0", SOON);
	unwatch(&a);
	unwatch(&b);
}

void route_moves(void)
{
	struct seen a;

	ip("route add 10.99.0.0/16 via 10.77.0.2");
	ip("route add fd99::/16 via fd77::2");
	watch(&a, "10.99.0.1");
	expect(&a, via("10.77.0.2", 0, P0_MAC), SOON);
	ip("route replace 10.99.0.0/16 via 10.78.0.2");
	expect(&a, via("10.78.0.2", 1, P1_MAC), SOON);
	ip("route add 10.99.0.0/16 via 10.77.0.2 table 100");
	ip("rule add to 10.99.0.1 table 100");
	expect(&a, via("10.77.0.2", 0, P0_MAC), SOON);
	ip("rule del to 10.99.0.1 table 100");
	expect(&a, via("10.78.0.2", 1, P1_MAC), SOON);
	ip("nexthop add id 7 via 10.77.0.2 dev v0");
	ip("route replace 10.99.0.0/16 nhid 7");
	expect(&a, via("10.77.0.2", 0, P0_MAC), SOON);
	ip("nexthop replace id 7 via 10.78.0.2 dev v1");
	expect(&a, via("10.78.0.2", 1, P1_MAC), SOON);
	unwatch(&a);
	watch(&a, "fd99::1");
	expect(&a, via("fd77::2", 0, P0_MAC), SOON);
	ip("route replace fd99::/16 via fd78::2");
	expect(&a, via("fd78::2", 1, P1_MAC), SOON);
	unwatch(&a);
}

void no_route(void)
{
	struct seen a, b;

	watch(&a, "10.99.0.1");
	watch(&b, "fd99::1");
	check(strcmp(hop_text(&a.last), "no-route dev= gw=-") == 0);
	check(strcmp(hop_text(&b.last), "no-route dev= gw=-") == 0);
	ip("route add 10.99.0.0/16 via 10.77.0.2");
	ip("route add fd99::/16 via fd77::2");
	expect(&a, via("10.77.0.2", 0, P0_MAC), SOON);
	expect(&b, via("fd77::2", 0, P0_MAC), SOON);
	ip("route replace blackhole 10.99.0.0/16");
	ip("route add blackhole fd99::1");
	expect(&a, "no-route dev= gw=-", SOON);
	expect(&b, "no-route dev= gw=-", SOON);
	ip("route del blackhole 10.99.0.0/16");
	ip("route add 10.99.0.0/16 via 10.77.0.2");
	ip("route del blackhole fd99::1");
	expect(&a, via("10.77.0.2", 0, P0_MAC), SOON);
	expect(&b, via("fd77::2", 0, P0_MAC), SOON);
	ip("route add unreachable 10.99.0.1");
	ip("route add prohibit fd99::1");
	expect(&a, "no-route dev= gw=-", SOON);
	expect(&b, "no-route dev= gw=-", SOON);
	unwatch(&a);
	unwatch(&b);
}

void local(void)
{
	struct seen a, b;

	watch(&a, "10.77.0.1");
	check(strcmp(hop_text(&a.last), "local dev=lo gw=-") == 0);
	watch(&b, "10.77.0.2");
	expect(&b, via("-", 0, P0_MAC), SOON);
	ip("address add 10.77.0.2/32 dev lo");
	expect(&b, "local dev=lo gw=-", SOON);
	ip("address del 10.77.0.2/32 dev lo");
	expect(&b, via("-", 0, P0_MAC), SOON);
	check(a.calls == 0 && b.calls == 3);
	unwatch(&a);
	unwatch(&b);
}

/* The hop through v0 or v1, with an MTU that is not the usual one. */
static const char *narrow(const char *gateway, int link, const char *dst, unsigned value)
{
	static char text[300];

	(void)snprintf(text, sizeof(text), "%s mtu=%u", via(gateway, link, dst), value);
	return text;
}

/* The device's, and a route's own where that is less. */
void mtu(void)
{
	struct seen a, b, c;

	ip("route add 10.99.0.0/16 via 10.77.0.2 mtu 1400");
	watch(&a, "10.77.0.2");
	watch(&b, "10.99.0.1");
	watch(&c, "fd77::2");
	expect(&a, via("-", 0, P0_MAC), SOON);
	expect(&b, narrow("10.77.0.2", 0, P0_MAC, 1400), SOON);
	expect(&c, via("-", 0, P0_MAC), SOON);
	ip("link set v0 mtu 9000");
	expect(&a, narrow("-", 0, P0_MAC, 9000), SOON);
	expect(&c, narrow("-", 0, P0_MAC, 9000), SOON);
	ip("route replace 10.99.0.0/16 via 10.77.0.2 mtu lock 9500");
	expect(&b, narrow("10.77.0.2", 0, P0_MAC, 9000), SOON);
	ip("route add fd77::2 dev v0 mtu 1300");
	expect(&c, narrow("-", 0, P0_MAC, 1300), SOON);
	ip("link set v0 mtu 1280");
	expect(&a, narrow("-", 0, P0_MAC, 1280), SOON);
	expect(&b, narrow("10.77.0.2", 0, P0_MAC, 1280), SOON);
	expect(&c, narrow("-", 0, P0_MAC, 1280), SOON);
	unwatch(&a);
	unwatch(&b);
	unwatch(&c);
}

void vlan(void)
{
	struct seen a, b, c;

	if (!ip_can("link add link v0 name v0.5 address 02:75:00:00:00:01 type vlan id 5"))
		skip("this kernel has no VLAN devices; vlan_messages is what remains");
	ip("link add link v0.5 name v0.5.6 type vlan id 6");
	ip("link add link v0 name v0.7 type vlan protocol 802.1ad id 7");
	ip("address add 10.75.0.1/24 dev v0.5");
	ip("address add 10.76.0.1/24 dev v0.5.6");
	ip("address add 10.74.0.1/24 dev v0.7");
	peer_ip("link add link p0 name p0.5 type vlan id 5");
	peer_ip("address add 10.75.0.2/24 dev p0.5");
	peer_ip("link set p0.5 up");
	ip("link set v0.5 up");
	ip("link set v0.5.6 up");
	ip("link set v0.7 up");
	/* Not read yet, all of that: what is first wrong comes right. */
	watch(&a, "10.75.0.2");
	watch(&b, "10.76.0.2");
	watch(&c, "10.74.0.2");
	expect(&a, "resolved dev=v0.5 gw=- dst=" P0_MAC " src=02:75:00:00:00:01 out=v0 vlan=5",
	       SOON);
	expect(&b, "unsupported dev=v0.5.6 gw=-", SOON);
	expect(&c, "unsupported dev=v0.7 gw=-", SOON);
	ip("link set v0.5 address 02:75:00:00:00:07");
	expect(&a, "resolved dev=v0.5 gw=- dst=" P0_MAC " src=02:75:00:00:00:07 out=v0 vlan=5",
	       SOON);
	ip("link set v0.5 down");
	expect(&a, "link-down dev=v0.5 gw=-", SOON);
	ip("link del v0.5");
	expect(&a, "no-route dev= gw=-", SOON);
	unwatch(&a);
	unwatch(&b);
	unwatch(&c);
}

void bridge(void)
{
	struct seen a;

	watch(&a, "10.77.0.2");
	expect(&a, via("-", 0, P0_MAC), SOON);
	ip("link add br0 address 02:70:00:00:00:01 type bridge");
	ip("link set br0 up");
	ip("address flush dev v0");
	ip("link set v0 master br0");
	ip("address add 10.77.0.1/24 dev br0");
	/* It takes no frames from XDP. */
	expect(&a, "unsupported dev=br0 gw=-", SOON);
	/* A port that leaves is told as a deleted link, of the bridges' family. */
	ip("link set v0 nomaster");
	ip("address flush dev br0");
	ip("address add 10.77.0.1/24 dev v0");
	expect(&a, via("-", 0, P0_MAC), SOON);
	unwatch(&a);
}

void unsupported(void)
{
	struct seen a, b;

	ip("route add 10.98.0.0/16 dev lo");
	watch(&a, "10.98.0.1");
	check(strcmp(hop_text(&a.last), "unsupported dev=lo gw=-") == 0);
	if (ip_can("tuntap add dev t0 mode tun")) {
		ip("address add 10.97.0.1/24 dev t0");
		ip("link set t0 up");
		watch(&b, "10.97.0.2");
		expect(&b, "unsupported dev=t0 gw=-", SOON);
		unwatch(&b);
	}
	wait_for(A_WHILE);
	check(a.calls == 0);
	unwatch(&a);
}

static void gro_of_peer(const char *state)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "ip netns exec %s ethtool -K p0 gro %s", peer,
		       state);
	check(system(command) == 0);
}

static void count_device(void *arg, unsigned ifindex, const struct sl_device *device)
{
	*(unsigned *)arg += ifindex == device->ifindex;
}

/* How many devices replies can be redirected to. */
static unsigned devices(void)
{
	unsigned n = 0;

	nexthops_each_device(hops, count_device, &n);
	return n;
}

/* A veth takes frames from XDP while its other end polls. In generic mode that is of no
 * importance.
 */
void takes_no_frames(void)
{
	struct seen a, b;

	watch(&a, "10.77.0.2");
	watch(&b, "fd77::2");
	expect(&a, via("-", 0, P0_MAC), SOON);
	if (!hops->sources.features.netlink)
		skip("this kernel does not say what devices take from XDP");
	check(devices() == 2);
	nexthops_set_natives(hops, 2);
	expect(&a, "needs-polling dev=v0 gw=-", SOON);
	expect(&b, "needs-polling dev=v0 gw=-", SOON);
	check(devices() == 0);
	gro_of_peer("on");
	expect(&a, via("-", 0, P0_MAC), SOON);
	expect(&b, via("-", 0, P0_MAC), SOON);
	check(devices() == 1);
	gro_of_peer("off");
	expect(&a, "needs-polling dev=v0 gw=-", SOON);
	nexthops_set_natives(hops, 0);
	expect(&a, via("-", 0, P0_MAC), SOON);
	expect(&b, via("-", 0, P0_MAC), SOON);
	/* A device that is made anew is asked about. */
	nexthops_set_natives(hops, 2);
	ip("link add v5 type veth peer name w5");
	ip("address add 10.75.0.1/24 dev v5");
	ip("link set v5 up");
	ip("link set w5 up");
	ip("neigh add 10.75.0.2 lladdr 02:75:00:00:00:02 dev v5 nud permanent");
	unwatch(&b);
	watch(&b, "10.75.0.2");
	expect(&b, "needs-polling dev=v5 gw=-", SOON);
	unwatch(&a);
	unwatch(&b);
}

/* Of two ways the kernel names one; packets may come back by the other one, too. */
static void expect_both(const struct seen *seen, const char *first, const char *second)
{
	int used = strcmp(seen->last.device, "v0") != 0;
	char expected[256];

	(void)snprintf(expected, sizeof(expected), "%s also=v%d",
		       via(used ? second : first, used, used ? P1_MAC : P0_MAC), !used);
	expect(seen, expected, SOON);
}

void several_ways(void)
{
	struct seen a, b, c;

	ip("route add 10.99.0.0/16 nexthop via 10.77.0.2 nexthop via 10.78.0.2");
	ip("route add fd99::/16 nexthop via fd77::2 nexthop via fd78::2");
	ip("nexthop add id 1 via 10.77.0.2 dev v0");
	ip("nexthop add id 2 via 10.78.0.2 dev v1");
	ip("nexthop add id 3 group 1/2");
	ip("route add 10.98.0.0/16 nhid 3");
	watch(&a, "10.99.1.1");
	watch(&b, "fd99::1");
	watch(&c, "10.98.1.1");
	expect_both(&a, "10.77.0.2", "10.78.0.2");
	expect_both(&b, "fd77::2", "fd78::2");
	expect_both(&c, "10.77.0.2", "10.78.0.2");
	ip("route replace 10.99.0.0/16 via 10.77.0.2");
	expect(&a, via("10.77.0.2", 0, P0_MAC), SOON);
	unwatch(&a);
	unwatch(&b);
	unwatch(&c);
}

/* The members of a bond come and go. */
void members(void)
{
	struct seen a;

	if (!ip_can("link add b0 type bond mode active-backup"))
		skip("this kernel has no bonds");
	ip("link add m0 type veth peer name n0");
	ip("link add m1 type veth peer name n1");
	ip("link set n0 up");
	ip("link set n1 up");
	ip("link set m0 master b0");
	ip("link set b0 address 02:79:00:00:00:01 up");
	ip("address add 10.79.0.1/24 dev b0");
	ip("neigh add 10.79.0.2 lladdr 02:79:00:00:00:02 dev b0 nud permanent");
	watch(&a, "10.79.0.2");
	expect(&a,
	       "resolved dev=b0 gw=- dst=02:79:00:00:00:02 src=02:79:00:00:00:01 out=b0 vlan=0 "
	       "also=m0",
	       SOON);
	ip("link set m1 master b0");
	expect(&a,
	       "resolved dev=b0 gw=- dst=02:79:00:00:00:02 src=02:79:00:00:00:01 out=b0 vlan=0 "
	       "also=m0 also=m1",
	       SOON);
	ip("link set m0 nomaster");
	expect(&a,
	       "resolved dev=b0 gw=- dst=02:79:00:00:00:02 src=02:79:00:00:00:01 out=b0 vlan=0 "
	       "also=m1",
	       SOON);
	unwatch(&a);
}
