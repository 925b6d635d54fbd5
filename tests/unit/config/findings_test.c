// SPDX-License-Identifier: BSD-2-Clause
/* All that is wrong with a file at once, warnings, and the words of other balancers. */
#include "unit/config/rows.h"

#define FOUND_SIZE 4096

static void free_list(struct diag_list *list)
{
	diag_list_done(list);
}

/* "ok" or "refused", and a line for each finding. */
static void find(const char *yaml, char found[static FOUND_SIZE])
{
	__attribute__((cleanup(free_list))) struct diag_list list = {};
	struct diag diag = { .list = &list };
	struct config *config = NULL;
	int error = config_parse(yaml, strlen(yaml), "f.yaml", &diag, &config);
	size_t used = (size_t)snprintf(found, FOUND_SIZE, "%s\n", error ? "refused" : "ok");

	assert_true(error == 0 || error == -EINVAL);
	assert_int_equal(error == 0, list.n_errors == 0);
	if (error) {
		assert_string_equal(diag.text, diag_list_error(&list)->text);
		assert_int_equal(diag.line, diag_list_error(&list)->line);
	}
	for (size_t i = 0; i < list.n && used < FOUND_SIZE; i++)
		used += (size_t)snprintf(found + used, FOUND_SIZE - used, "%u:%u: %s%s\n",
					 list.items[i].diag.line, list.items[i].diag.column,
					 list.items[i].warning ? "warning: " : "",
					 list.items[i].diag.text);
	config_free(config);
}

/* cmocka would cut the texts. */
static void assert_found(const char *found, const char *wanted)
{
	if (strcmp(found, wanted) != 0)
		(void)fprintf(stderr, "found:\n%s\nwanted:\n%s\n", found, wanted);
	assert_int_equal(strcmp(found, wanted), 0);
}

static void all_errors_are_told_at_once(void **state)
{
	char found[FOUND_SIZE];

	(void)state;
	find("hash_seed: [1]\n"
	     "services:\n"
	     "- name: web\n"
	     "  address: 198.51.100.10\n"
	     "  port: 80800\n"
	     "  scheduler: rr\n"
	     "  chekc: tcp\n"
	     "  limit: [{rate: fast}, {rate: 1/s, per: all}]\n"
	     "  deny: [10.0.0.0/8, ten, {file: /nonexistent}]\n"
	     "  backends: [{address: ten}, {address: 10.0.0.1, weight: -1}]\n"
	     "- name: a\n"
	     "  address: 198.51.100.10\n"
	     "  port: 80\n"
	     "  forward: dsr\n"
	     "  backends: [{address: 10.0.0.2, port: 81}, {address: \"2001:db8::1\"}]\n"
	     "- {name: a, address: 198.51.100.10, port: 80, backends: [{address: 10.0.0.3}]}\n"
	     "- {name: b, address: 198.51.100.10, port: 80, backends: [{address: 10.0.0.3}]}\n",
	     found);
	assert_found(
		found,
		"refused\n"
		"1:12: hash_seed: a list is not a seed; a number of 64 bits, decimal or like "
		"0x5eed, or a text of up to 128 bytes that begins with a letter, or {file: "
		"PATH}\n"
		"5:9: services.web.port: \"80800\" is not a port; a number from 1 to 65535\n"
		"6:14: services.web.scheduler: \"rr\" is not a scheduler; write maglev or "
		"source-hash or round-robin or least-connections or random; did you mean "
		"round-robin?\n"
		"7:3: services.web.chekc: is not a key of this version; did you mean check?\n"
		"8:18: services.web.limit[0].rate: \"fast\" is not a rate; a number per s, min or "
		"h, like 1000/s, 10k/s or 60/min\n"
		"8:42: services.web.limit[1].per: \"all\" is not what a limit can be for; write "
		"source or service\n"
		"9:22: services.web.deny[1]: \"ten\" is not a prefix; write one like "
		"192.0.2.0/24, 2001:db8::/32, an address, or {file: PATH}\n"
		"9:34: services.web.deny[2].file: \"/nonexistent\" cannot be read: No such file "
		"or directory\n"
		"10:24: services.web.backends[0].address: \"ten\" is not an address; an IPv4 or "
		"IPv6 address alone, like 198.51.100.10 or 2001:db8::10\n"
		"10:58: services.web.backends[1].weight: \"-1\" is not a weight; a number from 0 "
		"to 65535\n"
		"15:40: services.a.backends[0].port: 81 is not the service's port 80; dsr does "
		"not change ports: write 80, or forward: nat\n"
		"15:55: services.a.backends[1].address: \"2001:db8::1\" is IPv6, and the service "
		"has no IPv6 address\n"
		"16:10: services.a.name: the service in line 11 has this name too; each needs its "
		"own\n"
		"16:22: services.a.address: 198.51.100.10:80/tcp is already the service \"a\" "
		"(line 11); one address, port and protocol is one service\n"
		"17:22: services.b.address: 198.51.100.10:80/tcp is already the service \"a\" "
		"(line 16); one address, port and protocol is one service\n"
		"17:68: services.b.backends[0].address: 10.0.0.3:80/tcp is a backend of the nat "
		"service \"a\" too (line 16); the way back is found by the backend's address and "
		"port without per-flow state, and leads to one service: let the server listen on "
		"another port for this one, or use dsr or ipip\n");
}

