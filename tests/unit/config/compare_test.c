// SPDX-License-Identifier: BSD-2-Clause
/* Every value counts as a change, and nothing else does. */
#include "lib/base/array.h"
#include "lib/config/compare.h"

#include "lib/config/copy.h"
#include "lib/config/write.h"
#include "unit/config/equal.h"
#include "unit/config/full.h"

static const char base[] =
	"hash_seed: 7\n"
	"flows: {size: 2000, tcp_idle: 1m, tracked_idle: 9m, udp_idle: 2s}\n"
	"limiter: {buckets: 3000, gate: 2048, inserts: 1/s, answers: 2/s, events: 3/s}\n"
	"ipip: {source_v4: 10.9.0.0/16, source_v6: '2001:db8:9::/96'}\n"
	"allow: [203.0.113.0/24]\n"
	"deny: [203.0.113.7]\n"
	"defaults: {check: {type: http, interval: 3s, timeout: 4s, rise: 5, fall: 6,\n"
	"  jitter: 7%, port: 80, path: /p, host: h, status: [201, 205-206]}}\n"
	"interfaces: [{name: eth0, mode: native}]\n"
	"services:\n"
	"- {name: other, address: 198.51.100.9, port: 9, check: tcp, backends: [{address: 10.0.0.9}]}\n"
	"- {name: web, address: 198.51.100.1, port: 85, protocol: tcp, scheduler: maglev,\n"
	"   affinity: {timeout: 8s, prefix_v4: 24, prefix_v6: 64, group: g}, forward: nat,\n"
	"   limit: [{rate: 10/s, burst: 1400, count: packets, algorithm: token-bucket, per: source,\n"
	"     prefix_v4: 31, prefix_v6: 60, action: drop, dry_run: false, under_pressure: admit,\n"
	"     exempt: [10.0.0.0/8, 10.9.0.0/16]}, {rate: 20/min, algorithm: fixed-window}],\n"
	"   allow: [192.0.2.0/24], deny: [192.0.2.1, 192.0.2.2],\n"
	"   respond: {body: B, content_type: C, x_headers: false, retry_after: 14s},\n"
	"   on_all_down: drop, min_healthy: 1, slow_start: 12s,\n"
	"   table_size: 1021, backends: [{name: a, address: 10.0.0.1, port: 1, weight: 3,\n"
	"     backup: false, state: up}, {address: 10.0.0.2}]}\n";

static struct config *parse_with(const char *old, const char *new)
{
	return parse_changed(base, old, new);
}

struct row {
	const char *old, *new;
};

/* A copy has all of it, in texts of its own. */
static void assert_copied(const struct config *config)
{
	struct config *copy = NULL;
	char *text = NULL, *again = NULL;

	assert_int_equal(config_copy(config, &copy), 0);
	assert_true(config_equal(config, copy));
	assert_int_equal(config_write(config, &text), 0);
	assert_int_equal(config_write(copy, &again), 0);
	assert_string_equal(text, again);
	free(text);
	free(again);
	config_free(copy);
}

