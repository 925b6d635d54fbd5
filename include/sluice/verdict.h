/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every way out of the datapath, once: name, XDP action, words for people. The
 * enum, the program's action, the counters' indices, sluicectl's tables and
 * the tests expand from this list.
 *
 * The rule behind the actions: until a packet is known to be a service's, doubt
 * means pass; after that, doubt means drop. FORWARD stands for XDP_TX or
 * XDP_REDIRECT, whichever the hop asks for; of a refusal, back where it came from.
 */
#ifndef SLUICE_SHARED_VERDICT_H
#define SLUICE_SHARED_VERDICT_H

#define SL_VERDICTS(X)                                                                          \
	X(PASS_NOT_IP, PASS, "neither IPv4 nor IPv6")                                           \
	X(PASS_MALFORMED, PASS, "malformed or cut short, not known to be a service's")          \
	X(PASS_FRAGMENT, PASS, "a later fragment: it has no ports to find a service by")        \
	X(PASS_PROTOCOL, PASS, "neither TCP nor UDP")                                           \
	X(PASS_NO_SERVICE, PASS, "no service has this address, port and protocol")              \
	X(PASS_OWN, PASS, "a backend's reply to this machine itself")                           \
	X(PASS_ELSEWHERE, PASS, "a backend's source address, where that backend is not")        \
	X(PASS_FORWARDING_OFF, PASS, "a backend's reply, but IP forwarding is off here")        \
	X(PASS_TOO_BIG, PASS, "a backend's reply beyond the MTU: the kernel tells the backend") \
	X(PASS_UNRESOLVED, PASS, "a backend's reply, rewritten: the kernel finds its way on")   \
	X(FORWARDED, FORWARD, "sent to a backend")                                              \
	X(RETURNED, FORWARD, "a backend's reply, sent to its client")                           \
	X(REJECTED, FORWARD, "no backend of the service can serve: answered with a refusal")    \
	X(REJECTED_LIMIT, FORWARD, "over the service's limit: answered with a refusal")         \
	X(REJECTED_TOO_BIG, FORWARD, "no room for the outer header: answered with what fits")   \
	X(RESPONDED, FORWARD, "over the limit, or nobody serves: sent to the responder")        \
	X(DROP_MALFORMED, DROP, "for a service, malformed or cut short")                        \
	X(DROP_FRAGMENT, DROP, "for a service, fragmented")                                     \
	X(DROP_DENIED, DROP, "the source is denied, or not among the allowed")                  \
	X(DROP_LIMIT, DROP, "over the service's limit")                                         \
	X(DROP_NO_BACKEND, DROP, "no backend of the service can serve")                         \
	X(DROP_TTL, DROP, "TTL or hop limit used up")                                           \
	X(DROP_TOO_BIG, DROP, "no room for the outer header on the way to the backend")         \
	X(DROP_NO_ROUTE, DROP, "a backend's reply to an address without a route")               \
	X(DROP_INTERNAL, DROP, "a map holds what it must not, or the frame has no headroom")

/* SL_NEXT: the packet goes on to the next stage. Never counted. */
#define SL_VERDICT_ENUM(name, action, text) SL_##name,
enum sl_verdict { SL_NEXT, SL_VERDICTS(SL_VERDICT_ENUM) SL_VERDICT_COUNT };
#undef SL_VERDICT_ENUM

#endif
