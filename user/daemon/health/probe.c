// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/health/probe.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum probe_outcome probe_explain(int error, char ret_text[static PROBE_TEXT_SIZE])
{
	const char *words = strerrordesc_np(error);
	const char *blame = "";
	enum probe_outcome outcome = PROBE_FAILED;

	switch (error) {
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
	case EADDRNOTAVAIL: /* every local port is in use towards this backend */
		outcome = PROBE_IMPOSSIBLE;
		blame = "could not probe: ";
	}
	if (!words)
		words = "unknown error";
	(void)snprintf(ret_text, PROBE_TEXT_SIZE, "%s%c%s", blame, tolower((unsigned char)*words),
		       words + 1);
	return outcome;
}

void probe_explain_limit(const char *missing, unsigned limit_ms,
			 char ret_text[static PROBE_TEXT_SIZE])
{
	bool whole = limit_ms % 1000 == 0;

	(void)snprintf(ret_text, PROBE_TEXT_SIZE, "%s within %u%s", missing,
		       whole ? limit_ms / 1000 : limit_ms, whole ? "s" : "ms");
}

static int compare_number(unsigned long long a, unsigned long long b)
{
	return a < b ? -1 : a > b;
}

static int compare_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) : !!a - !!b;
}

int probe_spec_compare(const void *left, const void *right)
{
	const struct probe_spec *a = left, *b = right;
	const struct check_config *x = &a->config, *y = &b->config;

	return compare_number(x->type, y->type)
	    ?: ip_compare(&a->ip, &b->ip)
	    ?: compare_number(a->port, b->port)
	    ?: compare_number(x->interval_ms, y->interval_ms)
	    ?: compare_number(x->timeout_ms, y->timeout_ms)
	    ?: compare_number(x->rise, y->rise)
	    ?: compare_number(x->fall, y->fall)
	    ?: compare_number(x->jitter_percent, y->jitter_percent)
	    ?: compare_text(x->path, y->path)
	    ?: compare_text(x->host, y->host)
	    ?: compare_number(x->n_status, y->n_status)
	    ?: memcmp(x->status, y->status, x->n_status * sizeof(x->status[0]));
}

int probe_spec_fill(const struct check_config *config, const struct ip *ip, __be16 port,
		    struct probe_spec *ret_spec)
{
	struct probe_spec spec = { .ip = *ip, .port = config->port ?: port };

	if ((unsigned)config->type >= CHECK_TYPE_COUNT || config->n_status > CONFIG_STATUS_RANGES)
		return -EINVAL;
	spec.config.type = config->type;
	if (config->type == CHECK_NONE) {
		*ret_spec = spec;
		return 0;
	}
	if (!config->interval_ms || !config->timeout_ms || !config->rise || !config->fall ||
	    config->jitter_percent > 100 || !spec.port)
		return -EINVAL;
	spec.config = *config;
	spec.config.port = 0;
	if (!check_speaks_http(config->type)) {
		spec.config.path = NULL;
		spec.config.host = NULL;
		spec.config.n_status = 0;
	} else {
		if (!config->path)
			spec.config.path = "/";
		if (!config->n_status) {
			spec.config.status[0] = (struct status_range){ 200, 299 };
			spec.config.n_status = 1;
		}
	}
	*ret_spec = spec;
	return 0;
}
