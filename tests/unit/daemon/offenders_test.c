// SPDX-License-Identifier: BSD-2-Clause
/* What the log says of sources that go over and come back. The datapath, the clock
 * and the log are the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/limits/offenders.c"
#include "lib/base/array.h"

#define FIRST 4 /* index of the first limit of "web" */
#define DNS   9 /* of "dns" */

static struct {
	__u32 now; /* SL_SECONDs */
	struct config config;
	struct service_config configs[3];
	struct service services[3], *listed[3];
	struct balancer balancer;
	struct sl_limit limits[16];
	unsigned web; /* first limit of "web" now; 0: is not in the maps */
	/* What sl_buckets holds: one source's. */
	struct sl_source key;
	struct sl_bucket bucket, total;
	bool gone; /* it holds nothing */
	struct offenders *log;
	char lines[1 << 16]; /* each ends in \n */
	unsigned n_lines, n_searches;
} t;

uint32_t clock_second(void)
{
	return t.now;
}

void log_write(enum log_level level, const char *format, ...)
{
	size_t length = strlen(t.lines);
	va_list arguments;

	assert_int_equal(level, LOG_LEVEL_INFO);
	va_start(arguments, format);
	(void)vsnprintf(t.lines + length, sizeof(t.lines) - length, format, arguments);
	va_end(arguments);
	(void)strncat(t.lines, "\n", sizeof(t.lines) - strlen(t.lines) - 1);
	t.n_lines++;
}

unsigned datapath_limits(const struct datapath *datapath, const struct sl_key *key)
{
	(void)datapath;
	t.n_searches++;
	if (key->port == t.configs[0].port)
		return t.web;
	return key->port == t.configs[2].port ? DNS : 0;
}

const struct sl_limit *datapath_limit(const struct datapath *datapath, unsigned index)
{
	(void)datapath;
	return index < ARRAY_SIZE(t.limits) && t.limits[index].number ? &t.limits[index] : NULL;
}

int datapath_source(const struct datapath *datapath, const struct sl_source *key,
		    struct sl_bucket *ret_bucket)
{
	(void)datapath;
	if (t.gone || memcmp(key, &t.key, sizeof(*key)) != 0)
		return -ENOENT;
	*ret_bucket = t.bucket;
	return 0;
}

struct sl_bucket datapath_limit_total(const struct datapath *datapath, unsigned index)
{
	(void)datapath;
	assert_int_equal(index, DNS);
	return t.total;
}

static void put_limit(unsigned index, __u32 id, __u32 number)
{
	t.limits[index] =
		(struct sl_limit){ .id = id, .number = number, .prefix_v4 = 32, .prefix_v6 = 64 };
}

/* "web" has two limits, "plain" none, "dns" one per service. */
static int set_up(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.now = 5000;
	t.configs[0] = (struct service_config){ .name = "web", .port = 80, .n_addresses = 1 };
	t.configs[1] = (struct service_config){ .name = "plain", .port = 81, .n_addresses = 1 };
	t.configs[2] = (struct service_config){ .name = "dns", .port = 53, .n_addresses = 1 };
	t.configs[0].limits[0] = (struct limit_config){ .text = (char *)"1000/s" };
	t.configs[0].limits[1] = (struct limit_config){ .text = (char *)"1MB/s", .dry_run = true };
	t.configs[0].n_limits = 2;
	t.configs[2].limits[0] =
		(struct limit_config){ .text = (char *)"5/min", .per_service = true };
	t.configs[2].n_limits = 1;
	for (size_t i = 0; i < ARRAY_SIZE(t.configs); i++) {
		t.services[i].config = &t.configs[i];
		t.listed[i] = &t.services[i];
	}
	t.config.n_services = ARRAY_SIZE(t.configs);
	t.balancer = (struct balancer){ .config = &t.config, .services = t.listed };
	t.web = FIRST;
	put_limit(FIRST, 101, 1);
	put_limit(FIRST + 1, 102, 2);
	put_limit(DNS, 103, 3);
	return offenders_new(&t.balancer, &t.log);
}

static int tear_down(void **state)
{
	(void)state;
	offenders_free(t.log);
	return 0;
}

