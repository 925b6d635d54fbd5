// SPDX-License-Identifier: BSD-2-Clause
#include "subject.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "sluice/hash.h"
#include "sluice/slot.h"

#define BATCH        4096
#define LOOPBACK     1 /* the interface that test runs come in by */
#define SERVICE_PORT 443

void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)fflush(stdout);
	(void)vfprintf(stderr, format, args);
	(void)fputc('\n', stderr);
	va_end(args);
	exit(1);
}

/* The one that is open: its pins would outlive a process that ends by fail(). */
static struct datapath *pinned;

static void remove_pins(void)
{
	datapath_free(TAKE_PTR(pinned), false);
}

/* ---- the program ---------------------------------------------------------- */

void subject_open(struct subject *subject, unsigned flows)
{
	const struct datapath_sizes sizes = {
		.services = 1024,
		.backends = 4096,
		.slots = 1 << 18,
		.limits = 16,
		.buckets = 1024,
		.gate = 1024,
		.flows = flows,
		.hash_seed = SL_DEFAULT_HASH_SEED,
	};
	static bool registered;
	char pin_dir[64];
	struct diag diag = {};

	*subject = (struct subject){};
	(void)snprintf(pin_dir, sizeof(pin_dir), "/sys/fs/bpf/sluice-model-%d", (int)getpid());
	if (datapath_load(&sizes, pin_dir, &diag, &subject->datapath))
		fail("cannot load the program: %s", diag.text);
	if (!registered)
		check(!atexit(remove_pins));
	registered = true;
	pinned = subject->datapath;
}

void subject_close(struct subject *subject)
{
	subject_remove(subject);
	subject->datapath = NULL;
	remove_pins();
}

void subject_set_timeouts(struct subject *subject, const struct datapath_timeouts *timeouts)
{
	subject->timeouts = *timeouts;
	datapath_set_timeouts(subject->datapath, timeouts);
}

void subject_grace(struct subject *subject)
{
	grace_recycle(&subject->datapath->grace);
}

void subject_restart(struct subject *subject)
{
	struct datapath *old = subject->datapath, *datapath;
	struct diag diag = {};

	if (datapath_new(dup(old->program.fd), &diag, &datapath))
		fail("cannot take over: %s", diag.text);
	datapath->pins = old->pins;
	old->pins.lock = -1;
	datapath_free(old, true);
	datapath_set_timeouts(datapath, &subject->timeouts);
	subject->datapath = pinned = datapath;
}

/* ---- the service ---------------------------------------------------------- */

static struct ip address_of(__u8 family, unsigned net, unsigned host)
{
	struct ip ip = { .family = family };

	if (family == SL_FAMILY_IPV6) {
		ip.addr.words[0] = htonl(0x20010db8);
		ip.addr.words[1] = htonl(net);
	} else {
		ip.addr.words[2] = htonl(0xffff);
		host |= net << 24;
	}
	ip.addr.words[3] = htonl(host);
	return ip;
}

static struct ip client_address(const struct subject *subject, const struct client *client)
{
	return address_of(subject->service.addresses[0].family, 11, client->address);
}

void subject_service(struct subject *subject, __u8 proto, __u8 family, enum sl_scheduler scheduler)
{
	subject_remove(subject);
	memset(subject->present, 0, sizeof(subject->present));
	subject->service = (struct service_config){
		.addresses = { address_of(family, 192, 1) },
		.n_addresses = 1,
		.port = htons(SERVICE_PORT),
		.proto = proto,
		.forward = SL_FORWARD_DSR,
		.scheduler = scheduler,
		.affinity = { .prefix_v4 = 32, .prefix_v6 = 128 },
		.table_size = 31,
	};
}

void subject_backend(struct subject *subject, unsigned backend, unsigned weight)
{
	check(backend < SUBJECT_BACKENDS);
	subject->present[backend] = true;
	subject->backends[backend] = (struct backend_config){
		.ip = address_of(subject->service.addresses[0].family, 10, backend + 1),
		.port = htons(SERVICE_PORT),
		.weight = weight,
	};
	subject->inputs[backend] = (struct plan_input){
		.weight = weight,
		.resolved = true,
		.hop = { .dst_mac = { 2, 0xbe, 0, 0, 0, (__u8)backend },
			 .src_mac = { 2, 0x5c, 0, 0, 0, 1 },
			 .ifindex = LOOPBACK,
			 .mtu = 1500 },
	};
}

void subject_remove(struct subject *subject)
{
	if (subject->service.n_addresses) {
		datapath_unclaim(subject->datapath);
		datapath_remove_unclaimed(subject->datapath);
	}
	free(TAKE_PTR(subject->table));
	subject->table_size = 0;
	subject->service.n_addresses = 0;
}

