// SPDX-License-Identifier: BSD-2-Clause
/* Configurations that are taken: what is in them, and every default. */
#include "lib/base/array.h"
#include "unit/config/full.h"

static void assert_ip(const struct ip *ip, const char *text)
{
	char buffer[ADDR_TEXT_SIZE];

	assert_string_equal(ip_format(ip, buffer), text);
}

static void every_default(void **state)
{
	struct config *config = parse("services: [{name: web, address: 198.51.100.10, port: 80,"
				      " backends: [{address: 10.0.0.1}]}]");
	const struct service_config *web = &config->services[0];

	(void)state;
	assert_int_equal(config->n_interfaces, 0);
	assert_int_equal(config->n_services, 1);
	assert_string_equal(web->name, "web");
	assert_int_equal(web->n_addresses, 1);
	assert_int_equal(web->port, htons(80));
	assert_int_equal(web->proto, IPPROTO_TCP);
	assert_int_equal(web->forward, SL_FORWARD_NAT);
	assert_int_equal(web->table_size, CONFIG_TABLE_SIZE_DEFAULT);
	assert_int_equal(web->line, 1);
	assert_int_equal(web->n_limits, 0);
	assert_int_equal(web->access.allow.n + web->access.deny.n, 0);
	assert_int_equal(web->check.type, CHECK_TCP);
	assert_int_equal(web->check.interval_ms, 2000);
	assert_int_equal(web->check.timeout_ms, 1000);
	assert_int_equal(web->check.rise, 2);
	assert_int_equal(web->check.fall, 3);
	assert_int_equal(web->check.jitter_percent, 10);
	assert_int_equal(web->check.port, 0);
	assert_string_equal(web->check.path, "/");
	assert_null(web->check.host);
	assert_int_equal(web->check.n_status, 1);
	assert_int_equal(web->check.status[0].first, 200);
	assert_int_equal(web->check.status[0].last, 299);
	assert_int_equal(web->n_backends, 1);
	assert_string_equal(web->backends[0].name, "10.0.0.1:80");
	assert_int_equal(web->backends[0].port, htons(80));
	assert_int_equal(web->backends[0].weight, 1);
	config_free(config);
}

static void interfaces_are_read(void **state)
{
	struct config *config = parse(FULL);

	(void)state;
	assert_int_equal(config->n_interfaces, 3);
	assert_string_equal(config->interfaces[0].name, "eth0");
	assert_int_equal(config->interfaces[0].mode, ATTACH_AUTO);
	assert_string_equal(config->interfaces[1].name, "eth1.100");
	assert_int_equal(config->interfaces[1].mode, ATTACH_NATIVE);
	assert_int_equal(config->interfaces[2].mode, ATTACH_GENERIC);
	config_free(config);
}

static void every_key_is_read(void **state)
{
	struct config *config = parse(FULL);
	const struct service_config *web = &config->services[0];

	(void)state;
	assert_int_equal(config->n_services, 5);
	assert_string_equal(web->name, "web.A_1");
	assert_int_equal(web->line, 6);
	assert_int_equal(web->n_addresses, 2);
	assert_ip(&web->addresses[0], "198.51.100.10");
	assert_ip(&web->addresses[1], "2001:db8::10");
	assert_int_equal(web->table_size, 257);
	assert_int_equal(web->n_backends, 3);
	assert_string_equal(web->backends[0].name, "web-1");
	assert_ip(&web->backends[0].ip, "10.0.0.11");
	assert_int_equal(web->backends[0].port, htons(8080));
	assert_int_equal(web->backends[0].weight, 65535);
	assert_int_equal(web->backends[0].line, 32);
	assert_string_equal(web->backends[1].name, "[2001:db8::11]:80");
	assert_int_equal(web->backends[1].port, htons(80));
	assert_int_equal(web->backends[1].weight, 0);
	assert_int_equal(web->backends[1].line, 33);
	config_free(config);
}

static void checks_are_read(void **state)
{
	struct config *config = parse(FULL);
	const struct check_config *http = &config->services[0].check;
	const struct check_config *tcp = &config->services[1].check;

	(void)state;
	assert_int_equal(http->type, CHECK_HTTP);
	assert_int_equal(http->interval_ms, 500);
	assert_int_equal(http->timeout_ms, 600 * 1000);
	assert_int_equal(http->rise, 1);
	assert_int_equal(http->fall, 100);
	assert_int_equal(http->jitter_percent, 0);
	assert_int_equal(http->port, htons(8081));
	assert_string_equal(http->path, "/a?b=c");
	assert_string_equal(http->host, "www:80");
	assert_int_equal(http->n_status, 2);
	assert_int_equal(http->status[0].first, 200);
	assert_int_equal(http->status[0].last, 299);
	assert_int_equal(http->status[1].first, 304);
	assert_int_equal(http->status[1].last, 304);

	/* The defaults, save what only http has. */
	assert_int_equal(tcp->type, CHECK_TCP);
	assert_int_equal(tcp->interval_ms, 3600 * 1000);
	assert_int_equal(tcp->timeout_ms, 1000);
	assert_int_equal(tcp->fall, 7);
	assert_string_equal(tcp->path, "/");
	assert_null(tcp->host);
	assert_int_equal(tcp->n_status, 1);
	assert_int_equal(tcp->status[0].first, 200);
	config_free(config);
}

