/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A configuration that says everything that can be said.
 */
#ifndef SLUICE_TESTS_UNIT_CONFIG_FULL_H
#define SLUICE_TESTS_UNIT_CONFIG_FULL_H

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/diag.h"
#include "lib/config/config.h"

#define FULL                                                                                            \
	"interfaces:\n"                                                                                 \
	"  - eth0\n"                                                                                    \
	"  - {name: eth1.100, mode: native}\n"                                                          \
	"  - {name: br-lan, mode: generic}\n"                                                           \
	"services:\n"                                                                                   \
	"  - name: web.A_1\n"                                                                           \
	"    address: [198.51.100.10, '2001:db8::10']\n"                                                \
	"    port: 80\n"                                                                                \
	"    protocol: tcp\n"                                                                           \
	"    scheduler: maglev\n"                                                                       \
	"    forward: nat\n"                                                                            \
	"    check: {type: http, interval: 500ms, timeout: 10m, rise: 1, fall: 100, jitter: 0%,\n"      \
	"            port: 8081, path: '/a?b=c', host: 'www:80', status: [200-299, 304]}\n"             \
	"    limit:\n"                                                                                  \
	"      - {rate: 10k/min, burst: 2k, count: packets, algorithm: token-bucket, per: source,\n"    \
	"         prefix_v4: 24, prefix_v6: 48, action: drop, dry_run: true, under_pressure: refuse,\n" \
	"         exempt: [10.0.0.0/8, {file: examples/deny.txt}, '2001:db8::1']}\n"                    \
	"      - {burst: 2MB, rate: 80Mbit/s, count: bytes, action: reject, per: service}\n"            \
	"      - {rate: 60/h, count: connections, action: respond, algorithm: fixed-window,\n"          \
	"         under_pressure: admit, exempt: []}\n"                                                 \
	"      - {rate: 1GB/min, count: bytes, algorithm: sliding-window, dry_run: false}\n"            \
	"    allow: [10.0.0.0/8, '::/0', 192.0.2.7]\n"                                                  \
	"    deny: [{file: examples/deny.txt}, 10.0.0.0/9, 10.0.0.0/9]\n"                               \
	"    respond: {body: \"slow\\ndown\\n\", content_type: text/html, x_headers: true,\n"           \
	"              retry_after: 90s}\n"                                                             \
	"    table_size: 257\n"                                                                         \
	"    affinity: {timeout: 90m, prefix_v4: 24, prefix_v6: 64}\n"                                  \
	"    on_all_down: reject\n"                                                                     \
	"    min_healthy: 100%\n"                                                                       \
	"    slow_start: 1500ms\n"                                                                      \
	"    backends:\n"                                                                               \
	"      - {name: web-1, address: 10.0.0.11, port: 8080, weight: 65535}\n"                        \
	"      - {address: '2001:db8::11', weight: 0, state: drain}\n"                                  \
	"      - {address: '2001:db8::12', backup: true, state: disabled}\n"                            \
	"  - {name: dns, address: 198.51.100.10, port: 80, protocol: udp, forward: dsr,\n"              \
	"     check: tcp, limit: {rate: 1/h}, backends: [{address: 10.0.0.11}],\n"                      \
	"     affinity: 5s, on_all_down: last-known, min_healthy: 1, scheduler: random,\n"              \
	"     respond: {body: ''}, deny: ['::1']}\n"                                                    \
	"  - {name: turns, address: 198.51.100.11, port: 80, scheduler: round-robin,\n"                 \
	"     on_all_down: respond,\n"                                                                  \
	"     backends: [{address: 10.0.0.12, weight: 6}, {address: 10.0.0.13, weight: 4}]}\n"          \
	"  - {name: least, address: 198.51.100.12, port: 80, scheduler: least-connections,\n"           \
	"     backends: [{address: 10.0.0.14, state: up}, {address: 10.0.0.15, backup: false}]}\n"      \
	"  - {name: source, address: 198.51.100.13, port: 80, scheduler: source-hash,\n"                \
	"     backends: [{address: 10.0.0.16}]}\n"                                                      \
	"defaults:\n"                                                                                   \
	"  check: {interval: 1h, fall: 7, path: /default, host: h, status: 204}\n"                      \
	"hash_seed: 0xFEEDfacecafe0001\n"                                                               \
	"flows: {size: 2M, tcp_idle: 1h, tracked_idle: 3h, udp_idle: 1s}\n"                             \
	"limiter: {buckets: 2k, gate: 1024, inserts: 1/s, answers: 100M/s, events: 1M/s}\n"             \
	"ipip: {source_v4: 10.99.0.0/17, source_v6: '2001:db8:99::/48'}\n"                              \
	"unserved: reject\n"                                                                            \
	"allow: [0.0.0.0/0, '2001:db8::/32']\n"                                                         \
	"deny: [{file: examples/deny.txt}]\n"

/* Of text that must be good; the caller's to free. */
static struct config *parse_as(const char *text, const char *name)
{
	struct config *config = NULL;
	struct diag diag = {};

	if (config_parse(text, strlen(text), name, &diag, &config) != 0)
		fail_msg("%s:%u:%u: %s", diag.file, diag.line, diag.column, diag.text);
	assert_non_null(config);
	return config;
}

static inline struct config *parse(const char *text)
{
	return parse_as(text, "f.yaml");
}

/* The same, with one text of it in place of another. */
static inline struct config *parse_changed(const char *base, const char *old, const char *new)
{
	const char *found = strstr(base, old);
	struct config *config;
	char *text = NULL;

	if (!found)
		fail_msg("\"%s\" is not there", old);
	assert_true(asprintf(&text, "%.*s%s%s", (int)(found - base), base, new,
			     found + strlen(old)) > 0);
	config = parse(text);
	free(text);
	return config;
}

/* wanted: with blanks between them. */
static inline void assert_prefixes(const struct prefix *prefixes, size_t n, const char *wanted)
{
	char text[PREFIX_TEXT_SIZE], all[1024] = "";

	for (size_t i = 0; i < n; i++) {
		(void)strcat(all, i ? " " : "");
		(void)strcat(all, prefix_format(&prefixes[i], text));
	}
	assert_string_equal(all, wanted);
}

#endif
