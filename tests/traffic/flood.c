// SPDX-License-Identifier: BSD-2-Clause
/* Packets of very many flows, put on a device as they are: spoofed sources.
 *
 *     flood DEVICE MAC syn|ack|udp SOURCE ADDRESS PORT COUNT RATE [SOURCES]
 *     flood DEVICE MAC forged SOURCE ADDRESS PORT COUNT RATE FIRST PORTS
 *
 * COUNT packets to ADDRESS and PORT, from that many different sources, of a /9
 * (IPv6: as many addresses) that begins with SOURCE, at RATE a second. Of fewer
 * SOURCES (a power of two), if said: then each comes again after all the others. The
 * transport's checksum is left out: nobody shall answer. Prints how many the
 * device took, and in how many seconds.
 *
 * forged: TCP packets in the name of the connections that SOURCE has from PORTS ports, the first
 * of which is FIRST: SYN, RST, FIN and others, with right checksums and with numbers at random.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

#define BATCH   64
#define SOURCES (1U << 23)

/* Odd, so that sources follow each other in no order and none comes twice. */
#define STRIDE 5000011U

struct frame {
	unsigned char bytes[128];
	size_t length;
};

struct flood {
	int family;
	unsigned char proto, flags;
	unsigned char source[16], address[16];
	unsigned short port;
	unsigned char mac[ETH_ALEN];
	unsigned sources;
	unsigned first_port, ports; /* forged; 0: it is not */
};

static void put(struct frame *frame, const void *bytes, size_t length)
{
	memcpy(frame->bytes + frame->length, bytes, length);
	frame->length += length;
}

static void put_ethernet(const struct flood *flood, struct frame *frame)
{
	struct ether_header ethernet = {
		.ether_shost = { 2, 0, 0, 0, 0xf1, 0 },
		.ether_type = htons(flood->family == AF_INET ? ETHERTYPE_IP : ETHERTYPE_IPV6),
	};

	memcpy(ethernet.ether_dhost, flood->mac, ETH_ALEN);
	frame->length = 0;
	put(frame, &ethernet, sizeof(ethernet));
}

static unsigned short checksum(const void *bytes, size_t length)
{
	const unsigned short *words = bytes;
	unsigned sum = 0;

	for (size_t i = 0; i < length / 2; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (unsigned short)~((sum & 0xffff) + (sum >> 16));
}

static void put_ip(const struct flood *flood, struct frame *frame, size_t payload, unsigned host)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.tot_len = htons((unsigned short)(sizeof(ip) + payload)),
		.ttl = 64,
		.protocol = flood->proto,
	};
	struct ip6_hdr ip6 = {
		.ip6_flow = htonl(6U << 28),
		.ip6_plen = htons((unsigned short)payload),
		.ip6_nxt = flood->proto,
		.ip6_hlim = 64,
	};

	if (flood->family == AF_INET6) {
		memcpy(&ip6.ip6_src, flood->source, 16);
		ip6.ip6_src.s6_addr32[3] = htonl(host);
		memcpy(&ip6.ip6_dst, flood->address, 16);
		put(frame, &ip6, sizeof(ip6));
		return;
	}
	memcpy(&ip.saddr, flood->source, 4);
	ip.saddr |= htonl(host);
	memcpy(&ip.daddr, flood->address, 4);
	ip.check = checksum(&ip, sizeof(ip));
	put(frame, &ip, sizeof(ip));
}

/* What is sent in the name of a connection. */
static const unsigned char forgeries[] = {
	TH_SYN, TH_RST, TH_FIN | TH_ACK, TH_ACK, TH_RST | TH_ACK, TH_PUSH | TH_ACK,
};

static unsigned random_number(void)
{
	return (unsigned)mrand48();
}

/* The TCP checksum of a segment without payload. */
static unsigned short tcp_checksum(const struct flood *flood, const struct tcphdr *tcp)
{
	struct {
		unsigned char source[16], address[16];
		unsigned length;
		unsigned proto;
		struct tcphdr tcp;
	} sum = { .length = htonl(sizeof(*tcp)), .proto = htonl(IPPROTO_TCP), .tcp = *tcp };
	size_t size = flood->family == AF_INET ? 4 : 16;

	memcpy(sum.source, flood->source, size);
	memcpy(sum.address, flood->address, size);
	return checksum(&sum, sizeof(sum));
}

static void forge_frame(const struct flood *flood, struct frame *frame)
{
	struct tcphdr tcp = {
		.th_sport =
			htons((unsigned short)(flood->first_port + random_number() % flood->ports)),
		.th_dport = flood->port,
		.th_seq = random_number(),
		.th_ack = random_number(),
		.th_off = 5,
		.th_flags = forgeries[random_number() % sizeof(forgeries)],
		.th_win = htons(1024),
	};

	tcp.th_sum = tcp_checksum(flood, &tcp);
	put_ethernet(flood, frame);
	put_ip(flood, frame, sizeof(tcp), 0);
	put(frame, &tcp, sizeof(tcp));
}