/* What type a check gets: its own, else the defaults', else the protocol's. */
static void types_of_checks(void **state)
{
	static const struct {
		const char *defaults, *protocol, *check;
		enum check_type type;
	} rows[] = {
		{ "", "tcp", "", CHECK_TCP },
		{ "", "udp", "", CHECK_NONE },
		{ "", "udp", "check: {interval: 3s}, ", CHECK_NONE },
		{ "", "udp", "check: {type: tcp}, ", CHECK_TCP },
		{ "", "tcp", "check: none, ", CHECK_NONE },
		{ "", "tcp", "check: http, ", CHECK_HTTP },
		{ "", "tcp", "check: {}, ", CHECK_TCP },
		{ "defaults: {check: {interval: 3s}}\n", "udp", "", CHECK_NONE },
		{ "defaults: {check: {path: /x}}\n", "tcp", "", CHECK_TCP },
		{ "defaults: {check: http}\n", "tcp", "", CHECK_HTTP },
		{ "defaults: {check: {type: http, path: /x}}\n", "udp", "", CHECK_HTTP },
		{ "defaults: {check: http}\n", "tcp", "check: tcp, ", CHECK_TCP },
		{ "defaults: {check: http}\n", "tcp", "check: {path: /x}, ", CHECK_HTTP },
		{ "defaults: {check: none}\n", "tcp", "", CHECK_NONE },
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct config *config;

		(void)snprintf(
			text, sizeof(text),
			"%sservices: [{name: a, address: 198.51.100.1, port: 1, protocol: %s, "
			"%sbackends: [{address: 10.0.0.1}]}]",
			rows[i].defaults, rows[i].protocol, rows[i].check);
		config = parse(text);
		if (config->services[0].check.type != rows[i].type)
			fail_msg("row %zu: %s", i, text);
		config_free(config);
	}
}

/* Nothing is not a configuration: the file was lost, or cut. */
static void empty_files(void **state)
{
	static const char *const rows[] = {
		"", "\n", "# nothing\n", "---\n", "---\n...\n", "\xef\xbb\xbf# a byte order mark\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct config *config = NULL;
		struct diag diag = {};

		assert_int_equal(config_parse(rows[i], strlen(rows[i]), "f.yaml", &diag, &config),
				 -EINVAL);
		assert_null(config);
		assert_string_equal(diag.file, "f.yaml");
		assert_int_equal(diag.line, 1);
		assert_non_null(strstr(diag.text, "is empty"));
	}
}

static void files_without_services(void **state)
{
	static const char *const rows[] = {
		"%YAML 1.1\n---\nservices: []\n",
		"services: []\n",
		"services:\n",
		"interfaces:\nservices:\ndefaults:\n",
		"defaults: {}\n",
		"defaults: {check: {}}\n",
		"{}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct config *config = parse(rows[i]);

		assert_int_equal(config->n_services, 0);
		assert_int_equal(config->n_interfaces, 0);
		assert_null(config_find_service(config, "web"));
		config_free(config);
	}
	config_free(NULL);
}