static struct sl_event event_of(const char *address, unsigned limit)
{
	struct sl_event event = { .limit = limit };
	struct ip ip;

	assert_int_equal(ip_parse(address, &ip), 0);
	event.source = (struct sl_source){ .addr = ip.addr,
					   .id = t.limits[limit].id,
					   .family = ip.family };
	return event;
}

/* The source goes over now, and is refused some packets until `seconds` later. */
static void go_over(const char *address, unsigned limit, unsigned seconds, __u64 refused)
{
	struct sl_event event = event_of(address, limit);

	t.key = event.source;
	t.bucket = (struct sl_bucket){ .over = t.now, .last = t.now + seconds, .refused = refused };
	offenders_over(t.log, &event);
}

static void pass(unsigned seconds)
{
	while (seconds--) {
		t.now++;
		offenders_tick(t.log);
	}
}

static void assert_lines(const char *lines)
{
	assert_string_equal(t.lines, lines);
	t.lines[0] = '\0';
	t.n_lines = 0;
}

static void over_and_back(void **state)
{
	(void)state;
	go_over("192.0.2.7", FIRST, 34, 12345);
	assert_lines("192.0.2.7 is over the limit 1000/s of web\n");
	/* 35 units of 1.07 s */
	pass(34 + SL_LIMIT_CALM - 1);
	assert_lines("");
	pass(1);
	assert_lines("192.0.2.7 is within the limit 1000/s of web again: 12345 packets refused in "
		     "38 s\n");
	pass(100);
	assert_lines("");
	/* And again. */
	go_over("192.0.2.7", FIRST, 0, 1);
	pass(SL_LIMIT_CALM);
	assert_lines(
		"192.0.2.7 is over the limit 1000/s of web\n"
		"192.0.2.7 is within the limit 1000/s of web again: 1 packet refused in 1 s\n");
}

static void prefixes_and_dry_run(void **state)
{
	(void)state;
	go_over("2001:db8:1:2::", FIRST + 1, 0, 7);
	pass(SL_LIMIT_CALM);
	assert_lines("2001:db8:1:2::/64 is over the limit 1MB/s of web: it would be refused, but "
		     "for dry_run\n"
		     "2001:db8:1:2::/64 is within the limit 1MB/s of web again: 7 packets would "
		     "have been refused in 1 s\n");
	t.limits[FIRST].prefix_v4 = 24;
	t.limits[FIRST].prefix_v6 = 128;
	go_over("192.0.2.0", FIRST, 0, 1);
	go_over("2001:db8::1", FIRST, 0, 1);
	assert_lines("192.0.2.0/24 is over the limit 1000/s of web\n"
		     "2001:db8::1 is over the limit 1000/s of web\n");
}

/* All sources of a limit per service are one. */
static void per_service(void **state)
{
	(void)state;
	t.total = (struct sl_bucket){ .over = t.now, .last = t.now + 1, .refused = 99 };
	go_over("192.0.2.1", DNS, 0, 0);
	go_over("192.0.2.2", DNS, 0, 0);
	pass(1 + SL_LIMIT_CALM);
	assert_lines("the service dns is over the limit 5/min\n"
		     "the service dns is within the limit 5/min again: 99 packets refused "
		     "in 2 s\n");
}

/* A second event before the source was seen to be back says nothing new. */
static void over_once_more(void **state)
{
	(void)state;
	go_over("192.0.2.7", FIRST, 0, 3);
	pass(SL_LIMIT_CALM - 1);
	t.now++;
	t.n_searches = 0;
	go_over("192.0.2.7", FIRST, 5, 4);
	assert_int_equal(t.n_searches, 0);
	pass(5 + SL_LIMIT_CALM - 1);
	assert_lines("192.0.2.7 is over the limit 1000/s of web\n");
	pass(1);
	assert_lines(
		"192.0.2.7 is within the limit 1000/s of web again: 4 packets refused in 6 s\n");
}

static void a_bucket_that_is_gone_counts_as_it_was(void **state)
{
	(void)state;
	go_over("192.0.2.7", FIRST, 2, 50);
	pass(1);
	t.gone = true;
	pass(2 + SL_LIMIT_CALM);
	assert_lines("192.0.2.7 is over the limit 1000/s of web\n"
		     "192.0.2.7 is within the limit 1000/s of web again: 50 packets refused in "
		     "3 s\n");
}

