// SPDX-License-Identifier: BSD-2-Clause
/* Datagrams at a given pace, from several CPUs at once and from as many addresses
 * as are named.
 *
 *     pace [-c CPU]... [-p ON,OFF] [-s SIZE] [-l LATE] [-t START] ADDRESS PORT RATE SECONDS SOURCE...
 *
 * RATE a second in all, to ADDRESS and PORT, from one SOURCE after the other: half
 * of them from the first of two CPUs, half from the second. -p: for ON milliseconds,
 * then none for OFF, and so on. SIZE: bytes of payload. What is more than LATE
 * milliseconds late (the machine stood still) is left out, so that nobody ever
 * sends much more than the pace at once. START: nanoseconds of CLOCK_MONOTONIC.
 * Sources need not be addresses of this host. Prints how many were sent, in how
 * many seconds, and how many in each second since START.
 *
 * A source has several ports, so that its packets take several queues.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CPUS_MAX       16
#define SIZE_MAX_BYTES 1400
#define PORTS          8 /* of all sources together, at least; of each as many */
#define NAP_NS         200000
#define SECONDS_MAX    3600 /* what is sent later counts as sent in the last one */
#define NS             1000000000ULL

static struct {
	int cpus[CPUS_MAX];
	unsigned n_cpus;
	double rate, seconds, late; /* late: seconds */
	size_t size;
	unsigned long long start, on, off; /* ns; off 0: always on */
	struct sockaddr_storage address;
	struct sockaddr_storage *sources;
	unsigned n_sources;
} pace = { .late = 0.02, .size = 64 };

struct sender {
	pthread_t thread;
	int cpu; /* -1: any */
	unsigned long long sent;
	unsigned long long sent_in[SECONDS_MAX]; /* of these, in each second */
	double took;
};

static unsigned long long clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned long long)now.tv_sec * NS + (unsigned long long)now.tv_nsec;
}

static void sleep_until(unsigned long long ns)
{
	const struct timespec until = { .tv_sec = (time_t)(ns / NS), .tv_nsec = (long)(ns % NS) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

/* Packets of one sender that are due so long after the start. */
static double due(unsigned long long ns)
{
	unsigned long long period = pace.on + pace.off, rest;

	if (pace.off) {
		rest = ns % period;
		ns = ns / period * pace.on + (rest < pace.on ? rest : pace.on);
	}
	return (double)ns / NS * pace.rate / pace.n_cpus;
}

static int open_socket(const struct sockaddr_storage *source)
{
	int fd = socket(source->ss_family, SOCK_DGRAM, 0), on = 1;

	if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on)) ||
	    (source->ss_family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on))) ||
	    bind(fd, (const struct sockaddr *)source, sizeof(*source)))
		err(1, "a source");
	return fd;
}

/* What the kernel itself refuses is not sent. */
static void send_one(struct sender *sender, int fd)
{
	static const char payload[SIZE_MAX_BYTES];
	unsigned long long second = (clock_ns() - pace.start) / NS;

	if (sendto(fd, payload, pace.size, 0, (struct sockaddr *)&pace.address,
		   sizeof(pace.address)) <= 0)
		return;
	sender->sent++;
	sender->sent_in[second < SECONDS_MAX ? second : SECONDS_MAX - 1]++;
}

static void *send_all(void *arg)
{
	struct sender *sender = arg;
	unsigned n = (PORTS + pace.n_sources - 1) / pace.n_sources * pace.n_sources;
	unsigned long long turn = 0, passed;
	double late = pace.late * pace.rate / pace.n_cpus;
	int *fds = calloc(n, sizeof(*fds));
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sender->cpu < 0 ? 0 : (unsigned)sender->cpu, &set);
	if (!fds || (sender->cpu >= 0 && sched_setaffinity(0, sizeof(set), &set)))
		err(1, "CPU %d", sender->cpu);
	for (unsigned i = 0; i < n; i++)
		fds[i] = open_socket(&pace.sources[i % pace.n_sources]);
	(void)prctl(PR_SET_TIMERSLACK, 1);
	sleep_until(pace.start);
	while ((passed = clock_ns() - pace.start) < (unsigned long long)(pace.seconds * NS)) {
		double now_due = due(passed);

		if (now_due - (double)turn > late + 1)
			turn = (unsigned long long)(now_due - late);
		for (; (double)turn < now_due; turn++)
			send_one(sender, fds[turn % n]);
		sleep_until(clock_ns() + NAP_NS);
	}
	sender->took = (double)passed / NS;
	free(fds);
	return NULL;
}

