/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the responder is told (lib/respond.h): text of a configuration.
 */
#ifndef SLUICE_RESPONDER_TOLD_H
#define SLUICE_RESPONDER_TOLD_H

#include <stddef.h>

struct config;

/* One line for each service of config that responds, and the end; config may be
 * NULL: there is none. *ret_text is the caller's to free. 0 or -ENOMEM.
 */
int responder_told(const struct config *config, char **ret_text, size_t *ret_length);

#endif
