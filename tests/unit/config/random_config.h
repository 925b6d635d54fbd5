/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Random configurations, good by construction: every key, every word, and
 * values at the ends of their ranges. The same seed gives the same ones.
 */
#ifndef SLUICE_TESTS_UNIT_CONFIG_RANDOM_CONFIG_H
#define SLUICE_TESTS_UNIT_CONFIG_RANDOM_CONFIG_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/array.h"
#include "unit/base/random.h"

struct random_text {
	FILE *file;
	uint64_t state;
};

static int random_chance(struct random_text *text, unsigned percent)
{
	return random_below(&text->state, 100) < percent;
}

#define RANDOM_WORD(text, words) ((words)[random_below(&(text)->state, ARRAY_SIZE(words))])

/* Half of the time: the key with one of its values, as a part of a {map} or as a
 * line of its own.
 */
#define RANDOM_PUT(text, format, key, ...)                                                   \
	do {                                                                                 \
		const char *const words_[] = { __VA_ARGS__ };                                \
                                                                                             \
		if (random_chance(text, 50))                                                 \
			(void)fprintf((text)->file, format, key, RANDOM_WORD(text, words_)); \
	} while (0)

#define RANDOM_KEY(text, key, ...) RANDOM_PUT(text, "%s: %s, ", key, __VA_ARGS__)
#define RANDOM_ALWAYS(text, key, ...)                                                    \
	do {                                                                             \
		static const char *const words_[] = { __VA_ARGS__ };                     \
                                                                                         \
		(void)fprintf((text)->file, "%s: %s, ", key, RANDOM_WORD(text, words_)); \
	} while (0)
#define RANDOM_LINE(text, key, ...) RANDOM_PUT(text, "  %s: %s\n", key, __VA_ARGS__)

static void random_check(struct random_text *text)
{
	static const char *const words[] = { "none", "tcp", "http" };
	const char *type = RANDOM_WORD(text, words);

	if (random_chance(text, 10)) /* as the defaults or the protocol have it */
		return;
	if (random_chance(text, 20)) {
		(void)fprintf(text->file, "  check: %s\n", type);
		return;
	}
	if (type != words[2] && random_chance(text, 30))
		(void)fprintf(text->file, "  check: {");
	else
		(void)fprintf(text->file, "  check: {type: %s, ", type);
	RANDOM_KEY(text, "interval", "100ms", "1h", "2s", "61s", "1500ms");
	RANDOM_KEY(text, "timeout", "10ms", "10m", "1s");
	RANDOM_KEY(text, "rise", "1", "2", "100");
	RANDOM_KEY(text, "fall", "1", "3", "100");
	RANDOM_KEY(text, "jitter", "0%", "10%", "50%");
	RANDOM_KEY(text, "port", "1", "65535", "80");
	if (type == words[2]) {
		RANDOM_KEY(text, "path", "/", "'/a?b=[c],{d}&x:y'", "'/''\"%25'", "/-");
		RANDOM_KEY(text, "host", "h", "'[2001:db8::1]:80'", "'''*&!|>%'", "'-'", "'~'");
		RANDOM_KEY(text, "status", "204", "[200-299]", "[100, 599, 100-599]", "[200]");
	}
	(void)fprintf(text->file, "}\n");
}

static void random_backend(struct random_text *text, unsigned service, unsigned i, int is_v6,
			   int keeps_port)
{
	const char *format =
		is_v6 ? "  - {address: '2001:db8:%u::%u', " : "  - {address: 10.1.%u.%u, ";

	(void)fprintf(text->file, format, service, i + 1);
	if (!keeps_port)
		RANDOM_KEY(text, "port", "1", "65535", "8080", "4000");
	if (random_chance(text, 50))
		(void)fprintf(text->file, "name: %u-b.%u_, ", i, service);
	RANDOM_KEY(text, "weight", "0", "1", "7", "100", "5000");
	if (i >= 2) /* the first of each family stay */
		RANDOM_KEY(text, "backup", "true", "false");
	RANDOM_KEY(text, "state", "up", "drain", "disabled");
	(void)fprintf(text->file, "}\n");
}

static void random_scheduler(struct random_text *text)
{
	RANDOM_LINE(text, "affinity", "1s", "{timeout: 24h, prefix_v4: 8, prefix_v6: 127}");
	if (random_chance(text, 50)) {
		RANDOM_LINE(text, "scheduler", "round-robin", "least-connections");
		return;
	}
	RANDOM_LINE(text, "scheduler", "maglev", "source-hash", "random");
	RANDOM_LINE(text, "table_size", "257", "65537", "16777213");
}

