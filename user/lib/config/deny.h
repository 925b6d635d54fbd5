/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A configuration with further prefixes in its list `deny`.
 */
#ifndef SLUICE_LIB_CONFIG_DENY_H
#define SLUICE_LIB_CONFIG_DENY_H

#include <stddef.h>

struct config;
struct prefix;

/* *ret_config is `from` with these prefixes, each once, in its own list `deny`; `from` stays
 * as it is, and must not have a list `allow`. 0, -ENOMEM, or -E2BIG: CONFIG_PREFIXES_MAX.
 */
int config_deny(const struct config *from, const struct prefix *prefixes, size_t n,
		struct config **ret_config);

#endif
