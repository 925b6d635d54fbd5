/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The claim to an interface: a lock that keeps every other sluiced off it. For
 * attachment.c.
 */
#ifndef SLUICE_DAEMON_DATAPATH_CLAIM_H
#define SLUICE_DAEMON_DATAPATH_CLAIM_H

struct diag;

/* Claims the interface of this index in this network namespace; name is for messages. 0 or
 * -errno and diag. -EBUSY: another sluiced has it.
 */
int claim_take(int ifindex, const char *name, struct diag *diag, int *ret_claim);

/* Ends the claim and closes its descriptor; accepts -1. */
void claim_release(int claim, int ifindex);

#endif
