/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the commands of sluicectl share: options, the daemon, the output.
 */
#ifndef SLUICE_CLI_H
#define SLUICE_CLI_H

#include <jansson.h>

#include "cli/client.h"
#include "cli/options.h"
#include "cli/out.h"

enum { CLI_DONE, CLI_FAILED, CLI_USAGE }; /* exit codes */

struct cli {
	struct options options;
	struct out out;
};

/* A row of main.c's table. arguments is a NULL-terminated list of min to max. */
struct command {
	const char *words;     /* "status", "service list" */
	const char *arguments; /* for the help: "IFACE [--mode M]" */
	int min, max;
	int (*run)(struct cli *cli, char *const *arguments);
	const char *help;
};

int cmd_status(struct cli *cli, char *const *arguments);
int cmd_service_list(struct cli *cli, char *const *arguments);
int cmd_service_show(struct cli *cli, char *const *arguments);
int cmd_backend_list(struct cli *cli, char *const *arguments);
int cmd_backend_show(struct cli *cli, char *const *arguments);
int cmd_stats(struct cli *cli, char *const *arguments);
int cmd_attach(struct cli *cli, char *const *arguments);
int cmd_detach(struct cli *cli, char *const *arguments);
int cmd_check(struct cli *cli, char *const *arguments);
int cmd_reload(struct cli *cli, char *const *arguments);

/* Asks the daemon. NULL: it said no, or nothing; the user has been told why. */
json_t *cli_ask(const struct cli *cli, const struct request *request);
json_t *cli_get(const struct cli *cli, const char *path);

/* Asks, and shows what comes: sections for people, or all of it as JSON. */
int cli_show(const struct cli *cli, const char *path, const struct out_section *sections);

/* "base/name/second", the names percent-encoded; second may be NULL. The
 * caller's to free; NULL where there is no memory.
 */
char *cli_path(const char *base, const char *name, const char *second);

/* Shows what a check or a reload has answered: JSON, or a sentence with this
 * beginning ("reloaded") and these verbs ("added", "removed", "changed").
 */
void cli_show_change(const struct cli *cli, const json_t *answer, const char *beginning,
		     const char *const verbs[static 3]);

/* Says on stderr what went wrong, and where, if diag knows the place. */
void cli_complain(const struct diag *diag);

static inline void cleanup_json(json_t **json)
{
	json_decref(*json);
}

#endif
