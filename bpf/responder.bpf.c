// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* In the responder's network namespace: one listening socket takes the TCP
 * connections to every address and port. Everything else there is dropped.
 */
#include <linux/bpf.h>
#include <linux/in.h>

#include <bpf/bpf_helpers.h>

/* sluiced puts the socket in. */
struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} sl_listener SEC(".maps");

SEC("sk_lookup")
int steer(struct bpf_sk_lookup *lookup)
{
	struct bpf_sock *listener;
	__u32 first = 0;
	long error;

	if (lookup->protocol != IPPROTO_TCP)
		return SK_DROP;
	listener = bpf_map_lookup_elem(&sl_listener, &first);
	if (!listener)
		return SK_DROP;
	error = bpf_sk_assign(lookup, listener, 0);
	bpf_sk_release(listener);
	return error ? SK_DROP : SK_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
