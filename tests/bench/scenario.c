/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading the scenario file. Whatever is not understood is an error: a bench
 * that skips a line measures something else than was asked for.
 */
#include "tests/bench/scenario.h"
#include "lib/base/array.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "tests/bench/counters.h"
#include "tests/bench/number.h"

#define FIELD_SIZE "47" /* SCENARIO_NAME_MAX, as scanf wants it */

static bool parse_verdict(const char *text, enum sl_verdict *ret_verdict)
{
	for (int i = SL_NEXT + 1; i < SL_VERDICT_COUNT; i++) {
		if (!strcmp(text, verdict_names[i])) {
			*ret_verdict = i;
			return true;
		}
	}
	return false;
}

static bool parse_action(const char *text, unsigned *ret_action)
{
	static const struct {
		const char *name;
		unsigned action;
	} actions[] = {
		{ "TX", XDP_TX },
		{ "REDIRECT", XDP_REDIRECT },
		{ "PASS", XDP_PASS },
		{ "DROP", XDP_DROP },
	};

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (!strcmp(text, actions[i].name)) {
			*ret_action = actions[i].action;
			return true;
		}
	}
	return false;
}

/* Whether the text ended so; it does not any more. */
static bool cut_end(char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	if (length < end_length || strcmp(text + length - end_length, end))
		return false;
	text[length - end_length] = '\0';
	return true;
}

static bool parse_flows(char *text, struct scenario *scenario)
{
	char *rest = NULL;

	for (char *word = strtok_r(text, " \t\n", &rest); word;
	     word = strtok_r(NULL, " \t\n", &rest)) {
		struct scenario_flows flows = { .n = SCENARIO_FLOOD, .syn = true };

		if (strcmp(word, "flood")) {
			flows.syn = cut_end(word, "-syn");
			if (!take_number(word, 1, FRAME_FLOWS_IPV4, &flows.n) ||
			    flows.n & (flows.n - 1))
				return false;
		}
		if (scenario->n_flows == SCENARIO_FLOWS_MAX)
			return false;
		scenario->flows[scenario->n_flows++] = flows;
	}
	return scenario->n_flows > 0;
}

/* ADDRESS[+N] */
static bool parse_ends(char *text, struct frame *frame)
{
	char *plus = strchr(text, '+');
	unsigned low, bits = 1;

	frame->spread = 1;
	if (plus)
		*plus++ = '\0';
	if (ip_parse(text, &frame->ip))
		return false;
	if (!plus)
		return true;
	if (!take_number(plus, 1, 1U << 20, &frame->spread))
		return false;
	while (bits < frame->spread)
		bits *= 2;
	low = ntohl(frame->ip.addr.words[3]);
	return !(low & (bits - 1));
}

/* NULL, or what is wrong with the line. Cuts it up. */
static const char *parse_line(char *line, struct scenario *ret_scenario)
{
	struct scenario scenario = {};
	char proto[8], direction[8], address[48], port[8], verdict[48], action[16], backends[16];
	unsigned number;
	int end = 0;

	if (sscanf(line,
		   "%" FIELD_SIZE "s %7s %7s %" FIELD_SIZE "s %7s %" FIELD_SIZE "s %15s %15s %n",
		   scenario.name, proto, direction, address, port, verdict, action, backends,
		   &end) != 8)
		return "too few words";
	if (strcmp(proto, "tcp") && strcmp(proto, "udp"))
		return "the protocol is tcp or udp";
	scenario.frame.proto = strcmp(proto, "tcp") ? IPPROTO_UDP : IPPROTO_TCP;
	if (strcmp(direction, "to") && strcmp(direction, "from"))
		return "the direction is to or from";
	scenario.frame.from_client = !strcmp(direction, "to");
	if (!parse_ends(address, &scenario.frame))
		return "bad address, or its low bits are not free for that number";
	if (!take_number(port, 0, 65535, &number))
		return "bad port";
	scenario.frame.port = htons(number);
	scenario.mostly = *verdict == '~';
	if (!parse_verdict(verdict + scenario.mostly, &scenario.verdict))
		return "no such verdict";
	if (!parse_action(action, &scenario.action))
		return "the action is TX, REDIRECT, PASS or DROP";
	if (!take_number(backends, 0, 1U << 20, &number))
		return "bad number of backends";
	scenario.n_backends = number;
	if (!parse_flows(line + end, &scenario))
		return "flows are powers of two or flood, one to eight of them";
	*ret_scenario = scenario;
	return NULL;
}

int scenarios_load(const char *path, struct diag *diag, struct scenario **ret_scenarios,
		   size_t *ret_n)
{
	_cleanup_(cleanup_fclose) FILE *file = fopen(path, "re");
	_cleanup_(cleanup_free) struct scenario *scenarios = NULL;
	_cleanup_(cleanup_free) char *line = NULL;
	size_t size = 0, n = 0;

	if (!file)
		return diag_set(diag, errno, "cannot open %s: %m", path);
	for (unsigned number = 1; getline(&line, &size, file) >= 0; number++) {
		if (line[strspn(line, " \t\n")] == '\0' || *line == '#')
			continue;

		struct scenario *more = reallocarray(scenarios, n + 1, sizeof(*more));

		if (!more)
			return diag_set(diag, ENOMEM, "out of memory");
		scenarios = more;

		const char *wrong = parse_line(line, &scenarios[n++]);

		if (wrong)
			return diag_set(diag, EINVAL, "%s:%u: %s", path, number, wrong);
	}
	if (!n)
		return diag_set(diag, EINVAL, "%s: no scenarios in it", path);
	*ret_scenarios = TAKE_PTR(scenarios);
	*ret_n = n;
	return 0;
}
