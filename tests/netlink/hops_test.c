// SPDX-License-Identifier: BSD-2-Clause
/* daemon/hops against the real kernel. Runs one scenario in the network namespace
 * that it is started in, which test_hops.py has made:
 *
 *   v0 10.77.0.1/24 fd77::1/64  --  p0 10.77.0.2/24 fd77::2/64  (the peer's namespace)
 *   v1 10.78.0.1/24 fd78::1/64  --  p1 10.78.0.2/24 fd78::2/64
 *
 * MAC addresses: 02:77:00:00:00:01 (v0) and :02 (p0), 02:78:... for the others. p0
 * announces a new MAC by itself (arp_notify), p1 does not.
 */
#include "daemon/hops.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

#include "lib/diag.h"

#define SOON    4000  /* ms */
#define LATER   25000 /* what the kernel needs to give a neighbour up */
#define A_WHILE 1500  /* in which nothing must happen */

#define P0_MAC  "02:77:00:00:00:02"
#define P1_MAC  "02:78:00:00:00:02"

#define check(condition)                                           \
	do {                                                       \
		if (!(condition))                                  \
			fail("line %d: %s", __LINE__, #condition); \
	} while (0)

static uv_loop_t loop;
static struct hops *hops;
static const char *peer;
static bool in_module; /* a call of the module is running: no callback may come */

struct seen {
	struct hop_watch *watch;
	struct ip ip;
	struct hop last;
	unsigned calls;
	void (*then)(struct seen *seen);
};

static void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fputc('\n', stderr);
	exit(1);
}

static void run(const char *program, const char *format, va_list args)
{
	char arguments[512], command[640];

	(void)vsnprintf(arguments, sizeof(arguments), format, args);
	(void)snprintf(command, sizeof(command), "%s %s", program, arguments);
	if (system(command) != 0)
		fail("failed: %s", command);
}

__attribute__((format(printf, 1, 2))) static void ip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	run("ip", format, args);
	va_end(args);
}

__attribute__((format(printf, 1, 2))) static void peer_ip(const char *format, ...)
{
	char program[128];
	va_list args;

	(void)snprintf(program, sizeof(program), "ip -n %s", peer);
	va_start(args, format);
	run(program, format, args);
	va_end(args);
}

/* The first line that a command says. */
static void output(const char *command, char *buffer, size_t size)
{
	FILE *pipe = popen(command, "r");

	check(pipe);
	buffer[0] = '\0';
	(void)fgets(buffer, (int)size, pipe);
	check(pclose(pipe) == 0);
}

static FILE *ip_batch(void)
{
	FILE *pipe = popen("ip -batch -", "w");

	check(pipe);
	return pipe;
}

static void mac_text(const __u8 *mac, char buffer[static 18])
{
	(void)snprintf(buffer, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		       mac[4], mac[5]);
}

/* All of a hop, as one line. */
static const char *hop_text(const struct hop *hop)
{
	static const char *const states[] = {
		[HOP_RESOLVED] = "resolved", [HOP_NO_NEIGHBOUR] = "no-neighbour",
		[HOP_NO_ROUTE] = "no-route", [HOP_LINK_DOWN] = "link-down",
		[HOP_LOCAL] = "local",       [HOP_UNSUPPORTED] = "unsupported",
	};
	static const struct sl_hop nothing;
	static char text[256];
	char gateway[ADDR_TEXT_SIZE], dst[18], src[18], out[IF_NAMESIZE] = "?";
	int n;

	n = snprintf(text, sizeof(text), "%s dev=%s gw=%s", states[hop->state], hop->device,
		     hop->gateway.family ? ip_format(&hop->gateway, gateway) : "-");
	check(hop->wire.pad == 0);
	if (hop->state != HOP_RESOLVED) {
		check(memcmp(&hop->wire, &nothing, sizeof(nothing)) == 0);
		return text;
	}
	mac_text(hop->wire.dst_mac, dst);
	mac_text(hop->wire.src_mac, src);
	(void)if_indextoname(hop->wire.ifindex, out);
	(void)snprintf(text + n, sizeof(text) - n, " dst=%s src=%s out=%s vlan=%u", dst, src, out,
		       ntohs(hop->wire.vlan));
	return text;
}

