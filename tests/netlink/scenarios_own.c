// SPDX-License-Identifier: BSD-2-Clause
/* What is this machine's own, from the kernel's devices and addresses. */
#include "harness.h"

#include <string.h>

#include "scenarios.h"
#include "sluice/ours.h"

#define VRRP_MAC "00:00:5e:00:01:07"

/* A station or an address that is looked for. */
struct wanted {
	unsigned ifindex;
	__u8 mac[6];
	struct ip ip;
	bool found;
	__u32 state; /* of the station */
};

static void match_station(void *arg, const struct sl_station *station, __u32 state)
{
	struct wanted *wanted = arg;

	if (station->ifindex == wanted->ifindex && !station->vlan &&
	    !memcmp(station->mac, wanted->mac, sizeof(wanted->mac)))
		wanted->state = state;
}

/* SL_STATION_*; 0: it is none. */
static __u32 station_state(const char *device, const char *mac)
{
	struct wanted wanted = { .ifindex = if_nametoindex(device) };
	__u8 *bytes = wanted.mac;

	check(sscanf(mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &bytes[0], &bytes[1], &bytes[2],
		     &bytes[3], &bytes[4], &bytes[5]) == 6);
	check(nexthops_each_station(hops, match_station, &wanted) == 0);
	return wanted.state;
}

static bool is_station(const char *device, const char *mac)
{
	return station_state(device, mac) == SL_STATION_ACTIVE;
}

static bool is_standby(const char *device, const char *mac)
{
	return station_state(device, mac) == SL_STATION_STANDBY;
}

static void match_address(void *arg, const struct ip *ip)
{
	struct wanted *wanted = arg;

	wanted->found |= ip_equal(ip, &wanted->ip);
}

static bool is_own(const char *address)
{
	struct wanted wanted = {};

	check(ip_parse(address, &wanted.ip) == 0);
	nexthops_each_address(hops, match_address, &wanted);
	return wanted.found;
}

static unsigned told;

static void on_own(void *arg)
{
	(void)arg;
	told++;
}

/* Runs the loop until it was told of a change once more. */
static void wait_told(void)
{
	const unsigned before = told;

	while (told == before)
		(void)uv_run(&loop, UV_RUN_ONCE);
}

/* Makes the change, and waits until it is told. */
#define TOLD(...)                \
	do {                     \
		ip(__VA_ARGS__); \
		wait_told();     \
	} while (0)

void stations(void)
{
	nexthops_follow_own(hops, on_own, NULL);
	check(is_station("v0", "02:77:00:00:00:01") && is_station("v1", "02:78:00:00:00:01"));
	check(!is_station("v0", "02:78:00:00:00:01"));
	TOLD("link set v0 address 02:77:00:00:00:31");
	check(is_station("v0", "02:77:00:00:00:31") && !is_station("v0", "02:77:00:00:00:01"));

	TOLD("link add br0 address 02:77:00:00:00:32 type bridge");
	TOLD("link set v0 master br0");
	check(!is_station("v0", "02:77:00:00:00:32")); /* it is down */
	TOLD("link set br0 up");
	check(is_station("v0", "02:77:00:00:00:32") && !is_station("v1", "02:77:00:00:00:32"));
	TOLD("link set v0 nomaster");
	while (is_station("v0", "02:77:00:00:00:32"))
		wait_told();
	check(is_station("br0", "02:77:00:00:00:32"));

	TOLD("link add m0 link v1 address 02:78:00:00:00:33 up type macvlan mode bridge");
	while (!is_station("v1", "02:78:00:00:00:33"))
		wait_told();
	check(!is_station("v0", "02:78:00:00:00:33"));
	TOLD("link del m0");
	while (is_station("v1", "02:78:00:00:00:33"))
		wait_told();
}

/* The virtual router's address is this machine's while it holds the router's IP address. */
void virtual_router(void)
{
	nexthops_follow_own(hops, on_own, NULL);
	ip("link add vrrp.7 link v0 address " VRRP_MAC " type macvlan mode private");
	check(!station_state("v0", VRRP_MAC)); /* it is down */
	TOLD("link set vrrp.7 up");
	check(is_standby("v0", VRRP_MAC));
	wait_for(A_WHILE); /* the kernel gives the device an address of its own making */
	check(is_standby("v0", VRRP_MAC) && !station_state("v1", VRRP_MAC));
	TOLD("address add 198.51.100.10/32 dev vrrp.7");
	while (!is_station("v0", VRRP_MAC))
		wait_told();
	TOLD("address del 198.51.100.10/32 dev vrrp.7");
	check(is_standby("v0", VRRP_MAC));
	TOLD("address add 2001:db8:1::10/128 dev vrrp.7 nodad");
	check(is_station("v0", VRRP_MAC));
	TOLD("link set vrrp.7 down");
	while (station_state("v0", VRRP_MAC))
		wait_told();

	/* Behind a bridge, the active one may be at another port. */
	ip("link add br0 type bridge");
	ip("link set v1 master br0");
	ip("link add vrrp.8 link br0 address " VRRP_MAC " type macvlan mode private");
	ip("link set br0 up");
	TOLD("link set vrrp.8 up");
	while (!is_standby("br0", VRRP_MAC))
		wait_told();
	check(!station_state("v1", VRRP_MAC));
	TOLD("address add 198.51.100.10/32 dev vrrp.8");
	while (!is_station("v1", VRRP_MAC))
		wait_told();
}

void own_addresses(void)
{
	nexthops_follow_own(hops, on_own, NULL);
	check(is_own("10.77.0.1") && is_own("fd78::1") && is_own("127.0.0.1") && is_own("::1"));
	check(is_own("10.77.0.255")); /* of the network */
	check(!is_own("10.77.0.2") && !is_own("198.51.100.10") && !is_own("::ffff:10.77.0.1"));
	TOLD("address add 198.51.100.10/32 dev lo");
	check(is_own("198.51.100.10") && !is_own("198.51.100.255"));
	TOLD("address add 198.51.100.10/31 dev v1");
	TOLD("address del 198.51.100.10/32 dev lo");
	check(is_own("198.51.100.10"));
	TOLD("address del 198.51.100.10/31 dev v1");
	check(!is_own("198.51.100.10"));
	TOLD("address add 192.0.2.1 peer 192.0.2.2/32 dev v1");
	check(is_own("192.0.2.1") && !is_own("192.0.2.2"));
}
