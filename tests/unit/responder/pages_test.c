// SPDX-License-Identifier: BSD-2-Clause
/* What the daemon tells the responder, from a configuration to what is said: both
 * ends of lib/respond.h, and the line between them.
 */
#include "daemon/responder/message.c"
#include "lib/base/array.h"
#include "responder/pages.c"
#include "responder/talk.c"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/base/diag.h"

static struct sl_key key_of(const char *address, int port)
{
	struct sl_key key = { .port = htons((uint16_t)port), .proto = IPPROTO_TCP };
	struct ip ip;

	assert_int_equal(ip_parse(address, &ip), 0);
	key.addr = ip.addr;
	key.family = ip.family;
	return key;
}

static const struct page *page_at(const struct pages *pages, const char *address, int port)
{
	struct sl_key key = key_of(address, port);

	return pages_find(pages, &key);
}

static void take_line(void *arg, const char *line, size_t length)
{
	assert_int_equal(pages_take(arg, line, length), 0);
}

/* Tells `pages` what the services (YAML, indented by two) say, through a pipe. */
static void tell(struct pages *pages, const char *services)
{
	static struct talk talk;
	char yaml[4096], *text;
	struct config *config;
	struct diag diag = {};
	size_t length;
	int fds[2];

	(void)snprintf(yaml, sizeof(yaml), "interfaces: []\nservices:\n%s", services);
	if (config_parse(yaml, strlen(yaml), "test", &diag, &config))
		fail_msg("%s", diag.text);
	assert_int_equal(responder_message(config, &text, &length), 0);
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	memset(&talk, 0, sizeof(talk));
	assert_int_equal(write(fds[1], text, length), length);
	assert_int_equal(talk_hear(&talk, fds[0], take_line, pages), 0);
	(void)close(fds[1]);
	assert_int_equal(talk_hear(&talk, fds[0], take_line, pages), -EPIPE);
	(void)close(fds[0]);
	free(text);
	config_free(config);
}

#define BACKENDS "    backends: [{address: 10.0.0.1}]\n"
#define RESPONDS "    limit: {rate: 1/s, count: connections, action: respond}\n"

static void test_what_is_configured_is_said(void **state)
{
	struct pages *pages = pages_new();
	const struct page *page;

	(void)state;
	tell(pages,
	     "  - name: web\n    address: [198.51.100.10, \"2001:db8::10\"]\n    port: 80\n"
	     "    respond: {body: \"slow \\\"down\\\"\\n\\u00fc\", content_type: text/html,\n"
	     "              x_headers: true, retry_after: 90s}\n" RESPONDS
	     "    backends: [{address: 10.0.0.1}, {address: \"2001:db8::1\"}]\n"
	     "  - name: plain\n    address: 198.51.100.11\n    port: 80\n" RESPONDS
	     "    backends: [{address: 10.0.0.2}]\n");
	for (int i = 0; i < 2; i++) {
		page = page_at(pages, i ? "2001:db8::10" : "198.51.100.10", 80);
		assert_string_equal(page->body, "slow \"down\"\n\xc3\xbc");
		assert_string_equal(page->content_type, "text/html");
		assert_true(page->x_headers);
		assert_int_equal(page->retry_after_ms, 90000);
	}
	page = page_at(pages, "198.51.100.11", 80);
	assert_ptr_not_equal(page, &defaults);
	assert_null(page->body);
	assert_null(page->content_type);
	assert_false(page->x_headers);
	assert_int_equal(page->retry_after_ms, 5000);
	pages_free(pages);
}

static void test_who_does_not_respond_is_not_told(void **state)
{
	struct pages *pages = pages_new();

	(void)state;
	tell(pages, "  - name: web\n    address: 198.51.100.10\n    port: 80\n" BACKENDS);
	assert_true(pages_known(pages));
	assert_ptr_equal(page_at(pages, "198.51.100.10", 80), &defaults);
	pages_free(pages);
}

static void test_a_telling_replaces_the_one_before(void **state)
{
	struct pages *pages = pages_new();

	(void)state;
	assert_false(pages_known(pages));
	tell(pages, "  - name: web\n    address: 198.51.100.10\n    port: 80\n"
		    "    respond: {body: old}\n" RESPONDS BACKENDS);
	assert_string_equal(page_at(pages, "198.51.100.10", 80)->body, "old");
	assert_ptr_equal(page_at(pages, "198.51.100.10", 81), &defaults);
	tell(pages, "  - name: web\n    address: 198.51.100.10\n    port: 81\n"
		    "    respond: {body: new}\n" RESPONDS BACKENDS);
	assert_ptr_equal(page_at(pages, "198.51.100.10", 80), &defaults);
	assert_string_equal(page_at(pages, "198.51.100.10", 81)->body, "new");
	pages_free(pages);
}

static int take(struct pages *pages, const char *line)
{
	return pages_take(pages, line, strlen(line));
}

#define PAGE(address, body)                                                     \
	"{\"addresses\":[\"" address "\"],\"port\":80,\"retry_after_ms\":1000," \
	"\"x_headers\":false,\"body\":\"" body "\"}"

