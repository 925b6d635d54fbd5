// SPDX-License-Identifier: BSD-2-Clause
/* The daemon's side of the responder and the real responder, over maps that this
 * program makes and fills itself: no datapath, packets reach the veth by routes.
 * test_responder.py runs it in a namespace and speaks to it, a line at a time:
 *
 *   down SERVICE               nobody serves it; "up SERVICE": somebody does
 *   owe SERVICE LIMIT ADDRESS UNITS   what the client has used, of the limit with
 *                              this number
 *   tell FILE                  other things to say
 *   quit
 *
 * Each is answered with "done". What comes beside: "up DEVICE MAC" and "down".
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

#include "daemon/datapath/responder.h"
#include "daemon/responder/responder.h"
#include "lib/alloc/directory.h"
#include "lib/balance/plan.h"
#include "lib/base/diag.h"
#include "lib/config/config.h"
#include "lib/limit/limit.h"
#include "lib/respond.h"
#include "sluice/gcra.h"
#include "sluice/slot.h"
#include "sluice/window.h"

#define ENTRIES   64
#define RESPONDER 40 /* index of the responder of entry 0 */
#define SOMEBODY  1

static uv_loop_t loop;
static uv_pipe_t commands;
static struct responder *responder;
static struct config *config;
static int maps[RESPOND_MAP_COUNT];
static struct sl_service services[ENTRIES];
static unsigned first_entry[ENTRIES], first_limit[ENTRIES]; /* by service of config */
static unsigned n_entries = 1, n_limits = 1;
static char line[1024];
static size_t line_length;

static void fail(const char *what)
{
	fprintf(stderr, "responder_test: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void say(const char *text)
{
	puts(text);
	(void)fflush(stdout);
}

/* ---- what the datapath would do -------------------------------------------------- */

int datapath_attach_responder(const struct datapath *datapath, int ifindex)
{
	(void)datapath;
	return ifindex > 0 ? 0 : -EINVAL;
}

int datapath_responder_maps(const struct datapath *datapath, int ret_fds[static RESPOND_MAP_COUNT])
{
	LIBBPF_OPTS(bpf_get_fd_by_id_opts, options, .open_flags = BPF_F_RDONLY);

	(void)datapath;
	for (int i = 0; i < RESPOND_MAP_COUNT; i++) {
		struct bpf_map_info info = {};
		__u32 length = sizeof(info);

		if (bpf_obj_get_info_by_fd(maps[i], &info, &length))
			fail("a map's id");
		ret_fds[i] = bpf_map_get_fd_by_id_opts(info.id, &options);
		if (ret_fds[i] < 0)
			fail("a map that can be read");
	}
	return 0;
}

/* ---- maps ------------------------------------------------------------------------ */

static void make_map(enum respond_map map, enum bpf_map_type type, unsigned key, unsigned value)
{
	LIBBPF_OPTS(bpf_map_create_opts, options,
		    .map_flags = type == BPF_MAP_TYPE_LPM_TRIE ? BPF_F_NO_PREALLOC : 0);

	maps[map] = bpf_map_create(type, "responder_test", key, value, ENTRIES, &options);
	if (maps[map] < 0)
		fail("making a map");
}

static void make_maps(void)
{
	make_map(RESPOND_MAP_DIRECTORY, BPF_MAP_TYPE_ARRAY, 4, sizeof(uint64_t));
	make_map(RESPOND_MAP_SERVICES, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct sl_service));
	make_map(RESPOND_MAP_SLOTS, BPF_MAP_TYPE_ARRAY, 4, sizeof(uint64_t));
	make_map(RESPOND_MAP_LIMITS, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct sl_limit));
	make_map(RESPOND_MAP_BUCKETS, BPF_MAP_TYPE_LRU_HASH, sizeof(struct sl_source),
		 sizeof(struct sl_bucket));
	make_map(RESPOND_MAP_TOTALS, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct sl_bucket));
	make_map(RESPOND_MAP_PREFIXES, BPF_MAP_TYPE_LPM_TRIE, sizeof(struct sl_prefix),
		 sizeof(struct sl_access));
}

