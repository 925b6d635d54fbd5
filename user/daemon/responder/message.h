/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the responder is told (lib/respond.h): text of a configuration.
 */
#ifndef SLUICE_DAEMON_RESPONDER_MESSAGE_H
#define SLUICE_DAEMON_RESPONDER_MESSAGE_H

#include <stddef.h>

struct config;

/* One line for each service of config that responds, and the end; config may be
 * NULL: there is none. *ret_text is the caller's to free. 0 or -ENOMEM.
 */
int responder_message(const struct config *config, char **ret_text, size_t *ret_length);

#endif
