// SPDX-License-Identifier: BSD-2-Clause
/* Takes datagrams, answers nothing, and notes when each came.
 *
 *     sink PORT
 *
 * On standard output a record for each, in the order of arrival: when the kernel
 * got it (nanoseconds of the wall clock), its source (an IPv4 one mapped), the bytes
 * of its payload, and how many datagrams the socket has lost so far.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 256
#define ROOM  (64 << 20)

struct record {
	unsigned long long ns;
	unsigned char source[16];
	unsigned length;
	unsigned lost;
};

static int open_port(unsigned short port)
{
	const struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = socket(AF_INET6, SOCK_DGRAM, 0), on = 1, off = 0, room = ROOM;

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
	    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on)) ||
	    bind(fd, (const struct sockaddr *)&any, sizeof(any)))
		err(1, "port %u", port);
	return fd;
}

static struct record make_record(struct msghdr *message, unsigned length)
{
	const struct sockaddr_in6 *source = message->msg_name;
	struct record record = { .length = length };
	struct timespec time;

	memcpy(record.source, &source->sin6_addr, sizeof(record.source));
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_type == SO_RXQ_OVFL)
			memcpy(&record.lost, CMSG_DATA(c), sizeof(record.lost));
		if (c->cmsg_type != SO_TIMESTAMPNS)
			continue;
		memcpy(&time, CMSG_DATA(c), sizeof(time));
		record.ns = (unsigned long long)time.tv_sec * 1000000000 +
			    (unsigned long long)time.tv_nsec;
	}
	return record;
}

/* Whole records only: the file is read while it grows. */
static void note(const struct record *records, size_t n)
{
	const char *bytes = (const char *)records;
	size_t left = n * sizeof(*records);

	while (left) {
		ssize_t wrote = write(STDOUT_FILENO, bytes, left);

		if (wrote < 0)
			err(1, "write");
		bytes += wrote;
		left -= (size_t)wrote;
	}
}

static void take(int fd)
{
	static struct mmsghdr messages[BATCH];
	static struct sockaddr_in6 names[BATCH];
	static char control[BATCH][128], payload[1];
	static struct iovec part = { payload, sizeof(payload) };
	static struct record records[BATCH];
	int n;

	for (unsigned i = 0; i < BATCH; i++)
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &names[i],
			.msg_namelen = sizeof(names[i]),
			.msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = control[i],
			.msg_controllen = sizeof(control[i]),
		};
	/* MSG_TRUNC: the whole length, of which one byte is read. */
	n = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE | MSG_TRUNC, NULL);
	if (n < 0 && errno != EINTR)
		err(1, "recvmmsg");
	for (int i = 0; i < n; i++)
		records[i] = make_record(&messages[i].msg_hdr, messages[i].msg_len);
	if (n > 0)
		note(records, (size_t)n);
}

int main(int argc, char **argv)
{
	int fd;

	if (argc != 2)
		errx(2, "usage: sink PORT");
	fd = open_port((unsigned short)atoi(argv[1]));
	for (;;)
		take(fd);
}