static void every_value_of_a_service_counts(void **state)
{
	static const struct row rows[] = {
		{ "name: web", "name: wed" },
		{ "address: 198.51.100.1,", "address: 198.51.100.2," },
		{ "port: 85", "port: 86" },
		{ "protocol: tcp", "protocol: udp" },
		{ "scheduler: maglev", "scheduler: source-hash" },
		{ "scheduler: maglev", "scheduler: random" },
		{ "timeout: 8s", "timeout: 9s" },
		{ "prefix_v4: 24", "prefix_v4: 25" },
		{ "prefix_v6: 64", "prefix_v6: 65" },
		{ "affinity: {timeout: 8s, prefix_v4: 24, prefix_v6: 64, group: g}, ", "" },
		{ "rate: 10/s", "rate: 11/s" },
		{ "burst: 1400", "burst: 1401" },
		{ "rate: 10/s, burst: 1400, count: packets",
		  "rate: 10/s, burst: 1400, count: connections" },
		{ "rate: 10/s, burst: 1400, count: packets",
		  "rate: 10/s, burst: 1514, count: bytes" },
		{ "burst: 1400, count: packets, algorithm: token-bucket",
		  "algorithm: sliding-window" },
		{ "burst: 1400, count: packets, algorithm: token-bucket",
		  "algorithm: fixed-window" },
		{ "{rate: 20/min,", "{per: service, rate: 20/min," },
		{ "prefix_v4: 31", "prefix_v4: 30" },
		{ "prefix_v6: 60", "prefix_v6: 61" },
		{ "action: drop", "action: reject" },
		{ "action: drop", "action: respond" },
		{ "dry_run: false", "dry_run: true" },
		{ "under_pressure: admit", "under_pressure: refuse" },
		{ "exempt: [10.0.0.0/8,", "exempt: [10.0.0.0/9," },
		{ "exempt: [10.0.0.0/8, 10.9.0.0/16]", "exempt: [10.0.0.0/8]" },
		{ ",\n     exempt: [10.0.0.0/8, 10.9.0.0/16]", "" },
		{ "exempt: [10.0.0.0/8, 10.9.0.0/16]",
		  "exempt: [10.0.0.0/8, 10.9.0.0/16, {file: examples/deny.txt}]" },
		{ "rate: 20/min", "rate: 21/min" },
		{ "rate: 20/min", "rate: 1200/h" }, /* the same, but in another window */
		{ "algorithm: fixed-window", "algorithm: sliding-window" },
		{ ", {rate: 20/min, algorithm: fixed-window}", "" },
		{ "192.0.2.0/24", "192.0.3.0/24" },
		{ "allow: [192.0.2.0/24], ", "" },
		{ "deny: [192.0.2.1,", "deny: [192.0.2.3," },
		{ "deny: [192.0.2.1, 192.0.2.2]", "deny: [192.0.2.1]" },
		{ "body: B", "body: b" },
		{ "body: B, ", "" },
		{ "content_type: C", "content_type: c" },
		{ "content_type: C, ", "" },
		{ "x_headers: false", "x_headers: true" },
		{ "retry_after: 14s", "retry_after: 15s" },
		{ "on_all_down: drop", "on_all_down: respond" },
		{ "on_all_down: drop", "on_all_down: reject" },
		{ "on_all_down: drop", "on_all_down: last-known" },
		{ "min_healthy: 1", "min_healthy: 2" },
		{ "min_healthy: 1", "min_healthy: 1%" },
		{ "slow_start: 12s", "slow_start: 13s" },
		{ "table_size: 1021", "table_size: 1031" },
		{ "name: a", "name: b" },
		{ "address: 10.0.0.1,", "address: 10.0.0.3," },
		{ "port: 1,", "port: 2," },
		{ "weight: 3", "weight: 4" },
		{ "backup: false", "backup: true" },
		{ "state: up", "state: drain" },
		{ "state: up", "state: disabled" },
		{ ", {address: 10.0.0.2}", "" },
		{ "interval: 3s", "interval: 4s" }, /* of the defaults: web alone is http */
		{ "timeout: 4s", "timeout: 5s" },
		{ "path: /p", "path: /q" },
		{ "host: h", "host: i" },
		{ "status: [201,", "status: [202," },
		{ "205-206]", "205-207]" },
		{ ", 205-206]", "]" },
		{ "rise: 5", "rise: 6" },
		{ "fall: 6", "fall: 7" },
		{ "jitter: 7%", "jitter: 8%" },
		{ "port: 80,", "port: 81," },
	};
	struct config *from = parse(base);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct config *to = parse_with(rows[i].old, rows[i].new);
		struct config_difference difference;

		assert_int_equal(config_compare(from, to, &difference), 0);
		if (config_service_equal(&from->services[1], &to->services[1]) ||
		    config_service_equal(&to->services[1], &from->services[1]) ||
		    config_equal(from, to))
			fail_msg("\"%s\" for \"%s\" is no change", rows[i].new, rows[i].old);
		if (strcmp(rows[i].new, "name: wed") != 0)
			assert_true(difference.changed >= 1);
		assert_false(difference.hash_seed || difference.flows || difference.limiter ||
			     difference.ipip || difference.access);
		assert_copied(to);
		config_free(to);
	}
	config_free(from);
}