static void test_nothing_holds_before_the_end(void **state)
{
	struct pages *pages = pages_new();

	(void)state;
	assert_int_equal(take(pages, PAGE("192.0.2.1", "one")), 0);
	assert_ptr_equal(page_at(pages, "192.0.2.1", 80), &defaults);
	assert_false(pages_known(pages));
	assert_int_equal(take(pages, "{\"end\":true}"), 0);
	assert_string_equal(page_at(pages, "192.0.2.1", 80)->body, "one");
	assert_int_equal(take(pages, PAGE("192.0.2.1", "two")), 0);
	assert_string_equal(page_at(pages, "192.0.2.1", 80)->body, "one");
	pages_free(pages);
}

static void test_bad_lines_are_left_out(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"end\":false}",
		"{\"addresses\":[],\"port\":80}",
		"{\"addresses\":[\"192.0.2.9\"],\"port\":65536,\"retry_after_ms\":1,\"x_headers\":false}",
		"{\"addresses\":[\"192.0.2.9\"],\"port\":80,\"retry_after_ms\":-1,\"x_headers\":false}",
		"{\"addresses\":[\"192.0.2.9\"],\"port\":80,\"retry_after_ms\":1,\"x_headers\":2}",
		"{\"addresses\":[\"192.0.2.9\",\"nowhere\"],\"port\":80,\"retry_after_ms\":1,"
		"\"x_headers\":false,\"body\":\"x\"}",
		"{\"addresses\":[\"192.0.2.9\",7],\"port\":80,\"retry_after_ms\":1,"
		"\"x_headers\":false}",
		PAGE("192.0.2.1", "twice"),
	};
	struct pages *pages = pages_new();

	(void)state;
	assert_int_equal(take(pages, PAGE("192.0.2.1", "good")), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (take(pages, bad[i]) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(take(pages, "{\"end\":true}"), 0);
	assert_string_equal(page_at(pages, "192.0.2.1", 80)->body, "good");
	assert_ptr_equal(page_at(pages, "192.0.2.9", 80), &defaults);
	pages_free(pages);
}

/* A body that takes most room as JSON, at all addresses. */
static void test_the_longest_line_fits(void **state)
{
	static struct respond_config respond;
	static char body[CONFIG_BODY_MAX + 1], type[256];
	struct service_config service = { .n_addresses = CONFIG_ADDRESSES_MAX, .port = 0xffff };
	char *text = NULL;
	size_t length;
	FILE *stream = open_memstream(&text, &length);

	(void)state;
	memset(body, '\x01', sizeof(body) - 1);
	memset(type, '"', sizeof(type) - 1);
	respond = (struct respond_config){ body, type, true, UINT32_MAX };
	service.respond = respond;
	for (size_t i = 0; i < CONFIG_ADDRESSES_MAX; i++)
		assert_int_equal(
			ip_parse("2001:db8:1111:2222:3333:4444:5555:6666", &service.addresses[i]),
			0);
	assert_int_equal(append_service(stream, &service), 0);
	assert_int_equal(fclose(stream), 0);
	assert_in_range(length, CONFIG_BODY_MAX * 6, RESPOND_LINE_MAX);
	free(text);
}

/* ---- lines ----------------------------------------------------------------------- */

static char heard[64];

static void note_line(void *arg, const char *line, size_t length)
{
	size_t used = strlen(heard);

	(void)arg;
	(void)snprintf(heard + used, sizeof(heard) - used, "[%.*s]",
		       (int)(length < 20 ? length : 20), line);
}

static void test_lines_come_in_pieces(void **state)
{
	static struct talk talk;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	assert_int_equal(write(fds[1], "on", 2), 2);
	assert_int_equal(talk_hear(&talk, fds[0], note_line, NULL), 0);
	assert_string_equal(heard, "");
	assert_int_equal(write(fds[1], "e\n\ntwo\nth", 9), 9);
	assert_int_equal(talk_hear(&talk, fds[0], note_line, NULL), 0);
	assert_string_equal(heard, "[one][][two]");
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void test_a_line_too_long_is_skipped(void **state)
{
	static struct talk talk;
	static char much[RESPOND_LINE_MAX / 4];
	int fds[2];

	(void)state;
	heard[0] = '\0';
	memset(much, 'x', sizeof(much));
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(write(fds[1], much, sizeof(much)), sizeof(much));
		assert_int_equal(talk_hear(&talk, fds[0], note_line, NULL), 0);
	}
	assert_int_equal(write(fds[1], "y\nnext\n", 7), 7);
	assert_int_equal(talk_hear(&talk, fds[0], note_line, NULL), 0);
	assert_string_equal(heard, "[next]");
	(void)close(fds[0]);
	(void)close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_configured_is_said),
		cmocka_unit_test(test_who_does_not_respond_is_not_told),
		cmocka_unit_test(test_a_telling_replaces_the_one_before),
		cmocka_unit_test(test_nothing_holds_before_the_end),
		cmocka_unit_test(test_bad_lines_are_left_out),
		cmocka_unit_test(test_the_longest_line_fits),
		cmocka_unit_test(test_lines_come_in_pieces),
		cmocka_unit_test(test_a_line_too_long_is_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
