/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A configuration as text for people and for config_parse(), which makes an
 * equal one of it. What is the default is left out.
 */
#ifndef SLUICE_LIB_CONFIG_WRITE_H
#define SLUICE_LIB_CONFIG_WRITE_H

struct config;

/* *ret_text is the caller's to free. 0, or -ENOMEM, and *ret_text is left alone. */
int config_write(const struct config *config, char **ret_text);

#endif
