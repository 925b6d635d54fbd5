/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Warnings about a configuration that is valid and will hardly do what its author wants.
 * They go into the diagnostics' list, beside the errors. For config/parse.c.
 */
#ifndef SLUICE_LIB_CONFIG_WARNINGS_H
#define SLUICE_LIB_CONFIG_WARNINGS_H

struct config;
struct diag;
struct node;

/* root is what config was read from. Services with errors are passed over. */
void config_warn(const struct config *config, const struct node *root, const struct diag *diag);

#endif