static void on_changed(void *arg)
{
	struct seen *seen = arg;
	const struct hop *hop = hop_watch_get(seen->watch);
	char before[256];

	check(!in_module);
	(void)snprintf(before, sizeof(before), "%s", hop_text(&seen->last));
	check(strcmp(before, hop_text(hop)) != 0);
	seen->last = *hop;
	seen->calls++;
	if (seen->then)
		seen->then(seen);
}

static void watch(struct seen *seen, const char *address)
{
	*seen = (struct seen){};
	check(ip_parse(address, &seen->ip) == 0);
	in_module = true;
	check(hop_watch_new(hops, &seen->ip, on_changed, seen, &seen->watch) == 0);
	in_module = false;
	seen->last = *hop_watch_get(seen->watch);
}

static void unwatch(struct seen *seen)
{
	in_module = true;
	hop_watch_free(seen->watch);
	in_module = false;
	seen->watch = NULL;
}

static void on_tick(uv_timer_t *timer)
{
	(void)timer;
}

/* Runs the loop until *text is what is expected; false when that takes longer. */
static bool reaches(const struct seen *seen, const char *expected, uint64_t ms)
{
	const uint64_t end = uv_hrtime() / 1000000 + ms;
	uv_timer_t tick;
	bool reached;

	(void)uv_timer_init(&loop, &tick);
	(void)uv_timer_start(&tick, on_tick, 10, 10);
	do {
		reached = expected && strcmp(hop_text(hop_watch_get(seen->watch)), expected) == 0;
		if (!reached)
			(void)uv_run(&loop, UV_RUN_ONCE);
	} while (!reached && uv_hrtime() / 1000000 < end);
	uv_close((uv_handle_t *)&tick, NULL);
	(void)uv_run(&loop, UV_RUN_NOWAIT);
	return reached;
}

static void expect(const struct seen *seen, const char *expected, uint64_t ms)
{
	char address[ADDR_TEXT_SIZE];

	if (!reaches(seen, expected, ms))
		fail("%s: expected %s\n     but it is %s", ip_format(&seen->ip, address), expected,
		     hop_text(hop_watch_get(seen->watch)));
}

static void wait_for(uint64_t ms)
{
	(void)reaches(NULL, NULL, ms);
}

static const char *via(const char *gateway, int link, const char *dst)
{
	static char text[256];

	(void)snprintf(text, sizeof(text),
		       "resolved dev=v%d gw=%s dst=%s src=02:7%d:00:00:00:01 out=v%d vlan=0", link,
		       gateway, dst, 7 + link, link);
	return text;
}

/* ---- scenarios ---- */

static void on_link(void)
{
	struct seen a;

	watch(&a, "10.77.0.2");
	check(strcmp(hop_text(&a.last), "no-neighbour dev=v0 gw=-") == 0);
	expect(&a, via("-", 0, P0_MAC), SOON);
	check(a.calls == 1);
	unwatch(&a);
}

static void known_at_once(void)
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

static void via_gateway(void)
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

static void ipv6(void)
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
static void mac_changes(void)
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
static void mac_changes_silently(void)
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

static void dies_and_returns(void)
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

static void appears_later(void)
{
	struct seen a, b;

	watch(&a, "10.77.0.50");
	watch(&b, "fd77::50");
	wait_for(A_WHILE);
	check(a.calls == 0 && b.calls == 0);
	check(a.last.state == HOP_NO_NEIGHBOUR && b.last.state == HOP_NO_NEIGHBOUR);
	peer_ip("address add 10.77.0.50/24 dev p0");
	peer_ip("address add fd77::50/64 dev p0 nodad");
	expect(&a, via("-", 0, P0_MAC), SOON);
	expect(&b, via("-", 0, P0_MAC), SOON);
	unwatch(&a);
	unwatch(&b);
}

static void link_goes_down(void)
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
	expect(&a, "no-neighbour dev=w0 gw=-", 0 + SOON);
	unwatch(&a);
	unwatch(&b);
}

static void route_moves(void)
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

static void no_route(void)
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

static void local(void)
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

