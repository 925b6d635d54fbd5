// SPDX-License-Identifier: BSD-2-Clause
/* libFuzzer on what the kernel says of links, their features, neighbours and routes: the next hops,
 * whole, with the sockets' reads, the timers and the clock in our hands (the linker's
 * --wrap, see the Makefile). No message may be read past its end, whatever lengths it
 * names, and what is told of a hop is well-formed.
 *
 * An input is a sequence of datagrams, each 3 bytes and what they announce: flags (enum
 * datagram_flag), and the length, little-endian. A datagram answers what is asked then,
 * or is news, if none is asked.
 */
#include <assert.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <sanitizer/asan_interface.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

#include "daemon/log.h"
#include "daemon/netlink/netlink.h"
#include "daemon/nexthop/follow.h"
#include "daemon/nexthop/nexthops.h"
#include "daemon/nexthop/watched.h"
#include "lib/base/diag.h"

enum datagram_flag {
	ANSWERS = 1,  /* has the sequence number of the last request */
	LOST = 2,     /* none: ENOBUFS */
	CUT = 4,      /* did not fit */
	FORGED = 8,   /* by another sender than the kernel */
	NO_MORE = 16, /* none: EAGAIN */
};

#define HEADER 3
#define TIMERS 3 /* of the next hops, and one of the gateways */
#define POLLS  3 /* the changes, those of features, and the dump of the routes */

static struct {
	const uint8_t *data;
	size_t size;
	__u32 sequence; /* of the last request */
	uint64_t now_ms;
	struct {
		uv_timer_t *timer; /* NULL: none */
		uv_timer_cb call;
		uint64_t at_ms;
	} timers[TIMERS];
	struct {
		uv_poll_t *poll; /* NULL: none */
		uv_poll_cb call;
	} polls[POLLS];
} t;

/* ---- in the place of the libraries --------------------------------------- */

ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *socket, const void *data, size_t length);
uint64_t __wrap_uv_now(const uv_loop_t *loop);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb call, uint64_t after, uint64_t repeat);
int __wrap_uv_timer_stop(uv_timer_t *timer);
int __wrap_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb call);

/* All messages of a datagram, as far as they can be told apart. */
static void answer(char *bytes, size_t length)
{
	struct nlmsghdr *message = (void *)bytes;
	int left = (int)length;

	for (; mnl_nlmsg_ok(message, left) && message->nlmsg_len <= (unsigned)left;
	     message = mnl_nlmsg_next(message, &left))
		message->nlmsg_seq = t.sequence;
}

static ssize_t fail_with(int error)
{
	errno = error;
	return -1;
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags)
{
	struct sockaddr_nl *from = message->msg_name;
	uint8_t what;
	size_t length;

	(void)fd;
	(void)flags;
	if (t.size < HEADER)
		return fail_with(EAGAIN);
	what = t.data[0];
	length = (size_t)t.data[1] | (size_t)t.data[2] << 8;
	t.data += HEADER, t.size -= HEADER;
	if (what & NO_MORE)
		return fail_with(EAGAIN);
	if (what & LOST)
		return fail_with(ENOBUFS);
	if (length > t.size)
		length = t.size;
	assert(length <= message->msg_iov->iov_len);
	ASAN_UNPOISON_MEMORY_REGION(message->msg_iov->iov_base, message->msg_iov->iov_len);
	memcpy(message->msg_iov->iov_base, t.data, length);
	ASAN_POISON_MEMORY_REGION((char *)message->msg_iov->iov_base + length,
				  message->msg_iov->iov_len - length);
	t.data += length, t.size -= length;
	if (what & ANSWERS)
		answer(message->msg_iov->iov_base, length);
	from->nl_pid = what & FORGED ? 1 : 0;
	message->msg_flags = what & CUT ? MSG_TRUNC : 0;
	return (ssize_t)length;
}

ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *socket, const void *data, size_t length)
{
	const struct nlmsghdr *message = data;
	int left = (int)length;

	(void)socket;
	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
		t.sequence = message->nlmsg_seq;
	assert(!left); /* what we say is whole */
	return (ssize_t)length;
}

uint64_t __wrap_uv_now(const uv_loop_t *loop)
{
	(void)loop;
	return t.now_ms;
}

