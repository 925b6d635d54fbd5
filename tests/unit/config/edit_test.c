// SPDX-License-Identifier: BSD-2-Clause
/* Changes at run time: what comes of them is what a file that says so gives,
 * and what a file would be refused for is refused in words.
 */
#include "lib/base/array.h"
#include "lib/config/edit.h"

#include "unit/config/equal.h"
#include "unit/config/full.h"

static const char base[] =
	"services:\n"
	"- name: web\n"
	"  address: [198.51.100.10, '2001:db8::10']\n"
	"  port: 80\n"
	"  min_healthy: 2\n"
	"  limit: {rate: 5/s}\n"
	"  check: {type: http, host: h}\n"
	"  backends:\n"
	"  - {name: a, address: 10.0.0.1, weight: 2}\n"
	"  - {name: b, address: 10.0.0.2, backup: true}\n"
	"  - {address: 10.0.0.3, port: 8080}\n"
	"  - {name: six, address: '2001:db8::1'}\n"
	"  - {name: seven, address: '2001:db8::2'}\n"
	"- {name: one, address: 198.51.100.11, port: 80, forward: dsr, backends: [{address: 10.0.0.9}]}\n"
	"- {name: turns, address: 198.51.100.12, port: 80, scheduler: round-robin,\n"
	"   backends: [{name: a, address: 10.0.1.1}, {name: b, address: 10.0.1.2}]}\n"
	"- {name: small, address: 198.51.100.13, port: 80, table_size: 257,\n"
	"   backends: [{name: first, address: 10.0.2.1}, {name: spare, address: 10.0.2.2, backup: true}]}\n";

static struct ip ip_of(const char *text)
{
	struct ip ip = {};

	assert_int_equal(ip_parse(text, &ip), 0);
	return ip;
}

#define ADD(service_, backend_, address_, weight_, ...)                           \
	&(struct config_change)                                                   \
	{                                                                         \
		.kind = CHANGE_ADD, .service = (service_), .backend = (backend_), \
		.ip = ip_of(address_), .weight = (weight_), __VA_ARGS__           \
	}
#define CHANGE(kind_, service_, backend_, ...)                                             \
	&(struct config_change)                                                            \
	{                                                                                  \
		.kind = (kind_), .service = (service_), .backend = (backend_), __VA_ARGS__ \
	}

/* The change, and base with one text in place of another (each once). */
struct good {
	const struct config_change *change;
	const char *old, *new;
};

static struct config *parse_with(const char *old, const char *new)
{
	return parse_changed(base, old, new);
}

static void a_change_gives_what_the_file_would(void **state)
{
	static const char last[] = "  - {name: seven, address: '2001:db8::2'}\n";
	const struct good rows[] = {
		{ CHANGE(CHANGE_WEIGHT, "web", "a", .weight = 65535), "weight: 2",
		  "weight: 65535" },
		{ CHANGE(CHANGE_WEIGHT, "web", "a", .weight = 0), "weight: 2", "weight: 0" },
		{ CHANGE(CHANGE_ADMIN_STATE, "web", "a", .admin_state = ADMIN_DRAIN), "weight: 2",
		  "weight: 2, state: drain" },
		{ CHANGE(CHANGE_ADMIN_STATE, "web", "10.0.0.3:8080", .admin_state = ADMIN_DISABLED),
		  "port: 8080", "port: 8080, state: disabled" },
		{ CHANGE(CHANGE_ADMIN_STATE, "one", "10.0.0.9:80", .admin_state = ADMIN_UP),
		  "10.0.0.9", "10.0.0.9" },
		{ CHANGE(CHANGE_REMOVE, "web", "b"),
		  "  - {name: b, address: 10.0.0.2, backup: true}\n", "" },
		{ CHANGE(CHANGE_REMOVE, "turns", "a"), "{name: a, address: 10.0.1.1}, ", "" },
		{ CHANGE(CHANGE_WEIGHT, "turns", "b", .weight = 5), "10.0.1.2",
		  "10.0.1.2, weight: 5" },
		{ ADD("web", "new", "10.0.0.5", 7, .port = htons(81), .backup = true,
		      .admin_state = ADMIN_DRAIN),
		  last,
		  "  - {name: seven, address: '2001:db8::2'}\n"
		  "  - {name: new, address: 10.0.0.5, port: 81, weight: 7, backup: true, state: drain}\n" },
		{ ADD("web", "", "2001:db8::3", 1, .port = htons(81)), last,
		  "  - {name: seven, address: '2001:db8::2'}\n"
		  "  - {address: '2001:db8::3', port: 81}\n" },
		{ ADD("web", "[2001:db8::3]:81", "2001:db8::3", 1, .port = htons(81)), last,
		  "  - {name: seven, address: '2001:db8::2'}\n"
		  "  - {address: '2001:db8::3', port: 81}\n" },
		/* the server of another service that is dsr */
		{ ADD("web", "", "10.0.0.9", 1), last,
		  "  - {name: seven, address: '2001:db8::2'}\n  - {address: 10.0.0.9}\n" },
		{ ADD("turns", "c", "10.0.1.3", 4), "address: 10.0.1.2}",
		  "address: 10.0.1.2}, {name: c, address: 10.0.1.3, weight: 4}" },
	};
	struct config *from = parse(base);
	struct config *same = parse(base);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct config *wanted = parse_with(rows[i].old, rows[i].new);
		struct config *config = NULL;
		struct diag diag;

		if (config_apply_change(from, rows[i].change, &diag, &config) != 0)
			fail_msg("row %zu: %s", i, diag.text);
		if (!config_equal(config, wanted))
			fail_msg("row %zu is not as the file", i);
		assert_ptr_equal(config_find_service(config, "turns"), &config->services[2]);
		config_free(config);
		config_free(wanted);
	}
	assert_true(config_equal(from, same));
	config_free(from);
	config_free(same);
}

