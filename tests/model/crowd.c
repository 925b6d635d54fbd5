// SPDX-License-Identifier: BSD-2-Clause
#include "crowd.h"

#include <netinet/in.h>
#include <stdio.h>

#define FLOWS       100000
#define FLOOD       300000
#define BACKENDS    8
#define HANDSHAKE   4000 /* of FLOWS: have sent nothing but a SYN when the flood comes */

#define IDLE_MS     900000
#define UDP_IDLE_MS IDLE_MS /* longer than the floods take */
#define LAST_ACKS   4       /* SL_SECONDs */
#define FIVE_MIN    280     /* SL_SECONDs */
#define HOUR        12      /* of them */

struct crowd {
	struct subject *subject;
	int home[FLOWS];
};

static struct client member(unsigned flow)
{
	return (struct client){ .address = 0x10000 | flow >> 5,
				.port = (unsigned short)(1024 + (flow & 31)) };
}

static int send_flow(const struct crowd *crowd, unsigned flow, enum tcp_flags flags)
{
	struct client client = member(flow);

	return subject_packet(crowd->subject, &client, flags);
}

/* Sends a packet of each flow; how many went elsewhere than before. */
static unsigned send_from(const struct crowd *crowd, unsigned first, unsigned n)
{
	unsigned moved = 0;

	for (unsigned i = first; i < first + n; i++)
		moved += send_flow(crowd, i, TCP_ACK) != crowd->home[i];
	return moved;
}

static void open_from(struct crowd *crowd, unsigned first, unsigned n)
{
	for (unsigned i = first; i < first + n; i++)
		crowd->home[i] = send_flow(crowd, i, TCP_SYN);
}

/* Spoofed packets, each from another address. */
static void flood_with(const struct crowd *crowd, enum tcp_flags flags)
{
	for (unsigned i = 0; i < FLOOD; i++) {
		struct client client = { .address = 0x800000 + i, .port = 4242 };

		check(subject_packet(crowd->subject, &client, flags) != SUBJECT_NOBODY);
	}
}

static void flood(const struct crowd *crowd)
{
	flood_with(crowd, TCP_SYN);
}

static unsigned entries(const struct crowd *crowd)
{
	return subject_count(crowd->subject, MAP_FLOWS) +
	       subject_count(crowd->subject, MAP_HANDSHAKES);
}

static unsigned long long in_transition(const struct crowd *crowd)
{
	return datapath_flow_stats(crowd->subject->datapath).slots_in_transition;
}

static unsigned live_of_all(const struct crowd *crowd)
{
	unsigned live = 0;

	for (unsigned i = 0; i < BACKENDS; i++)
		live += subject_live(crowd->subject, i);
	return live;
}

static void pass_five_minutes(const struct crowd *crowd)
{
	subject_pass_time(crowd->subject, FIVE_MIN);
	subject_walk(crowd->subject);
}

static void settled_flood(struct crowd *crowd)
{
	open_from(crowd, 0, FLOWS);
	check(!send_from(crowd, 0, FLOWS));
	check(!entries(crowd));
	flood(crowd);
	check(!entries(crowd));
	flood_with(crowd, TCP_ACK);
	check(!entries(crowd));
	check(!send_from(crowd, 0, FLOWS));
	(void)printf("settled: %d flows and floods of %d SYNs and ACKs leave 0 entries, 0 harmed\n",
		     FLOWS, FLOOD);
}

/* Half of the backends drain. The first half of the flows are older than that; the
 * others have begun since, and of these some are still in their handshake.
 */
