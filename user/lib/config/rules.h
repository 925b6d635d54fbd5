/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The rules over a whole configuration, whether it comes from a file (then a
 * message has a place) or from a change at run time (then it begins with the
 * service's name). For config*.c alone.
 */
#ifndef SLUICE_LIB_CONFIG_RULES_H
#define SLUICE_LIB_CONFIG_RULES_H

#include "lib/config/claims.h"

/* All of them. root is what config was read from, or NULL; changed is the
 * backend that is to blame where two do not go together, or NULL: the later.
 * Fills the by_name of the configuration and of its services, which must be empty. 0, -EINVAL or -ENOMEM.
 */
int config_check_rules(struct config *config, const struct node *root,
		       const struct backend_config *changed, struct diag *diag);

/* What concerns one service alone (config/rules_service.c): itself, each of its
 * addresses (index: its place among them), each of its backends.
 */
int rules_check_service(struct diag *diag, const struct claim *service, size_t n_services);
int rules_check_address(struct diag *diag, const struct claim *address, size_t index);
int rules_check_backend(struct diag *diag, const struct claim *backend);

#endif