void subject_apply(struct subject *subject)
{
	struct backend_config backends[SUBJECT_BACKENDS];
	struct plan_input inputs[SUBJECT_BACKENDS];
	struct service_config service = subject->service;
	_cleanup_(plan_done) struct plan plan = {};
	struct diag diag = {};

	service.backends = backends;
	for (unsigned i = 0; i < SUBJECT_BACKENDS; i++) {
		if (!subject->present[i])
			continue;
		backends[service.n_backends] = subject->backends[i];
		inputs[service.n_backends++] = subject->inputs[i];
	}
	check(!plan_build(&service, &service.addresses[0], inputs, NULL, &plan));
	if (datapath_apply(subject->datapath, &plan, &diag))
		fail("cannot apply: %s", diag.text);
	free(subject->table);
	subject->table_size = plan.table_size;
	subject->table = calloc(plan.table_size, sizeof(*subject->table));
	check(subject->table);
	for (unsigned i = 0; i < plan.table_size; i++)
		subject->table[i] = plan.table[i] == PLAN_NO_BACKEND
					    ? SUBJECT_NOBODY
					    : inputs[plan.table[i]].hop.dst_mac[5];
}

static const struct installed *installed_of(const struct subject *subject)
{
	struct sl_key key = plan_service_key(&subject->service, &subject->service.addresses[0]);
	const struct installed *installed = installed_find(&subject->datapath->installed, &key);

	check(installed && installed->entry);
	return installed;
}

unsigned subject_slot(const struct subject *subject, const struct client *client)
{
	struct sl_key key = plan_service_key(&subject->service, &subject->service.addresses[0]);
	__be16 port = sl_scheduler_by_source(subject->service.scheduler) ? 0 : htons(client->port);
	struct ip ip = client_address(subject, client);

	return sl_hash_scale(sl_hash_flow(&ip.addr, port, key.family, SL_DEFAULT_HASH_SEED),
			     subject->table_size);
}

static struct sl_load *load_of(const struct subject *subject, unsigned backend)
{
	const struct installed *installed = installed_of(subject);
	struct sl_key key = plan_backend_key(&subject->service, &subject->backends[backend]);
	const struct installed_backend *found = installed_find_backend(installed, &key);

	check(found);
	return &subject->datapath->maps.loads[found->index];
}

unsigned subject_live(const struct subject *subject, unsigned backend)
{
	return __atomic_load_n(&load_of(subject, backend)->live, __ATOMIC_RELAXED);
}

void subject_set_live(struct subject *subject, unsigned backend, unsigned live)
{
	__atomic_store_n(&load_of(subject, backend)->live, live, __ATOMIC_RELAXED);
}

/* ---- packets -------------------------------------------------------------- */

#define OUTER_MAX 40 /* bytes that ipip puts around a packet */

struct frame {
	__u8 bytes[96];
	unsigned length;
};

static void put(struct frame *frame, const void *bytes, unsigned length)
{
	memcpy(frame->bytes + frame->length, bytes, length);
	frame->length += length;
}

/* The ends of a packet. */
struct way {
	struct ip source, destination;
	__be16 source_port, destination_port;
	__u8 proto;
};

/* Checksums are left out: the program updates them, and never looks at one. */
static void put_ip(struct frame *frame, const struct way *way, unsigned payload)
{
	__u8 length = (__u8)((way->proto == IPPROTO_TCP ? 20 : 8) + payload);
	__u8 ip4[12] = { 0x45, 0, 0, (__u8)(20 + length), 0, 0, 0, 0, 64, way->proto };
	__u8 ip6[8] = { 0x60, 0, 0, 0, 0, length, way->proto, 64 };
	__u8 ethernet[14] = { 2, 0x5c, 0, 0, 0, 1, 2, 0xc1, 0, 0, 0, 1 };
	bool v6 = way->source.family == SL_FAMILY_IPV6;
	unsigned skip = v6 ? 0 : 12;

	ethernet[12] = v6 ? 0x86 : 0x08;
	ethernet[13] = v6 ? 0xdd : 0x00;
	put(frame, ethernet, sizeof(ethernet));
	put(frame, v6 ? ip6 : ip4, v6 ? sizeof(ip6) : sizeof(ip4));
	put(frame, way->source.addr.bytes + skip, 16 - skip);
	put(frame, way->destination.addr.bytes + skip, 16 - skip);
}

static void put_transport(struct frame *frame, const struct way *way, const struct segment *segment)
{
	static const __u8 payload[SEGMENT_PAYLOAD];
	__be16 ports[2] = { way->source_port, way->destination_port };
	__be32 number = htonl(segment->number);
	__u8 tcp[12] = { [4] = 0x50, [5] = (__u8)segment->flags, [6] = 0xff };
	__u8 udp[4] = { 0, (__u8)(8 + segment->payload) };

	check(segment->payload <= sizeof(payload));
	put(frame, ports, sizeof(ports));
	if (way->proto == IPPROTO_TCP) {
		put(frame, &number, sizeof(number));
		put(frame, tcp, sizeof(tcp));
	} else {
		put(frame, udp, sizeof(udp));
	}
	put(frame, payload, segment->payload);
}

