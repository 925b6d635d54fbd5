// SPDX-License-Identifier: BSD-2-Clause
/* Settings that each look fine and cannot all be granted; and too many of them. */
#include "unit/config/rows.h"

/* A service in one line. */
#define S(name, rest) "- {name: " name ", " rest "}\n"
#define B(backends)   "backends: [" backends "]"
#define VIP           "address: 198.51.100.10, port: 80, "
#define VIP2          "address: 198.51.100.11, port: 80, "

static void what_contradicts_itself(void **state)
{
	static const struct row rows[] = {
		{ "name twice",
		  "services:\n" S("a", VIP B("{address: 10.0.0.1}")) S(
			  "b", VIP2 B("{address: 10.0.0.2}"))
			  S("a", "address: 198.51.100.12, port: 80, " B("{address: 10.0.0.3}")),
		  "4:10", "services.a.name: the service in line 2 has this name too" },
		{ "endpoint twice",
		  "services:\n" S("a", VIP B("{address: 10.0.0.1}"))
			  S("b", VIP B("{address: 10.0.0.2}")),
		  "3:22",
		  "services.b.address: 198.51.100.10:80/tcp is already the service \"a\" (line 2)" },
		{ "the earliest of three",
		  "services:\n" S("c", VIP B("{address: 10.0.0.1}"))
			  S("b", VIP B("{address: 10.0.0.2}")) S("a", VIP B("{address: 10.0.0.3}")),
		  "3:22", "services.b.address: 198.51.100.10:80/tcp is already the service \"c\"" },
		{ "endpoint twice, in a list",
		  "services:\n" S("a", VIP B("{address: 10.0.0.1}")) S(
			  "b", "forward: dsr, address: [198.51.100.9, 198.51.100.10], port: 80, " B(
				       "{address: 10.0.0.2}")),
		  "3:51", "services.b.address[1]: 198.51.100.10:80/tcp is already" },
		{ "address twice",
		  "services:\n" S("a", "address: [198.51.100.10, 198.51.100.10], port: 80, " B(
					       "{address: 10.0.0.1}")),
		  "2:38", "services.a.address[1]: \"198.51.100.10\" stands there twice" },
		{ "backend's name twice",
		  "services:\n" S(
			  "a", VIP B("{address: 10.0.0.1, name: x}, {address: 10.0.0.2, name: x}")),
		  "2:114",
		  "services.a.backends[1].name: the backend 10.0.0.1:80 (line 2) is called \"x\" too" },
		{ "backend twice",
		  "services:\n" S(
			  "a", VIP B("{address: 10.0.0.1, name: x}, {address: 10.0.0.1, name: y}")),
		  "2:98",
		  "services.a.backends[1].address: 10.0.0.1:80 is already the backend \"x\" (line 2); to" },
		{ "backend twice, unnamed",
		  "services:\n" S("a", VIP B("{address: 10.0.0.1}, {address: 10.0.0.1}")), "2:89",
		  "services.a.backends[1].address: 10.0.0.1:80 is already the backend \"10.0.0.1:80\" (line 2)" },
		{ "dsr with another port",
		  "services:\n" S("a", VIP "forward: dsr, " B("{address: 10.0.0.1, port: 8080}")),
		  "2:98",
		  "services.a.backends[0].port: 8080 is not the service's port 80; dsr does not change ports" },
		{ "ipip with another port",
		  "services:\n" S("a", VIP "forward: ipip, " B("{address: 10.0.0.1, port: 8080}")),
		  "2:99",
		  "services.a.backends[0].port: 8080 is not the service's port 80; ipip does not change ports" },
		{ "ipip to the other family",
		  "services:\n" S("a", VIP "forward: ipip, " B(
					       "{address: 10.0.0.1}, {address: \"2001:db8::1\"}")),
		  "2:104", "\"2001:db8::1\" is IPv6, and the service has no IPv6 address" },
		{ "backend of no family",
		  "services:\n" S("a", VIP B("{address: 10.0.0.1}, {address: \"2001:db8::1\"}")),
		  "2:89", "\"2001:db8::1\" is IPv6, and the service has no IPv6 address" },
		{ "family without backend",
		  "services:\n" S("a", "address: [198.51.100.10, \"2001:db8::1\"], port: 80, " B(
					       "{address: 10.0.0.1}")),
		  "2:38",
		  "services.a.address[1]: \"2001:db8::1\" is IPv6, and the service has no IPv6 backend" },
		{ "backend is the service",
		  "services:\n" S("a", VIP B("{address: 198.51.100.10, port: 8080}")), "2:68",
		  "services.a.backends[0].address: \"198.51.100.10\" is the address of the service itself" },
		{ "backend is another service",
		  "services:\n" S("a", VIP B("{address: 198.51.100.11}"))
			  S("b", VIP2 B("{address: 10.0.0.1}")),
		  "2:68", "198.51.100.11:80/tcp is the service \"b\" (line 3), not a server" },
		{ "nat: shared backend",
		  "services:\n" S("a", VIP B("{address: 10.0.0.1}"))
			  S("b", VIP2 B("{address: 10.0.0.1}")),
		  "3:68",
		  "services.b.backends[0].address: 10.0.0.1:80/tcp is a backend of the nat service \"a\" too (line 2); the way back" },
		{ "nat: two of a family",
		  "services:\n" S("a", "address: [198.51.100.10, 198.51.100.11], port: 80, " B(
					       "{address: 10.0.0.1}")),
		  "2:38",
		  "services.a.address[1]: a nat service has one IPv4 address, and this one has 198.51.100.10: the way back" },
	};

	(void)state;
	CHECK_ROWS(rows);
}

/* A file of one service with n backends, the caller's to free. */
static char *many_backends(const char *keys, unsigned n)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	assert_non_null(file);
	(void)fprintf(file, WEB "%s  backends:\n", keys);
	for (unsigned i = 0; i < n; i++)
		(void)fprintf(file, "  - address: 10.%u.%u.%u\n", i >> 16, (i >> 8) & 255, i & 255);
	assert_int_equal(fclose(file), 0);
	return text;
}

static void too_many(void **state)
{
	struct row rows[] = {
		{ "too many backends", many_backends("", CONFIG_BACKENDS_MAX + 1), "6:3",
		  "65537 backends are too many; at most 65536" },
		{ "too few slots", many_backends("  table_size: 257\n", 258), "5:15",
		  "257 slots are too few for 258 backends; better 65537" },
		{ "too many addresses", WEB, "3:12", "1 to 16 addresses" },
		{ "too many services", NULL, "1:11", "16385 services are too many; at most 16384" },
	};
	char *text = calloc(1, 64 * 1024);
	size_t i;

	(void)state;
	assert_non_null(text);
	rows[2].yaml =
		"services:\n- name: web\n  address: [10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,"
		"10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,"
		"10.0.0.1,10.0.0.1,10.0.0.1]\n";
	rows[3].yaml = text;
	(void)strcpy(text, "services: [");
	for (i = 0; i <= CONFIG_SERVICES_MAX; i++)
		(void)strcpy(text + 11 + 3 * i, "{},");
	(void)strcpy(text + 11 + 3 * i, "]");
	CHECK_ROWS(rows);
	free((char *)rows[0].yaml);
	free((char *)rows[1].yaml);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_contradicts_itself),
		cmocka_unit_test(too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