int __wrap_uv_timer_stop(uv_timer_t *timer)
{
	for (size_t i = 0; i < TIMERS; i++)
		if (t.timers[i].timer == timer)
			t.timers[i].timer = NULL;
	return 0;
}

int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb call, uint64_t after, uint64_t repeat)
{
	size_t place = 0;

	assert(!repeat);
	(void)__wrap_uv_timer_stop(timer);
	while (t.timers[place].timer)
		assert(++place < TIMERS);
	t.timers[place].timer = timer;
	t.timers[place].call = call;
	t.timers[place].at_ms = t.now_ms + after;
	return 0;
}

int __wrap_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb call)
{
	size_t place = 0;

	(void)events;
	while (t.polls[place].poll)
		assert(++place < POLLS);
	t.polls[place].poll = poll;
	t.polls[place].call = call;
	return 0;
}

/* The one that is due first, if any. */
static void run_timer(void)
{
	size_t first = TIMERS;
	uv_timer_t *timer;

	for (size_t i = 0; i < TIMERS; i++)
		if (t.timers[i].timer &&
		    (first == TIMERS || t.timers[i].at_ms < t.timers[first].at_ms))
			first = i;
	if (first == TIMERS)
		return;
	timer = t.timers[first].timer;
	if (t.timers[first].at_ms > t.now_ms)
		t.now_ms = t.timers[first].at_ms;
	t.timers[first].timer = NULL;
	t.timers[first].call(timer);
}

/* ---- what is told --------------------------------------------------------- */

static void check_hop(const struct nexthop *hop, const struct ip *ip)
{
	char text[256];

	assert(memchr(hop->device, '\0', sizeof(hop->device)));
	assert(hop->gateway.family <= SL_FAMILY_IPV6);
	if (hop->state == NEXTHOP_RESOLVED)
		assert(hop->wire.ifindex && hop->device[0]);
	assert(strlen(nexthop_explain(hop, ip, text, sizeof(text))) < sizeof(text));
}

static void check_device(void *arg, unsigned ifindex, const struct sl_device *device)
{
	(void)arg;
	assert(ifindex && device->ifindex);
}

static void on_changed(void *arg)
{
	++*(unsigned *)arg;
}

/* ---- the course of an input ----------------------------------------------- */

static const char *const addresses[] = { "10.0.0.11", "2001:db8::11", "10.0.0.12" };
#define N_ADDRESSES (sizeof(addresses) / sizeof(addresses[0]))

/* News until there are none, a timer in between. */
static void follow(struct nexthops *hops)
{
	for (int turn = 0; turn < 16 && t.size >= HEADER; turn++) {
		for (size_t i = 0; i < POLLS && t.polls[i].poll; i++)
			t.polls[i].call(t.polls[i].poll, 0, UV_READABLE);
		nexthops_set_natives(hops, (unsigned)turn % 3);
		run_timer();
	}
	run_timer();
}

static void watch(struct nexthops *hops)
{
	struct nexthop_watch *watches[N_ADDRESSES] = {};
	struct ip ips[N_ADDRESSES];
	unsigned changed = 0;

	nexthops_follow_devices(hops, on_changed, &changed);
	for (size_t i = 0; i < N_ADDRESSES; i++) {
		assert(!ip_parse(addresses[i], &ips[i]));
		if (nexthop_watch_new(hops, &ips[i], on_changed, &changed, &watches[i]))
			watches[i] = NULL;
	}
	follow(hops);
	for (size_t i = 0; i < N_ADDRESSES; i++)
		if (watches[i])
			check_hop(nexthop_watch_get(watches[i]), &ips[i]);
	nexthops_each_device(hops, check_device, NULL);
	for (size_t i = 0; i < N_ADDRESSES; i++)
		nexthop_watch_free(watches[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag diag = {};
	struct nexthops *hops;
	uv_loop_t loop;

	memset(&t, 0, sizeof(t));
	t.data = data;
	t.size = size;
	t.now_ms = 1000;
	log_set_level(LOG_LEVEL_ERROR);
	assert(!uv_loop_init(&loop));
	if (!nexthops_new(&loop, &diag, &hops)) {
		watch(hops);
		nexthops_free(hops);
	}
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	assert(!uv_loop_close(&loop));
	return 0;
}