static struct sockaddr_storage read_address(const char *text, unsigned short port)
{
	struct sockaddr_storage address = {};
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)&address;
	struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)&address;

	address.ss_family = strchr(text, ':') ? AF_INET6 : AF_INET;
	ipv4->sin_port = htons(port); /* both begin alike */
	if (inet_pton(address.ss_family, text,
		      address.ss_family == AF_INET ? (void *)&ipv4->sin_addr
						   : (void *)&ipv6->sin6_addr) != 1)
		errx(2, "not an address: %s", text);
	return address;
}

static void read_options(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "c:p:s:l:t:")) != -1) {
		switch (option) {
		case 'c':
			if (pace.n_cpus == CPUS_MAX)
				errx(2, "more than %d CPUs", CPUS_MAX);
			pace.cpus[pace.n_cpus++] = atoi(optarg);
			break;
		case 'p':
			if (sscanf(optarg, "%llu,%llu", &pace.on, &pace.off) != 2)
				errx(2, "ON,OFF: %s", optarg);
			pace.on *= NS / 1000;
			pace.off *= NS / 1000;
			break;
		case 's':
			pace.size = strtoul(optarg, NULL, 10);
			break;
		case 'l':
			pace.late = strtod(optarg, NULL) / 1000;
			break;
		case 't':
			pace.start = strtoull(optarg, NULL, 10);
			break;
		default:
			exit(2);
		}
	}
}

static void read_arguments(int argc, char **argv)
{
	read_options(argc, argv);
	argc -= optind;
	argv += optind;
	if (argc < 5 || pace.size > SIZE_MAX_BYTES)
		errx(2, "usage: pace [-c CPU]... [-p ON,OFF] [-s SIZE] [-l LATE] [-t START] "
			"ADDRESS PORT RATE SECONDS SOURCE...");
	pace.address = read_address(argv[0], (unsigned short)atoi(argv[1]));
	pace.rate = strtod(argv[2], NULL);
	pace.seconds = strtod(argv[3], NULL);
	pace.n_sources = (unsigned)argc - 4;
	pace.sources = calloc(pace.n_sources, sizeof(*pace.sources));
	if (!pace.sources)
		err(1, "sources");
	for (unsigned i = 0; i < pace.n_sources; i++)
		pace.sources[i] = read_address(argv[4 + i], 0);
	if (!pace.n_cpus)
		pace.cpus[pace.n_cpus++] = -1;
}

/* Up to the last one that anything was sent in: that may be behind the end, if the
 * machine stood still.
 */
static void print_seconds(const struct sender *senders, unsigned long long left)
{
	for (unsigned second = 0; left; second++) {
		unsigned long long sent = 0;

		for (unsigned i = 0; i < pace.n_cpus; i++)
			sent += senders[i].sent_in[second];
		printf(" %llu", sent);
		left -= sent;
	}
	printf("\n");
}

int main(int argc, char **argv)
{
	static struct sender senders[CPUS_MAX];
	unsigned long long sent = 0;
	double took = 0;

	read_arguments(argc, argv);
	if (!pace.start)
		pace.start = clock_ns() + NS / 20; /* both threads begin together */
	for (unsigned i = 0; i < pace.n_cpus; i++) {
		senders[i].cpu = pace.cpus[i];
		if (pthread_create(&senders[i].thread, NULL, send_all, &senders[i]))
			errx(1, "no thread");
	}
	for (unsigned i = 0; i < pace.n_cpus; i++) {
		(void)pthread_join(senders[i].thread, NULL);
		sent += senders[i].sent;
		took = senders[i].took > took ? senders[i].took : took;
	}
	printf("%llu %.3f", sent, took);
	print_seconds(senders, sent);
	return 0;
}
