/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A configuration's double, to be changed before anybody uses it.
 */
#ifndef SLUICE_LIB_CONFIG_COPY_H
#define SLUICE_LIB_CONFIG_COPY_H

struct config;

/* Everything but by_name, which is config_check_rules()'s to fill. 0 or -ENOMEM;
 * config_free() frees.
 */
int config_copy(const struct config *from, struct config **ret_config);

#endif