static void a_mistyped_key_is_not_missing_too(void **state)
{
	char found[FOUND_SIZE];

	(void)state;
	find("services: [{name: web, adress: 10.9.0.1, port: 80}]\n", found);
	assert_string_equal(found, "refused\n1:24: services.web.adress: is not a key of this "
				   "version; did you mean address?\n");
	find("services: [{name: web}]\n", found);
	assert_string_equal(found, "refused\n"
				   "1:12: services.web: a service needs the key address\n"
				   "1:12: services.web: a service needs the key port\n"
				   "1:12: services.web: a service needs the key backends\n");
}

/* More than a list holds, of both kinds. */
static void a_list_is_bounded(void **state)
{
	__attribute__((cleanup(free_list))) struct diag_list list = {};
	struct diag diag = { .list = &list };
	char yaml[16384] = "deny: [";
	struct config *config = NULL;

	(void)state;
	for (int i = 0; i < 2 * DIAG_LIST_MAX; i++)
		strcat(yaml, "x, ");
	strcat(yaml, "x]\n");
	assert_int_equal(config_parse(yaml, strlen(yaml), "f.yaml", &diag, &config), -EINVAL);
	assert_int_equal(list.n, DIAG_LIST_MAX);
	assert_true(list.cut);
	assert_int_equal(diag.column, 8); /* the first of them */
}

static void a_byte_order_mark_is_taken(void **state)
{
	char found[FOUND_SIZE];

	(void)state;
	find("\xef\xbb\xbf" WEB BACKENDS, found);
	assert_string_equal(found, "ok\n");
	find("\xef\xbb\xbf", found);
	assert_non_null(strstr(found, "refused\n1:1: is empty"));
	find("\xef\xbb\xbfservice: []\n", found);
	assert_string_equal(
		found,
		"refused\n1:1: service: is not a key of this version; did you mean services?\n");
	find("services: []\n\xef\xbb\xbf# caf\xe9\n", found);
	assert_non_null(strstr(found, "2:9: not text in UTF-8"));
	find("\xef\xbb", found);
	assert_non_null(strstr(found, "1:1: not text in UTF-8"));
}

/* A service over UDP on a port of its own, with further keys. */
#define UDP(name, port, keys)                                                             \
	"- {name: " name ", address: 198.51.100.10, port: " port ", protocol: udp, " keys \
	"backends: [{address: 10.0.0.1}]}\n"
#define OWN_UDP                                                                             \
	"datagrams that a backend sends from its service's port count as replies, its own " \
	"questions (DNS, NTP, SIP) too; that is so in "

