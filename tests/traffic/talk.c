// SPDX-License-Identifier: BSD-2-Clause
/* Clients that talk to echo servers, each over a connection (UDP: a port) of its
 * own, and notice when it is cut, goes silent or meets another server.
 *
 *     talk tcp|udp stay|churn|hold ADDRESS PORT COUNT INTERVAL_MS
 *
 * stay   COUNT conversations, a byte every INTERVAL_MS or so in each, for ever
 * churn  each conversation ends with its first answer, and another one begins
 *        INTERVAL_MS later
 * hold   nothing is said after the first answer, but it is noticed if the other
 *        side ends it
 *
 * Commands on standard input, each answered by one line of JSON: `report`;
 * `close NUMBER` ends the conversations with that server, `open COUNT` begins
 * more. It ends with its input.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

#define TALKERS_MAX  8192
#define TROUBLES_MAX 20000
#define SERVERS      256
#define UNKNOWN      (-1)

/* A conversation without an answer for so long is cut. */
#define SILENCE 2.0

#define TICK_MS 5

struct talker {
	int fd;     /* -1: between two conversations */
	int server; /* UNKNOWN until its first answer */
	unsigned char said;
	bool waits;   /* for an answer to what it said */
	bool ended;   /* for good */
	size_t heard; /* bytes of the answer so far */
	unsigned char answer[2];
	double begun, said_at, next;
};

struct trouble {
	double at;  /* wall clock */
	double age; /* of the conversation */
	int server;
	char why[64];
};

static struct talker talkers[TALKERS_MAX];
static int n_talkers;
static struct trouble troubles[TROUBLES_MAX];
static int n_troubles;
static unsigned long long exchanges, finished[SERVERS];
static double spent[SERVERS]; /* seconds of conversations that have finished */
static double slowest;        /* answer */
static union {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
} target;
static bool udp, churn, hold;
static double interval;
static int poller;

/* Around the interval, so that talkers do not march in step. */
static double pause_length(void)
{
	return interval * (0.5 + (double)rand() / RAND_MAX);
}

static void hang_up(struct talker *talker, double now)
{
	close(talker->fd);
	talker->fd = -1;
	talker->next = now + (interval > 0 ? pause_length() : 0);
	talker->ended = !churn;
}

/* Something that must not be. */
static void trouble(struct talker *talker, const char *why, double now)
{
	if (n_troubles < TROUBLES_MAX) {
		struct trouble *noted = &troubles[n_troubles++];

		noted->at = seconds(CLOCK_REALTIME);
		noted->age = now - talker->begun;
		noted->server = talker->server;
		snprintf(noted->why, sizeof(noted->why), "%s", why);
	}
	hang_up(talker, now);
}

static void begin(struct talker *talker, double now)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = talker };
	int fd = socket(target.any.sa_family,
			(udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(1, "socket");
	*talker = (struct talker){ .fd = fd, .server = UNKNOWN, .begun = now, .said_at = now };
	if (connect(fd, &target.any, sizeof(target)) && errno != EINPROGRESS) {
		trouble(talker, strerror(errno), now);
		return;
	}
	/* TCP: what is said first is said when the connection is there. */
	if (!udp)
		event.events |= EPOLLOUT;
	talker->waits = !udp;
	if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event))
		err(1, "epoll");
}

/* UDP: again, as long as there is no answer. */
static void say(struct talker *talker, double now)
{
	unsigned char byte = talker->waits && udp ? talker->said : ++talker->said;

	talker->next = now + pause_length();
	if (!talker->waits || !udp)
		talker->said_at = now;
	talker->waits = true;
	talker->heard = 0;
	if (send(talker->fd, &byte, 1, MSG_NOSIGNAL) != 1 && (!udp || errno != ECONNREFUSED))
		trouble(talker, strerror(errno), now);
}

static void understand(struct talker *talker, double now)
{
	int server = talker->answer[0];
	char why[64];

	if (talker->answer[1] != talker->said) {
		if (!udp)
			trouble(talker, "a wrong answer", now);
		return; /* UDP: an answer that comes late */
	}
	if (talker->server != UNKNOWN && talker->server != server) {
		snprintf(why, sizeof(why), "moved to %d", server);
		trouble(talker, why, now);
		return;
	}
	exchanges++;
	if (now - talker->said_at > slowest)
		slowest = now - talker->said_at;
	talker->server = server;
	talker->waits = false;
	if (!churn)
		return;
	finished[server]++;
	spent[server] += now - talker->begun;
	hang_up(talker, now);
}

static void hear(struct talker *talker, double now)
{
	while (talker->fd >= 0) {
		ssize_t n = recv(talker->fd, talker->answer + talker->heard,
				 sizeof(talker->answer) - talker->heard, 0);

		if (n < 0 && (errno == EAGAIN || errno == ECONNREFUSED))
			return;
		if (n <= 0) {
			trouble(talker, n ? strerror(errno) : "ended by the server", now);
			return;
		}
		talker->heard += (size_t)n;
		if (talker->heard < sizeof(talker->answer))
			continue;
		talker->heard = 0;
		understand(talker, now);
	}
}