static void put(enum respond_map map, const void *key, const void *value)
{
	if (bpf_map_update_elem(maps[map], key, value, BPF_ANY))
		fail("writing to a map");
}

static void put_index(enum respond_map map, unsigned index, const void *value)
{
	put(map, &index, value);
}

static void put_limit(const struct limit_config *from)
{
	struct sl_limit limit = limit_wire(from);
	const struct sl_access allowed = {};

	limit.id = 100 + n_limits;
	limit.number = n_limits;
	for (size_t i = 0; i < from->exempt.n; i++) {
		const struct prefix *prefix = &from->exempt.prefixes[i];
		bool ipv6 = prefix->ip.family == SL_FAMILY_IPV6;
		struct sl_prefix key = {
			.bits = SL_PREFIX_FIXED + (ipv6 ? 0 : 96) + prefix->bits,
			.list = (SL_LIST_EXEMPT | limit.number) << 1 | ipv6,
			.addr = prefix->ip.addr,
		};

		put(RESPOND_MAP_PREFIXES, &key, &allowed);
	}
	put_index(RESPOND_MAP_LIMITS, n_limits++, &limit);
}

static void put_slot(unsigned entry, bool serves)
{
	uint64_t slot = sl_slot(serves ? SOMEBODY : RESPONDER + entry, SL_NO_BACKEND, 0);

	put_index(RESPOND_MAP_SLOTS, entry, &slot);
}

static void put_service(size_t number)
{
	const struct service_config *from = &config->services[number];

	first_limit[number] = n_limits;
	for (size_t i = 0; i < from->n_limits; i++)
		put_limit(&from->limits[i]);
	first_entry[number] = n_entries;
	for (size_t i = 0; i < from->n_addresses; i++, n_entries++) {
		services[n_entries] = (struct sl_service){
			.key = plan_service_key(from, &from->addresses[i]),
			.table = n_entries,
			.table_size = 1,
			.n_limits = (__u8)from->n_limits,
			.limits = first_limit[number],
			.responder = RESPONDER + n_entries,
		};
		put_index(RESPOND_MAP_SERVICES, n_entries, &services[n_entries]);
		put_slot(n_entries, true);
	}
}

static const struct sl_key *key_of(const void *entries, unsigned index)
{
	return &((const struct sl_service *)entries)[index].key;
}

static void put_directory(void)
{
	static __u64 words[ENTRIES];
	struct directory directory = { words, ENTRIES, key_of, services };

	for (unsigned i = 1; i < n_entries; i++)
		if (directory_put(&directory, &services[i].key, i))
			fail("the directory");
	for (unsigned i = 0; i < ENTRIES; i++)
		put_index(RESPOND_MAP_DIRECTORY, i, &words[i]);
}

/* ---- commands -------------------------------------------------------------------- */

static size_t service_number(const char *name)
{
	const struct service_config *service = config_find_service(config, name);

	if (!service)
		fail(name);
	return (size_t)(service - config->services);
}

