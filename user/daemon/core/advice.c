// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/core/advice.h"

#include <stdio.h>
#include <string.h>

#include "daemon/core/balancer.h"
#include "daemon/core/ours.h"
#include "daemon/core/service.h"
#include "daemon/datapath/datapath.h"
#include "daemon/nexthop/follow.h"
#include "daemon/nexthop/links.h"
#include "daemon/nexthop/nexthops.h"
#include "daemon/unsent/unsent.h"
#include "lib/balance/plan.h"
#include "lib/base/cleanup.h"
#include "lib/base/yield.h"

#define ADVICE_SIZE     512
#define FOREIGN_SECONDS 60    /* a packet longer ago is no problem now */
#define IPV6_MTU_LEAST  1280U /* RFC 8200 section 5 */

/* Whether the kernel forwards packets that arrive on an interface. A setting that cannot
 * be read (the kernel has no IPv6) counts as on: there is nothing to advise.
 */
static bool forwarding_on(const char *interface, __u8 family)
{
	_cleanup_(cleanup_fclose) FILE *file = NULL;
	char path[128];

	(void)snprintf(path, sizeof(path), "/proc/sys/net/ipv%u/conf/%s/forwarding", family,
		       interface);
	file = fopen(path, "re");
	return !file || fgetc(file) != '0';
}

/* nat asks the kernel for the route of the replies, and the kernel names none while it does
 * not forward.
 */
static void advise_forwarding(const struct balancer *balancer, __u8 family, advice_fn *say,
			      void *arg)
{
	bool needed = false;
	char text[ADVICE_SIZE];

	for (size_t i = 0; i < balancer->config->n_services; i++) {
		const struct service_config *service = &balancer->config->services[i];

		for (size_t j = 0; j < service->n_addresses; j++)
			needed |= sl_forward_returns(service->forward) &&
				  service->addresses[j].family == family;
	}
	for (size_t i = 0; needed && i < balancer->n_attachments; i++) {
		if (forwarding_on(balancer->attachments[i].name, family))
			continue;
		(void)snprintf(text, sizeof(text),
			       "nat: IPv%u forwarding is off on %s, so replies do not reach the "
			       "clients; mend it: sysctl -w %s=1",
			       family, balancer->attachments[i].name,
			       family == SL_FAMILY_IPV4 ? "net.ipv4.ip_forward"
							: "net.ipv6.conf.all.forwarding");
		say(arg, text);
		return;
	}
}

/* Interfaces that are wanted, and do not run the program, are problems of their own. */
static bool is_wanted(const struct balancer *balancer, unsigned ifindex)
{
	for (size_t i = 0; i < balancer->n_attachments; i++)
		if ((unsigned)balancer->attachments[i].ifindex == ifindex)
			return true;
	return false;
}

/* What XDP gives to a device that takes no frames is lost, and no counter of a program shows it.
 * Next hops through such devices are not used; but packets that leave by the interface by which
 * they came, refusals among them, do not ask for a next hop.
 */
static void advise_sending(const struct balancer *balancer, const struct attachment *attachment,
			   advice_fn *say, void *arg)
{
	const struct links *links = nexthops_links(balancer->nexthops);
	const struct link *link = links_find(links, attachment->ifindex);
	char text[ADVICE_SIZE];

	if (attachment->state != ATTACHMENT_RUNS || attachment->mode != ATTACH_NATIVE || !link ||
	    links_redirects(links, link) || (!link->veth && links->natives == 1))
		return;
	if (link->veth)
		(void)snprintf(
			text, sizeof(text),
			"%s takes no frames from XDP now, so that packets that sluice sends "
			"back by it are lost; mend it at the other end of this veth: ethtool -K "
			"INTERFACE gro on (if it is on already: off, and then on)",
			attachment->name);
	else
		(void)snprintf(
			text, sizeof(text),
			"the driver of %s takes no frames from XDP that came in by another "
			"interface, so that these are lost; mend it: `mode: generic` for all "
			"interfaces",
			attachment->name);
	say(arg, text);
}

/* A bond or team whose members run the program. */
static bool has_attached_member(const struct balancer *balancer, const struct nexthop *hop)
{
	for (size_t i = 0; i < SL_ORIGINS; i++)
		if (hop->origins[i].ifindex && hop->origins[i].name == hop->wire.ifindex &&
		    is_wanted(balancer, hop->origins[i].ifindex))
			return true;
	return false;
}

/* A nat backend's replies must meet the program; and many drivers send redirected frames
 * only while they run an XDP program themselves.
 */
static void advise_attaching(const struct backend *backend, advice_fn *say, void *arg)
{
	const struct balancer *balancer = backend->service->balancer;
	const struct nexthop *hop = nexthop_watch_get(backend->hop);
	char text[ADVICE_SIZE];

	if (!balancer->n_attachments || hop->state != NEXTHOP_RESOLVED ||
	    is_wanted(balancer, hop->wire.ifindex) || has_attached_member(balancer, hop))
		return;
	(void)snprintf(text, sizeof(text),
		       "backend %s/%s is behind %s, to which sluice is not attached; mend it: "
		       "sluicectl attach %s, and name it under interfaces",
		       backend->service->config->name, backend->config->name, hop->device,
		       hop->device);
	say(arg, text);
}

