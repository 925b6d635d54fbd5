/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every scenario, once; test_hops.py reads this list too.
 */
#ifndef SLUICE_TESTS_NETLINK_SCENARIOS_H
#define SLUICE_TESTS_NETLINK_SCENARIOS_H

#define SCENARIOS(X)            \
	X(on_link)              \
	X(known_at_once)        \
	X(via_gateway)          \
	X(ipv6)                 \
	X(mac_changes)          \
	X(mac_changes_silently) \
	X(dies_and_returns)     \
	X(appears_later)        \
	X(link_goes_down)       \
	X(route_moves)          \
	X(no_route)             \
	X(local)                \
	X(several_ways)         \
	X(members)              \
	X(mtu)                  \
	X(vlan)                 \
	X(bridge)               \
	X(unsupported)          \
	X(takes_no_frames)      \
	X(freed_in_callback)    \
	X(many)                 \
	X(changes_are_lost)     \
	X(entries_of_others)    \
	X(flush)                \
	X(gateways)             \
	X(in_use)               \
	X(vlan_messages)        \
	X(xdp_messages)         \
	X(features_messages)    \
	X(station_messages)     \
	X(stations)             \
	X(virtual_router)       \
	X(own_addresses)        \
	X(hostile_messages)     \
	X(explains)

#define SCENARIO_DECLARE(name) void name(void);
SCENARIOS(SCENARIO_DECLARE)
#undef SCENARIO_DECLARE

#endif