/* So long that each has a line of its own when it is written. */
#define RANDOM_LONG_LIST                                                                  \
	"[10.1.0.0/16, 10.2.0.0/16, 10.3.0.0/16, 10.4.0.0/16, 10.5.0.0/16, 10.6.0.0/16, " \
	"10.7.0.0/16, 10.8.0.0/16, 10.1.1.0/24, 10.9.9.9]"

static void random_one_limit(struct random_text *text, int is_udp)
{
	int is_bytes = random_chance(text, 30);
	int is_bucket = random_chance(text, 60);

	(void)fprintf(text->file, "  - {");
	if (is_bytes)
		RANDOM_ALWAYS(text, "rate", "2000/h", "80Mbit/s", "256GB/s", "1GB/min");
	else
		RANDOM_ALWAYS(text, "rate", "1/h", "16000M/s", "60/min");
	if (is_bytes)
		(void)fprintf(text->file, "count: bytes, ");
	else if (!is_udp)
		RANDOM_KEY(text, "count", "packets", "connections");
	if (!is_bucket)
		RANDOM_ALWAYS(text, "algorithm", "fixed-window", "sliding-window");
	else if (is_bytes)
		RANDOM_KEY(text, "burst", "1514", "4kB", "16kbit", "10M");
	else
		RANDOM_KEY(text, "burst", "1", "2k", "5003");
	if (random_chance(text, 30)) {
		(void)fprintf(text->file, "per: service, ");
	} else {
		RANDOM_KEY(text, "prefix_v4", "1", "24", "32");
		RANDOM_KEY(text, "prefix_v6", "1", "64", "128");
		RANDOM_KEY(text, "under_pressure", "admit", "refuse");
	}
	RANDOM_KEY(text, "action", "drop", "reject", is_udp ? "drop" : "respond");
	RANDOM_KEY(text, "dry_run", "true", "false");
	RANDOM_KEY(text, "exempt", "[]", "[10.0.0.0/8, '2001:db8::/33']",
		   "[10.0.0.1, {file: examples/deny.txt}]", RANDOM_LONG_LIST);
	(void)fprintf(text->file, "}\n");
}

static void random_limit(struct random_text *text, int is_udp)
{
	unsigned n = 1;

	if (random_chance(text, 50))
		return;
	if (random_chance(text, 20)) {
		(void)fprintf(text->file, "  limit: {rate: %u/s}\n", 1 + n);
		return;
	}
	(void)fprintf(text->file, "  limit:\n");
	do
		random_one_limit(text, is_udp);
	while (n++ < 4 && random_chance(text, 40));
}

static void random_access(struct random_text *text)
{
	static const char *const bodies[] = { "''", "\"a\\nb\\n\"", "' x '", "\"\\u00fc\"" };

	RANDOM_LINE(text, "allow", "[0.0.0.0/0]", "['::/0', 10.0.0.0/9, 10.0.0.0/9]",
		    "[{file: examples/deny.txt}]");
	RANDOM_LINE(text, "deny", "[]", "['::/1', 192.0.2.7/32]", "['::', '::ffff:0:0/96']",
		    RANDOM_LONG_LIST);
	if (random_chance(text, 50))
		return;
	(void)fprintf(text->file, "  respond: {retry_after: %s, ",
		      random_chance(text, 50) ? "1s" : "24h");
	RANDOM_KEY(text, "body", RANDOM_WORD(text, bodies));
	RANDOM_KEY(text, "content_type", "text/html", "'a/b; c=\"d\"'");
	RANDOM_KEY(text, "x_headers", "true", "false");
	(void)fprintf(text->file, "}\n");
}

