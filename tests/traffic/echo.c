// SPDX-License-Identifier: BSD-2-Clause
/* A server that tells its name: each byte that comes over TCP, and each datagram
 * over UDP, is answered by its number and what came. Of every connection that it
 * takes it prints the time.
 *
 *     echo NUMBER DELAY_MS PORT ADDRESS...
 *
 * DELAY_MS is how long an answer takes. It is the same for all, so answers that
 * are due are a queue in the order in which they were asked for.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

#define SOCKETS 65536
#define ASKED   (1U << 17) /* a power of two */

enum kind { NOTHING, LISTENER, DATAGRAMS, CONNECTION };

/* By descriptor. */
static struct {
	enum kind kind;
	unsigned generation; /* of the descriptor: whose answer it was is told by this */
} sockets[SOCKETS];

static struct asked {
	double due;
	int fd;
	unsigned generation;
	unsigned char byte;
} asked[ASKED];

static unsigned first_asked, last_asked;
static unsigned char number;
static double delay;
static int poller;

static void watch(int fd, enum kind kind)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (fd >= SOCKETS || epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event))
		err(1, "epoll");
	sockets[fd].kind = kind;
}

static void listen_at(const char *address, unsigned port, int type)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} place = {};
	int fd, on = 1, size = 4 << 20;

	if (inet_pton(AF_INET, address, &place.in.sin_addr) == 1)
		place.any.sa_family = AF_INET;
	else if (inet_pton(AF_INET6, address, &place.in6.sin6_addr) == 1)
		place.any.sa_family = AF_INET6;
	else
		errx(2, "not an address: %s", address);
	/* The same place in both. */
	place.in.sin_port = htons((unsigned short)port);
	fd = socket(place.any.sa_family, type | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, &place.any, sizeof(place)))
		err(1, "%s port %u", address, port);
	if (type == SOCK_STREAM && listen(fd, 4096))
		err(1, "listen");
	if (type == SOCK_DGRAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	watch(fd, type == SOCK_STREAM ? LISTENER : DATAGRAMS);
}

static void take_connections(int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		watch(fd, CONNECTION);
		printf("%.6f\n", seconds(CLOCK_REALTIME));
	}
}

static void answer_datagrams(int fd)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);
	unsigned char bytes[64];
	ssize_t n;

	while ((n = recvfrom(fd, bytes + 1, sizeof(bytes) - 1, 0, (struct sockaddr *)&peer,
			     &size)) >= 0) {
		bytes[0] = number;
		(void)sendto(fd, bytes, (size_t)n + 1, 0, (struct sockaddr *)&peer, size);
		size = sizeof(peer);
	}
}

static void end_connection(int fd)
{
	sockets[fd].kind = NOTHING;
	sockets[fd].generation++;
	close(fd);
}

static void hear(int fd)
{
	unsigned char bytes[256];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	if (n == 0 || (n < 0 && errno != EAGAIN))
		end_connection(fd);
	for (ssize_t i = 0; i < n; i++) {
		if (last_asked - first_asked == ASKED)
			errx(1, "too much is asked at once");
		asked[last_asked++ % ASKED] = (struct asked){
			.due = seconds(CLOCK_MONOTONIC) + delay,
			.fd = fd,
			.generation = sockets[fd].generation,
			.byte = bytes[i],
		};
	}
}

/* Milliseconds until the next answer is due, or -1. */
static int answer_due(void)
{
	double now = seconds(CLOCK_MONOTONIC);

	for (; first_asked != last_asked; first_asked++) {
		const struct asked *next = &asked[first_asked % ASKED];
		unsigned char answer[2] = { number, next->byte };

		if (next->due > now)
			return (int)((next->due - now) * 1000) + 1;
		if (sockets[next->fd].generation == next->generation)
			(void)send(next->fd, answer, sizeof(answer), MSG_NOSIGNAL);
	}
	return -1;
}

static void serve(int fd)
{
	switch (sockets[fd].kind) {
	case LISTENER:
		take_connections(fd);
		return;
	case DATAGRAMS:
		answer_datagrams(fd);
		return;
	case CONNECTION:
		hear(fd);
		return;
	case NOTHING:
		return;
	}
}

int main(int argc, char **argv)
{
	struct epoll_event events[256];

	if (argc < 5)
		errx(2, "usage: echo NUMBER DELAY_MS PORT ADDRESS...");
	number = (unsigned char)atoi(argv[1]);
	delay = atoi(argv[2]) / 1000.0;
	poller = epoll_create1(0);
	for (int i = 4; i < argc; i++) {
		listen_at(argv[i], (unsigned)atoi(argv[3]), SOCK_STREAM);
		listen_at(argv[i], (unsigned)atoi(argv[3]), SOCK_DGRAM);
	}
	for (;;) {
		int n = epoll_wait(poller, events, 256, answer_due());

		for (int i = 0; i < n; i++)
			serve(events[i].data.fd);
		fflush(stdout);
	}
}