/* What a valid file is warned of: "" for nothing. */
static void warnings(void **state)
{
	static const struct {
		const char *yaml, *found;
	} rows[] = {
		{ WEB BACKENDS, "" },
		{ WEB
		  "  backends: [{address: 10.0.0.1, weight: 0}, {address: 10.0.0.2, weight: 0}]\n",
		  "5:13: warning: services.web.backends: all weights are 0, so the service takes "
		  "no new connections\n" },
		{ WEB "  backends: [{address: 10.0.0.1, weight: 0}, {address: 10.0.0.2}]\n", "" },
		{ WEB
		  "  backends: [{address: 10.0.0.1, state: drain}, {address: 10.0.0.2, state: disabled}]\n",
		  "5:13: warning: services.web.backends: all backends are drained or disabled, so "
		  "the service takes no new connections\n" },
		{ WEB
		  "  backends: [{address: 10.0.0.1, state: drain}, {address: 10.0.0.2, weight: 0}]\n",
		  "5:13: warning: services.web.backends: each backend is drained, disabled or of "
		  "weight 0, so the service takes no new connections\n" },
		{ "deny: [0.0.0.0/0]\n",
		  "1:7: warning: deny: 0.0.0.0/0 denies every IPv4 source, and allow has none\n" },
		{ "deny: [192.0.2.0/24, \"::/0\"]\n",
		  "1:7: warning: deny: ::/0 denies every IPv6 source, and allow has none\n" },
		{ "allow: [192.0.2.0/24]\ndeny: [0.0.0.0/0]\n", "" },
		{ WEB "  deny: [0.0.0.0/0]\n" BACKENDS,
		  "5:9: warning: services.web.deny: 0.0.0.0/0 denies every IPv4 source, and allow "
		  "has none\n" },
		{ WEB "  limit: {rate: 1/s, exempt: [0.0.0.0/0]}\n" BACKENDS,
		  "5:30: warning: services.web.limit.exempt: 0.0.0.0/0 exempts every IPv4 source "
		  "from the limit\n" },
		{ WEB "  check: {interval: 500ms}\n" BACKENDS,
		  "5:10: warning: services.web.check: the timeout of 1000 ms is longer than the "
		  "interval of 500 ms, so a backend that does not answer is checked less often "
		  "than the interval says\n" },
		{ WEB "  check: {interval: 1s, timeout: 1s}\n" BACKENDS, "" },
		{ WEB "  check: {type: none, interval: 500ms}\n" BACKENDS, "" },
		{ "defaults: {check: {timeout: 3s}}\n" WEB BACKENDS
		  "- {name: b, address: 198.51.100.10, port: 81, backends: [{address: 10.0.0.3}]}\n",
		  "1:29: warning: defaults.check.timeout: the timeout of 3000 ms is longer than "
		  "the interval of 2000 ms, so a backend that does not answer is checked less "
		  "often than the interval says\n" },
		{ "defaults: {check: {timeout: 3s}}\n", "" },
		{ WEB BACKENDS UDP("a", "53", "") UDP("b", "54", "scheduler: source-hash, "),
		  "6:57: warning: services.a.protocol: " OWN_UDP
		  "a, b; sluice.yaml(5), nat, has the cures\n" },
		{ "services:\n" UDP("a", "1", "") UDP("b", "2", "") UDP("c", "3", "")
			  UDP("d", "4", "") UDP("e", "5", ""),
		  "2:56: warning: services.a.protocol: " OWN_UDP
		  "a, b, c and 2 more; sluice.yaml(5), nat, has the cures\n" },
		{ WEB BACKENDS UDP("a", "53", "scheduler: round-robin, ")
			  UDP("b", "54", "affinity: 1m, ") UDP("c", "55", "forward: dsr, "),
		  "" },
	};
	char found[FOUND_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		find(rows[i].yaml, found);
		assert_memory_equal(found, "ok\n", 3);
		assert_string_equal(found + 3, rows[i].found);
	}
}