static void random_service(struct random_text *text, unsigned service)
{
	int keeps_port = random_chance(text, 40);
	int has_v6 = random_chance(text, 50);
	int is_udp = random_chance(text, 40);
	unsigned n = 2 + random_below(&text->state, 6);

	(void)fprintf(text->file, "- name: s%u\n  port: 4000\n  address: [198.51.100.%u", service,
		      service + 1);
	if (has_v6)
		(void)fprintf(text->file, ", '2001:db8:ffff::%u'", service + 1);
	(void)fprintf(text->file, "]\n  forward: %s\n",
		      !keeps_port               ? "nat"
		      : random_chance(text, 50) ? "dsr"
						: "ipip");
	(void)fprintf(text->file, "  protocol: %s\n", is_udp ? "udp" : "tcp");
	RANDOM_LINE(text, "min_healthy", "0", "1", "1%", "100%");
	RANDOM_LINE(text, "slow_start", "1h", "1001ms");
	RANDOM_LINE(text, "on_all_down", "drop", "reject", "last-known",
		    is_udp ? "drop" : "respond");
	random_scheduler(text);
	random_check(text);
	random_limit(text, is_udp);
	random_access(text);
	(void)fprintf(text->file, "  backends:\n");
	for (unsigned i = 0; i < n; i++)
		random_backend(text, service, i, has_v6 && i % 2, keeps_port);
}

/* Of checks: the type may be left to the services. */
static void random_defaults(struct random_text *text)
{
	if (random_chance(text, 70))
		return;
	if (random_chance(text, 20)) {
		(void)fprintf(text->file, "defaults: {check: http}\n");
		return;
	}
	(void)fprintf(text->file, "defaults: {check: {");
	RANDOM_KEY(text, "type", "http");
	RANDOM_KEY(text, "interval", "5s", "2s");
	RANDOM_KEY(text, "fall", "7", "3");
	RANDOM_KEY(text, "port", "81");
	RANDOM_KEY(text, "path", "/default", "/");
	RANDOM_KEY(text, "host", "h.example");
	RANDOM_KEY(text, "status", "204", "[200-299]", "[200-204, 301]");
	(void)fprintf(text->file, "}}\n");
}

/* The caller's to free; NULL: out of memory. */
static inline char *random_config(uint64_t seed)
{
	struct random_text text = { .state = seed };
	char *result = NULL;
	unsigned n_services;
	size_t size;

	text.file = open_memstream(&result, &size);
	if (!text.file)
		return NULL;
	if (random_chance(&text, 50))
		(void)fprintf(text.file, "hash_seed: 0x%llx\n",
			      (unsigned long long)random_next(&text.state));
	(void)fprintf(text.file, "flows: {");
	RANDOM_KEY(&text, "size", "1024", "67108864", "512k", "524288", "1M");
	RANDOM_KEY(&text, "tcp_idle", "1s", "24h", "15m");
	RANDOM_KEY(&text, "tracked_idle", "1s", "24h", "135m");
	RANDOM_KEY(&text, "udp_idle", "1s", "1h", "1999ms");
	(void)fprintf(text.file, "}\n");
	(void)fprintf(text.file, "limiter: {");
	RANDOM_KEY(&text, "buckets", "1024", "67108864", "131072", "1M");
	RANDOM_KEY(&text, "gate", "1024", "67108864", "65536");
	RANDOM_KEY(&text, "inserts", "1/s", "100M/s", "50k/s");
	RANDOM_KEY(&text, "answers", "1/s", "100M/s", "9999/s");
	RANDOM_KEY(&text, "events", "1/s", "1M/s", "100/s");
	(void)fprintf(text.file, "}\n");
	(void)fprintf(text.file, "ipip: {");
	RANDOM_KEY(&text, "source_v4", "172.16.0.0/16", "10.0.0.0/8", "192.0.2.7", "10.1.2.4/30");
	RANDOM_KEY(&text, "source_v6", "'100::/64'", "'2001::/16'", "'2001:db8::7'");
	(void)fprintf(text.file, "}\n");
	if (random_chance(&text, 50))
		(void)fprintf(text.file, "unserved: %s\n",
			      random_chance(&text, 50) ? "reject" : "pass");
	if (random_chance(&text, 50))
		(void)fprintf(text.file, "allow: ['2001:db8::/32', 0.0.0.0/0]\n"
					 "deny: [{file: examples/deny.txt}, 10.1.0.0/16]\n");
	if (random_chance(&text, 50))
		(void)fprintf(text.file,
			      "interfaces: [eth0, {name: \"a#'\\\"\", mode: %s}, '-', '?']\n",
			      random_chance(&text, 50) ? "generic" : "native");
	random_defaults(&text);
	n_services = random_below(&text.state, 5);
	(void)fprintf(text.file, "services:\n");
	for (unsigned i = 0; i < n_services; i++)
		random_service(&text, i);
	if (fclose(text.file) != 0)
		return NULL;
	return result;
}

#endif
