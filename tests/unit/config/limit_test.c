// SPDX-License-Identifier: BSD-2-Clause
/* Limits, the limiter and the responder: what is in them, every default, and every
 * value that must be refused.
 */
#include "lib/base/array.h"
#include "lib/limit/limit.h"
#include "unit/config/full.h"
#include "unit/config/rows.h"

/* A second limit in line 5, its keys from column 28 on. */
#define SECOND(keys) WEB "  limit: [{rate: 1/s}, {" keys "}]\n" BACKENDS
#define UDP(line)    WEB "  " line "\n  protocol: udp\n" BACKENDS

static void bad_values_of_a_limit(void **state)
{
	static const struct row rows[] = {
		{ "no rate", LIMIT("burst: 5"), "5:10",
		  "services.web.limit: a limit needs the key rate" },
		{ "a word", WEB "  limit: 100/s\n" BACKENDS, "5:10",
		  "\"100/s\" is not a limit; write a map" },
		{ "no value", WEB "  limit:\n" BACKENDS, "5:9",
		  "services.web.limit: has no value" },
		{ "no limits", WEB "  limit: []\n" BACKENDS, "5:10",
		  "services.web.limit: a list of limits has 1 to 4 of them" },
		{ "five limits",
		  WEB
		  "  limit: [{rate: 1/s}, {rate: 1/s}, {rate: 1/s}, {rate: 1/s}, {rate: 1/s}]\n" BACKENDS,
		  "5:10", "services.web.limit: a list of limits has 1 to 4 of them" },
		{ "a word in a list", WEB "  limit: [100/s]\n" BACKENDS, "5:11",
		  "services.web.limit[0]: \"100/s\" is not a limit" },
		{ "the second", SECOND("rate: 0/s"), "5:31",
		  "services.web.limit[1].rate: \"0/s\" is not a rate" },
		{ "rate", LIMIT("rate: 1000"), "5:17",
		  "services.web.limit.rate: \"1000\" is not a rate" },
		{ "rate: 0", LIMIT("rate: 0/s"), "5:17",
		  "is not a rate; a number per s, min or h" },
		{ "rate: unit", LIMIT("rate: 5/day"), "5:17", "is not a rate" },
		{ "rate: list", LIMIT("rate: [5/s]"), "5:17", "a list is not a rate" },
		{ "rate: too high", LIMIT("rate: 16001M/s"), "5:17", "at most 16G/s" },
		{ "rate of bytes: too high", LIMIT("rate: 257GB/s, count: bytes"), "5:17",
		  "\"257GB/s\" is more than can be told apart; at most 256GB/s" },
		{ "rate of bytes: too low", LIMIT("rate: 8bit/h, count: bytes"), "5:17",
		  "\"8bit/h\" is less than a bucket can count; at least 7B/h" },
		{ "rate: too high, an hour", LIMIT("rate: 99999999M/h, algorithm: fixed-window"),
		  "5:17", "\"99999999M/h\" is more than can be told apart; at most 16G/s" },
		{ "rate: too high for a window", LIMIT("rate: 16001M/s, algorithm: sliding-window"),
		  "5:17", "at most 16G/s" },
		{ "rate: out of range", LIMIT("rate: 99999999999999999999/s"), "5:17",
		  "is not a rate" },
		{ "rate: bytes of packets", LIMIT("rate: 10MB/s"), "5:17",
		  "\"10MB/s\" is a rate of bytes, and packets are counted; write count: bytes beside it" },
		{ "rate: bits of connections", LIMIT("rate: 10Mbit/s, count: connections"), "5:17",
		  "is a rate of bytes, and connections are counted" },
		{ "rate: no bytes", LIMIT("count: bytes, rate: 10Mb/s"), "5:31",
		  "\"10Mb/s\" is not a rate of bytes; bytes or bits per s, min or h, like 10MB/s, 80Mbit/s" },
		{ "rate: half a byte", LIMIT("rate: 4bit/s, count: bytes"), "5:17",
		  "is not a rate of bytes" },
		{ "burst", LIMIT("rate: 5/s, burst: 0"), "5:29",
		  "services.web.limit.burst: \"0\" is not a count of packets; 1 or more" },
		{ "burst: bytes of packets", LIMIT("rate: 5/s, burst: 5kB"), "5:29",
		  "\"5kB\" is not a count of packets" },
		{ "burst: of connections", LIMIT("rate: 5/s, burst: x, count: connections"), "5:29",
		  "\"x\" is not a count of connections" },
		{ "burst: of bytes", LIMIT("rate: 5k/s, burst: 5KiB, count: bytes"), "5:30",
		  "\"5KiB\" is not a count of bytes; 1 or more, like 2MB" },
		{ "burst: too large", LIMIT("rate: 1/h, burst: 1M"), "5:29",
		  "1000000 is more than a bucket holds at 1/h; at most 5003" },
		{ "burst: one too large", LIMIT("rate: 1/h, burst: 5004"), "5:29",
		  "5004 is more than a bucket holds at 1/h; at most 5003" },
		{ "burst: no frame", LIMIT("rate: 5k/s, burst: 1513, count: bytes"), "5:30",
		  "a burst of 1513 bytes lets no full frame pass; at least 1514" },
		{ "burst of a window", LIMIT("burst: 5, rate: 5/s, algorithm: fixed-window"),
		  "5:11", "services.web.limit.burst: a window has no burst" },
		{ "burst of a sliding one", LIMIT("rate: 5/s, burst: 5, algorithm: sliding-window"),
		  "5:22", "leave it out, or write algorithm: token-bucket" },
		{ "a window without a frame",
		  LIMIT("rate: 1513/h, algorithm: fixed-window, count: bytes"), "5:17",
		  "a window of 1513 bytes lets no full frame pass; at least 1514" },
		{ "count", LIMIT("rate: 5/s, count: requests"), "5:29",
		  "\"requests\" is not what can be counted; write packets or bytes or connections" },
		{ "algorithm", LIMIT("rate: 5/s, algorithm: leaky-bucket"), "5:33",
		  "write token-bucket or fixed-window or sliding-window" },
		{ "action", LIMIT("rate: 5/s, action: allow"), "5:30",
		  "\"allow\" is not an action; write drop or reject or respond" },
		{ "per", LIMIT("rate: 5/s, per: backend"), "5:27",
		  "\"backend\" is not what a limit can be for; write source or service" },
		{ "prefix_v4: 0", LIMIT("rate: 5/s, prefix_v4: 0"), "5:33",
		  "services.web.limit.prefix_v4: \"0\" is not a prefix of IPv4; a number from 1 to 32" },
		{ "prefix_v4: 33", LIMIT("rate: 5/s, prefix_v4: 33"), "5:33",
		  "a number from 1 to 32" },
		{ "prefix_v6: 0", LIMIT("rate: 5/s, prefix_v6: 0"), "5:33",
		  "\"0\" is not a prefix of IPv6; a number from 1 to 128" },
		{ "prefix_v6: 129", LIMIT("rate: 5/s, prefix_v6: 129"), "5:33",
		  "a number from 1 to 128" },
		{ "dry_run", LIMIT("rate: 5/s, dry_run: yes"), "5:31",
		  "services.web.limit.dry_run: \"yes\" is not true or false" },
		{ "under_pressure", LIMIT("rate: 5/s, under_pressure: drop"), "5:38",
		  "\"drop\" is not what can be done under pressure; write admit or refuse" },
		{ "exempt: a text", LIMIT("rate: 5/s, exempt: 10.0.0.0/8"), "5:30",
		  "services.web.limit.exempt: \"10.0.0.0/8\" is not a list of prefixes" },
		{ "exempt: host bits", LIMIT("rate: 5/s, exempt: [10.0.0.1/8]"), "5:31",
		  "services.web.limit.exempt[0]: \"10.0.0.1/8\" has bits behind the prefix; did you mean 10.0.0.0/8?" },
		{ "unknown", LIMIT("rate: 5/s, brust: 5"), "5:22", "did you mean burst?" },
		{ "unknown, far off", LIMIT("rate: 5/s, window: 5"), "5:22",
		  "a limit has: count, algorithm, rate, burst, per, prefix_v4, prefix_v6, action, dry_run, under_pressure, exempt" },
		{ "rate twice", LIMIT("rate: 5/s, rate: 6/s"), "5:22", "stands there twice" },
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void impossible_limits(void **state)
{
	static const struct row rows[] = {
		{ "connections of udp", UDP("limit: {rate: 5/s, count: connections}"), "5:29",
		  "services.web.limit.count: UDP has no connections that could be counted; write packets or bytes" },
		{ "respond on udp", UDP("limit: {rate: 5/s, action: respond}"), "5:30",
		  "services.web.limit.action: the responder speaks HTTP over TCP, and this service is udp; write drop or reject" },
		{ "respond on udp, the second",
		  UDP("limit: [{rate: 5/s}, {action: respond, rate: 5/s}]"), "5:33",
		  "services.web.limit[1].action: the responder speaks HTTP over TCP" },
		{ "prefix_v4 of all", LIMIT("prefix_v4: 24, rate: 5/s, per: service"), "5:11",
		  "services.web.limit.prefix_v4: is about single sources, and a limit per: service has one bucket for all; leave it out" },
		{ "prefix_v6 of all", LIMIT("rate: 5/s, per: service, prefix_v6: 64"), "5:36",
		  "services.web.limit.prefix_v6: is about single sources" },
		{ "under_pressure of all", LIMIT("rate: 5/s, per: service, under_pressure: admit"),
		  "5:36", "services.web.limit.under_pressure: is about single sources" },
	};

	(void)state;
	CHECK_ROWS(rows);
}

#define RESPOND(keys) WEB "  respond: {" keys "}\n" BACKENDS

static void bad_values_of_respond(void **state)
{
	char *long_body = calloc(1, 5000);
	struct row rows[] = {
		{ "a word", WEB "  respond: 429\n" BACKENDS, "5:12",
		  "\"429\" is not a respond section; write a map" },
		{ "body: list", RESPOND("body: [a]"), "5:19",
		  "services.web.respond.body: a list is not a body; write a text of up to 4096 bytes" },
		{ "body: long", long_body, "5:19", "4097 bytes are too many; at most 4096" },
		{ "type: empty", RESPOND("content_type: ''"), "5:27",
		  "services.web.respond.content_type: has no value, wants a content type" },
		{ "type: a header more", RESPOND("content_type: \"text/plain\\r\\nSet-Cookie: a\""),
		  "5:27", "\"text/plain\\x0d\\x0aSet-Cookie: a\" is not a content type" },
		{ "type: LF", RESPOND("content_type: \"text/plain\\nX: y\""), "5:27",
		  "is not a content type" },
		{ "type: tab", RESPOND("content_type: \"text/plain\\t\""), "5:27",
		  "is not a content type" },
		{ "type: not ASCII", RESPOND("content_type: text/\xc3\xbc"), "5:27",
		  "1 to 127 printable ASCII characters" },
		{ "type: space in front", RESPOND("content_type: ' text/plain'"), "5:27",
		  "is not a content type" },
		{ "type: space behind", RESPOND("content_type: 'text/plain '"), "5:27",
		  "is not a content type" },
		{ "type: map", RESPOND("content_type: {}"), "5:27", "a map is not a content type" },
		{ "type: 128",
		  RESPOND("content_type: "
			  "text/abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefgh"
			  "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"),
		  "5:27", "1 to 127 printable" },
		{ "x_headers", RESPOND("x_headers: 1"), "5:24", "\"1\" is not true or false" },
		{ "retry_after: short", RESPOND("retry_after: 999ms"), "5:26",
		  "services.web.respond.retry_after: \"999ms\" is not a time; from 1s to 24h, like 5s" },
		{ "retry_after: long", RESPOND("retry_after: 25h"), "5:26", "from 1s to 24h" },
		{ "unknown", RESPOND("status: 503"), "5:13",
		  "a respond section has: body, content_type, x_headers, retry_after" },
	};

	(void)state;
	assert_non_null(long_body);
	(void)sprintf(long_body, WEB "  respond: {body: %04097d}\n" BACKENDS, 1);
	CHECK_ROWS(rows);
	free(long_body);
}

static void bad_values_of_the_limiter(void **state)
{
	static const struct row rows[] = {
		{ "a word", "limiter: on\n", "1:10", "\"on\" is not limiter; write a map" },
		{ "buckets: few", "limiter: {buckets: 1023}\n", "1:20",
		  "limiter.buckets: \"1023\" is not a count of buckets; from 1024 to 67108864, like 100k" },
		{ "buckets: many", "limiter: {buckets: 67108865}\n", "1:20",
		  "from 1024 to 67108864" },
		{ "gate: few", "limiter: {gate: 512}\n", "1:17",
		  "limiter.gate: \"512\" is not a count of cells; a power of two from 1024 to 67108864" },
		{ "gate: many", "limiter: {gate: 134217728}\n", "1:17",
		  "a power of two from 1024" },
		{ "gate: odd", "limiter: {gate: 64k}\n", "1:17",
		  "limiter.gate: 64000 is not a power of two; the next one is 65536" },
		{ "gate: just below", "limiter: {gate: 67108863}\n", "1:17",
		  "67108863 is not a power of two; the next one is 67108864" },
		{ "gate: just above", "limiter: {gate: 1025}\n", "1:17", "the next one is 2048" },
		{ "inserts: no rate", "limiter: {inserts: 5}\n", "1:20",
		  "limiter.inserts: \"5\" is not a pace; from 1/s to 100M/s, like 50k/s" },
		{ "inserts: per minute", "limiter: {inserts: 5/min}\n", "1:20",
		  "from 1/s to 100M/s" },
		{ "inserts: many", "limiter: {inserts: 100000001/s}\n", "1:20",
		  "from 1/s to 100M/s" },
		{ "inserts: none", "limiter: {inserts: 0/s}\n", "1:20", "from 1/s to 100M/s" },
		{ "answers", "limiter: {answers: 1G/s}\n", "1:20",
		  "limiter.answers: \"1G/s\" is not a pace; from 1/s to 100M/s, like 10k/s" },
		{ "events", "limiter: {events: 1000001/s}\n", "1:19",
		  "limiter.events: \"1000001/s\" is not a pace; from 1/s to 1M/s, like 100/s" },
		{ "events: list", "limiter: {events: []}\n", "1:19", "a list is not a pace" },
		{ "unknown", "limiter: {bucket: 5}\n", "1:11", "did you mean buckets?" },
	};

	(void)state;
	CHECK_ROWS(rows);
}

static void every_default(void **state)
{
	struct config *config = parse(LIMIT("rate: 1000/s"));
	const struct service_config *web = &config->services[0];
	const struct limit_config *limit = &web->limits[0];

	(void)state;
	assert_int_equal(config->limiter.buckets, 131072);
	assert_int_equal(config->limiter.gate, 65536);
	assert_int_equal(config->limiter.inserts_per_second, 50000);
	assert_int_equal(config->limiter.refusals_per_second, 10000);
	assert_int_equal(config->limiter.events_per_second, 100);
	assert_int_equal(config->access.allow.n + config->access.deny.n, 0);

	assert_int_equal(web->n_limits, 1);
	assert_string_equal(limit->text, "1000/s");
	assert_int_equal(limit->rate.count, 1000);
	assert_int_equal(limit->rate.seconds, 1);
	assert_int_equal(limit->burst, 1000);
	assert_int_equal(limit->count, SL_COUNT_PACKETS);
	assert_int_equal(limit->algorithm, SL_ALGORITHM_TOKEN_BUCKET);
	assert_int_equal(limit->action, SL_ACTION_DROP);
	assert_false(limit->per_service || limit->dry_run || limit->pressure_refuses);
	assert_int_equal(limit->prefix_v4, 32);
	assert_int_equal(limit->prefix_v6, 64);
	assert_int_equal(limit->exempt.n + limit->exempt.n_files, 0);

	assert_null(web->respond.body);
	assert_null(web->respond.content_type);
	assert_false(web->respond.x_headers);
	assert_int_equal(web->respond.retry_after_ms, 5000);
	assert_false(config_responds(web));
	config_free(config);
}

static void every_key_of_a_limit(void **state)
{
	struct config *config = parse(FULL);
	const struct limit_config *limits = config->services[0].limits;

	(void)state;
	assert_int_equal(config->services[0].n_limits, 4);
	assert_string_equal(limits[0].text, "10k/min");
	assert_int_equal(limits[0].rate.count, 10000);
	assert_int_equal(limits[0].rate.seconds, 60);
	assert_int_equal(limits[0].burst, 2000);
	assert_int_equal(limits[0].count, SL_COUNT_PACKETS);
	assert_int_equal(limits[0].action, SL_ACTION_DROP);
	assert_true(limits[0].dry_run && limits[0].pressure_refuses && !limits[0].per_service);
	assert_int_equal(limits[0].prefix_v4, 24);
	assert_int_equal(limits[0].prefix_v6, 48);
	assert_int_equal(limits[0].exempt.n_written, 2);
	assert_int_equal(limits[0].exempt.n, 5);

	assert_string_equal(limits[1].text, "80Mbit/s"); /* its burst stands before its rate */
	assert_int_equal(limits[1].rate.count, 10000000);
	assert_int_equal(limits[1].burst, 2000000);
	assert_int_equal(limits[1].count, SL_COUNT_BYTES);
	assert_int_equal(limits[1].action, SL_ACTION_REJECT);
	assert_true(limits[1].per_service && !limits[1].dry_run);

	assert_int_equal(limits[2].rate.seconds, 3600);
	assert_int_equal(limits[2].count, SL_COUNT_CONNECTIONS);
	assert_int_equal(limits[2].algorithm, SL_ALGORITHM_FIXED_WINDOW);
	assert_int_equal(limits[2].action, SL_ACTION_RESPOND);
	assert_int_equal(limits[2].burst, 0);

	assert_int_equal(limits[3].algorithm, SL_ALGORITHM_SLIDING_WINDOW);
	assert_int_equal(limits[3].rate.count, 1000000000);
	assert_int_equal(limits[3].burst, 0);
	assert_int_equal(config->services[1].n_limits, 1);
	assert_int_equal(config->services[1].limits[0].burst, 1);
	config_free(config);
}

static void every_key_of_respond_and_limiter(void **state)
{
	struct config *config = parse(FULL);
	const struct respond_config *respond = &config->services[0].respond;

	(void)state;
	assert_string_equal(respond->body, "slow\ndown\n");
	assert_string_equal(respond->content_type, "text/html");
	assert_true(respond->x_headers);
	assert_int_equal(respond->retry_after_ms, 90000);
	assert_string_equal(config->services[1].respond.body, ""); /* is one, and not the usual */
	assert_true(config_responds(&config->services[0]));        /* a limit */
	assert_false(config_responds(&config->services[1]));       /* has a section, no use */
	assert_true(config_responds(&config->services[2]));        /* on_all_down */
	assert_false(config_responds(&config->services[3]));
	assert_int_equal(config->limiter.buckets, 2000);
	assert_int_equal(config->limiter.gate, 1024);
	assert_int_equal(config->limiter.inserts_per_second, 1);
	assert_int_equal(config->limiter.refusals_per_second, 100000000);
	assert_int_equal(config->limiter.events_per_second, 1000000);
	config_free(config);
}

#define MOST UINT64_MAX /* that a bucket holds at this rate */

/* What a limit holds when nobody says, and at the ends of what can be said. */
static void bursts(void **state)
{
	static const struct {
		const char *keys;
		unsigned long long burst;
	} rows[] = {
		{ "rate: 1/h", 1 },
		{ "rate: 59/min", 1 },
		{ "rate: 119/min", 1 },
		{ "rate: 600/min", 10 },
		{ "rate: 16G/s", 16000000000 },
		{ "rate: 600/min, count: connections", 10 },
		{ "rate: 1/h, burst: 5003", 5003 },
		{ "rate: 10MB/s, count: bytes", 10000000 },
		{ "count: bytes, rate: 1000/s", 65536 },
		{ "count: bytes, rate: 65535/s", 65536 },
		{ "count: bytes, rate: 65537/s", 65537 },
		{ "count: bytes, rate: 7/h", MOST },
		{ "count: bytes, rate: 7/h, burst: 1514", 1514 },
		{ "burst: 16Mbit, count: bytes, rate: 1MB/s", 2000000 },
		{ "burst: 5G, count: bytes, rate: 256GB/s", 5000000000 },
		{ "rate: 1514/s, count: bytes, algorithm: fixed-window", 0 },
		{ "rate: 1/h, algorithm: sliding-window", 0 },
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct config *config;
		const struct limit_config *limit;

		(void)snprintf(text, sizeof(text), WEB "  limit: {%s}\n" BACKENDS, rows[i].keys);
		config = parse(text);
		limit = &config->services[0].limits[0];
		if (limit->burst != (rows[i].burst == MOST
					     ? limit_max_burst(&limit->rate, limit->count)
					     : rows[i].burst))
			fail_msg("\"%s\" gave %llu", rows[i].keys, limit->burst);
		assert_true(limit->burst <= limit_max_burst(&limit->rate, limit->count));
		config_free(config);
	}
}

/* What looks odd, and is none of our business. */
static void what_can_be_configured(void **state)
{
	static const char *const rows[] = {
		LIMIT("rate: 5/s, per: source, prefix_v4: 1, prefix_v6: 1"),
		LIMIT("rate: 5/s, per: service, exempt: [10.0.0.0/8], dry_run: true"),
		SECOND("rate: 1/s"), /* the same twice */
		UDP("limit: {rate: 5/s, action: reject, count: bytes, burst: 2k}"),
		UDP("respond: {body: a}"), /* nothing responds */
		WEB "  respond:\n" BACKENDS,
		WEB "  respond: {}\n" BACKENDS,
		WEB "  respond: {content_type: 'multipart/mixed; boundary=\"a b\"'}\n" BACKENDS,
		"limiter:\n",
		"limiter: {}\n",
		"limiter: {gate: 67108864, buckets: 67108864}\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		config_free(parse(rows[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_values_of_a_limit),
		cmocka_unit_test(impossible_limits),
		cmocka_unit_test(bad_values_of_respond),
		cmocka_unit_test(bad_values_of_the_limiter),
		cmocka_unit_test(every_default),
		cmocka_unit_test(every_key_of_a_limit),
		cmocka_unit_test(every_key_of_respond_and_limiter),
		cmocka_unit_test(bursts),
		cmocka_unit_test(what_can_be_configured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