/* The XDP action; *ret_out is the frame that leaves. */
static __u32 run_program(const struct subject *subject, const struct way *way,
			 const struct segment *segment,
			 __u8 ret_out[static sizeof(struct frame) + OUTER_MAX])
{
	struct frame frame = { .length = 0 };
	LIBBPF_OPTS(bpf_test_run_opts, options);

	put_ip(&frame, way, segment->payload);
	put_transport(&frame, way, segment);
	options.data_in = frame.bytes;
	options.data_size_in = frame.length;
	options.data_out = ret_out;
	options.data_size_out = sizeof(frame) + OUTER_MAX;
	options.repeat = 1;
	check(!bpf_prog_test_run_opts(subject->datapath->program.fd, &options));
	return options.retval;
}

int subject_segment(const struct subject *subject, const struct client *client,
		    const struct segment *segment)
{
	const struct way way = { .source = client_address(subject, client),
				 .source_port = htons(client->port),
				 .destination = subject->service.addresses[0],
				 .destination_port = subject->service.port,
				 .proto = subject->service.proto };
	__u8 out[sizeof(struct frame) + OUTER_MAX];
	__u32 action = run_program(subject, &way, segment, out);

	if (action == XDP_DROP)
		return SUBJECT_NOBODY;
	check(action == XDP_TX && out[0] == 2 && out[1] == 0xbe);
	return out[5];
}

int subject_packet(const struct subject *subject, const struct client *client, enum tcp_flags flags)
{
	const struct segment segment = { .flags = flags, .number = flags & TCP_SYN ? 1000 : 1001 };

	return subject_segment(subject, client, &segment);
}

void subject_reply(const struct subject *subject, unsigned backend, const struct client *client,
		   enum tcp_flags flags)
{
	const struct way way = { .source = subject->backends[backend].ip,
				 .source_port = subject->backends[backend].port,
				 .destination = client_address(subject, client),
				 .destination_port = htons(client->port),
				 .proto = subject->service.proto };
	const struct segment segment = { .flags = flags };
	__u8 out[sizeof(struct frame) + OUTER_MAX];

	(void)run_program(subject, &way, &segment, out);
}

/* ---- time ----------------------------------------------------------------- */

bool subject_walk_step(struct subject *subject)
{
	int done = datapath_walk_step(subject->datapath);

	check(done >= 0);
	return done == 1;
}

void subject_walk(struct subject *subject)
{
	while (!subject_walk_step(subject))
		;
}

/* What the maps with seconds in their values hold, a batch at a time. */
struct batch {
	__u32 token, count;
	bool begun, last;
	struct sl_flow_key keys[BATCH]; /* struct sl_source is as large */
	union {
		struct sl_flow flows[BATCH];
		struct sl_affinity affinities[BATCH];
	};
};

static void batch_begin(struct batch *batch)
{
	batch->begun = batch->last = false;
}

static bool batch_next(struct batch *batch, int fd)
{
	if (batch->last)
		return false;
	batch->count = BATCH;
	batch->last = bpf_map_lookup_batch(fd, batch->begun ? &batch->token : NULL, &batch->token,
					   batch->keys, batch->flows, &batch->count, NULL) != 0;
	check(!batch->last || errno == ENOENT);
	batch->begun = true;
	return true;
}

static void make_older(const struct subject *subject, enum map_name map, unsigned seconds)
{
	static struct batch batch;
	int fd = subject->datapath->maps.map[map].fd;

	batch_begin(&batch);
	while (batch_next(&batch, fd)) {
		for (unsigned i = 0; i < batch.count; i++) {
			if (map == MAP_AFFINITIES)
				batch.affinities[i].expires -= seconds;
			else
				batch.flows[i].seen -= seconds;
		}
		if (batch.count)
			check(!bpf_map_update_batch(fd, batch.keys, batch.flows, &batch.count,
						    NULL));
	}
}

void subject_pass_time(struct subject *subject, unsigned seconds)
{
	const struct installed *installed = installed_of(subject);

	make_older(subject, MAP_FLOWS, seconds);
	make_older(subject, MAP_HANDSHAKES, seconds);
	make_older(subject, MAP_AFFINITIES, seconds);
	subject->datapath->maps.tuning->fresh_until -= seconds;
	for (unsigned i = 0; installed->transition.changed && i < subject->table_size; i++)
		installed->transition.changed[i] -= seconds;
}

unsigned subject_count(const struct subject *subject, enum map_name map)
{
	static struct batch batch;
	unsigned n = 0;

	batch_begin(&batch);
	while (batch_next(&batch, subject->datapath->maps.map[map].fd))
		n += batch.count;
	return n;
}