static void make_frame(const struct flood *flood, unsigned i, struct frame *frame)
{
	unsigned host = i * STRIDE % flood->sources;
	unsigned short port = htons((unsigned short)(1024 + (i * 7919U) % 60000));
	struct tcphdr tcp = {
		.source = port,
		.dest = flood->port,
		.seq = htonl(i),
		.doff = 5,
		.syn = flood->flags == TH_SYN,
		.ack = flood->flags == TH_ACK,
		.window = htons(1024),
	};
	struct udphdr udp = { .source = port, .dest = flood->port, .len = htons(8) };
	bool is_tcp = flood->proto == IPPROTO_TCP;

	put_ethernet(flood, frame);
	put_ip(flood, frame, is_tcp ? sizeof(tcp) : sizeof(udp), host);
	put(frame, is_tcp ? (void *)&tcp : (void *)&udp, is_tcp ? sizeof(tcp) : sizeof(udp));
}

/* How many of the batch the device took. */
static unsigned send_batch(int fd, struct mmsghdr *messages, unsigned count)
{
	unsigned sent = 0;

	while (sent < count) {
		int n = sendmmsg(fd, messages + sent, count - sent, 0);

		if (n < 0 && errno != ENOBUFS && errno != EAGAIN)
			err(1, "sendmmsg");
		if (n < 0)
			usleep(200);
		else
			sent += (unsigned)n;
	}
	return sent;
}

static void run(const struct flood *flood, int fd, unsigned count, double rate)
{
	static struct frame frames[BATCH];
	static struct iovec parts[BATCH];
	static struct mmsghdr messages[BATCH];
	double begun = seconds(CLOCK_MONOTONIC), ahead;
	unsigned sent = 0;

	while (sent < count) {
		unsigned n = count - sent < BATCH ? count - sent : BATCH;

		for (unsigned i = 0; i < n; i++) {
			if (flood->ports)
				forge_frame(flood, &frames[i]);
			else
				make_frame(flood, sent + i, &frames[i]);
			parts[i] = (struct iovec){ frames[i].bytes, frames[i].length };
			messages[i].msg_hdr =
				(struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1 };
		}
		sent += send_batch(fd, messages, n);
		ahead = sent / rate - (seconds(CLOCK_MONOTONIC) - begun);
		if (ahead > 0)
			usleep((useconds_t)(ahead * 1e6));
	}
	printf("%u %.3f\n", sent, seconds(CLOCK_MONOTONIC) - begun);
}

static void read_arguments(struct flood *flood, char **argv)
{
	unsigned char *mac = flood->mac;

	if (sscanf(argv[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2], &mac[3],
		   &mac[4], &mac[5]) != 6)
		errx(2, "not a MAC address: %s", argv[2]);
	flood->proto = strcmp(argv[3], "udp") ? IPPROTO_TCP : IPPROTO_UDP;
	flood->flags = strcmp(argv[3], "syn") ? TH_ACK : TH_SYN;
	flood->family = strchr(argv[4], ':') ? AF_INET6 : AF_INET;
	if (inet_pton(flood->family, argv[4], flood->source) != 1 ||
	    inet_pton(flood->family, argv[5], flood->address) != 1)
		errx(2, "two addresses of one family are needed");
	flood->port = htons((unsigned short)atoi(argv[6]));
}

int main(int argc, char **argv)
{
	struct sockaddr_ll device = { .sll_family = AF_PACKET };
	struct flood flood = { .sources = SOURCES };
	int fd, on = 1;

	if (argc < 9 || argc != (strcmp(argv[3], "forged") ? argc < 10 ? 9 : 10 : 11))
		errx(2, "usage: flood DEVICE MAC syn|ack|udp SOURCE ADDRESS PORT COUNT RATE "
			"[SOURCES], or flood DEVICE MAC forged SOURCE ADDRESS PORT COUNT RATE "
			"FIRST PORTS");
	read_arguments(&flood, argv);
	if (argc == 11) {
		flood.first_port = (unsigned)strtoul(argv[9], NULL, 10);
		flood.ports = (unsigned)strtoul(argv[10], NULL, 10);
	}
	if (argc == 10)
		flood.sources = (unsigned)strtoul(argv[9], NULL, 10);
	if (!flood.sources || flood.sources & (flood.sources - 1) || flood.sources > SOURCES)
		errx(2, "SOURCES: a power of two, at most %u", SOURCES);
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	device.sll_ifindex = (int)if_nametoindex(argv[1]);
	if (fd < 0 || !device.sll_ifindex || bind(fd, (struct sockaddr *)&device, sizeof(device)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)))
		err(1, "%s", argv[1]);
	run(&flood, fd, (unsigned)strtoul(argv[7], NULL, 10), strtod(argv[8], NULL));
	return 0;
}
