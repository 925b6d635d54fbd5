// SPDX-License-Identifier: BSD-2-Clause
/* Text, keys and values that must be refused. */
#include "unit/config/rows.h"

static void text_that_is_no_plain_yaml(void **state)
{
	static const struct row rows[] = {
		{ "a tab", "services:\n\t- name: web\n", "2:1",
		  "a tab stands where only spaces may" },
		{ "a tab after an umlaut", "# \xc3\xbc\xc3\xbc\nservices:\n\t- name: web\n", "3:1",
		  "a tab stands" },
		{ "an open list", "services: [\n", "2:1", "not YAML: did not find expected node" },
		{ "an open quote", "services: \"abc\n", "2:1", "that began in line 1" },
		{ "bad indentation", "services:\n  - name: web\n address: x\n", "3:2",
		  "not YAML: did not find expected key" },
		{ "no UTF-8", "services: \xff\n", "1:11", "not text in UTF-8" },
		{ "no UTF-8 in line 2", "#\n# caf\xe9\n", "2:6", "not text in UTF-8" },
		{ "UTF-16", "\xff\xfes\0e\0", "1:1", "not text in UTF-8" },
		{ "a control character", "services: \x01\n", "1:11", "control characters" },
		{ "an escaped NUL", "services: \"a\\0b\"\n", "1:11", "NUL" },
		{ "an anchor", "services: &a []\n", "1:11", "anchors (&name) are not taken" },
		{ "an anchored text", "services: &a x\n", "1:11", "anchors" },
		{ "an anchored map", "services: &a {}\n", "1:11", "anchors" },
		{ "an alias", "services: *a\n", "1:11", "aliases (*name) are not taken" },
		{ "a tag", "services: !!seq []\n", "1:11", "tags (!name) are not taken" },
		{ "two documents", "services: []\n---\nservices: []\n", "2:1",
		  "a second document starts here" },
		{ "a map as key", "{{a: b}: c}\n", "1:2", "cannot be a key" },
		{ "a list as key", "? [a]\n: b\n", "1:3", "cannot be a key" },
		{ "depth", "a: [[[[[[[[[[[[[[[[[[[[\n", "1:19", "nested deeper than 16" },
		{ "depth by indentation", "- - - - - - - - - - - - - - - - - - a\n", "1:33",
		  "nested deeper than 16" },
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void keys_and_kinds(void **state)
{
	static const struct row rows[] = {
		{ "a list", "- a\n", "1:1", "a list is not a configuration" },
		{ "a text", "hello\n", "1:1", "\"hello\" is not a configuration" },
		{ "unknown", "service: []\n", "1:1",
		  "service: is not a key of this version; did you mean services?" },
		{ "unknown, far off", "logging: {}\n", "1:1",
		  "logging: is not a key of this version; a configuration has: hash_seed, flows, limiter, ipip, unserved, allow, deny, defaults, interfaces, services" },
		{ "unknown and hostile", "\"a\\e[31m\\n\": 1\n", "1:1",
		  "a\\x1b[31m\\x0a: is not a key" },
		{ "twice", "services: []\ninterfaces: []\nservices: []\n", "3:1",
		  "services: stands there twice, first in line 1" },
		{ "twice inside", WEB "  port: 81\n" BACKENDS, "5:3",
		  "services.web.port: stands there twice, first in line 4" },
		{ "a map of services", "services: {web: {port: 80}}\n", "1:11",
		  "services: a map is not a list of services" },
		{ "a text for services", "services: web\n", "1:11",
		  "\"web\" is not a list of services" },
		{ "a text for a service", "services: [web]\n", "1:12",
		  "services[0]: \"web\" is not a service; write a map" },
		{ "an empty service", "services:\n-\n", "2:2", "services[0]: has no value" },
		{ "no name", "services:\n- {port: 80}\n", "2:3",
		  "services[0]: a service needs the key name" },
		{ "no address", "services:\n- name: web\n", "2:3",
		  "services.web: a service needs the key address" },
		{ "no port", "services: [{name: web, address: 10.0.0.1}]\n", "1:12",
		  "needs the key port" },
		{ "no backends", WEB, "2:3", "services.web: a service needs the key backends" },
		{ "misspelt", WEB "  chekc: tcp\n" BACKENDS, "5:3", "did you mean check?" },
		{ "two letters swapped", "services: [{name: web, prot: 80}]\n", "1:24",
		  "did you mean port?" },
		{ "a merge key", WEB "  <<: {}\n" BACKENDS, "5:3",
		  "services.web.<<: is not a key" },
		{ "defaults", "defaults: {limit: {}}\n", "1:12",
		  "defaults.limit: is not a key of this version; defaults has: check" },
		{ "defaults as list", "defaults: []\n", "1:11", "a list is not defaults" },
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void interfaces(void **state)
{
	static const struct row rows[] = {
		{ "no list", "interfaces: eth0\n", "1:13", "\"eth0\" is not a list of interfaces" },
		{ "too long", "interfaces: [abcdefghijklmnop]\n", "1:14",
		  "is not an interface's name" },
		{ "a slash", "interfaces: [{name: a/b}]\n", "1:21",
		  "\"a/b\" is not an interface's name" },
		{ "a space", "interfaces: [a b]\n", "1:14", "without spaces" },
		{ "dots", "interfaces: [..]\n", "1:14", "is not an interface's name" },
		{ "empty", "interfaces: [\"\"]\n", "1:14", "interfaces[0]: has no value" },
		{ "twice", "interfaces: [eth0, {name: eth1}, {name: eth0}]\n", "1:34",
		  "interfaces.eth0: the interface eth0 is listed twice" },
		{ "mode", "interfaces: [{name: eth0, mode: offload}]\n", "1:33",
		  "interfaces.eth0.mode: \"offload\" is not a mode; write auto or native or generic" },
		{ "no name", "interfaces: [{mode: auto}]\n", "1:14", "needs the key name" },
		{ "a list", "interfaces: [[eth0]]\n", "1:14", "a list is not an interface" },
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void values_of_a_service(void **state)
{
	static const struct row rows[] = {
		{ "name", "services: [{name: -web}]\n", "1:19", "\"-web\" is not a name" },
		{ "name, too long",
		  "services: [{name: a23456789012345678901234567890123456789012345678901234567890123x}]\n",
		  "1:19", "...\" is not a name; 1 to 63" },
		{ "name with space", "services: [{name: a b}]\n", "1:19", "is not a name" },
		{ "name: a list", "services: [{name: []}]\n", "1:19",
		  "services[0].name: a list is not a name" },
		{ "address", "services: [{name: web, address: 10.0.0.300}]\n", "1:33",
		  "services.web.address: \"10.0.0.300\" is not an address; an IPv4 or IPv6 address" },
		{ "address: name", "services: [{name: web, address: [10.0.0.1, www]}]\n", "1:44",
		  "services.web.address[1]: \"www\" is not an address" },
		{ "address: none", "services: [{name: web, address: []}]\n", "1:33",
		  "1 to 16 addresses" },
		{ "address: mapped", "services: [{name: web, address: \"::ffff:10.0.0.1\"}]\n",
		  "1:33", "write it as 10.0.0.1" },
		{ "address: unspecified", "services: [{name: web, address: 0.0.0.0}]\n", "1:33",
		  "\"0.0.0.0\" is an unspecified, multicast or broadcast address" },
		{ "address: multicast", "services: [{name: web, address: 224.0.0.1}]\n", "1:33",
		  "multicast or broadcast" },
		{ "address: broadcast", "services: [{name: web, address: 255.255.255.255}]\n",
		  "1:33", "multicast or broadcast" },
		{ "address: multicast 6", "services: [{name: web, address: \"ff02::1\"}]\n", "1:33",
		  "multicast or broadcast" },
		{ "address: loopback", "services: [{name: web, address: 127.1.2.3}]\n", "1:33",
		  "is a loopback address; write one that other machines can reach" },
		{ "address: loopback 6", "services: [{name: web, address: \"::1\"}]\n", "1:33",
		  "is a loopback address; write one that other machines can reach" },
		{ "address: link-local", "services: [{name: web, address: \"fe80::1\"}]\n", "1:33",
		  "\"fe80::1\" is a link-local address" },
		{ "port", "services: [{name: web, address: 10.0.0.1, port: 80800}]\n", "1:49",
		  "services.web.port: \"80800\" is not a port; a number from 1 to 65535" },
		{ "port 0", "services: [{name: web, address: 10.0.0.1, port: 0}]\n", "1:49",
		  "is not a port" },
		{ "port: octal", "services: [{name: web, address: 10.0.0.1, port: 080}]\n", "1:49",
		  "is not a port" },
		{ "port: any", "services: [{name: web, address: 10.0.0.1, port: any}]\n", "1:49",
		  "this version has neither" },
		{ "port: range", "services: [{name: web, address: 10.0.0.1, port: 80-90}]\n",
		  "1:49", "this version has neither" },
		{ "port: none", "services: [{name: web, address: 10.0.0.1, port: }]\n", "1:49",
		  "services.web.port: has no value, wants a port" },
		{ "protocol", WEB "  protocol: sctp\n" BACKENDS, "5:13",
		  "services.web.protocol: \"sctp\" is not a protocol; write tcp or udp" },
		{ "scheduler", WEB "  scheduler: magleb\n" BACKENDS, "5:14",
		  "\"magleb\" is not a scheduler; write maglev or source-hash or round-robin or "
		  "least-connections or random" },
		{ "forward", WEB "  forward: snat\n" BACKENDS, "5:12", "write nat or dsr or ipip" },
		{ "later: forward", WEB "  forward: gue\n" BACKENDS, "5:12",
		  "services.web.forward: this version does not have \"gue\"; write nat or dsr or ipip" },
		{ "table_size: no prime", WEB "  table_size: 65536\n" BACKENDS, "5:15",
		  "65536 is not a prime; the next one is 65537" },
		{ "table_size: small", WEB "  table_size: 251\n" BACKENDS, "5:15",
		  "a number from 257 to 16777213" },
		{ "table_size: large", WEB "  table_size: 16777259\n" BACKENDS, "5:15",
		  "a number from 257 to 16777213" },
		{ "backends: none", WEB "  backends: []\n", "5:13", "needs 1 backend or more" },
		{ "backends: null", WEB "  backends:\n", "5:12", "needs 1 backend or more" },
		{ "backends: map", WEB "  backends: {a: b}\n", "5:13",
		  "a map is not a list of backends" },
		{ "backend: text", WEB "  backends: [10.0.0.1]\n", "5:14",
		  "services.web.backends[0]: \"10.0.0.1\" is not a backend" },
		{ "backend: address", WEB "  backends: [{port: 80}]\n", "5:14",
		  "a backend needs the key address" },
		{ "backend: no address",
		  WEB "  backends:\n  - address: 10.0.0.1\n  - address: web-2\n", "7:14",
		  "services.web.backends[1].address: \"web-2\" is not an address" },
		{ "backend: port",
		  WEB "  backends:\n  - address: 10.0.0.1\n  - {address: 10.0.0.2, port: 80800}\n",
		  "7:31",
		  "services.web.backends[1].port: \"80800\" is not a port; a number from 1 to 65535" },
		{ "backend: name", WEB "  backends: [{address: 10.0.0.1, name: \"\"}]\n", "5:40",
		  "services.web.backends[0].name: has no value" },
		{ "backend: weight", WEB "  backends: [{address: 10.0.0.1, weight: 65536}]\n",
		  "5:42", "\"65536\" is not a weight; a number from 0 to 65535" },
		{ "backend: weight -1", WEB "  backends: [{address: 10.0.0.1, weight: -1}]\n",
		  "5:42", "\"-1\" is not a weight" },
		{ "backend: loopback", WEB "  backends: [{address: 127.0.0.1}]\n", "5:24",
		  "is a loopback address; write one that other machines can reach" },
	};

	(void)state;
	CHECK_ROWS(rows);
}

#define CHECK(keys) WEB "  check: {" keys "}\n" BACKENDS

static void values_of_check(void **state)
{
	static const struct row rows[] = {
		{ "check: word", WEB "  check: ping\n" BACKENDS, "5:10",
		  "\"ping\" is not a check; write none or tcp or http" },
		{ "check: empty", WEB "  check:\n" BACKENDS, "5:9",
		  "services.web.check: has no value" },
		{ "check: list", WEB "  check: [tcp]\n" BACKENDS, "5:10", "a list is not a check" },
		{ "later: type", CHECK("type: https"), "5:17", "does not have \"https\"" },
		{ "interval", CHECK("interval: 2"), "5:21",
		  "\"2\" is not an interval; from 100ms to 1h, like 2s" },
		{ "interval: short", CHECK("interval: 99ms"), "5:21", "100ms to 1h" },
		{ "interval: long", CHECK("interval: 3601s"), "5:21", "100ms to 1h" },
		{ "timeout: short", CHECK("timeout: 9ms"), "5:20", "10ms to 10m" },
		{ "timeout: long", CHECK("timeout: 11m"), "5:20", "10ms to 10m" },
		{ "rise", CHECK("rise: 0"), "5:17", "a number from 1 to 100" },
		{ "fall", CHECK("fall: 101"), "5:17", "a number from 1 to 100" },
		{ "jitter", CHECK("jitter: 51%"), "5:19", "0% to 50%" },
		{ "jitter: no %", CHECK("jitter: 10"), "5:19", "like 10%" },
		{ "check: port", CHECK("port: any"), "5:17",
		  "services.web.check.port: \"any\" is not a port" },
		{ "path", CHECK("type: http, path: health"), "5:29", "\"health\" is not a path" },
		{ "path: injection", CHECK("type: http, path: \"/a\\r\\nX: y\""), "5:29",
		  "\"/a\\x0d\\x0aX: y\" is not a path" },
		{ "path: space", CHECK("type: http, path: /a b"), "5:29", "no space" },
		{ "path: not ASCII", CHECK("type: http, path: /\xc3\xbc"), "5:29", "ASCII" },
		{ "path: fragment", CHECK("type: http, path: \"/a#b\""), "5:29", "no #" },
		{ "host: injection", CHECK("type: http, host: \"a\\nb\""), "5:29",
		  "is not a host" },
		{ "host: space", CHECK("type: http, host: a b"), "5:29", "is not a host" },
		{ "host: empty", CHECK("type: http, host: \"\""), "5:29",
		  "has no value, wants a host" },
		{ "status", CHECK("type: http, status: OK"), "5:31",
		  "\"OK\" is not an HTTP status" },
		{ "status: backwards", CHECK("type: http, status: 299-200"), "5:31",
		  "is not an HTTP status" },
		{ "status: 600", CHECK("type: http, status: [200, 200-600]"), "5:37",
		  "services.web.check.status[1]: \"200-600\"" },
		{ "status: 99", CHECK("type: http, status: 99"), "5:31", "from 100 to 599" },
		{ "status: open", CHECK("type: http, status: 200-"), "5:31",
		  "is not an HTTP status" },
		{ "status: none", CHECK("type: http, status: []"), "5:31", "has 1 to 8 of them" },
		{ "status: nine",
		  CHECK("type: http, status: [200,201,202,203,204,205,206,207,208]"), "5:31",
		  "has 1 to 8 of them" },
		{ "path on tcp", CHECK("path: /health"), "5:11",
		  "services.web.check.path: is for http checks alone; write type: http" },
		{ "host on tcp", CHECK("type: tcp, host: a"), "5:22", "is for http checks alone" },
		{ "status on none", CHECK("type: none, status: 200"), "5:23",
		  "is for http checks alone" },
		{ "path on default tcp", "defaults: {check: {type: tcp, path: /}}\n", "1:31",
		  "defaults.check.path: is for http checks alone" },
		{ "default interval", "defaults: {check: {interval: 1d}}\n", "1:30",
		  "defaults.check.interval: \"1d\"" },
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void files_that_cannot_be_read(void **state)
{
	struct config *config = NULL;
	struct diag diag = {};

	(void)state;
	assert_int_equal(config_load("examples/no-such.yaml", &diag, &config), -ENOENT);
	assert_string_equal(diag.file, "examples/no-such.yaml");
	assert_string_equal(diag.text, "cannot be read: No such file or directory");
	assert_int_equal(config_load("/dev/zero", &diag, &config), -ENOTSUP);
	assert_string_equal(diag.text, "is not a regular file");
	assert_int_equal(config_load("/", NULL, &config), -EISDIR);
	assert_int_equal(config_parse("x", 1, "f.yaml", NULL, &config), -EINVAL);
	assert_null(config);
}

static void files_that_are_too_large(void **state)
{
	char path[] = "/tmp/sluice-large-XXXXXX";
	struct config *config = NULL;
	struct diag diag = {};
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (64L << 20) + 1), 0);
	assert_int_equal(config_load(path, &diag, &config), -EFBIG);
	assert_string_equal(diag.text, "is larger than 64 MiB; no configuration is");
	(void)close(fd);
	(void)unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_that_is_no_plain_yaml),
		cmocka_unit_test(keys_and_kinds),
		cmocka_unit_test(interfaces),
		cmocka_unit_test(values_of_a_service),
		cmocka_unit_test(values_of_check),
		cmocka_unit_test(files_that_cannot_be_read),
		cmocka_unit_test(files_that_are_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