static void what_is_of_the_whole_file_counts(void **state)
{
	static const struct row rows[] = {
		{ "hash_seed: 7", "hash_seed: 8" },
		{ "size: 2000", "size: 2001" },
		{ "tcp_idle: 1m", "tcp_idle: 2m" },
		{ "tracked_idle: 9m", "tracked_idle: 8m" },
		{ "udp_idle: 2s", "udp_idle: 3s" },
		{ "name: eth0", "name: eth1" },
		{ "mode: native", "mode: generic" },
		{ "[{name: eth0, mode: native}]", "" },
		{ "buckets: 3000", "buckets: 3001" },
		{ "gate: 2048", "gate: 4096" },
		{ "inserts: 1/s", "inserts: 4/s" },
		{ "answers: 2/s", "answers: 4/s" },
		{ "events: 3/s", "events: 4/s" },
		{ "10.9.0.0/16", "10.9.0.0/17" },
		{ "2001:db8:9::/96", "2001:db8:8::/96" },
		{ "203.0.113.0/24", "203.0.113.0/25" },
		{ "203.0.113.7", "203.0.113.8" },
		{ "allow: [203.0.113.0/24]", "" },
		{ "deny: [203.0.113.7]", "" },
	};
	struct config *from = parse(base);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct config *to = parse_with(rows[i].old, rows[i].new);
		struct config_difference difference;

		assert_int_equal(config_compare(from, to, &difference), 0);
		assert_int_equal(difference.added + difference.removed + difference.changed, 0);
		assert_int_equal(difference.hash_seed, i == 0);
		assert_int_equal(difference.flows, i >= 1 && i <= 4);
		assert_int_equal(difference.limiter, i >= 8 && i <= 12);
		assert_int_equal(difference.ipip, i == 13 || i == 14);
		assert_int_equal(difference.access, i >= 15);
		assert_false(config_equal(from, to));
		assert_copied(to);
		config_free(to);
	}
	config_free(from);
}

static void services_are_counted_by_name(void **state)
{
	struct config *from = parse(base);
	struct config *to = parse_with("name: other", "name: another");
	struct config_difference difference;

	(void)state;
	assert_int_equal(config_compare(from, to, &difference), 0);
	assert_int_equal(difference.added, 1);
	assert_int_equal(difference.removed, 1);
	assert_int_equal(difference.changed, 0);
	config_free(to);
	config_free(from);
}

/* Where it stands in the file, and how it is written. */
static void the_rest_does_not_count(void **state)
{
	static const struct row rows[] = {
		{ "flows:", "\n\n# a remark\nflows:" },
		{ "tcp_idle: 1m", "tcp_idle: 60s" },
		{ "size: 2000", "size: 2k" },
		{ "hash_seed: 7", "hash_seed: 0x7" },
		{ "rate: 10/s", "rate: 600/min" },
		{ "count: packets, algorithm: token-bucket, per: source,", "" },
		{ "limit: [{rate: 10/s, burst: 1400,", "limit: [{burst: 1400, rate: 10/s," },
		{ "[10.0.0.0/8, 10.9.0.0/16]", "[10.9.0.0/16, 10.0.0.0/8, 10.9.0.0/16]" },
		{ "deny: [192.0.2.1, 192.0.2.2]", "deny: [192.0.2.2/32, 192.0.2.1]" },
		{ "buckets: 3000", "buckets: 3k" },
		{ ", scheduler: maglev", "" },
		{ "on_all_down: drop, ", "" },
		{ "     backup: false, state: up}", "     }" },
		{ "status: [201, 205-206]", "status: [201-201, 205-206]" },
	};
	struct config *from = parse(base);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct config *to = parse_with(rows[i].old, rows[i].new);

		if (!config_equal(from, to))
			fail_msg("\"%s\" is a change", rows[i].new);
		config_free(to);
	}
	config_free(from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_of_a_service_counts),
		cmocka_unit_test(what_is_of_the_whole_file_counts),
		cmocka_unit_test(services_are_counted_by_name),
		cmocka_unit_test(the_rest_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