static uint64_t ticks_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return sl_ticks((uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
}

/* The bucket as the program would have it after these units, which have just come. */
static struct sl_bucket used_bucket(const struct sl_limit *limit, uint64_t units)
{
	uint64_t now = ticks_now(), part = limit->rate.interval / SL_WINDOW_PARTS;
	struct sl_bucket bucket = {};

	switch ((enum sl_limit_algorithm)limit->algorithm) {
	case SL_ALGORITHM_TOKEN_BUCKET:
		bucket.state[0] = now + (units * limit->rate.interval >> limit->shift);
		break;
	case SL_ALGORITHM_FIXED_WINDOW:
		bucket.state[0] = sl_window_word(now / limit->rate.interval, units);
		break;
	case SL_ALGORITHM_SLIDING_WINDOW:
		bucket.state[now / part % (SL_WINDOW_PARTS + 1)] =
			sl_window_word(now / part, units);
		break;
	}
	return bucket;
}

static void owe(const char *service, unsigned number, const char *client, uint64_t units)
{
	unsigned index = first_limit[service_number(service)] + number;
	struct sl_bucket bucket;
	struct sl_source source;
	struct sl_limit limit;
	struct ip ip;

	if (bpf_map_lookup_elem(maps[RESPOND_MAP_LIMITS], &index, &limit) || ip_parse(client, &ip))
		fail("owe");
	source = limit_source(&limit, &ip.addr, ip.family);
	bucket = used_bucket(&limit, units);
	if (limit.flags & SL_LIMIT_PER_SERVICE)
		put_index(RESPOND_MAP_TOTALS, index, &bucket);
	else
		put(RESPOND_MAP_BUCKETS, &source, &bucket);
}

static void set_slots(const char *service, bool serves)
{
	size_t number = service_number(service);

	for (size_t i = 0; i < config->services[number].n_addresses; i++)
		put_slot(first_entry[number] + (unsigned)i, serves);
}

static void tell(const char *path)
{
	struct config *other;
	struct diag diag = {};

	if (config_load(path, &diag, &other))
		fail(diag.text);
	if (responder_tell(responder, other))
		fail("telling");
	config_free(other);
}

static void quit(void)
{
	uv_close((uv_handle_t *)&commands, NULL);
	responder_free(responder);
}

static void obey(const char *command)
{
	char word[16], first[256] = "", client[64] = "";
	unsigned number = 0;
	uint64_t units = 0;
	int n = sscanf(command, "%15s %255s %u %63s %" SCNu64, word, first, &number, client,
		       &units);

	if (n == 5 && !strcmp(word, "owe"))
		owe(first, number, client, units);
	else if (n == 2 && !strcmp(word, "tell"))
		tell(first);
	else if (n == 2 && (!strcmp(word, "down") || !strcmp(word, "up")))
		set_slots(first, !strcmp(word, "up"));
	else if (n == 1 && !strcmp(word, "quit"))
		quit();
	else
		fail(command);
	say("done");
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
	(void)handle;
	(void)suggested;
	*ret_buffer = uv_buf_init(line + line_length, (unsigned)(sizeof(line) - 1 - line_length));
}

static void on_command(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
	char *end;

	(void)stream;
	(void)buffer;
	if (length < 0)
		exit(1); /* nobody is there any more */
	line_length += (size_t)length;
	line[line_length] = '\0';
	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		obey(line);
		line_length -= (size_t)(end + 1 - line);
		memmove(line, end + 1, line_length + 1);
	}
}

static void on_changed(void *arg)
{
	const struct sl_hop *hop = responder_hop(responder);
	char device[UV_IF_NAMESIZE], text[96];
	size_t size = sizeof(device);

	(void)arg;
	if (!hop) {
		say("down");
		return;
	}
	if (uv_if_indextoname(hop->ifindex, device, &size))
		fail("the device");
	(void)snprintf(text, sizeof(text), "up %s %02x:%02x:%02x:%02x:%02x:%02x", device,
		       hop->dst_mac[0], hop->dst_mac[1], hop->dst_mac[2], hop->dst_mac[3],
		       hop->dst_mac[4], hop->dst_mac[5]);
	say(text);
}

int main(int argc, char **argv)
{
	struct diag diag = {};

	(void)signal(SIGPIPE, SIG_IGN);
	if (argc != 2 || config_load(argv[1], &diag, &config))
		fail(diag.text);
	make_maps();
	for (size_t i = 0; i < config->n_services; i++)
		put_service(i);
	put_directory();
	(void)uv_loop_init(&loop);
	if (responder_new(&loop, NULL, on_changed, NULL, &diag, &responder) ||
	    responder_tell(responder, config))
		fail(diag.text);
	(void)uv_pipe_init(&loop, &commands, 0);
	(void)uv_pipe_open(&commands, 0);
	(void)uv_read_start((uv_stream_t *)&commands, give_room, on_command);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	config_free(config);
	return uv_loop_close(&loop) ? 1 : 0;
}