/* What looks like a clash, and is none. */
static void what_can_be_configured(void **state)
{
	static const char *const rows[] = {
		/* one address, other port or protocol */
		"services:\n"
		"- {name: a, address: 198.51.100.1, port: 53, backends: [{address: 10.0.0.1}]}\n"
		"- {name: b, address: 198.51.100.1, port: 54, backends: [{address: 10.0.0.2}]}\n"
		"- {name: c, address: 198.51.100.1, port: 53, protocol: udp, backends: [{address: 10.0.0.1}]}\n",
		/* nat and dsr share a server; so do two of dsr */
		"services:\n"
		"- {name: a, address: 198.51.100.1, port: 80, backends: [{address: 10.0.0.1}]}\n"
		"- {name: b, address: 198.51.100.2, port: 80, forward: dsr, backends: [{address: 10.0.0.1}]}\n"
		"- {name: c, address: 198.51.100.3, port: 80, forward: dsr, backends: [{address: 10.0.0.1}]}\n",
		/* two ports of one server; names that others use for theirs */
		"services:\n"
		"- {name: a, address: 198.51.100.1, port: 80, backends: [{name: a, address: 10.0.0.1, port: 1},"
		" {name: b, address: 10.0.0.1, port: 2}]}\n"
		"- {name: b, address: 198.51.100.2, port: 80, backends: [{name: a, address: 10.0.0.1, port: 3}]}\n",
		/* so do nat, dsr and ipip; several addresses of a family */
		"services:\n"
		"- {name: a, address: 198.51.100.1, port: 80, backends: [{address: 10.0.0.1}]}\n"
		"- {name: b, address: [198.51.100.2, 198.51.100.3], port: 80, forward: ipip,\n"
		"   backends: [{address: 10.0.0.1, port: 80}]}\n"
		"- {name: c, address: 198.51.100.4, port: 80, forward: dsr, backends: [{address: 10.0.0.1}]}\n",
		"ipip:\n",
		"ipip: {}\n",
		"ipip: {source_v4: 10.0.0.0/8, source_v6: '2001::/16'}\n",
		"ipip: {source_v4: 10.0.0.1, source_v6: '2001::1'}\n",
		/* dsr: several addresses of a family, the port written out */
		"services:\n"
		"- {name: a, address: [198.51.100.1, 198.51.100.2], port: 80, forward: dsr,"
		" backends: [{address: 10.0.0.1, port: 80}]}\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		config_free(parse(rows[i]));
}

static void services_are_found_by_name(void **state)
{
	struct config *config = parse(FULL);

	(void)state;
	assert_ptr_equal(config_find_service(config, "web.A_1"), &config->services[0]);
	assert_ptr_equal(config_find_service(config, "dns"), &config->services[1]);
	assert_null(config_find_service(config, "web"));
	assert_null(config_find_service(config, ""));
	config_free(config);
}

static void words_come_back(void **state)
{
	(void)state;
	assert_string_equal(config_proto_name(IPPROTO_TCP), "tcp");
	assert_string_equal(config_proto_name(IPPROTO_UDP), "udp");
	assert_string_equal(config_forward_name(SL_FORWARD_NAT), "nat");
	assert_string_equal(config_forward_name(SL_FORWARD_DSR), "dsr");
	assert_string_equal(config_forward_name(SL_FORWARD_IPIP), "ipip");
	assert_string_equal(config_check_name(CHECK_NONE), "none");
	assert_string_equal(config_check_name(CHECK_TCP), "tcp");
	assert_string_equal(config_check_name(CHECK_HTTP), "http");
	assert_string_equal(config_mode_name(ATTACH_AUTO), "auto");
	assert_string_equal(config_mode_name(ATTACH_NATIVE), "native");
	assert_string_equal(config_mode_name(ATTACH_GENERIC), "generic");
	assert_string_equal(config_scheduler_name(SL_SCHEDULER_MAGLEV), "maglev");
	assert_string_equal(config_scheduler_name(SL_SCHEDULER_SOURCE_HASH), "source-hash");
	assert_string_equal(config_scheduler_name(SL_SCHEDULER_ROUND_ROBIN), "round-robin");
	assert_string_equal(config_scheduler_name(SL_SCHEDULER_LEAST_CONNECTIONS),
			    "least-connections");
	assert_string_equal(config_scheduler_name(SL_SCHEDULER_RANDOM), "random");
	assert_string_equal(config_on_all_down_name(ON_ALL_DOWN_DROP), "drop");
	assert_string_equal(config_on_all_down_name(ON_ALL_DOWN_REJECT), "reject");
	assert_string_equal(config_on_all_down_name(ON_ALL_DOWN_LAST_KNOWN), "last-known");
	assert_string_equal(config_on_all_down_name(ON_ALL_DOWN_RESPOND), "respond");
	assert_string_equal(config_count_name(SL_COUNT_PACKETS), "packets");
	assert_string_equal(config_count_name(SL_COUNT_BYTES), "bytes");
	assert_string_equal(config_count_name(SL_COUNT_CONNECTIONS), "connections");
	assert_string_equal(config_algorithm_name(SL_ALGORITHM_TOKEN_BUCKET), "token-bucket");
	assert_string_equal(config_algorithm_name(SL_ALGORITHM_FIXED_WINDOW), "fixed-window");
	assert_string_equal(config_algorithm_name(SL_ALGORITHM_SLIDING_WINDOW), "sliding-window");
	assert_string_equal(config_action_name(SL_ACTION_DROP), "drop");
	assert_string_equal(config_action_name(SL_ACTION_REJECT), "reject");
	assert_string_equal(config_action_name(SL_ACTION_RESPOND), "respond");
	assert_string_equal(config_admin_state_name(ADMIN_UP), "up");
	assert_string_equal(config_admin_state_name(ADMIN_DRAIN), "drain");
	assert_string_equal(config_admin_state_name(ADMIN_DISABLED), "disabled");
	assert_string_equal(config_proto_name(0), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_default),
		cmocka_unit_test(interfaces_are_read),
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(checks_are_read),
		cmocka_unit_test(types_of_checks),
		cmocka_unit_test(empty_files),
		cmocka_unit_test(files_without_services),
		cmocka_unit_test(what_can_be_configured),
		cmocka_unit_test(services_are_found_by_name),
		cmocka_unit_test(words_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