static void on_event(struct talker *talker, unsigned events, double now)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = talker };

	if (talker->fd < 0)
		return;
	if (events & EPOLLOUT) {
		int error = 0;
		socklen_t size = sizeof(error);

		getsockopt(talker->fd, SOL_SOCKET, SO_ERROR, &error, &size);
		if (error) {
			trouble(talker, strerror(error), now);
			return;
		}
		epoll_ctl(poller, EPOLL_CTL_MOD, talker->fd, &event);
		say(talker, now);
	}
	if (talker->fd >= 0 && events & ~(unsigned)EPOLLOUT)
		hear(talker, now);
}

static void tick(double now)
{
	for (int i = 0; i < n_talkers; i++) {
		struct talker *talker = &talkers[i];

		if (talker->ended)
			continue;
		if (talker->fd < 0 && now >= talker->next)
			begin(talker, now);
		else if (talker->fd < 0)
			continue;
		else if (talker->waits && now - talker->said_at > SILENCE)
			trouble(talker, "silence", now);
		else if ((!talker->waits || udp) && now >= talker->next &&
			 !(hold && talker->server != UNKNOWN))
			say(talker, now);
	}
}

static void open_more(int count, double now)
{
	for (; count > 0 && n_talkers < TALKERS_MAX; count--)
		begin(&talkers[n_talkers++], now);
}

static void close_all_with(int server, double now)
{
	for (int i = 0; i < n_talkers; i++)
		if (talkers[i].fd >= 0 && talkers[i].server == server) {
			hang_up(&talkers[i], now);
			talkers[i].ended = true;
		}
}

static void print_counts(const char *name, const unsigned long long counts[static SERVERS])
{
	const char *comma = "";

	printf("\"%s\": {", name);
	for (int i = 0; i < SERVERS; i++)
		if (counts[i]) {
			printf("%s\"%d\": %llu", comma, i, counts[i]);
			comma = ", ";
		}
	printf("}, ");
}

static void print_spent(void)
{
	const char *comma = "";

	printf("\"spent\": {");
	for (int i = 0; i < SERVERS; i++)
		if (finished[i]) {
			printf("%s\"%d\": %.3f", comma, i, spent[i]);
			comma = ", ";
		}
	printf("}, ");
}

static void print_report(void)
{
	unsigned long long talking[SERVERS] = {};
	int mute = 0;

	for (int i = 0; i < n_talkers; i++) {
		if (talkers[i].fd >= 0 && talkers[i].server != UNKNOWN)
			talking[talkers[i].server]++;
		else if (talkers[i].fd >= 0)
			mute++;
	}
	printf("{");
	print_counts("talking", talking);
	print_counts("finished", finished);
	print_spent();
	printf("\"mute\": %d, \"exchanges\": %llu, \"slowest\": %.3f, \"troubles\": [", mute,
	       exchanges, slowest);
	for (int i = 0; i < n_troubles; i++)
		printf("%s{\"at\": %.3f, \"age\": %.3f, \"server\": %d, \"why\": \"%s\"}",
		       i ? ", " : "", troubles[i].at, troubles[i].age, troubles[i].server,
		       troubles[i].why);
	printf("]}\n");
	fflush(stdout);
}

/* False: the input has ended. Commands are short and come one at a time. */
static bool obey(double now)
{
	char line[64];
	ssize_t n = read(STDIN_FILENO, line, sizeof(line) - 1);
	int argument;

	if (n <= 0)
		return false;
	line[n] = '\0';
	if (sscanf(line, "close %d", &argument) == 1)
		close_all_with(argument, now);
	else if (sscanf(line, "open %d", &argument) == 1)
		open_more(argument, now);
	print_report();
	return true;
}

static void read_arguments(int argc, char **argv)
{
	if (argc != 7)
		errx(2, "usage: talk tcp|udp stay|churn|hold ADDRESS PORT COUNT INTERVAL_MS");
	udp = !strcmp(argv[1], "udp");
	churn = !strcmp(argv[2], "churn");
	hold = !strcmp(argv[2], "hold");
	if (inet_pton(AF_INET, argv[3], &target.in.sin_addr) == 1)
		target.any.sa_family = AF_INET;
	else if (inet_pton(AF_INET6, argv[3], &target.in6.sin6_addr) == 1)
		target.any.sa_family = AF_INET6;
	else
		errx(2, "not an address: %s", argv[3]);
	target.in.sin_port = htons((unsigned short)atoi(argv[4]));
	interval = atoi(argv[6]) / 1000.0;
}

int main(int argc, char **argv)
{
	struct epoll_event events[256], input = { .events = EPOLLIN };
	double last_tick = 0;

	read_arguments(argc, argv);
	poller = epoll_create1(EPOLL_CLOEXEC);
	if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &input))
		err(1, "epoll");
	open_more(atoi(argv[5]), seconds(CLOCK_MONOTONIC));
	for (;;) {
		int n = epoll_wait(poller, events, 256, TICK_MS);
		double now = seconds(CLOCK_MONOTONIC);

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr)
				on_event(events[i].data.ptr, events[i].events, now);
			else if (!obey(now))
				return 0;
		}
		if (interval <= 0 || now - last_tick >= TICK_MS / 1000.0) {
			tick(now);
			last_tick = now;
		}
	}
}