static void vlan(void)
{
	struct seen a, b, c;

	ip("link add link v0 name v0.5 address 02:75:00:00:00:01 type vlan id 5");
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

static void bridge(void)
{
	struct seen a;

	watch(&a, "10.77.0.2");
	expect(&a, via("-", 0, P0_MAC), SOON);
	ip("link add br0 address 02:70:00:00:00:01 type bridge");
	ip("link set br0 up");
	ip("address flush dev v0");
	ip("link set v0 master br0");
	ip("address add 10.77.0.1/24 dev br0");
	expect(&a, "resolved dev=br0 gw=- dst=" P0_MAC " src=02:70:00:00:00:01 out=br0 vlan=0",
	       SOON);
	/* A port that leaves is told as a deleted link, of the bridges' family. */
	ip("link set v0 nomaster");
	ip("address flush dev br0");
	ip("address add 10.77.0.1/24 dev v0");
	expect(&a, via("-", 0, P0_MAC), SOON);
	unwatch(&a);
}

static void unsupported(void)
{
	struct seen a;

	ip("route add 10.98.0.0/16 dev lo");
	watch(&a, "10.98.0.1");
	check(strcmp(hop_text(&a.last), "unsupported dev=lo gw=-") == 0);
	wait_for(A_WHILE);
	check(a.calls == 0);
	unwatch(&a);
}

static struct seen crowd[4];

static void free_two(struct seen *seen)
{
	struct seen *other = seen == &crowd[0] ? &crowd[1] : &crowd[0];

	crowd[0].then = crowd[1].then = NULL;
	unwatch(other);
	unwatch(seen);
	watch(&crowd[3], "10.77.0.2");
}

static void free_all(struct seen *seen)
{
	if (crowd[2].watch)
		unwatch(&crowd[2]);
	if (crowd[3].watch)
		unwatch(&crowd[3]);
	(void)seen;
	hops_free(hops);
	hops = NULL;
}

/* Watches are freed and made within callbacks, of one address and its target;
 * then the last ones, and hops itself.
 */
static void freed_in_callback(void)
{
	unsigned calls;
	int i;

	for (i = 0; i < 3; i++)
		watch(&crowd[i], "10.77.0.2");
	crowd[0].then = crowd[1].then = free_two;
	expect(&crowd[2], via("-", 0, P0_MAC), SOON);
	wait_for(200);
	calls = crowd[0].calls + crowd[1].calls;
	check(calls == 1 && crowd[2].calls == 1);
	check(!crowd[0].watch && !crowd[1].watch);
	check(strcmp(hop_text(&crowd[3].last), via("-", 0, P0_MAC)) == 0 && crowd[3].calls == 0);
	crowd[2].then = crowd[3].then = free_all;
	peer_ip("link set p0 down");
	(void)uv_run(&loop, UV_RUN_DEFAULT); /* until nothing is left in it */
	check(!crowd[2].watch && !crowd[3].watch && !hops);
}

static void many_address(unsigned i, char buffer[static 32])
{
	(void)snprintf(buffer, 32, "10.79.%u.%u", i / 250, i % 250 + 2);
}

/* Every neighbour permanent, each with a MAC of its own. */
static void make_many(unsigned n, unsigned mac)
{
	FILE *batch = ip_batch();
	char address[32];
	unsigned i;

	for (i = 0; i < n; i++) {
		many_address(i, address);
		(void)fprintf(
			batch,
			"neigh replace %s lladdr 02:79:00:%02x:%02x:%02x dev v0 nud permanent\n",
			address, mac, i >> 8, i & 255);
	}
	check(pclose(batch) == 0);
}

static const char *many_text(unsigned i, unsigned mac)
{
	char dst[32];

	(void)snprintf(dst, sizeof(dst), "02:79:00:%02x:%02x:%02x", mac, i >> 8, i & 255);
	return via("-", 0, dst);
}

#define MANY 2000

static void many(void)
{
	static struct seen seen[MANY];
	unsigned i, others = 0;
	char address[32];

	ip("address add 10.79.255.1/16 dev v0");
	make_many(MANY, 1);
	for (i = 0; i < MANY; i++) {
		many_address(i, address);
		watch(&seen[i], address);
		check(strcmp(hop_text(&seen[i].last), many_text(i, 1)) == 0);
	}
	wait_for(200);
	ip("neigh replace 10.79.4.7 lladdr 02:79:00:02:00:01 dev v0 nud permanent");
	expect(&seen[1005], via("-", 0, "02:79:00:02:00:01"), SOON);
	for (i = 0; i < MANY; i++)
		others += i != 1005 && seen[i].calls;
	check(others == 0 && seen[1005].calls == 1);
	/* All of them leave by another MAC address: one change of all. */
	ip("link set v0 address 02:77:00:00:00:66");
	expect(&seen[MANY - 1],
	       "resolved dev=v0 gw=- dst=02:79:00:01:07:cf src=02:77:00:00:00:66 out=v0 vlan=0",
	       SOON);
	wait_for(500);
	for (i = 0; i < MANY; i++) {
		check(seen[i].calls == (i == 1005 ? 2 : 1));
		check(seen[i].last.state == HOP_RESOLVED);
	}
	/* Permanent entries belong to the operator: still what they were. */
	output("ip neigh show nud permanent dev v0 | wc -l", address, sizeof(address));
	check(atoi(address) == MANY);
	for (i = 0; i < MANY; i++)
		unwatch(&seen[i]);
}

/* Makes the buffers of all netlink sockets here as small as they get. */
static void shrink_buffers(void)
{
	socklen_t size = sizeof(int);
	int fd, domain, small = 1, found = 0;

	for (fd = 3; fd < 64; fd++) {
		if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0 ||
		    domain != AF_NETLINK)
			continue;
		check(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)) == 0);
		found++;
	}
	check(found == 2);
}

