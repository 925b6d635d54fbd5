// SPDX-License-Identifier: BSD-2-Clause
/* What is written is read back as the same: the examples, a file that says
 * everything, and random ones. And it is fit for people.
 */
#include "lib/base/array.h"
#include "lib/config/write.h"

#include <glob.h>

#include "lib/config/edit.h"
#include "unit/config/equal.h"
#include "unit/config/full.h"
#include "unit/config/random_config.h"

#define RANDOM_SEED 0x51075ULL
#define N_RANDOM    500
#define N_CHANGES   3000

/* Written, read, compared, and written again: the same text. */
static void assert_round_trip_as(const struct config *config, const char *name)
{
	struct config *again;
	char *first = NULL;
	char *second = NULL;

	assert_int_equal(config_write(config, &first), 0);
	again = parse_as(first, name);
	if (!config_equal(config, again))
		fail_msg("not the same:\n%s", first);
	assert_int_equal(config_write(again, &second), 0);
	assert_string_equal(first, second);
	config_free(again);
	free(first);
	free(second);
}

static void assert_round_trip(const struct config *config)
{
	assert_round_trip_as(config, "f.yaml");
}

static void the_full_file_comes_back(void **state)
{
	struct config *config = parse(FULL);

	(void)state;
	assert_round_trip(config);
	config_free(config);
}

static void the_examples_come_back(void **state)
{
	glob_t found = {};

	(void)state;
	assert_int_equal(glob("examples/*.yaml", 0, NULL, &found), 0);
	assert_true(found.gl_pathc >= 6);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct config *config = NULL;

		assert_int_equal(config_load(found.gl_pathv[i], NULL, &config), 0);
		assert_round_trip_as(config, found.gl_pathv[i]);
		config_free(config);
	}
	globfree(&found);
}

static void random_ones_come_back(void **state)
{
	size_t n_services = 0;

	(void)state;
	print_message("random configurations from seed %#llx on\n", RANDOM_SEED);
	for (size_t i = 0; i < N_RANDOM; i++) {
		char *text = random_config(RANDOM_SEED + i);
		struct config *config = NULL;
		struct diag diag = {};

		assert_non_null(text);
		if (config_parse(text, strlen(text), "f.yaml", &diag, &config) != 0)
			fail_msg("%u:%u: %s\n%s", diag.line, diag.column, diag.text, text);
		assert_round_trip(config);
		n_services += config->n_services;
		config_free(config);
		free(text);
	}
	assert_true(n_services > N_RANDOM); /* they were about something */
}

/* Whatever may happen to a backend, much of which is against the rules. */
static struct config_change random_change(const struct config *config, uint64_t *state)
{
	static const char *const addresses[] = { "10.0.0.0", "2001:db8::" };
	static const unsigned weights[] = { 0, 1, 3, 64, 65535, 65536 };
	const struct service_config *service =
		&config->services[random_below(state, (unsigned)config->n_services)];
	const struct backend_config *backend =
		&service->backends[random_below(state, (unsigned)service->n_backends)];
	struct config_change change = {
		.kind = random_below(state, 4),
		.weight = weights[random_below(state, 6)],
		.admin_state = random_below(state, 3),
		.backup = random_below(state, 2),
		.port = random_below(state, 2) ? htons(80) : 0,
	};

	(void)strcpy(change.service, service->name);
	if (change.kind != CHANGE_ADD)
		(void)strcpy(change.backend, backend->name);
	assert_int_equal(ip_parse(addresses[random_below(state, 2)], &change.ip), 0);
	change.ip.addr.bytes[14] = (__u8)random_below(state, 2);
	change.ip.addr.bytes[15] = (__u8)random_below(state, 16);
	return change;
}

/* Changed at run time again and again, it is still a file that would be taken. */
static void changed_ones_come_back(void **state)
{
	struct config *config = parse(FULL);
	uint64_t random = RANDOM_SEED;
	size_t n_taken = 0;

	(void)state;
	for (size_t i = 0; i < N_CHANGES; i++) {
		struct config_change change = random_change(config, &random);
		struct config *next = NULL;

		if (config_apply_change(config, &change, NULL, &next) != 0)
			continue;
		n_taken++;
		config_free(config);
		config = next;
		assert_round_trip(config);
	}
	assert_in_range(n_taken, N_CHANGES / 4, N_CHANGES * 3 / 4);
	config_free(config);
}