/* Replies that come in where none may are not believed: without this, clients only wait. */
static void advise_origin(const struct backend *backend, advice_fn *say, void *arg)
{
	const struct service_config *service = backend->service->config;
	const struct nexthop *hop = nexthop_watch_get(backend->hop);
	struct sl_key keys[CONFIG_ADDRESSES_MAX], key = plan_backend_key(service, backend->config);
	size_t n = service_keys(backend->service, keys);
	char text[ADVICE_SIZE], address[ADDR_TEXT_SIZE], name[IF_NAMESIZE], vlan[24] = "";
	struct datapath_foreign foreign;

	for (size_t i = 0; i < n; i++) {
		if (hop->state != NEXTHOP_RESOLVED ||
		    !datapath_foreign(backend->service->balancer->datapath, &keys[i], &key,
				      &foreign) ||
		    foreign.seconds > FOREIGN_SECONDS || !if_indextoname(foreign.ifindex, name))
			continue;
		if (foreign.vlan)
			(void)snprintf(vlan, sizeof(vlan), " (VLAN %u)", foreign.vlan);
		ip_format(&backend->config->ip, address);
		(void)snprintf(
			text, sizeof(text),
			"backend %s/%s: packets from it come in by %s%s, but the route to it "
			"uses %s, so its replies are not believed; mend it: let a route to %s "
			"use that interface too, or the backend answer by %s",
			service->name, backend->config->name, name, vlan, hop->device, address,
			hop->device);
		say(arg, text);
		return;
	}
}

/* No IPv6 sender makes packets shorter than 1280 bytes when it is told that one was too
 * big, and nothing here fragments.
 */
static void advise_mtu(const struct backend *backend, advice_fn *say, void *arg)
{
	const struct nexthop *hop = nexthop_watch_get(backend->hop);
	unsigned outer = sl_forward_properties(backend->service->config->forward).outer_v6;
	char text[ADVICE_SIZE];

	if (!outer || backend->config->ip.family != SL_FAMILY_IPV6 ||
	    hop->state != NEXTHOP_RESOLVED || hop->wire.mtu >= IPV6_MTU_LEAST + outer)
		return;
	(void)snprintf(text, sizeof(text),
		       "backend %s/%s: its way has MTU %u, so IPv6 packets of %u bytes, which any "
		       "client may send, do not fit with the outer header; mend it: ip link set "
		       "dev %s mtu %u or more, and its route's if it has one",
		       backend->service->config->name, backend->config->name, hop->wire.mtu,
		       IPV6_MTU_LEAST, hop->device, IPV6_MTU_LEAST + outer);
	say(arg, text);
}

/* The problem is told of this many addresses by name. */
#define ADVICE_ADDRESSES 8

struct telling {
	advice_fn *say;
	void *arg;
	size_t n;
};

static void tell_routed(void *arg, const struct ip *ip)
{
	struct telling *telling = arg;
	char address[ADDR_TEXT_SIZE], text[ADVICE_SIZE];

	if (telling->n++ >= ADVICE_ADDRESSES)
		return;
	ip_format(ip, address);
	(void)snprintf(text, sizeof(text),
		       "%s, a service's address, is neither on this machine nor behind a blackhole "
		       "route, so while sluice does not run, packets for it may go to and fro "
		       "between this machine and its router; mend it: ip route add blackhole %s",
		       address, address);
	telling->say(telling->arg, text);
}

/* What sluice drops while it runs (`unserved`), the kernel would route on. */
static void advise_blackholes(const struct balancer *balancer, advice_fn *say, void *arg)
{
	struct telling telling = { .say = say, .arg = arg };
	char text[ADVICE_SIZE];

	ours_each_routed(balancer, tell_routed, &telling);
	if (telling.n <= ADVICE_ADDRESSES)
		return;
	(void)snprintf(text, sizeof(text),
		       "%zu more of the services' addresses are neither on this machine nor "
		       "behind a blackhole route; mend it: a blackhole route for their prefix",
		       telling.n - ADVICE_ADDRESSES);
	say(arg, text);
}

/* Machines that share clients choose alike only if their seeds are the same. */
static void advise_seed(const struct balancer *balancer, advice_fn *say, void *arg)
{
	if (datapath_hash_seed(balancer->datapath) != balancer->config->hash_seed)
		say(arg,
		    "hash_seed of the configuration is not in use: the program that was taken "
		    "over has another seed and keeps it, for a change would move most "
		    "connections; mend it: write the seed that runs, or, if they may move, "
		    "detach all interfaces (sluicectl detach), stop sluiced and start it again");
}

void advice_give(const struct balancer *balancer, advice_fn *say, void *arg)
{
	advise_seed(balancer, say, arg);
	advise_forwarding(balancer, SL_FAMILY_IPV4, say, arg);
	advise_forwarding(balancer, SL_FAMILY_IPV6, say, arg);
	for (size_t i = 0; i < balancer->n_attachments; i++)
		advise_sending(balancer, &balancer->attachments[i], say, arg);
	unsent_each_problem(balancer->unsent, say, arg);
	advise_blackholes(balancer, say, arg);
	for (size_t i = 0; i < balancer->config->n_services; i++)
		for (size_t j = 0; j < balancer->config->services[i].n_backends; j++) {
			advise_attaching(&balancer->services[i]->backends[j], say, arg);
			advise_origin(&balancer->services[i]->backends[j], say, arg);
			advise_mtu(&balancer->services[i]->backends[j], say, arg);
			yield_point();
		}
}