/* Warnings stand beside errors, in the order of the file. */
static void warnings_beside_errors(void **state)
{
	char found[FOUND_SIZE];

	(void)state;
	find("deny: [0.0.0.0/0]\ninterfaces: [{name: 3 3}]\n"
	     "services:\n"
	     "- {name: b, address: 198.51.100.10, port: 81, backends: [{address: 10.0.0.3, weight: 0}]}\n"
	     "- {name: c, address: 198.51.100.10, port: x, backends: [{address: 10.0.0.3, weight: 0}]}\n",
	     found);
	assert_non_null(strstr(found, "refused\n1:7: warning: deny"));
	assert_non_null(strstr(found, "\n2:21: interfaces"));
	assert_non_null(strstr(found, "\n4:57: warning: services.b.backends: all weights"));
	assert_non_null(strstr(found, "\n5:43: services.c.port"));
	assert_null(strstr(found, "services.c.backends")); /* its other keys may be wrong */
}

static void words_of_other_balancers(void **state)
{
	static const struct row rows[] = {
		{ "rr", WEB "  scheduler: rr\n" BACKENDS, "5:14", "did you mean round-robin?" },
		{ "wrr", WEB "  scheduler: wrr\n" BACKENDS, "5:14", "did you mean round-robin?" },
		{ "lc", WEB "  scheduler: lc\n" BACKENDS, "5:14",
		  "did you mean least-connections?" },
		{ "wlc", WEB "  scheduler: wlc\n" BACKENDS, "5:14",
		  "did you mean least-connections?" },
		{ "leastconn", WEB "  scheduler: leastconn\n" BACKENDS, "5:14",
		  "did you mean least-connections?" },
		{ "sh", WEB "  scheduler: sh\n" BACKENDS, "5:14", "did you mean source-hash?" },
		{ "source", WEB "  scheduler: source\n" BACKENDS, "5:14",
		  "did you mean source-hash?" },
		{ "mh", WEB "  scheduler: mh\n" BACKENDS, "5:14", "did you mean maglev?" },
		{ "capitals", WEB "  scheduler: Maglev\n" BACKENDS, "5:14",
		  "did you mean maglev?" },
		{ "roundrobin", WEB "  scheduler: roundrobin\n" BACKENDS, "5:14",
		  "did you mean round-robin?" },
		{ "dr", WEB "  forward: dr\n" BACKENDS, "5:12", "did you mean dsr?" },
		{ "DR", WEB "  forward: DR\n" BACKENDS, "5:12", "did you mean dsr?" },
		{ "tunnel", WEB "  forward: tunnel\n" BACKENDS, "5:12", "did you mean ipip?" },
		{ "TUN", WEB "  forward: TUN\n" BACKENDS, "5:12", "did you mean ipip?" },
		{ "masq", WEB "  forward: masq\n" BACKENDS, "5:12", "did you mean nat?" },
		{ "HTTP", WEB "  check: HTTP\n" BACKENDS, "5:10", "did you mean http?" },
		{ "vip", "services: [{name: web, vip: 10.9.0.1}]\n", "1:24",
		  "did you mean address?" },
		{ "balance", WEB "  balance: source\n" BACKENDS, "5:3", "did you mean scheduler?" },
		{ "lb_algo", WEB "  lb_algo: rr\n" BACKENDS, "5:3", "did you mean scheduler?" },
		{ "lb_kind", WEB "  lb_kind: DR\n" BACKENDS, "5:3", "did you mean forward?" },
		{ "servers", WEB "  servers: []\n" BACKENDS, "5:3", "did you mean backends?" },
		{ "persistence", WEB "  persistence_timeout: 300\n" BACKENDS, "5:3",
		  "did you mean affinity?" },
		{ "delay_loop", WEB "  check: {delay_loop: 6}\n" BACKENDS, "5:11",
		  "did you mean interval?" },
		{ "skb", "interfaces: [{name: eth0, mode: skb}]\n", "1:33",
		  "did you mean generic?" },
		{ "a word that is no key there", "vip: 1\n", "1:1", "a configuration has: " },
	};

	(void)state;
	CHECK_ROWS(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_errors_are_told_at_once),
		cmocka_unit_test(a_mistyped_key_is_not_missing_too),
		cmocka_unit_test(a_list_is_bounded),
		cmocka_unit_test(a_byte_order_mark_is_taken),
		cmocka_unit_test(warnings),
		cmocka_unit_test(warnings_beside_errors),
		cmocka_unit_test(words_of_other_balancers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
