/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The program's coarse clock: SL_SECONDs (sluice/abi.h), as the program counts them.
 */
#ifndef SLUICE_DAEMON_DATAPATH_STATE_CLOCK_H
#define SLUICE_DAEMON_DATAPATH_STATE_CLOCK_H

#include <linux/types.h>

/* SL_SECONDs since the machine started. Wraps around. */
__u32 clock_now(void);

/* A duration in SL_SECONDs, rounded up. */
__u32 clock_timeout(unsigned ms);

#endif