static void it_is_fit_for_people(void **state)
{
	static const struct {
		const char *yaml, *written;
	} rows[] = {
		{ "{}", "{}\n" },
		{ "interfaces: [{name: eth0, mode: auto}]\nservices: []\nflows: {size: 524288}\n",
		  "interfaces:\n- eth0\n" },
		/* every default written out, and none of them comes back */
		{ "hash_seed: 0x736c756963653031\n"
		  "flows: {size: 524288, tcp_idle: 15m, tracked_idle: 135m, udp_idle: 30s}\n"
		  "limiter: {buckets: 131072, gate: 65536, inserts: 50k/s, answers: 10000/s,\n"
		  "  events: 100/s}\n"
		  "ipip: {source_v4: 172.16.0.0/16, source_v6: '0100::/64'}\n"
		  "unserved: drop\n"
		  "deny: []\n"
		  "services:\n"
		  "- name: web\n"
		  "  address: [198.51.100.10]\n"
		  "  port: 80\n"
		  "  protocol: tcp\n"
		  "  scheduler: maglev\n"
		  "  forward: nat\n"
		  "  on_all_down: drop\n"
		  "  min_healthy: 0%\n"
		  "  table_size: 65537\n"
		  "  check: {type: tcp, interval: 2s, timeout: 1s, rise: 2, fall: 3, jitter: 10%}\n"
		  "  limit: {rate: 5k/s, burst: 5k, count: packets, algorithm: token-bucket,\n"
		  "    per: source, prefix_v4: 32, prefix_v6: 64, action: drop, dry_run: false,\n"
		  "    under_pressure: admit, exempt: []}\n"
		  "  deny: []\n"
		  "  respond: {x_headers: false, retry_after: 5s}\n"
		  "  backends:\n"
		  "  - {address: 10.0.0.1, port: 80, weight: 1, backup: false,"
		  " state: up}\n",
		  "services:\n"
		  "- name: web\n"
		  "  address: 198.51.100.10\n"
		  "  port: 80\n"
		  "  limit: {rate: 5k/s}\n"
		  "  backends:\n"
		  "  - {address: 10.0.0.1}\n" },
		/* none of the defaults */
		{ "hash_seed: 10\n"
		  "flows: {size: 1000000, tcp_idle: 7200s, tracked_idle: 3h, udp_idle: 1500ms}\n"
		  "limiter: {buckets: 1000000, gate: 1024, inserts: 1/s, answers: 2000/s, events: 1M/s}\n"
		  "ipip: {source_v4: 10.0.0.1, source_v6: '2001:DB8::/32'}\n"
		  "unserved: pass\n"
		  "deny: [{file: examples/deny.txt}, 10.0.0.0/8]\n"
		  "allow: ['::/0']\n"
		  "defaults: {check: http}\n"
		  "services:\n"
		  "- name: web\n"
		  "  address: [198.51.100.10, '2001:DB8::10']\n"
		  "  port: 80\n"
		  "  scheduler: random\n"
		  "  affinity: {timeout: 30m, prefix_v6: 64}\n"
		  "  forward: ipip\n"
		  "  on_all_down: last-known\n"
		  "  min_healthy: 50%\n"
		  "  slow_start: 90s\n"
		  "  table_size: 1021\n"
		  "  limit: [{rate: 10/s, burst: 1500}, {rate: 8Mbit/s, burst: 1M, count: bytes,\n"
		  "    per: service, action: reject, dry_run: true},\n"
		  "    {rate: 1k/h, count: connections, algorithm: sliding-window, prefix_v4: 24,\n"
		  "    prefix_v6: 48, action: respond, under_pressure: refuse,\n"
		  "    exempt: [{file: examples/deny.txt}, 10.0.0.1/32, '2001:DB8::/32']}]\n"
		  "  allow: [0.0.0.0/0]\n"
		  "  deny: [10.0.0.0/8]\n"
		  "  respond: {retry_after: 60s, x_headers: true, content_type: text/html,\n"
		  "    body: \"it's\\nslow\\n\"}\n"
		  "  backends:\n"
		  "  - {name: a, address: 10.0.0.1, weight: 5, state: drain}\n"
		  "  - {address: '2001:db8::1', backup: true}\n"
		  "- {name: dns, address: 198.51.100.11, port: 53, protocol: udp,\n"
		  "   check: {type: tcp, fall: 1}, affinity: 1h, backends: [{address: 10.0.0.3}]}\n",
		  "hash_seed: 0x000000000000000a\n"
		  "flows: {size: 1M, tcp_idle: 2h, tracked_idle: 3h, udp_idle: 1500ms}\n"
		  "limiter: {buckets: 1M, gate: 1024, inserts: 1/s, answers: 2k/s, events: 1M/s}\n"
		  "ipip: {source_v4: 10.0.0.1/32, source_v6: '2001:db8::/32'}\n"
		  "unserved: pass\n"
		  "allow: ['::/0']\n"
		  "deny: [10.0.0.0/8, {file: examples/deny.txt}]\n"
		  "services:\n"
		  "- name: web\n"
		  "  address: [198.51.100.10, '2001:db8::10']\n"
		  "  port: 80\n"
		  "  scheduler: random\n"
		  "  affinity: {timeout: 30m, prefix_v6: 64}\n"
		  "  forward: ipip\n"
		  "  on_all_down: last-known\n"
		  "  min_healthy: 50%\n"
		  "  slow_start: 90s\n"
		  "  table_size: 1021\n"
		  "  check: http\n"
		  "  limit:\n"
		  "  - {rate: 10/s, burst: 1500}\n"
		  "  - {rate: 8Mbit/s, count: bytes, per: service, action: reject, dry_run: true}\n"
		  "  - {rate: 1k/h, count: connections, algorithm: sliding-window, prefix_v4: 24, "
		  "prefix_v6: 48, action: respond, under_pressure: refuse, exempt: [10.0.0.1, "
		  "'2001:db8::/32', {file: examples/deny.txt}]}\n"
		  "  allow: [0.0.0.0/0]\n"
		  "  deny: [10.0.0.0/8]\n"
		  "  respond: {body: \"it's\\nslow\\n\", content_type: text/html, x_headers: true, "
		  "retry_after: 1m}\n"
		  "  backends:\n"
		  "  - {name: a, address: 10.0.0.1, weight: 5, state: drain}\n"
		  "  - {address: '2001:db8::1', backup: true}\n"
		  "- name: dns\n"
		  "  address: 198.51.100.11\n"
		  "  port: 53\n"
		  "  protocol: udp\n"
		  "  affinity: 1h\n"
		  "  check: {type: tcp, fall: 1}\n"
		  "  backends:\n"
		  "  - {address: 10.0.0.3}\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct config *config = parse(rows[i].yaml);
		char *text = NULL;

		assert_int_equal(config_write(config, &text), 0);
		assert_string_equal(text, rows[i].written);
		free(text);
		config_free(config);
	}
}

/* A value as long as values get stays in one line, whole. */
static void long_values_stay_whole(void **state)
{
	char path[1025], text[1400];
	struct config *config;

	(void)state;
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = 0;
	(void)snprintf(text, sizeof(text),
		       "services: [{name: a, address: 198.51.100.1, port: 1, check: {type: http, "
		       "path: %s}, backends: [{address: 10.0.0.1}]}]",
		       path);
	config = parse(text);
	assert_string_equal(config->services[0].check.path, path);
	assert_round_trip(config);
	config_free(config);
}

/* Bodies of any text that the file can hold. */
static void bodies_come_back(void **state)
{
	static const char *const bodies[] = {
		"",
		" ",
		"\n",
		"\n\n a\n",
		"a\r\nb\tc",
		"'",
		"\"\\",
		"# no",
		"a: b",
		"- a",
		"~",
		"null",
		"{}",
		"[",
		"}",
		",",
		"&a",
		"\xc3\xbc\n",
		"\xe2\x82\xac",
		"\x01\x1f\x7f",
		"%",
		"---",
		"...\n",
		"\xc2\x85",
		"\xe2\x80\xa8",
		"\xef\xbb\xbf",
		"\xf0\x9f\x98\x80",
		" a ",
		"a \n b",
	};
	struct config *config;
	char most[CONFIG_BODY_MAX + 1];

	(void)state;
	memset(most, '\n', sizeof(most));
	most[CONFIG_BODY_MAX] = 0;
	for (size_t i = 0; i <= ARRAY_SIZE(bodies); i++) {
		config = parse("services: [{name: a, address: 198.51.100.1, port: 1, "
			       "respond: {body: x}, backends: [{address: 10.0.0.1}]}]");
		free(config->services[0].respond.body);
		config->services[0].respond.body =
			strdup(i < ARRAY_SIZE(bodies) ? bodies[i] : most);
		assert_round_trip(config);
		config_free(config);
	}
}

/* A long list has a line for each. */
static void long_lists_are_laid_out(void **state)
{
	struct config *config =
		parse("deny: [1.0.0.0/8, 2.0.0.0/8, 3.0.0.0/8, 4.0.0.0/8, 5.0.0.0/8,"
		      " 6.0.0.0/8, 7.0.0.0/8, 8.0.0.0/8, {file: examples/deny.txt}]");
	char *text = NULL;

	(void)state;
	assert_int_equal(config_write(config, &text), 0);
	assert_string_equal(text, "deny:\n- 1.0.0.0/8\n- 2.0.0.0/8\n- 3.0.0.0/8\n- 4.0.0.0/8\n"
				  "- 5.0.0.0/8\n- 6.0.0.0/8\n- 7.0.0.0/8\n- 8.0.0.0/8\n"
				  "- {file: examples/deny.txt}\n");
	free(text);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_full_file_comes_back),
		cmocka_unit_test(the_examples_come_back),
		cmocka_unit_test(random_ones_come_back),
		cmocka_unit_test(changed_ones_come_back),
		cmocka_unit_test(it_is_fit_for_people),
		cmocka_unit_test(long_values_stay_whole),
		cmocka_unit_test(bodies_come_back),
		cmocka_unit_test(long_lists_are_laid_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
