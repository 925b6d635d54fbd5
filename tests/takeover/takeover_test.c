// SPDX-License-Identifier: BSD-2-Clause
/* A daemon is ended before each single write of a change from one configuration to another; the
 * next one takes over what it finds, applies the old configuration or the new one, and the maps
 * then hold exactly that. What is denied at run time stays denied, and connections stay with
 * their backends.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/datapath/datapath.h"
#include "daemon/datapath/denied.h"
#include "daemon/datapath/internal.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "lib/config/config.h"
#include "takeover/interrupt.h"
#include "takeover/world.h"

static const char world_a[] =
	"interfaces: [lo]\n"
	"deny: [192.0.2.0/25, '2001:db8:bad::/48']\n"
	"services:\n"
	"- {name: stay, address: [198.51.100.1, '2001:db8::1'], port: 80, forward: nat,\n"
	"   table_size: 257, check: none, deny: [10.9.0.0/16, '2001:db8:bad:1::/64'],\n"
	"   limit: {rate: 1M/s, exempt: [203.0.113.0/25]},\n"
	"   backends: [{address: 10.0.0.1}, {address: 10.0.0.2}, {address: 10.0.0.3},\n"
	"              {address: '2001:db8:1::61'}, {address: '2001:db8:1::62'}]}\n"
	"- {name: gone, address: [198.51.100.2, '2001:db8::2'], port: 80, forward: nat,\n"
	"   table_size: 257, check: none, deny: [10.8.0.0/16], limit: {rate: 9k/s},\n"
	"   backends: [{address: 10.0.0.11}, {address: 10.0.0.12}, {address: '2001:db8:1::71'}]}\n"
	"- {name: mode, address: 198.51.100.3, port: 80, forward: dsr, table_size: 257,\n"
	"   check: none, backends: [{address: 10.0.0.21}, {address: 10.0.0.22}]}\n"
	"- {name: tracked, address: 198.51.100.4, port: 80, forward: ipip, check: none,\n"
	"   scheduler: round-robin, backends: [{address: 10.0.0.31}, {address: 10.0.0.32}]}\n"
	"- {name: shrink, address: 198.51.100.5, port: 80, forward: nat, table_size: 257,\n"
	"   check: none, backends: [{address: 10.0.0.41}, {address: 10.0.0.42}]}\n";

/* One backend has moved from `shrink` to `new`. */
static const char world_b[] =
	"interfaces: [lo]\n"
	"deny: [192.0.2.128/25]\n"
	"services:\n"
	"- {name: new, address: 198.51.100.6, port: 80, forward: nat, table_size: 257,\n"
	"   check: none, allow: [172.16.0.0/12], limit: {rate: 8k/s, exempt: [203.0.113.1/32]},\n"
	"   backends: [{address: 10.0.0.42}, {address: 10.0.0.51}]}\n"
	"- {name: stay, address: [198.51.100.1, '2001:db8::1'], port: 80, forward: nat,\n"
	"   table_size: 257, check: none, deny: [10.9.0.0/17],\n"
	"   limit: {rate: 2M/s, exempt: [203.0.113.128/25]},\n"
	"   backends: [{address: 10.0.0.1, weight: 2}, {address: 10.0.0.2}, {address: 10.0.0.4},\n"
	"              {address: '2001:db8:1::61'}, {address: '2001:db8:1::62'},\n"
	"              {address: '2001:db8:1::63'}]}\n"
	"- {name: mode, address: 198.51.100.3, port: 80, forward: nat, table_size: 257,\n"
	"   check: none, backends: [{address: 10.0.0.21}, {address: 10.0.0.22}]}\n"
	"- {name: tracked, address: 198.51.100.4, port: 80, forward: ipip, check: none,\n"
	"   scheduler: source-hash, table_size: 257, on_all_down: respond,\n"
	"   limit: {rate: 1M/s, count: connections, action: respond},\n"
	"   backends: [{address: 10.0.0.31}, {address: 10.0.0.32}]}\n"
	"- {name: shrink, address: 198.51.100.5, port: 80, forward: nat, table_size: 263,\n"
	"   check: none, backends: [{address: 10.0.0.41}]}\n";

