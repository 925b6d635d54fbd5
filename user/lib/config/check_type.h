/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The types of health checks, once. The enum, the words of the configuration, the keys
 * that a type takes and the table of probes (health/checks.c) expand from this list.
 *
 * A new type is a row here, a `const struct probe_kind probe_WORD` in health/, and its
 * own keys in read_check.c.
 */
#ifndef SLUICE_LIB_CONFIG_CHECK_TYPE_H
#define SLUICE_LIB_CONFIG_CHECK_TYPE_H

#include <stdbool.h>

/* X(NAME, word, speaks_http). speaks_http: the keys path, host and status apply. */
#define CHECK_PROBED_TYPES(X) \
	X(TCP, tcp, false)    \
	X(HTTP, http, true)

/* `none` probes nothing: its backends are always up. */
#define CHECK_TYPES(X) X(NONE, none, false) CHECK_PROBED_TYPES(X)

/* Words whose meaning is known, and which this version does not have. */
#define CHECK_LATER_WORDS(X)                     X(https) X(udp) X(dns) X(program)

#define CHECK_TYPE_ENUM(name, word, speaks_http) CHECK_##name,
enum check_type { CHECK_TYPES(CHECK_TYPE_ENUM) CHECK_TYPE_COUNT };
#undef CHECK_TYPE_ENUM

static inline bool check_speaks_http(enum check_type type)
{
#define CHECK_SPEAKS_HTTP(name, word, speaks_http) [CHECK_##name] = (speaks_http),
	static const bool speaks[CHECK_TYPE_COUNT] = { CHECK_TYPES(CHECK_SPEAKS_HTTP) };
#undef CHECK_SPEAKS_HTTP

	return speaks[type];
}

#endif