/* The kernel drops news; all that was dropped is found out nevertheless. */
static void news_are_lost(void)
{
	static struct seen seen[200];
	struct seen a;
	char address[32];
	unsigned i;

	ip("address add 10.79.255.1/16 dev v0");
	make_many(200, 1);
	ip("link add v9 type dummy");
	ip("address add 10.71.0.1/24 dev v9");
	ip("link set v9 up");
	ip("neigh add 10.71.0.2 lladdr 02:71:00:00:00:02 dev v9 nud permanent");
	wait_for(100);
	for (i = 0; i < 200; i++) {
		many_address(i, address);
		watch(&seen[i], address);
	}
	watch(&a, "10.71.0.2");
	check(a.last.state == HOP_RESOLVED);
	shrink_buffers();
	make_many(200, 2);
	ip("neigh del 10.79.0.9 dev v0");
	ip("link del v9");
	for (i = 0; i < 200; i++)
		if (i != 7)
			expect(&seen[i], many_text(i, 2), SOON);
	expect(&a, "no-route dev= gw=-", SOON);
	expect(&seen[7], "no-neighbour dev=v0 gw=-", SOON);
	for (i = 0; i < 200; i++)
		unwatch(&seen[i]);
	unwatch(&a);
}

/* What others made of an entry stays; what we made of it goes with the watch. */
static void entries_of_others(void)
{
	struct seen a, b, c;
	char line[256];

	ip("neigh add 10.77.0.60 lladdr 02:77:00:00:00:60 dev v0 nud permanent");
	ip("neigh add 10.77.0.61 lladdr 02:77:00:00:00:61 dev v0 nud stale extern_learn");
	watch(&a, "10.77.0.2");
	watch(&b, "10.77.0.60");
	watch(&c, "10.77.0.61");
	expect(&a, via("-", 0, P0_MAC), SOON);
	wait_for(A_WHILE);
	output("ip neigh show 10.77.0.2 dev v0", line, sizeof(line));
	check(strstr(line, "managed"));
	/* Made permanent while it is watched. */
	unwatch(&a);
	output("ip neigh show 10.77.0.2 dev v0", line, sizeof(line));
	check(strstr(line, P0_MAC) && !strstr(line, "managed"));
	watch(&a, "10.77.0.2");
	wait_for(A_WHILE);
	ip("neigh replace 10.77.0.2 lladdr 02:77:00:00:00:62 dev v0 nud permanent");
	expect(&a, via("-", 0, "02:77:00:00:00:62"), SOON);
	wait_for(A_WHILE);
	unwatch(&a);
	unwatch(&b);
	unwatch(&c);
	output("ip neigh show 10.77.0.2 dev v0", line, sizeof(line));
	check(strstr(line, "PERMANENT"));
	output("ip neigh show 10.77.0.60 dev v0", line, sizeof(line));
	check(strstr(line, "PERMANENT"));
	output("ip neigh show 10.77.0.61 dev v0", line, sizeof(line));
	check(strstr(line, "extern_learn") && strstr(line, "STALE"));
}

