/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Words of other load balancers, and edit distance with swaps of neighbours ("optimal string alignment"), by three
 * rows of the usual table. Pure.
 */
#include "lib/base/suggest.h"

#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "lib/base/array.h"

#define LENGTH_MAX 63

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned suggest_distance(const char *a, const char *b)
{
	unsigned rows[3][LENGTH_MAX + 1];
	size_t a_length = strlen(a), b_length = strlen(b);

	if (a_length > LENGTH_MAX || b_length > LENGTH_MAX)
		return UINT_MAX;
	for (size_t k = 0; k <= b_length; k++)
		rows[0][k] = (unsigned)k;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i - 1) % 3];

		row[0] = (unsigned)i;
		for (size_t k = 1; k <= b_length; k++) {
			row[k] = least(above[k - 1] + (a[i - 1] != b[k - 1]),
				       least(above[k], row[k - 1]) + 1);
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
				row[k] = least(row[k], rows[(i - 2) % 3][k - 2] + 1);
		}
	}
	return rows[a_length % 3][b_length];
}

/* What sluice calls the things of ipvsadm(8), keepalived.conf(5), HAProxy and ip-link(8). */
static const struct {
	const char *foreign, *ours;
} synonyms[] = {
	/* schedulers */
	{ "rr", "round-robin" },
	{ "wrr", "round-robin" },
	{ "static-rr", "round-robin" },
	{ "lc", "least-connections" },
	{ "wlc", "least-connections" },
	{ "sed", "least-connections" },
	{ "nq", "least-connections" },
	{ "leastconn", "least-connections" },
	{ "sh", "source-hash" },
	{ "source", "source-hash" },
	{ "ip-hash", "source-hash" },
	{ "ip_hash", "source-hash" },
	{ "mh", "maglev" },
	{ "consistent", "maglev" },
	/* forwarding */
	{ "masq", "nat" },
	{ "masquerade", "nat" },
	{ "masquerading", "nat" },
	{ "dr", "dsr" },
	{ "direct", "dsr" },
	{ "gatewaying", "dsr" },
	{ "route", "dsr" },
	{ "tun", "ipip" },
	{ "tunnel", "ipip" },
	{ "ip-tunnel", "ipip" },
	/* keys of a service and around it */
	{ "vip", "address" },
	{ "bind", "address" },
	{ "listen", "address" },
	{ "ip", "address" },
	{ "balance", "scheduler" },
	{ "algo", "scheduler" },
	{ "algorithm", "scheduler" },
	{ "lb_algo", "scheduler" },
	{ "lvs_sched", "scheduler" },
	{ "lb_kind", "forward" },
	{ "lvs_method", "forward" },
	{ "forwarding", "forward" },
	{ "proto", "protocol" },
	{ "server", "backends" },
	{ "servers", "backends" },
	{ "real_server", "backends" },
	{ "real_servers", "backends" },
	{ "realservers", "backends" },
	{ "members", "backends" },
	{ "pool", "backends" },
	{ "virtual_server", "services" },
	{ "virtual_servers", "services" },
	{ "frontend", "services" },
	{ "frontends", "services" },
	{ "persistence_timeout", "affinity" },
	{ "persistent", "affinity" },
	{ "sticky", "affinity" },
	{ "quorum", "min_healthy" },
	{ "slowstart", "slow_start" },
	{ "sorry_server", "backup" },
	/* checks */
	{ "healthcheck", "check" },
	{ "health_check", "check" },
	{ "httpchk", "check" },
	{ "delay_loop", "interval" },
	{ "inter", "interval" },
	{ "connect_timeout", "timeout" },
	{ "retry", "fall" },
	{ "url", "path" },
	{ "uri", "path" },
	{ "tcp_check", "tcp" },
	{ "http_get", "http" },
	/* states */
	{ "maint", "disabled" },
	{ "draining", "drain" },
	{ "ready", "up" },
	{ "enabled", "up" },
	/* ways to attach */
	{ "skb", "generic" },
	{ "xdpgeneric", "generic" },
	{ "drv", "native" },
	{ "xdpdrv", "native" },
	{ "driver", "native" },
};

static bool is_among(const char *text, suggest_word_fn *word, const void *words)
{
	const char *other;

	for (size_t i = 0; (other = word(words, i)); i++)
		if (strcmp(other, text) == 0)
			return true;
	return false;
}

static const char *find_synonym(const char *text, suggest_word_fn *word, const void *words)
{
	for (size_t i = 0; i < ARRAY_SIZE(synonyms); i++)
		if (strcmp(synonyms[i].foreign, text) == 0 &&
		    is_among(synonyms[i].ours, word, words))
			return synonyms[i].ours;
	return NULL;
}

const char *suggest_word(const char *text, suggest_word_fn *word, const void *words)
{
	const char *found, *other;
	char lower[LENGTH_MAX + 1];
	size_t length = strlen(text);
	unsigned best = length > 4 ? 3 : 2; /* one more than is believed */

	if (length > LENGTH_MAX)
		return NULL;
	for (size_t i = 0; i <= length; i++)
		lower[i] = (char)tolower((unsigned char)text[i]);
	found = find_synonym(lower, word, words);
	if (found)
		return found;
	for (size_t i = 0; (other = word(words, i)); i++) {
		unsigned distance = suggest_distance(lower, other);

		if (distance < best && distance < strlen(other)) {
			best = distance;
			found = other;
		}
	}
	return found;
}

static const char *list_word(const void *words, size_t i)
{
	return ((const char *const *)words)[i];
}

const char *suggest_list(const char *text, const char *const *words)
{
	return suggest_word(text, list_word, words);
}