#define N_DENIED 2

/* ---- connections --------------------------------------------------------------------- */

#define N_CONNECTIONS 24
#define NOT_SENT      (-1)

/* The services whose backends stay, in part, and the backends that do, by the last bytes of
 * their addresses.
 */
static const char *const destinations[] = { "198.51.100.1", "2001:db8::1", "198.51.100.4",
					    "198.51.100.5" };
static const __u8 staying[] = { 0x01, 0x02, 0x61, 0x62, 31, 32, 41 };

struct connection {
	bool stays;
	int backend;
};

static unsigned put_frame(__u8 *frame, unsigned number, __u8 tcp_flags)
{
	static const __u8 macs[12] = { 2, 0x5c, 0, 0, 0, 1, 2, 0xc1, 0, 0, 0, 1 };
	static const __u8 ip4[12] = { 0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6 };
	static const __u8 ip6[8] = { 0x60, 0, 0, 0, 0, 20, 6, 64 };
	const char *destination = destinations[number % 4];
	bool v6 = strchr(destination, ':');
	__u8 tcp[20] = { 0x80, (__u8)number, 0, 80, [12] = 0x50, [13] = tcp_flags };
	unsigned length = v6 ? 54 : 34;

	memcpy(frame, macs, sizeof(macs));
	frame[12] = v6 ? 0x86 : 0x08;
	frame[13] = v6 ? 0xdd : 0x00;
	memcpy(frame + 14, v6 ? ip6 : ip4, v6 ? sizeof(ip6) : sizeof(ip4));
	check(inet_pton(v6 ? AF_INET6 : AF_INET, v6 ? "2001:db8:c::1" : "172.16.0.1",
			frame + (v6 ? 22 : 26)) == 1);
	check(inet_pton(v6 ? AF_INET6 : AF_INET, destination, frame + (v6 ? 38 : 30)) == 1);
	memcpy(frame + length, tcp, sizeof(tcp));
	return length + sizeof(tcp);
}

/* The last byte of the address of the backend that a packet of the connection goes to. */
static int send_packet(const struct datapath *datapath, unsigned number, __u8 tcp_flags)
{
	__u8 frame[128] = { 0 }, out[256];
	LIBBPF_OPTS(bpf_test_run_opts, options);

	options.data_in = frame;
	options.data_size_in = put_frame(frame, number, tcp_flags);
	options.data_out = out;
	options.data_size_out = sizeof(out);
	options.repeat = 1;
	check(!bpf_prog_test_run_opts(datapath->program.fd, &options));
	return options.retval == XDP_TX && out[0] == 2 && out[1] == 0xbe ? out[5] : NOT_SENT;
}

static void open_connections(const struct datapath *datapath, struct connection *connections)
{
	for (unsigned i = 0; i < N_CONNECTIONS; i++) {
		struct connection *connection = &connections[i];

		connection->backend = send_packet(datapath, i, 0x02);
		check(connection->backend != NOT_SENT);
		check(send_packet(datapath, i, 0x10) == connection->backend);
		for (unsigned j = 0; j < sizeof(staying); j++)
			connection->stays |= staying[j] == connection->backend;
	}
}

static void check_connections(const struct datapath *datapath, const struct connection *connections)
{
	for (unsigned i = 0; i < N_CONNECTIONS; i++) {
		int backend = send_packet(datapath, i, 0x10);

		if (connections[i].stays && backend != connections[i].backend)
			world_fail("connection %u was with backend %d, and is with %d", i,
				   connections[i].backend, backend);
	}
}

/* ---- daemons --------------------------------------------------------------------------- */

static const struct datapath_timeouts timeouts = { .tcp_idle_ms = 3600000, .udp_idle_ms = 3600000 };

/* Its pins would outlive a process that ends by world_fail(). */
static struct datapath *pinned;

static void remove_pins(void)
{
	datapath_free(TAKE_PTR(pinned), false);
}

