// SPDX-License-Identifier: BSD-2-Clause
/* Watches that come and go, many of them, changes that are lost, and what becomes
 * of the kernel's entries.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/nexthop/used.h"
#include "harness.h"
#include "scenarios.h"

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
	nexthops_free(hops);
	hops = NULL;
}

/* Watches are freed and made within callbacks, of one address and its target;
 * then the last ones, and hops itself.
 */
void freed_in_callback(void)
{
	unsigned calls;

	for (int i = 0; i < 3; i++)
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

	for (unsigned i = 0; i < n; i++) {
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

void many(void)
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
	/* One change of all, and back: no carrier leaves permanent entries alone. */
	peer_ip("link set p0 down");
	expect(&seen[MANY - 1], "link-down dev=v0 gw=-", SOON);
	peer_ip("link set p0 up");
	expect(&seen[MANY - 1], many_text(MANY - 1, 1), SOON);
	wait_for(500);
	for (i = 0; i < MANY; i++) {
		check(seen[i].calls == (i == 1005 ? 3 : 2));
		check(seen[i].last.state == NEXTHOP_RESOLVED);
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
	/* To ask on, to listen on, and to read the routes on; with a family that Linux has since 6.3,
	 * two more.
	 */
	check(found == 3 || found == 5);
}

/* The kernel drops messages of changes; all that was dropped is found out nevertheless. */
void changes_are_lost(void)
{
	static struct seen seen[200];
	struct seen a;
	char address[32];

	ip("address add 10.79.255.1/16 dev v0");
	make_many(200, 1);
	ip("link add v9 type veth peer name w9");
	ip("address add 10.71.0.1/24 dev v9");
	ip("link set v9 up");
	ip("link set w9 up");
	ip("neigh add 10.71.0.2 lladdr 02:71:00:00:00:02 dev v9 nud permanent");
	wait_for(100);
	for (unsigned i = 0; i < 200; i++) {
		many_address(i, address);
		watch(&seen[i], address);
	}
	watch(&a, "10.71.0.2");
	check(a.last.state == NEXTHOP_RESOLVED);
	shrink_buffers();
	make_many(200, 2);
	ip("neigh del 10.79.0.9 dev v0");
	ip("link del v9");
	for (unsigned i = 0; i < 200; i++)
		if (i != 7)
			expect(&seen[i], many_text(i, 2), SOON);
	expect(&a, "no-route dev= gw=-", SOON);
	expect(&seen[7], "no-neighbour dev=v0 gw=-", SOON);
	for (unsigned i = 0; i < 200; i++)
		unwatch(&seen[i]);
	unwatch(&a);
}

/* What others made of an entry stays; what we made of it goes with the watch. */
void entries_of_others(void)
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
	unwatch(&a);
	output("ip neigh show 10.77.0.2 dev v0", line, sizeof(line));
	check(strstr(line, P0_MAC) && !strstr(line, "managed"));
	/* Made permanent while it is watched. */
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
void flush(void)
{
	struct seen a, b;
	char line[256];

	watch(&a, "10.77.0.2");
	watch(&b, "fd77::2");
	expect(&a, via("-", 0, P0_MAC), SOON);
	expect(&b, via("-", 0, P0_MAC), SOON);
	wait_for(A_WHILE);
	ip("neigh flush dev v0");
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

/* Runs the loop until `ip neigh` says the text of the neighbour. */
static void expect_neighbour(const char *neighbour, const char *text)
{
	char command[128], line[256] = "";

	(void)snprintf(command, sizeof(command), "ip neigh show %s", neighbour);
	for (int left = SOON; left > 0 && !strstr(line, text); left -= 50) {
		wait_for(50);
		output(command, line, sizeof(line));
	}
	if (!strstr(line, text))
		fail("%s: %s, not %s", neighbour, line, text);
}

/* Gateways are resolved though nothing is sent to them, and given back with their routes. */
void gateways(void)
{
	ip("route add 10.99.0.0/16 via 10.77.0.2 table 77");
	ip("route add 10.98.0.0/16 nexthop via 10.77.0.9 nexthop via 10.78.0.2");
	ip("route add fd99::/64 via fd77::2");
	expect_neighbour("10.77.0.2 dev v0", P0_MAC " managed");
	expect_neighbour("10.78.0.2 dev v1", P1_MAC " managed");
	expect_neighbour("fd77::2 dev v0", P0_MAC " managed");
	ip("route del 10.99.0.0/16 table 77");
	expect_neighbour("10.77.0.2 dev v0 nud all", P0_MAC " REACHABLE");
}

static void on_way(void *arg)
{
	++*(unsigned *)arg;
}

/* A neighbour is resolved while it is wanted; one in use is probed, so that another MAC address
 * is noticed also if no packet of the kernel's goes there.
 */
void in_use(void)
{
	struct neighbour_key key = { .ifindex = (int)if_nametoindex("v0") };
	unsigned calls = 0;

	check(!ip_parse("10.77.0.2", &key.ip));
	nexthops_follow_used(hops, on_way, &calls);
	nexthops_want(hops, &key, A_WHILE);
	check(!nexthops_way(hops, &key).open);
	expect_neighbour("10.77.0.2 dev v0", P0_MAC " managed");
	check(calls && nexthops_way(hops, &key).open && nexthops_way(hops, &key).addressed);
	nexthops_want(hops, &key, 0); /* shortens nothing */
	check(nexthops_way(hops, &key).open);
	ip("neigh replace 10.77.0.2 lladdr 02:77:00:00:00:66 dev v0 nud reachable");
	for (int i = 0; i < 12 && memcmp(nexthops_way(hops, &key).mac, "\x02\x77\0\0\0\x02", 6);
	     i++) {
		wait_for(500);
		nexthops_use(hops, &key, A_WHILE);
	}
	check(!memcmp(nexthops_way(hops, &key).mac, "\x02\x77\0\0\0\x02", 6));
	wait_for(2 * A_WHILE + 200);
	check(!nexthops_way(hops, &key).open);
}
