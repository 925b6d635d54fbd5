/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The tables of commands: cmd_NAME.c has cmd_NAME, which ends with an empty row. The help
 * lists them in this order. For main.c.
 */
#ifndef SLUICE_CLI_COMMANDS_H
#define SLUICE_CLI_COMMANDS_H

#include "cli/command.h"

#define COMMANDS(X)       \
	X(status)         \
	X(service)        \
	X(backend)        \
	X(backend_change) \
	X(config)         \
	X(revert)         \
	X(limit)          \
	X(deny)           \
	X(stats)          \
	X(attach)         \
	X(check)          \
	X(reload)         \
	X(completion)

#define COMMANDS_DECLARE(name) extern const struct command cmd_##name[];
COMMANDS(COMMANDS_DECLARE)
#undef COMMANDS_DECLARE

#endif