static void load(void)
{
	static const struct datapath_sizes sizes = {
		.services = 32,
		.backends = 256,
		.slots = 1024,
		.limits = 16,
		.buckets = 64,
		.gate = 128,
		.flows = 1024,
		.hash_seed = SL_DEFAULT_HASH_SEED,
	};
	struct diag diag = {};
	char pin_dir[64];

	(void)snprintf(pin_dir, sizeof(pin_dir), "/sys/fs/bpf/sluice-takeover-%d", (int)getpid());
	if (datapath_load(&sizes, pin_dir, &diag, &pinned))
		world_fail("cannot load the program: %s", diag.text);
	check(!atexit(remove_pins));
	datapath_set_timeouts(pinned, &timeouts);
}

/* The notes of the daemon that was ended are lost. */
static void take_over(unsigned writes)
{
	struct datapath *old = pinned, *datapath;
	struct diag diag = {};

	if (datapath_new(dup(old->program.fd), &diag, &datapath))
		world_fail("ended after %u writes, cannot be taken over: %s", writes, diag.text);
	datapath->pins = old->pins;
	old->pins.lock = -1;
	datapath_free(old, true);
	datapath_set_timeouts(datapath, &timeouts);
	pinned = datapath;
}

/* Two rounds, so that no flow names an index any more that was dropped. */
static void walk(void)
{
	for (unsigned rounds = 0; rounds < 2; rounds++)
		while (datapath_walk_step(pinned) == 0)
			;
}

/* ---- the change -------------------------------------------------------------------------- */

static void apply(void *config)
{
	world_apply(pinned, config);
}

static void check_all(const struct config *config, const struct connection *connections)
{
	world_check(pinned, config, N_DENIED);
	check_connections(pinned, connections);
}

/* The change is interrupted everywhere; the number of its writes. */
static unsigned interrupt_everywhere(struct config *from, struct config *to,
				     const struct connection *connections)
{
	unsigned writes = 0;
	bool whole = false;

	for (; !whole; writes++) {
		bool back = writes % 2;

		whole = interrupt_after(&pinned->maps, writes, apply, to);
		take_over(writes);
		world_apply(pinned, back ? from : to);
		check_all(back ? from : to, connections);
		if (!back)
			world_apply(pinned, from);
		walk();
		check_all(from, connections);
	}
	return writes - 1;
}

static void deny(void *address)
{
	struct prefix prefix;
	struct diag diag = {};

	check(!prefix_parse(address, &prefix));
	if (datapath_deny(pinned, &prefix, 0, &diag))
		world_fail("%s", diag.text);
}

/* The first prefix that is denied at run time: where it is in the list, it is in force. */
static void interrupt_first_denial(void)
{
	struct prefix prefix;
	unsigned writes = 0;
	bool whole = false;

	for (; !whole; writes++) {
		const struct prefix_set *denied;

		whole = interrupt_after(&pinned->maps, writes, deny, "203.0.113.78/32");
		take_over(writes);
		denied = prefixes_find(&pinned->prefixes, SL_LIST_RUNTIME);
		check(!(pinned->maps.tuning->access & SL_TUNING_RUNTIME) == !(denied && denied->n));
		check(!prefix_parse("203.0.113.78/32", &prefix));
		(void)datapath_undeny(pinned, &prefix);
	}
	check(writes > 2);
}

int main(void)
{
	_cleanup_(config_freep) struct config *a = world_parse(world_a);
	_cleanup_(config_freep) struct config *b = world_parse(world_b);
	struct connection connections[N_CONNECTIONS] = {};
	unsigned there, back;

	if (!INTERRUPT_WORKS) {
		(void)printf("0 writes: stores cannot be counted on this processor\n");
		return 0;
	}
	load();
	interrupt_first_denial();
	world_apply(pinned, a);
	deny("203.0.113.77/32");
	deny("2001:db8:dead::/48");
	open_connections(pinned, connections);
	there = interrupt_everywhere(a, b, connections);
	world_apply(pinned, b);
	walk();
	back = interrupt_everywhere(b, a, connections);
	(void)printf("ended before each of %u and %u writes: all taken over\n", there, back);
	return 0;
}