struct bad {
	const struct config_change *change;
	int error;
	const char *text; /* the whole message, or how it begins */
};

static void check_bad(const struct config *from, const struct bad *rows, size_t n)
{
	size_t wrong = 0;

	for (size_t i = 0; i < n; i++) {
		struct diag diag = { .line = 7, .file = "old" };
		struct config *config = NULL;
		int error = config_apply_change(from, rows[i].change, &diag, &config);

		if (getenv("SHOW"))
			print_message("%s\n", diag.text);
		assert_int_equal(config_apply_change(from, rows[i].change, NULL, &config), error);
		assert_null(config);
		assert_true(!diag.line && !diag.column && !diag.file[0]);
		if (error == -rows[i].error &&
		    !strncmp(diag.text, rows[i].text, strlen(rows[i].text)))
			continue;
		print_error("row %zu: %d\n  said   %s\n  wanted %s\n", i, error, diag.text,
			    rows[i].text);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void mistakes_are_told(void **state)
{
	const struct bad rows[] = {
		{ CHANGE(CHANGE_REMOVE, "wed", "a"), ENOENT,
		  "there is no service \"wed\"; there is web, one, turns, small" },
		{ CHANGE(CHANGE_REMOVE, "a\nb", "a"), ENOENT,
		  "there is no service \"...\"; there" },
		{ CHANGE(CHANGE_REMOVE, "web", "c"), ENOENT,
		  "web: has no backend \"c\"; it has a, b, 10.0.0.3:8080, six, seven" },
		{ CHANGE(CHANGE_WEIGHT, "web", ""), ENOENT, "web: has no backend \"\"; it has a" },
		{ CHANGE(CHANGE_ADMIN_STATE, "one", "a", .admin_state = ADMIN_UP), ENOENT,
		  "one: has no backend \"a\"; it has 10.0.0.9:80" },
		{ CHANGE(CHANGE_WEIGHT, "web", "a", .weight = 65536), EINVAL,
		  "web: 65536 is not a weight; a number from 0 to 65535" },
		{ CHANGE(CHANGE_ADMIN_STATE, "web", "a", .admin_state = 3), EINVAL,
		  "web: a backend is up, drain or disabled" },
		{ CHANGE(4, "web", "a"), EINVAL, "web: no such change" },
		{ CHANGE(CHANGE_REMOVE, "one", "10.0.0.9:80"), EINVAL,
		  "one: \"10.0.0.9:80\" is its last backend, and a service needs 1 or more; drain or disable it" },
		{ CHANGE(CHANGE_REMOVE, "web", "six"), EINVAL,
		  "web: 2 can never be healthy: the service has 1 IPv6 backend, backups left out; at most 1, or a share like 50%" },
		{ CHANGE(CHANGE_REMOVE, "small", "first"), EINVAL,
		  "small: all are backups, so none" },
	};
	struct config *from = parse(base);

	(void)state;
	check_bad(from, rows, ARRAY_SIZE(rows));
	config_free(from);
}

static void a_round_has_its_most(void **state)
{
	const struct bad row = {
		CHANGE(CHANGE_WEIGHT, "turns", "b", .weight = 2), EINVAL,
		"turns: a round over the IPv4 backends by their weights takes 65537 turns"
	};
	struct config *from = parse(base);
	struct config *config = NULL;

	(void)state;
	assert_int_equal(config_apply_change(from,
					     CHANGE(CHANGE_WEIGHT, "turns", "a", .weight = 65535),
					     NULL, &config),
			 0);
	assert_int_equal(config->services[2].table_size, 65536);
	check_bad(config, &row, 1);
	config_free(config);
	config_free(from);
}

static void bad_additions_are_told(void **state)
{
	const struct bad rows[] = {
		{ ADD("web", "a", "10.0.0.5", 1), EEXIST,
		  "web: has a backend \"a\" already, at 10.0.0.1:80" },
		{ ADD("web", "", "10.0.0.3", 1, .port = htons(8080)), EEXIST,
		  "web: has a backend \"10.0.0.3:8080\" already, at 10.0.0.3:8080" },
		{ ADD("web", "z", "10.0.0.1", 1), EINVAL,
		  "web: backend z: 10.0.0.1:80 is already the backend \"a\" (line 9); to give it a larger share, raise its weight" },
		{ ADD("web", "-z", "10.0.0.5", 1), EINVAL,
		  "web: a backend's name is 1 to 63 of A-Z, a-z" },
		{ ADD("web", "10.0.0.5:81", "10.0.0.5", 1, .port = htons(82)), EINVAL,
		  "web: a backend's name is 1 to 63 of A-Z, a-z" },
		{ ADD("web", "z", "127.0.0.1", 1), EINVAL,
		  "web: \"127.0.0.1\" is a loopback address; write one that other machines can reach" },
		{ ADD("web", "z", "0.0.0.0", 1), EINVAL, "web: \"0.0.0.0\" is an unspecified," },
		{ ADD("web", "z", "fe80::1", 1), EINVAL,
		  "web: \"fe80::1\" is a link-local address" },
		{ ADD("web", "z", "::ffff:10.0.0.5", 1), EINVAL,
		  "web: \"::ffff:10.0.0.5\" is an IPv4 address in IPv6 form" },
		{ CHANGE(CHANGE_ADD, "web", "z"), EINVAL, "web: a new backend needs an address" },
		{ ADD("web", "z", "10.0.0.5", 70000), EINVAL, "web: 70000 is not a weight" },
		{ ADD("web", "z", "10.0.0.5", 1, .admin_state = 9), EINVAL,
		  "web: a backend is up" },
		{ ADD("web", "z", "198.51.100.10", 1), EINVAL,
		  "web: backend z: \"198.51.100.10\" is the address of the service itself" },
		{ ADD("web", "z", "198.51.100.12", 1), EINVAL,
		  "web: backend z: 198.51.100.12:80/tcp is the service \"turns\" (line 15), not a server" },
		{ ADD("one", "z", "10.0.0.5", 1, .port = htons(81)), EINVAL,
		  "one: backend z: 81 is not the service's port 80; dsr does not change ports" },
		{ ADD("one", "z", "2001:db8::5", 1), EINVAL,
		  "one: backend z: \"2001:db8::5\" is IPv6, and the service has no IPv6 address" },
		/* the new one is to blame, though it stands before the other */
		{ ADD("web", "z", "10.0.1.1", 1), EINVAL,
		  "web: backend z: 10.0.1.1:80/tcp is a backend of the nat service \"turns\" too (line 16); the way back" },
		{ ADD("turns", "z", "10.0.0.2", 1), EINVAL,
		  "turns: backend z: 10.0.0.2:80/tcp is a backend of the nat service \"web\" too (line 10)" },
		{ ADD("none", "z", "10.0.0.5", 1), ENOENT, "there is no service \"none\"" },
	};
	struct config *from = parse(base);

	(void)state;
	check_bad(from, rows, ARRAY_SIZE(rows));
	config_free(from);
}

/* A backend that came at run time stands in no line. */
static void what_was_added_is_named(void **state)
{
	struct config *from = parse(base);
	struct config *config = NULL;
	const struct bad row = {
		ADD("turns", "z", "10.0.0.7", 1), EINVAL,
		"turns: backend z: 10.0.0.7:80/tcp is a backend of the nat service \"web\" too; the way"
	};

	(void)state;
	assert_int_equal(config_apply_change(from, ADD("web", "y", "10.0.0.7", 1), NULL, &config),
			 0);
	check_bad(config, &row, 1);
	config_free(config);
	config_free(from);
}

static void no_more_than_ten_names_are_listed(void **state)
{
	struct config *from;
	struct config *config = parse("{}");
	struct bad row = { CHANGE(CHANGE_ADMIN_STATE, "none", "z"), ENOENT,
			   "there is no service \"none\", nor any other" };

	(void)state;
	check_bad(config, &row, 1);
	config_free(config);
	config = parse("services: [{name: a, address: 198.51.100.1, port: 1, backends: "
		       "[{name: b0, address: 10.0.0.100}]}]");
	for (int i = 1; i < 12; i++) {
		struct config_change change = { .kind = CHANGE_ADD, .service = "a", .weight = 1 };

		from = config;
		(void)snprintf(change.backend, sizeof(change.backend), "b%d", i);
		change.ip = ip_of("10.0.0.1");
		change.ip.addr.bytes[15] = (__u8)i;
		assert_int_equal(config_apply_change(from, &change, NULL, &config), 0);
		config_free(from);
	}
	row = (struct bad){
		CHANGE(CHANGE_ADMIN_STATE, "a", "z"), ENOENT,
		"a: has no backend \"z\"; it has b0, b1, b2, b3, b4, b5, b6, b7, b8, b9 "
		"and 2 more"
	};
	check_bad(config, &row, 1);
	config_free(config);
}

/* A size that nobody has chosen goes on to fit, one that somebody has stays. */
static void tables_keep_to_their_size(void **state)
{
	struct config *config = NULL;
	struct config *from;
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	(void)state;
	assert_non_null(file);
	(void)fprintf(file, "services:\n- {name: a, address: 198.51.100.1, port: 1, backends: [");
	for (int i = 0; i < 655; i++)
		(void)fprintf(file, "{address: 10.0.%d.%d}, ", i / 250 + 1, i % 250 + 1);
	(void)fprintf(file, "]}\n- {name: b, address: 198.51.100.2, port: 1, table_size: 257, "
			    "backends: [");
	for (int i = 0; i < 257; i++)
		(void)fprintf(file, "{address: 10.1.%d.%d}, ", i / 250 + 1, i % 250 + 1);
	(void)fprintf(file, "]}\n");
	assert_int_equal(fclose(file), 0);
	from = parse(text);
	free(text);
	assert_int_equal(from->services[0].table_size, 65537);
	assert_int_equal(config_apply_change(from, ADD("a", "z", "10.9.9.9", 1), NULL, &config), 0);
	assert_int_equal(config->services[0].table_size, 131071);
	assert_int_equal(config->services[1].table_size, 257);
	config_free(from);
	from = config;
	config = NULL;
	assert_int_equal(config_apply_change(from, CHANGE(CHANGE_REMOVE, "a", "z"), NULL, &config),
			 0);
	assert_int_equal(config->services[0].table_size, 65537);
	config_free(config);
	check_bad(from,
		  &(struct bad){ ADD("b", "z", "10.9.9.8", 1), EINVAL,
				 "b: 257 slots are too few for 258 backends; better 65537" },
		  1);
	config_free(from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_gives_what_the_file_would),
		cmocka_unit_test(mistakes_are_told),
		cmocka_unit_test(a_round_has_its_most),
		cmocka_unit_test(bad_additions_are_told),
		cmocka_unit_test(what_was_added_is_named),
		cmocka_unit_test(no_more_than_ten_names_are_listed),
		cmocka_unit_test(tables_keep_to_their_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
