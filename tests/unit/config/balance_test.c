// SPDX-License-Identifier: BSD-2-Clause
/* The keys that say who gets a connection when: schedulers and their tables,
 * affinity, backups, drain, and what happens when too few can serve.
 */
#include "lib/base/array.h"
#include "lib/config/read.h"
#include "sluice/hash.h"
#include "unit/config/full.h"
#include "unit/config/rows.h"

/* A service of lines 1 to 4, a line 5, and backends in line 6. */
#define SERVICE(line, backends) WEB "  " line "\n  backends: [" backends "]\n"
#define ONE                     "{address: 10.0.0.1}"
#define TWO                     "{address: 10.0.0.1}, {address: 10.0.0.2}"

static void bad_values(void **state)
{
	static const struct row rows[] = {
		{ "seed: list", "hash_seed: [1]\n", "1:12", "hash_seed: a list is not a seed" },
		{ "seed: empty", "hash_seed:\n", "1:11", "hash_seed: has no value, wants a seed" },
		{ "seed: 65 bits", "hash_seed: 18446744073709551616\n", "1:12",
		  "\"18446744073709551616\" is not a seed; a number of 64 bits, decimal or like" },
		{ "seed: 17 digits", "hash_seed: 0x10000000000000000\n", "1:12", "is not a seed" },
		{ "seed: no digits", "hash_seed: 0x\n", "1:12", "is not a seed" },
		{ "seed: no digit", "hash_seed: 0x5eeg\n", "1:12", "is not a seed" },
		{ "seed: octal", "hash_seed: 010\n", "1:12", "is not a seed" },
		{ "seed: sign", "hash_seed: -1\n", "1:12", "is not a seed" },
		{ "seed: number and word", "hash_seed: 1st\n", "1:12", "begins with a letter" },
		{ "seed: long",
		  "hash_seed: a" /* 129 letters */
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
		  "1:12", "is not a seed" },
		{ "flows", "flows: 512k\n", "1:8", "\"512k\" is not flows; write a map" },
		{ "flows: unknown", "flows: {sise: 5k}\n", "1:9", "did you mean size?" },
		{ "flows: small", "flows: {size: 1023}\n", "1:15",
		  "flows.size: \"1023\" is not a count of flows; from 1024 to 67108864, like 500k" },
		{ "flows: large", "flows: {size: 67108865}\n", "1:15", "from 1024 to 67108864" },
		{ "flows: map", "flows: {size: {}}\n", "1:15", "a map is not a count of flows" },
		{ "tcp_idle: short", "flows: {tcp_idle: 999ms}\n", "1:19",
		  "flows.tcp_idle: \"999ms\" is not an idle time; from 1s to 24h, like 15m" },
		{ "tcp_idle: long", "flows: {tcp_idle: 86401s}\n", "1:19", "from 1s to 24h" },
		{ "tracked_idle: short", "flows: {tracked_idle: 999ms}\n", "1:23",
		  "flows.tracked_idle: \"999ms\" is not an idle time; from 1s to 24h, like 135m" },
		{ "tracked_idle: long", "flows: {tracked_idle: 86401s}\n", "1:23",
		  "from 1s to 24h" },
		{ "udp_idle: long", "flows: {udp_idle: 61m}\n", "1:19",
		  "flows.udp_idle: \"61m\" is not an idle time; from 1s to 1h, like 30s" },
		{ "scheduler: list", SERVICE("scheduler: [maglev]", ONE), "5:14",
		  "services.web.scheduler: a list is not a scheduler" },
		{ "affinity: word", SERVICE("affinity: client", ONE), "5:13",
		  "services.web.affinity: \"client\" is not a timeout; from 1s to 24h, like 30m" },
		{ "affinity: empty", SERVICE("affinity:", ONE), "5:12",
		  "services.web.affinity: has no value" },
		{ "affinity: short", SERVICE("affinity: 999ms", ONE), "5:13", "from 1s to 24h" },
		{ "affinity: long", SERVICE("affinity: {timeout: 25h}", ONE), "5:23",
		  "services.web.affinity.timeout: \"25h\" is not a timeout" },
		{ "affinity: no timeout", SERVICE("affinity: {prefix_v4: 24}", ONE), "5:13",
		  "services.web.affinity: an affinity needs the key timeout" },
		{ "affinity: /7", SERVICE("affinity: {timeout: 1m, prefix_v4: 7}", ONE), "5:38",
		  "services.web.affinity.prefix_v4: \"7\" is not a prefix of IPv4; a number from 8 to 32" },
		{ "affinity: /33", SERVICE("affinity: {timeout: 1m, prefix_v4: 33}", ONE), "5:38",
		  "a number from 8 to 32" },
		{ "affinity: /15", SERVICE("affinity: {timeout: 1m, prefix_v6: 15}", ONE), "5:38",
		  "\"15\" is not a prefix of IPv6; a number from 16 to 128" },
		{ "affinity: /129", SERVICE("affinity: {timeout: 1m, prefix_v6: 129}", ONE), "5:38",
		  "a number from 16 to 128" },
		{ "affinity: unknown", SERVICE("affinity: {timeout: 1m, prefix: 24}", ONE), "5:27",
		  "services.web.affinity.prefix: is not a key of this version" },
		{ "affinity: no name", SERVICE("affinity: {timeout: 1m, group: a b}", ONE), "5:34",
		  "services.web.affinity.group: \"a b\" is not a name" },
		{ "affinity: other prefixes in a group",
		  SERVICE("affinity: {timeout: 1m, group: g}",
			  ONE) "- {name: b, address: 198.51.100.10, port: 81, affinity: {timeout: 2m, group: g, prefix_v4: 24}, backends: [{address: 10.0.0.1, port: 81}]}\n",
		  "7:57",
		  "services.b.affinity: the service \"web\" (line 2) is of the group \"g\" too, with prefix_v4 32 and prefix_v6 128; services of a group need the same prefixes" },
		{ "on_all_down", SERVICE("on_all_down: panic", ONE), "5:16",
		  "services.web.on_all_down: \"panic\" is not an answer; write drop or reject or last-known or respond" },
		{ "on_all_down: respond on udp",
		  SERVICE("on_all_down: respond\n  protocol: udp", ONE), "5:16",
		  "services.web.on_all_down: the responder speaks HTTP over TCP, and this service is udp; write drop, reject or last-known" },
		{ "min_healthy: word", SERVICE("min_healthy: half", ONE), "5:16",
		  "services.web.min_healthy: \"half\" is not a count of backends; a number from 0 to 65536 or a share from 0% to 100%, like 2 or 50%" },
		{ "min_healthy: 101%", SERVICE("min_healthy: 101%", ONE), "5:16",
		  "\"101%\" is not a count of backends" },
		{ "min_healthy: 65537", SERVICE("min_healthy: 65537", ONE), "5:16",
		  "\"65537\" is not a count of backends" },
		{ "min_healthy: list", SERVICE("min_healthy: [1]", ONE), "5:16", "a list is not" },
		{ "slow_start: short", SERVICE("slow_start: 500ms", ONE), "5:15",
		  "services.web.slow_start: \"500ms\" is not a slow start; from 1s to 1h, like 30s" },
		{ "slow_start: long", SERVICE("slow_start: 61m", ONE), "5:15", "from 1s to 1h" },
		{ "backup: yes", WEB "  backends: [{address: 10.0.0.1, backup: yes}]\n", "5:42",
		  "services.web.backends[0].backup: \"yes\" is not true or false; write one of these" },
		{ "backup: list", WEB "  backends: [{address: 10.0.0.1, backup: []}]\n", "5:42",
		  "a list is not true or false" },
		{ "state", WEB "  backends: [{address: 10.0.0.1, state: down}]\n", "5:41",
		  "services.web.backends[0].state: \"down\" is not a state; write up or drain or disabled" },
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void what_contradicts_itself(void **state)
{
	static const struct row rows[] = {
		{ "table_size: round-robin",
		  WEB "  scheduler: round-robin\n  table_size: 257\n" BACKENDS, "6:3",
		  "services.web.table_size: round-robin has no hashed table; leave it out" },
		{ "table_size: least-connections",
		  WEB "  table_size: 257\n  scheduler: least-connections\n" BACKENDS, "5:3",
		  "services.web.table_size: least-connections has no hashed table; leave it out" },
		{ "all backups", WEB "  backends: [{address: 10.0.0.1, backup: true}]\n", "5:13",
		  "services.web.backends: all are backups, so none would ever stand in for another" },
		{ "min_healthy: 3 of 2", SERVICE("min_healthy: 3", TWO), "5:16",
		  "services.web.min_healthy: 3 can never be healthy: the service has 2 backends, backups left out; at most 2, or a share like 50%" },
		{ "min_healthy: a backup",
		  SERVICE("min_healthy: 2", ONE ", {address: 10.0.0.2, backup: true}"), "5:16",
		  "2 can never be healthy: the service has 1 backend, backups left out" },
		{ "min_healthy: of a family",
		  "services:\n- name: web\n  address: [198.51.100.10, '2001:db8::1']\n  port: 80\n"
		  "  min_healthy: 2\n  backends: [" TWO ", {address: '2001:db8::2'}]\n",
		  "5:16", "2 can never be healthy: the service has 1 IPv6 backend, backups left" },
		{ "turns",
		  SERVICE("scheduler: round-robin",
			  "{address: 10.0.0.1, weight: 65535}, {address: 10.0.0.2, weight: 2}"),
		  "5:14",
		  "services.web.scheduler: a round over the IPv4 backends by their weights takes 65537 turns (the sum of the weights divided by their greatest common divisor); at most 65536" },
		{ "turns of backups",
		  SERVICE("scheduler: round-robin",
			  ONE ", {address: 10.0.0.2, weight: 65535, backup: true},"
			      " {address: 10.0.0.3, weight: 65534, backup: true}"),
		  "5:14", "a round over the IPv4 backups by their weights takes 131069 turns" },
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void every_default(void **state)
{
	struct config *config = parse(SERVICE("protocol: tcp", ONE));
	const struct service_config *web = &config->services[0];

	(void)state;
	assert_true(config->hash_seed == SL_DEFAULT_HASH_SEED);
	assert_int_equal(config->flows.size, 524288);
	assert_int_equal(config->flows.tcp_idle_ms, 15 * 60 * 1000);
	assert_int_equal(config->flows.tracked_idle_ms, 135 * 60 * 1000);
	assert_int_equal(config->flows.udp_idle_ms, 30 * 1000);
	assert_int_equal(web->scheduler, SL_SCHEDULER_MAGLEV);
	assert_int_equal(web->affinity.timeout_ms, 0);
	assert_int_equal(web->affinity.prefix_v4, 32);
	assert_int_equal(web->affinity.prefix_v6, 128);
	assert_int_equal(web->on_all_down, ON_ALL_DOWN_DROP);
	assert_int_equal(web->min_healthy, 0);
	assert_false(web->min_healthy_percent);
	assert_int_equal(web->slow_start_ms, 0);
	assert_false(web->backends[0].backup);
	assert_int_equal(web->backends[0].admin_state, ADMIN_UP);
	config_free(config);

	config = parse("services: []\n");
	assert_true(config->hash_seed == SL_DEFAULT_HASH_SEED);
	assert_int_equal(config->flows.size, 524288);
	config_free(config);
}

static void every_key_is_read(void **state)
{
	struct config *config = parse(FULL);
	const struct service_config *web = &config->services[0];
	const struct service_config *dns = &config->services[1];

	(void)state;
	assert_true(config->hash_seed == 0xfeedfacecafe0001ULL);
	assert_int_equal(config->flows.size, 2000000);
	assert_int_equal(config->flows.tcp_idle_ms, 3600 * 1000);
	assert_int_equal(config->flows.tracked_idle_ms, 3 * 3600 * 1000);
	assert_int_equal(config->flows.udp_idle_ms, 1000);
	assert_int_equal(web->affinity.timeout_ms, 90 * 60 * 1000);
	assert_int_equal(web->affinity.prefix_v4, 24);
	assert_int_equal(web->affinity.prefix_v6, 64);
	assert_int_equal(web->on_all_down, ON_ALL_DOWN_REJECT);
	assert_int_equal(web->min_healthy, 100);
	assert_true(web->min_healthy_percent);
	assert_int_equal(web->slow_start_ms, 1500);
	assert_int_equal(web->backends[0].admin_state, ADMIN_UP);
	assert_int_equal(web->backends[1].admin_state, ADMIN_DRAIN);
	assert_false(web->backends[1].backup);
	assert_int_equal(web->backends[2].admin_state, ADMIN_DISABLED);
	assert_true(web->backends[2].backup);
	assert_int_equal(dns->scheduler, SL_SCHEDULER_RANDOM);
	assert_int_equal(dns->affinity.timeout_ms, 5000);
	assert_int_equal(dns->affinity.prefix_v4, 32);
	assert_int_equal(dns->affinity.prefix_v6, 128);
	assert_int_equal(dns->on_all_down, ON_ALL_DOWN_LAST_KNOWN);
	assert_int_equal(dns->min_healthy, 1);
	assert_false(dns->min_healthy_percent);
	assert_int_equal(config->services[2].scheduler, SL_SCHEDULER_ROUND_ROBIN);
	assert_int_equal(config->services[2].table_size, 5);
	assert_int_equal(config->services[3].scheduler, SL_SCHEDULER_LEAST_CONNECTIONS);
	assert_int_equal(config->services[3].table_size, 2);
	assert_int_equal(config->services[4].scheduler, SL_SCHEDULER_SOURCE_HASH);
	assert_int_equal(config->services[4].table_size, CONFIG_TABLE_SIZE_DEFAULT);
	config_free(config);
}

static void seeds(void **state)
{
	static const struct {
		const char *text;
		uint64_t seed;
	} rows[] = {
		{ "0", 0 },
		{ "18446744073709551615", UINT64_MAX },
		{ "0x0", 0 },
		{ "0x0000000000000010", 16 },
		{ "0xfFfFfFfFfFfFfFfF", UINT64_MAX },
		{ "\"7\"", 7 },
	};
	uint64_t expected;
	char text[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct config *config;

		(void)snprintf(text, sizeof(text), "hash_seed: %s\n", rows[i].text);
		config = parse(text);
		if (config->hash_seed != rows[i].seed)
			fail_msg("%s: %llx", rows[i].text, (unsigned long long)config->hash_seed);
		config_free(config);
	}
	/* The rule, written out for 9 bytes: "frankfurt". */
	expected = sl_hash_mix(9);
	expected = sl_hash_mix(expected ^ 0x7275666b6e617266ULL);
	expected = sl_hash_mix(expected ^ 0x74);
	assert_true(config_seed_of_text("frankfurt", 9) == expected);
	assert_true(config_seed_of_text("a", 1) != config_seed_of_text("a\0", 2));
}

/* What looks like a clash, and is none. */
static void what_can_be_configured(void **state)
{
	static const struct {
		const char *yaml;
		unsigned table_size;
	} rows[] = {
		{ SERVICE("min_healthy: 2", TWO), 65537 },
		{ SERVICE("min_healthy: 0%", TWO), 65537 },
		{ SERVICE("scheduler: random\n  table_size: 257", TWO), 257 },
		{ SERVICE("scheduler: source-hash\n  table_size: 257", TWO), 257 },
		/* rounds: nothing but weight 0; the divisor; the most; backups apart */
		{ SERVICE("scheduler: round-robin", "{address: 10.0.0.1, weight: 0}"), 1 },
		{ SERVICE("scheduler: round-robin",
			  "{address: 10.0.0.1, weight: 65535}, {address: 10.0.0.2, weight: 0}"),
		  1 },
		{ SERVICE("scheduler: round-robin",
			  "{address: 10.0.0.1, weight: 60000}, {address: 10.0.0.2, weight: 45000}"),
		  7 },
		{ SERVICE("scheduler: round-robin",
			  "{address: 10.0.0.1, weight: 65535}, {address: 10.0.0.2, weight: 1}"),
		  65536 },
		{ SERVICE("scheduler: round-robin",
			  "{address: 10.0.0.1, weight: 65535}, {address: 10.0.0.2, weight: 1}, "
			  "{address: 10.0.0.3, weight: 7, backup: true}"),
		  65536 },
		{ SERVICE("scheduler: round-robin", "{address: 10.0.0.1, weight: 65535}, "
						    "{address: 10.0.0.2, weight: 2, backup: true}, "
						    "{address: 10.0.0.3, weight: 3, backup: true}"),
		  5 },
		/* families apart; one that has nothing but backups */
		{ "services:\n- name: web\n  address: [198.51.100.10, '2001:db8::1']\n  port: 80\n"
		  "  scheduler: least-connections\n  min_healthy: 2\n  backends: [" TWO
		  ", {address: '2001:db8::2', backup: true}]\n",
		  2 },
		{ "services:\n- name: web\n  address: [198.51.100.10, '2001:db8::1']\n  port: 80\n"
		  "  scheduler: round-robin\n  backends: [{address: 10.0.0.1, weight: 65535}, "
		  "{address: '2001:db8::2', weight: 2}, {address: '2001:db8::3', weight: 3}]\n",
		  5 },
		/* nobody there to serve, and that is what is wanted */
		{ WEB "  backends: [{address: 10.0.0.1, state: disabled}]\n", 65537 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct config *config = parse(rows[i].yaml);

		if (config->services[0].table_size != rows[i].table_size)
			fail_msg("row %zu: %u slots", i, config->services[0].table_size);
		config_free(config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_values),    cmocka_unit_test(what_contradicts_itself),
		cmocka_unit_test(every_default), cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(seeds),         cmocka_unit_test(what_can_be_configured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
