/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The facts about the control socket that sluiced and sluicectl share. The routes and their
 * answers are in docs/api.md.
 */
#ifndef SLUICE_SHARED_API_H
#define SLUICE_SHARED_API_H

#define SL_API_SOCKET "/run/sluice/control.sock"

/* Largest request body: a configuration to be checked, anything else. */
#define SL_API_CONFIG_MAX (64 << 20)
#define SL_API_BODY_MAX   (64 << 10)

/* How long a drain or a denial lasts, where the request says so; and how many rows one answer
 * has at most.
 */
#define SL_API_TIME_LEAST_MS 1000
#define SL_API_TIME_MOST_MS  (720 * 3600 * 1000ULL)
#define SL_API_ROWS_MAX      1000

#define SL_API_CONFIG_TYPE   "application/yaml"

#endif
