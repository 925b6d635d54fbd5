/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Services in the maps as a configuration wants them, put there without checks and without next
 * hops of the kernel's; and the question whether the maps hold exactly these.
 */
#ifndef SLUICE_TESTS_TAKEOVER_WORLD_H
#define SLUICE_TESTS_TAKEOVER_WORLD_H

struct config;
struct datapath;

#define check(condition)                                                         \
	do {                                                                     \
		if (!(condition))                                                \
			world_fail("%s:%d: %s", __FILE__, __LINE__, #condition); \
	} while (0)

/* Ends the process. */
void world_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* The caller's to free. */
struct config *world_parse(const char *text);

/* Makes the maps hold the configuration's services, and no others. A frame to a backend has the
 * last byte of its address at the end of the MAC address that it is sent to.
 */
void world_apply(struct datapath *datapath, const struct config *config);

/* Ends the process where the maps hold something else than world_apply() and n_denied prefixes
 * that are denied at run time.
 */
void world_check(const struct datapath *datapath, const struct config *config, unsigned n_denied);

#endif
