// SPDX-License-Identifier: BSD-2-Clause
/* Running commands, watching, and waiting with an end. */
#include "harness.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

uv_loop_t loop;
struct nexthops *hops;
const char *peer;
static bool in_module; /* a call of the module is running: no callback may come */

void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fputc('\n', stderr);
	exit(1);
}

void skip(const char *why)
{
	(void)puts(why);
	exit(SKIPPED);
}

static bool run(const char *program, const char *format, va_list args)
{
	char arguments[512], command[640];

	(void)vsnprintf(arguments, sizeof(arguments), format, args);
	(void)snprintf(command, sizeof(command), "%s %s", program, arguments);
	if (system(command) == 0)
		return true;
	(void)fprintf(stderr, "failed: %s\n", command);
	return false;
}

void ip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (!run("ip", format, args))
		exit(1);
	va_end(args);
}

bool ip_can(const char *format, ...)
{
	va_list args;
	bool done;

	va_start(args, format);
	done = run("ip", format, args);
	va_end(args);
	return done;
}

void peer_ip(const char *format, ...)
{
	char program[128];
	va_list args;

	(void)snprintf(program, sizeof(program), "ip -n %s", peer);
	va_start(args, format);
	if (!run(program, format, args))
		exit(1);
	va_end(args);
}

void output(const char *command, char *buffer, size_t size)
{
	FILE *pipe = popen(command, "r");

	check(pipe);
	buffer[0] = '\0';
	(void)fgets(buffer, (int)size, pipe);
	check(pclose(pipe) == 0);
}

FILE *ip_batch(void)
{
	FILE *pipe = popen("ip -batch -", "w");

	check(pipe);
	return pipe;
}

static void mac_text(const __u8 *mac, char buffer[static 18])
{
	(void)snprintf(buffer, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		       mac[4], mac[5]);
}

const char *hop_text(const struct nexthop *hop)
{
	static const char *const states[] = {
		[NEXTHOP_RESOLVED] = "resolved",
		[NEXTHOP_NO_NEIGHBOUR] = "no-neighbour",
		[NEXTHOP_NO_ROUTE] = "no-route",
		[NEXTHOP_LINK_DOWN] = "link-down",
		[NEXTHOP_LOCAL] = "local",
		[NEXTHOP_UNSUPPORTED] = "unsupported",
		[NEXTHOP_NEEDS_POLLING] = "needs-polling",
		[NEXTHOP_NEEDS_PROGRAM] = "needs-program",
	};
	static const struct sl_hop nothing;
	static char text[256];
	char gateway[ADDR_TEXT_SIZE], dst[18], src[18], out[IF_NAMESIZE] = "?";
	int n;

	n = snprintf(text, sizeof(text), "%s dev=%s gw=%s", states[hop->state], hop->device,
		     hop->gateway.family ? ip_format(&hop->gateway, gateway) : "-");
	if (hop->state != NEXTHOP_RESOLVED) {
		check(memcmp(&hop->wire, &nothing, sizeof(nothing)) == 0);
		return text;
	}
	mac_text(hop->wire.dst_mac, dst);
	mac_text(hop->wire.src_mac, src);
	(void)if_indextoname(hop->wire.ifindex, out);
	n += snprintf(text + n, sizeof(text) - n, " dst=%s src=%s out=%s vlan=%u", dst, src, out,
		      ntohs(hop->wire.vlan));
	if (hop->wire.mtu != 1500)
		n += snprintf(text + n, sizeof(text) - n, " mtu=%u", hop->wire.mtu);
	for (unsigned i = 0; i < SL_ORIGINS && hop->origins[i].ifindex; i++) {
		check(if_indextoname(hop->origins[i].ifindex, out));
		n += snprintf(text + n, sizeof(text) - n, " also=%s", out);
	}
	return text;
}

static void on_changed(void *arg)
{
	struct seen *seen = arg;
	const struct nexthop *hop = nexthop_watch_get(seen->watch);
	char before[256];

	check(!in_module);
	(void)snprintf(before, sizeof(before), "%s", hop_text(&seen->last));
	check(strcmp(before, hop_text(hop)) != 0);
	seen->last = *hop;
	seen->calls++;
	if (seen->then)
		seen->then(seen);
}

void watch(struct seen *seen, const char *address)
{
	*seen = (struct seen){};
	check(ip_parse(address, &seen->ip) == 0);
	in_module = true;
	check(nexthop_watch_new(hops, &seen->ip, on_changed, seen, &seen->watch) == 0);
	in_module = false;
	seen->last = *nexthop_watch_get(seen->watch);
}

void unwatch(struct seen *seen)
{
	in_module = true;
	nexthop_watch_free(seen->watch);
	in_module = false;
	seen->watch = NULL;
}

static void on_tick(uv_timer_t *timer)
{
	(void)timer;
}

/* Runs the loop until *text is what is expected; false when that takes longer. */
static bool reaches(const struct seen *seen, const char *expected, uint64_t ms)
{
	const uint64_t end = uv_hrtime() / 1000000 + ms;
	uv_timer_t tick;
	bool reached;

	(void)uv_timer_init(&loop, &tick);
	(void)uv_timer_start(&tick, on_tick, 10, 10);
	do {
		reached =
			expected && strcmp(hop_text(nexthop_watch_get(seen->watch)), expected) == 0;
		if (!reached)
			(void)uv_run(&loop, UV_RUN_ONCE);
	} while (!reached && uv_hrtime() / 1000000 < end);
	uv_close((uv_handle_t *)&tick, NULL);
	(void)uv_run(&loop, UV_RUN_NOWAIT);
	return reached;
}

void expect(const struct seen *seen, const char *expected, uint64_t ms)
{
	char address[ADDR_TEXT_SIZE];

	if (!reaches(seen, expected, ms))
		fail("%s: expected %s\n     but it is %s", ip_format(&seen->ip, address), expected,
		     hop_text(nexthop_watch_get(seen->watch)));
}

void wait_for(uint64_t ms)
{
	(void)reaches(NULL, NULL, ms);
}

const char *via(const char *gateway, int link, const char *dst)
{
	static char text[256];

	(void)snprintf(text, sizeof(text),
		       "resolved dev=v%d gw=%s dst=%s src=02:7%d:00:00:00:01 out=v%d vlan=0", link,
		       gateway, dst, 7 + link, link);
	return text;
}
