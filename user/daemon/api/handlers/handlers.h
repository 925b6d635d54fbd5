/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The tables of routes: handlers/NAME.c has handlers_NAME, which ends with an empty row.
 * A refusal lists the paths in this order.
 */
#ifndef SLUICE_DAEMON_API_HANDLERS_HANDLERS_H
#define SLUICE_DAEMON_API_HANDLERS_HANDLERS_H

#include "daemon/api/ask.h"

#define HANDLERS(X)   \
	X(state)      \
	X(backends)   \
	X(interfaces) \
	X(config)     \
	X(limits)     \
	X(denied)

#define HANDLERS_DECLARE(name) extern const struct api_route handlers_##name[];
HANDLERS(HANDLERS_DECLARE)
#undef HANDLERS_DECLARE

#endif
