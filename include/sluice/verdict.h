/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The list of verdicts: every way out of the datapath, with its name, its XDP action, the
 * counters that its packets raise, and words for people. The enum, the program's action,
 * the counters' indices, sluicectl's tables and the tests expand from this list.
 *
 * The rule behind the actions: until a packet is known to be a service's, doubt
 * means pass; after that, doubt means drop. FORWARD stands for XDP_TX or
 * XDP_REDIRECT, whichever the hop asks for; a refusal leaves where its packet arrived.
 *
 * The third column names the counters of struct sl_stats, of the packet's service and of
 * its backend: SENT, REPLY, REFUSED or DROPPED; NONE raises no counter but the verdict's
 * own.
 */
#ifndef SLUICE_SHARED_VERDICT_H
#define SLUICE_SHARED_VERDICT_H

#define SL_VERDICTS(X)                                                                             \
	X(PASS_NOT_IP, PASS, NONE, "neither IPv4 nor IPv6")                                        \
	X(PASS_MALFORMED, PASS, NONE, "malformed or cut short, not known to be a service's")       \
	X(PASS_FRAGMENT, PASS, NONE, "a later fragment: it has no ports to find a service by")     \
	X(PASS_PROTOCOL, PASS, NONE, "neither TCP nor UDP, or routed by its source")               \
	X(PASS_FOREIGN_FRAME, PASS, NONE, "sent to another MAC address, a group or another VLAN")  \
	X(PASS_NO_SERVICE, PASS, NONE, "no service has this address, port and protocol")           \
	X(PASS_OWN, PASS, NONE, "a backend's reply to this machine itself")                        \
	X(PASS_NO_ROUTE, PASS, NONE, "a backend's reply to an address without a route")            \
	X(PASS_DIRECT, PASS, NONE, "to or from a backend itself, not through its service")         \
	X(PASS_ELSEWHERE, PASS, NONE, "a backend's source address, where that backend is not")     \
	X(PASS_FORWARDING_OFF, PASS, NONE, "a backend's reply, but IP forwarding is off here")     \
	X(PASS_HANDED_OVER, PASS, REPLY, "a backend's reply, rewritten: the kernel routes it on")  \
	X(FORWARDED, FORWARD, SENT, "sent to a backend")                                           \
	X(RETURNED, FORWARD, REPLY, "a backend's reply, sent to its client")                       \
	X(HELD, DROP, REPLY, "a backend's reply that sluiced sends: the way is not found yet")     \
	X(FRAGMENTED, DROP, SENT,                                                                  \
	  "beyond the MTU on the way to a backend: sluiced sends fragments")                       \
	X(FRAGMENTED_REPLY, DROP, REPLY,                                                           \
	  "a backend's reply beyond the MTU: sluiced sends fragments")                             \
	X(REJECTED, FORWARD, REFUSED, "no backend can serve: answered with a refusal")             \
	X(REJECTED_LIMIT, FORWARD, REFUSED, "over the service's limit: answered with a refusal")   \
	X(REJECTED_UNSERVED, FORWARD, NONE, "for no service at its address: a refusal is sent")    \
	X(REJECTED_TOO_BIG, FORWARD, REFUSED,                                                      \
	  "beyond the MTU on the way to a backend: its sender is told")                            \
	X(REJECTED_REPLY, FORWARD, REFUSED,                                                        \
	  "a backend's reply beyond the MTU: the backend is told")                                 \
	X(RESPONDED, FORWARD, SENT, "over the limit, or no backend serves: sent to the responder") \
	X(DROP_MALFORMED, DROP, DROPPED, "for a service, malformed or cut short")                  \
	X(DROP_FRAGMENT, DROP, DROPPED, "for a service, fragmented")                               \
	X(DROP_UNSERVED, DROP, NONE, "for no service at a service's address")                      \
	X(DROP_STANDBY, DROP, NONE, "sent to a virtual router (VRRP) that another machine is now") \
	X(DROP_MARTIAN, DROP, DROPPED, "the source address is no client's")                        \
	X(DROP_DENIED, DROP, DROPPED, "the source is denied, or not among the allowed")            \
	X(DROP_LIMIT, DROP, DROPPED, "over the service's limit")                                   \
	X(DROP_NO_BACKEND, DROP, DROPPED, "no backend of the service can serve")                   \
	X(DROP_TTL, DROP, DROPPED, "TTL or hop limit used up")                                     \
	X(DROP_TOO_BIG, DROP, DROPPED, "beyond the MTU, and its sender is not told")               \
	X(DROP_HAIRPIN, DROP, DROPPED, "a nat backend, as a client, would be sent its own packet") \
	X(DROP_NO_ROUTE, DROP, DROPPED, "a backend's reply to an address whose route forbids it")  \
	X(DROP_UNSENT, DROP, DROPPED, "a backend's reply beyond those that sluiced can send")      \
	X(DROP_INTERNAL, DROP, DROPPED, "a map's entry is invalid, or the frame has no headroom")

/* SL_NEXT: the packet goes on to the next stage. Never counted. */
#define SL_VERDICT_ENUM(name, action, counted, text) SL_##name,
enum sl_verdict { SL_NEXT, SL_VERDICTS(SL_VERDICT_ENUM) SL_VERDICT_COUNT };
#undef SL_VERDICT_ENUM

#endif
