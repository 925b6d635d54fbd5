/* SPDX-License-Identifier: BSD-2-Clause
 *
 * For those commands that show a backend.
 */
#ifndef SLUICE_CLI_CMD_BACKEND_H
#define SLUICE_CLI_CMD_BACKEND_H

#include "cli/out.h"

/* The state of a backend, for sections with fields. */
extern const struct out_column cmd_backend_fields[];

#endif