/* An entry that is deleted is made again, and nobody hears of it. */
static void flush(void)
{
	struct seen a, b;
	char line[256];

	watch(&a, "10.77.0.2");
	watch(&b, "fd77::2");
	expect(&a, via("-", 0, P0_MAC), SOON);
	expect(&b, via("-", 0, P0_MAC), SOON);
	wait_for(A_WHILE);
	ip("neigh flush dev v0");
	ip("neigh del fd77::2 dev v0");
	wait_for(4000);
	check(a.calls == 1 && b.calls == 1);
	output("ip neigh show 10.77.0.2 dev v0", line, sizeof(line));
	check(strstr(line, P0_MAC) && strstr(line, "managed"));
	output("ip neigh show fd77::2 dev v0", line, sizeof(line));
	check(strstr(line, P0_MAC) && strstr(line, "managed"));
	/* One that is deleted and is not there any more. */
	peer_ip("address del 10.77.0.2/24 dev p0");
	ip("neigh flush dev v0");
	expect(&a, "no-neighbour dev=v0 gw=-", SOON);
	unwatch(&a);
	unwatch(&b);
}

static void explains(void)
{
	struct hop hop = { .state = HOP_NO_NEIGHBOUR, .device = "eth1" };
	struct ip address;
	char text[256], tiny[8];

	check(ip_parse("10.0.0.1", &address) == 0);
	check(strcmp(hop_explain(&hop, &address, text, sizeof(text)),
		     "no neighbour answers for 10.0.0.1 on eth1") == 0);
	check(strcmp(hop_explain(&hop, &address, tiny, sizeof(tiny)), "no neig") == 0);
	check(ip_parse("fd00::1", &hop.gateway) == 0);
	check(strcmp(hop_explain(&hop, &address, text, sizeof(text)),
		     "no neighbour answers for the gateway fd00::1 on eth1") == 0);
	hop.state = HOP_LINK_DOWN;
	check(strcmp(hop_explain(&hop, &address, text, sizeof(text)),
		     "eth1 is down or has no carrier") == 0);
	hop.state = HOP_NO_ROUTE;
	check(strcmp(hop_explain(&hop, &address, text, sizeof(text)), "no route to 10.0.0.1") == 0);
	hop.state = HOP_LOCAL;
	check(strcmp(hop_explain(&hop, &address, text, sizeof(text)),
		     "10.0.0.1 is an address of this machine") == 0);
	hop.state = HOP_RESOLVED;
	check(strcmp(hop_explain(&hop, &address, text, sizeof(text)),
		     "10.0.0.1 via fd00::1 is at 00:00:00:00:00:00 on eth1") == 0);
}

static const struct scenario {
	const char *name;
	void (*run)(void);
} scenarios[] = {
	{ "on_link", on_link },
	{ "known_at_once", known_at_once },
	{ "via_gateway", via_gateway },
	{ "ipv6", ipv6 },
	{ "mac_changes", mac_changes },
	{ "mac_changes_silently", mac_changes_silently },
	{ "dies_and_returns", dies_and_returns },
	{ "appears_later", appears_later },
	{ "link_goes_down", link_goes_down },
	{ "route_moves", route_moves },
	{ "no_route", no_route },
	{ "local", local },
	{ "vlan", vlan },
	{ "bridge", bridge },
	{ "unsupported", unsupported },
	{ "freed_in_callback", freed_in_callback },
	{ "many", many },
	{ "news_are_lost", news_are_lost },
	{ "entries_of_others", entries_of_others },
	{ "flush", flush },
	{ "explains", explains },
};

static void run_scenario(const struct scenario *scenario)
{
	struct diag diag = {};

	check(uv_loop_init(&loop) == 0);
	if (hops_new(&loop, &diag, &hops) < 0)
		fail("hops_new: %s", diag.text);
	scenario->run();
	hops_free(hops);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	check(uv_loop_close(&loop) == 0);
}

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < sizeof(scenarios) / sizeof(*scenarios); i++) {
		if (argc == 2 && strcmp(argv[1], "--list") == 0) {
			(void)puts(scenarios[i].name);
			continue;
		}
		if (argc != 3 || strcmp(argv[1], scenarios[i].name) != 0)
			continue;
		peer = argv[2];
		run_scenario(&scenarios[i]);
		return 0;
	}
	if (argc == 2)
		return 0;
	(void)fputs("usage: hops_test --list | SCENARIO PEER-NAMESPACE\n", stderr);
	return 2;
}
