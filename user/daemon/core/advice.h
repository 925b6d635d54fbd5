/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Finds settings of the machine that will keep sluice from forwarding, each with the
 * command that mends it.
 */
#ifndef SLUICE_DAEMON_CORE_ADVICE_H
#define SLUICE_DAEMON_CORE_ADVICE_H

struct balancer;

typedef void advice_fn(void *arg, const char *text);

/* Looks anew at each call; says nothing where all is well. */
void advice_give(const struct balancer *balancer, advice_fn *say, void *arg);

#endif