static void transition_flood(struct crowd *crowd)
{
	unsigned older = FLOWS / 2, harmed, harmed_early, live;

	for (unsigned i = 0; i < BACKENDS; i += 2)
		crowd->subject->inputs[i].admin_state = ADMIN_DRAIN;
	subject_apply(crowd->subject);
	check(in_transition(crowd) > 0);
	for (unsigned i = older; i < FLOWS; i++)
		(void)send_flow(crowd, i, TCP_FIN | TCP_ACK);
	open_from(crowd, older, FLOWS - older);
	for (unsigned i = older; i < FLOWS; i++)
		check(crowd->home[i] % 2);
	check(!send_from(crowd, 0, FLOWS - HANDSHAKE));
	flood(crowd);
	/* Any packet opens a connection again that was closed longer ago than the last
	 * acknowledgement takes, whether this machine is fast or slow.
	 */
	subject_pass_time(crowd->subject, LAST_ACKS);
	harmed = send_from(crowd, 0, FLOWS - HANDSHAKE);
	harmed_early = send_from(crowd, FLOWS - HANDSHAKE, HANDSHAKE);
	(void)printf("in transition: %u entries after a flood of %d SYNs; harmed: %u of %d "
		     "established, %u of %d in their handshake\n",
		     entries(crowd), FLOOD, harmed, FLOWS - HANDSHAKE, harmed_early, HANDSHAKE);
	check(harmed < (FLOWS - HANDSHAKE) / 100);
	for (unsigned i = FLOWS - HANDSHAKE; i < FLOWS; i++)
		crowd->home[i] = send_flow(crowd, i, TCP_ACK);
	live = live_of_all(crowd);
	flood_with(crowd, TCP_ACK);
	harmed = send_from(crowd, 0, FLOWS);
	(void)printf("in transition: %u entries after a flood of %d ACKs; harmed: %u of %d; "
		     "counted: %u more\n",
		     entries(crowd), FLOOD, harmed, FLOWS, live_of_all(crowd) - live);
	check(harmed < FLOWS / 100 && live_of_all(crowd) == live);
}

/* While older connections live they keep their slots in transition; nobody is moved.
 */
static void settle(struct crowd *crowd)
{
	unsigned long long held;

	for (unsigned i = 0; i < 5; i++) {
		pass_five_minutes(crowd);
		check(!send_from(crowd, 0, FLOWS));
	}
	held = in_transition(crowd);
	check(held > 0 && entries(crowd) > 0);
	for (unsigned i = 0; i < FLOWS; i++)
		(void)send_flow(crowd, i, TCP_RST);
	open_from(crowd, 0, FLOWS);
	for (unsigned i = 0; i < 4; i++) {
		check(!send_from(crowd, 0, FLOWS));
		pass_five_minutes(crowd);
	}
	check(!in_transition(crowd));
	subject_walk(crowd->subject);
	for (unsigned i = 0; i < HOUR; i++) {
		check(!send_from(crowd, 0, FLOWS));
		check(!entries(crowd));
		pass_five_minutes(crowd);
	}
	(void)printf("settled: %llu slots were held by older connections, until these ended; an "
		     "hour of %d flows leaves %u entries\n",
		     held, FLOWS, entries(crowd));
	check(!entries(crowd));
}

/* A client's UDP flows while slots are in transition, and a flood of others. */
static void udp_flood(struct crowd *crowd)
{
	unsigned harmed;

	open_from(crowd, 0, FLOWS);
	for (unsigned i = 0; i < BACKENDS; i += 2)
		crowd->subject->inputs[i].admin_state = ADMIN_DRAIN;
	subject_apply(crowd->subject);
	check(!send_from(crowd, 0, FLOWS));
	flood_with(crowd, 0);
	harmed = send_from(crowd, 0, FLOWS);
	(void)printf(
		"UDP in transition: %u entries after a flood of %d packets; harmed: %u of %d\n",
		entries(crowd), FLOOD, harmed, FLOWS);
	check(harmed < FLOWS / 100);
}

static void begin(struct subject *subject, __u8 proto)
{
	static const struct datapath_timeouts timeouts = { IDLE_MS, UDP_IDLE_MS, IDLE_MS };

	subject_service(subject, proto, SL_FAMILY_IPV6, SL_SCHEDULER_MAGLEV);
	subject_set_timeouts(subject, &timeouts);
	subject->service.table_size = 65537;
	for (unsigned i = 0; i < BACKENDS; i++)
		subject_backend(subject, i, 1);
	subject_apply(subject);
}

void crowd_run(struct subject *subject)
{
	static struct crowd crowd;

	crowd.subject = subject;
	begin(subject, IPPROTO_TCP);
	settled_flood(&crowd);
	transition_flood(&crowd);
	settle(&crowd);
	begin(subject, IPPROTO_UDP);
	udp_flood(&crowd);
	subject_remove(subject);
}
