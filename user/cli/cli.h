/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the commands of sluicectl share: options, the daemon, the output.
 */
#ifndef SLUICE_CLI_CLI_H
#define SLUICE_CLI_CLI_H

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
int cmd_backend_drain(struct cli *cli, char *const *arguments);
int cmd_backend_enable(struct cli *cli, char *const *arguments);
int cmd_backend_disable(struct cli *cli, char *const *arguments);
int cmd_backend_weight(struct cli *cli, char *const *arguments);
int cmd_backend_add(struct cli *cli, char *const *arguments);
int cmd_backend_remove(struct cli *cli, char *const *arguments);
int cmd_config_show(struct cli *cli, char *const *arguments);
int cmd_config_save(struct cli *cli, char *const *arguments);
int cmd_limit_list(struct cli *cli, char *const *arguments);
int cmd_limit_top(struct cli *cli, char *const *arguments);
int cmd_limit_show(struct cli *cli, char *const *arguments);
int cmd_limit_reset(struct cli *cli, char *const *arguments);
int cmd_deny_add(struct cli *cli, char *const *arguments);
int cmd_deny_remove(struct cli *cli, char *const *arguments);
int cmd_deny_list(struct cli *cli, char *const *arguments);
int cmd_stats(struct cli *cli, char *const *arguments);
int cmd_attach(struct cli *cli, char *const *arguments);
int cmd_detach(struct cli *cli, char *const *arguments);
int cmd_check(struct cli *cli, char *const *arguments);
int cmd_reload(struct cli *cli, char *const *arguments);

/* Asks the daemon. NULL: it said no, or nothing; the user has been told why. */
json_t *cli_ask(const struct cli *cli, const struct request *request);
json_t *cli_get(const struct cli *cli, const char *path);

/* Posts a JSON object, whose reference is taken; NULL is one that could not be
 * made, because a word of the command line is not UTF-8.
 */
json_t *cli_post(const struct cli *cli, const char *path, json_t *object);

/* Asks, and shows what comes: sections for people, or all of it as JSON. */
int cli_show(const struct cli *cli, const char *path, const struct out_section *sections);

/* "base/name/second", the names percent-encoded; second may be NULL. The
 * caller's to free; NULL where there is no memory.
 */
char *cli_path(const char *base, const char *name, const char *second);

/* The path with "?lines=": as the user says, or so many. */
char *cli_path_lines(const struct cli *cli, const char *path, const char *lines);

/* Shows an answer, whose reference is taken, and how many rows of it were left
 * out ("more"). NULL: the user knows why there is none.
 */
int cli_show_rows(const struct cli *cli, json_t *answer, const struct out_section *sections);

/* Takes SERVICE NAME, or SERVICE/NAME, off the arguments, of which `more` must
 * remain: *ret_rest. The path of the backend is the caller's to free. Or an exit
 * code, and the user has been told.
 */
int cli_take_backend(char *const *arguments, int more, char **ret_path, char *const **ret_rest);

/* What a backend is and gets, for sections with fields. */
extern const struct out_column cli_backend_fields[];

/* What `limit top` shows. */
extern const struct out_section cli_top_sections[];

/* What `limit top --watch` does: shows the sources again and again, until it is
 * interrupted.
 */
int cli_watch_sources(const struct cli *cli, unsigned long long interval_ms);

/* What `backend drain --wait` does once the drain has begun: shows the live
 * connections of the backend at this path as they become fewer. Takes view, the
 * daemon's answer.
 */
int cli_wait_drained(const struct cli *cli, const char *path, json_t *view);

/* Shows what a check or a reload has answered: JSON, or a sentence with this
 * beginning ("reloaded") and these verbs ("added", "removed", "changed").
 */
void cli_show_change(const struct cli *cli, const json_t *answer, const char *beginning,
		     const char *const verbs[static 3]);

/* Says on stderr what went wrong, and where, if diag knows the place. */
void cli_complain(const struct diag *diag);

#endif
