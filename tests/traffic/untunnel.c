// SPDX-License-Identifier: BSD-2-Clause
/* The receiving end of an IP-in-IP tunnel, for kernels that have none: takes the
 * outer header off and hands what was inside to the kernel.
 *
 *     untunnel DEVICE
 *
 * Makes a TUN device of that name and sets nothing else of it; says "ready" on
 * standard output when packets are taken. IPv4 in IPv4 and IPv6 in IPv6 are; others
 * are dropped, as the tunnel devices of Linux that examples/ipip.yaml makes do.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROOM  (16 << 20)
#define BATCH 64

static int open_tun(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		err(1, "/dev/net/tun");
	if (strlen(name) >= sizeof(request.ifr_name))
		errx(2, "the name is too long: %s", name);
	strcpy(request.ifr_name, name);
	if (ioctl(fd, TUNSETIFF, &request))
		err(1, "%s", name);
	return fd;
}

static int open_raw(int family, int protocol)
{
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, protocol), room = ROOM;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		err(1, "a raw socket");
	return fd;
}

/* Where the inner packet begins: an IPv4 socket shows the outer header too. -1: there
 * is none of the version.
 */
static int find_inner(const unsigned char *bytes, ssize_t length, unsigned version)
{
	int at = version == 4 && length > 0 ? (bytes[0] & 0xf) * 4 : 0;

	return length > at && bytes[at] >> 4 == version ? at : -1;
}

static void take(int from, int tun, unsigned version)
{
	unsigned char bytes[65536];
	ssize_t length;
	int at;

	for (int i = 0; i < BATCH; i++) {
		length = recv(from, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (length < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (length < 0)
			err(1, "recv");
		at = find_inner(bytes, length, version);
		/* What is not a packet, or comes while the device is down, is lost. */
		if (at >= 0 && write(tun, bytes + at, (size_t)(length - at)) < 0 &&
		    errno != EINVAL && errno != EIO)
			err(1, "write");
	}
}

int main(int argc, char **argv)
{
	struct pollfd polled[] = { { .events = POLLIN }, { .events = POLLIN } };
	int tun;

	if (argc != 2)
		errx(2, "usage: untunnel DEVICE");
	tun = open_tun(argv[1]);
	polled[0].fd = open_raw(AF_INET, IPPROTO_IPIP);
	polled[1].fd = open_raw(AF_INET6, IPPROTO_IPV6);
	puts("ready");
	fflush(stdout);
	for (;;) {
		if (poll(polled, 2, -1) < 0 && errno != EINTR)
			err(1, "poll");
		take(polled[0].fd, tun, 4);
		take(polled[1].fd, tun, 6);
	}
}
