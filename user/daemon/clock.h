/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The daemon's clocks. What libuv times is timed by uv_now() and uv_hrtime() instead.
 */
#ifndef SLUICE_DAEMON_CLOCK_H
#define SLUICE_DAEMON_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC, by which the program charges its buckets. */
uint64_t clock_monotonic_ns(void);

/* The SL_SECOND of now, by which the program sees flows and lets entries expire. */
uint32_t clock_second(void);

/* A duration in SL_SECONDs, rounded up. */
uint32_t clock_timeout(unsigned ms);

/* CLOCK_REALTIME, for people. */
uint64_t clock_wall_ms(void);

#endif