/* The new generation's bucket goes on where the old one was. */
static void a_changed_limit_is_followed(void **state)
{
	(void)state;
	go_over("192.0.2.7", FIRST, 0, 3);
	t.web = 12;
	put_limit(12, 201, 1);
	put_limit(13, 102, 2);
	t.configs[0].limits[0].text = (char *)"50/s";
	t.configs[0].limits[0].dry_run = true;
	t.key.id = 201;
	t.bucket.last = t.now + 30;
	t.bucket.refused = 77;
	pass(30 + SL_LIMIT_CALM - 1);
	assert_lines("192.0.2.7 is over the limit 1000/s of web\n");
	pass(2);
	assert_lines(
		"192.0.2.7 is within the limit 50/s of web again: 77 packets would have been refused in 33 s\n");
}

static void a_removed_limit_is_not_said_to_be_kept(void **state)
{
	(void)state;
	go_over("192.0.2.7", FIRST, 0, 3);
	t.configs[0].n_limits = 0;
	pass(3 * SL_LIMIT_CALM);
	assert_lines("192.0.2.7 is over the limit 1000/s of web\n");
	assert_int_equal(t.log->sources.count, 0);
}

/* Of a block that has been replaced, another's index, or nonsense. */
static void events_about_nothing_are_not_said(void **state)
{
	struct sl_event event = event_of("192.0.2.7", FIRST);

	(void)state;
	event.source.id = 55;
	offenders_over(t.log, &event);
	event = event_of("192.0.2.7", FIRST);
	event.limit = 1U << 31;
	offenders_over(t.log, &event);
	t.web = 0;
	event = event_of("192.0.2.7", FIRST);
	offenders_over(t.log, &event);
	offenders_over(NULL, &event);
	pass(2);
	assert_lines("");
}

static void send_events(unsigned first, unsigned n)
{
	struct sl_event event = event_of("10.0.0.0", FIRST);

	for (unsigned i = first; i < first + n; i++) {
		event.source.addr.bytes[14] = (__u8)(i >> 8);
		event.source.addr.bytes[15] = (__u8)i;
		offenders_over(t.log, &event);
	}
}

/* Lines between two ticks are bounded; what was not said is counted, and costs little. */
static void a_flood_is_cut(void **state)
{
	(void)state;
	t.gone = true;
	send_events(0, 5000);
	assert_int_equal(t.n_lines, LINES_MAX);
	assert_int_equal(t.n_searches, LINES_MAX);
	t.lines[0] = '\0';
	pass(1);
	assert_lines("4900 more went over a limit: too many to name\n");
	pass(1);
	assert_lines("");
	/* Those that were named are said to be back, a tick or two later; no others. */
	send_events(10000, 60);
	assert_int_equal(t.n_lines, 60);
	pass(SL_LIMIT_CALM + 3);
	assert_int_equal(t.n_lines, 60 + LINES_MAX + 60);
	assert_int_equal(t.log->sources.count, 0);
}

static void it_remembers_only_so_many(void **state)
{
	(void)state;
	t.gone = true;
	for (unsigned i = 0; i < 60; i++) {
		send_events(100 * i, 100);
		offenders_tick(t.log); /* the time stands still */
		t.lines[0] = '\0';
	}
	assert_int_equal(t.log->sources.count, SOURCES_MAX);
	for (unsigned i = 0; i < 60; i++) {
		t.lines[0] = '\0';
		t.n_lines = 0;
		pass(1);
		/* And what is due is said by and by. */
		assert_true(t.n_lines <= LINES_MAX + 1);
	}
	assert_int_equal(t.log->sources.count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(over_and_back),
		TEST(prefixes_and_dry_run),
		TEST(per_service),
		TEST(over_once_more),
		TEST(a_bucket_that_is_gone_counts_as_it_was),
		TEST(a_changed_limit_is_followed),
		TEST(a_removed_limit_is_not_said_to_be_kept),
		TEST(events_about_nothing_are_not_said),
		TEST(a_flood_is_cut),
		TEST(it_remembers_only_so_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
