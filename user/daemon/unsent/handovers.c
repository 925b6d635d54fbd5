// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/unsent/handovers.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "daemon/datapath/unsent.h"
#include "daemon/log.h"

#define HANDOVERS_MAX 256
#define RECENT_MS     60000 /* how long a refusal without replies is a problem */
#define TEXT_SIZE     512

struct handover {
	struct forwarded reply; /* the last one that was met */
	unsigned egress;        /* ifindex; 0: a route into a tunnel */
	unsigned long long met_ms;
	bool forwards;
	TAILQ_ENTRY(handover) link;
};

struct handovers {
	const struct datapath *datapath;
	const struct nexthops *hops;
	TAILQ_HEAD(handover_list, handover) all; /* the one met longest ago comes first */
	unsigned n;
};

int handovers_new(const struct datapath *datapath, const struct nexthops *hops,
		  struct handovers **ret_handovers)
{
	struct handovers *handovers = calloc(1, sizeof(*handovers));

	if (!handovers)
		return -ENOMEM;
	handovers->datapath = datapath;
	handovers->hops = hops;
	TAILQ_INIT(&handovers->all);
	*ret_handovers = handovers;
	return 0;
}

static struct sl_handover key_of(const struct handover *handover)
{
	return (struct sl_handover){
		.service = handover->reply.source.addr,
		.ingress = handover->reply.ingress,
		.egress = handover->egress,
		.family = handover->reply.source.family,
	};
}

static void tell_program(const struct handovers *handovers, const struct handover *handover)
{
	const struct sl_handover key = key_of(handover);

	datapath_set_handover(handovers->datapath, &key, handover->forwards);
}

static void drop(struct handovers *handovers, struct handover *handover)
{
	handover->forwards = false;
	tell_program(handovers, handover);
	TAILQ_REMOVE(&handovers->all, handover, link);
	handovers->n--;
	free(handover);
}

void handovers_free(struct handovers *handovers)
{
	struct handover *handover;

	if (!handovers)
		return;
	while ((handover = TAILQ_FIRST(&handovers->all))) {
		TAILQ_REMOVE(&handovers->all, handover, link);
		free(handover);
	}
	free(handovers);
}

static struct handover *find(const struct handovers *handovers, const struct forwarded *reply,
			     unsigned egress)
{
	struct handover *handover;

	for (handover = TAILQ_FIRST(&handovers->all); handover;
	     handover = TAILQ_NEXT(handover, link))
		if (handover->egress == egress && handover->reply.ingress == reply->ingress &&
		    ip_equal(&handover->reply.source, &reply->source))
			return handover;
	return NULL;
}

static void say_refusal(const struct handovers *handovers, const struct handover *handover,
			handovers_say_fn *say, void *arg)
{
	char address[ADDR_TEXT_SIZE], ingress[IF_NAMESIZE], egress[IF_NAMESIZE], text[TEXT_SIZE];
	int length;

	if (!if_indextoname(handover->reply.ingress, ingress))
		return;
	length = snprintf(text, sizeof(text),
			  "nat: replies of %s from %s leave by %s, which takes no frames from XDP, "
			  "and the kernel does not forward them, so that sluiced sends a few of "
			  "them and the others are lost; mend it: ",
			  ip_format(&handover->reply.source, address), ingress,
			  if_indextoname(handover->egress, egress) ? egress : "a tunnel");
	if (nexthops_is_local(handovers->hops, &handover->reply.source))
		(void)snprintf(text + length, sizeof(text) - (size_t)length,
			       "take the address off this machine, or sysctl -w "
			       "net.ipv4.conf.%s.accept_local=1",
			       ingress);
	else
		(void)snprintf(text + length, sizeof(text) - (size_t)length,
			       "sysctl -w net.ipv4.conf.all.rp_filter=0 "
			       "net.ipv4.conf.%s.rp_filter=0",
			       ingress);
	say(arg, text);
}

static void log_refusal(void *arg, const char *text)
{
	(void)arg;
	log_warning("%s", text);
}

/* Asks the kernel, and tells the program of another result. */
static void ask(struct handovers *handovers, struct handover *handover)
{
	bool before = handover->forwards;

	handover->forwards = nexthops_forwards(handovers->hops, &handover->reply);
	if (handover->forwards != before)
		tell_program(handovers, handover);
}

static struct handover *add(struct handovers *handovers, const struct forwarded *reply,
			    unsigned egress)
{
	struct handover *handover = calloc(1, sizeof(*handover));

	if (!handover)
		return NULL;
	if (handovers->n == HANDOVERS_MAX)
		drop(handovers, TAILQ_FIRST(&handovers->all));
	handover->reply = *reply;
	handover->egress = egress;
	TAILQ_INSERT_TAIL(&handovers->all, handover, link);
	handovers->n++;
	return handover;
}

void handovers_meet(struct handovers *handovers, const struct forwarded *reply, unsigned egress,
		    unsigned long long now_ms)
{
	struct handover *handover = find(handovers, reply, egress);
	bool first = !handover;

	if (first)
		handover = add(handovers, reply, egress);
	if (!handover)
		return;
	handover->reply = *reply;
	handover->met_ms = now_ms;
	TAILQ_REMOVE(&handovers->all, handover, link);
	TAILQ_INSERT_TAIL(&handovers->all, handover, link);
	if (!first)
		return;
	ask(handovers, handover);
	if (!handover->forwards)
		say_refusal(handovers, handover, log_refusal, NULL);
}

void handovers_review(struct handovers *handovers)
{
	struct handover *handover;

	for (handover = TAILQ_FIRST(&handovers->all); handover;
	     handover = TAILQ_NEXT(handover, link))
		ask(handovers, handover);
}

void handovers_each_problem(const struct handovers *handovers, unsigned long long now_ms,
			    handovers_say_fn *say, void *arg)
{
	const struct handover *handover;

	for (handover = TAILQ_FIRST(&handovers->all); handover;
	     handover = TAILQ_NEXT(handover, link))
		if (!handover->forwards && now_ms - handover->met_ms < RECENT_MS)
			say_refusal(handovers, handover, say, arg);
}
