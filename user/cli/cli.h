/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Shared by the commands of sluicectl: options, the daemon, the output.
 */
#ifndef SLUICE_CLI_CLI_H
#define SLUICE_CLI_CLI_H

#include <jansson.h>

#include "cli/client.h"
#include "cli/options.h"
#include "cli/out.h"

struct command;

enum { CLI_DONE, CLI_FAILED, CLI_USAGE }; /* exit codes */

struct cli {
	const struct command *const *tables; /* of all commands; the list ends with NULL */
	struct options options;
	struct out out;
	int *failure; /* the exit code of CLI_FAILED: misuse, where the daemon says so */
};

/* Asks the daemon. NULL: it said no, or nothing; the user has been told why. */
json_t *cli_ask(const struct cli *cli, const struct request *request);
json_t *cli_get(const struct cli *cli, const char *path);

/* Posts a JSON object, whose reference is taken; NULL is one that could not be
 * made, because a word of the command line is not UTF-8.
 */
json_t *cli_post(const struct cli *cli, const char *path, json_t *object);

/* Asks, and shows the answer: sections for people, or all of it as JSON. */
int cli_show(const struct cli *cli, const char *path, const struct out_section *sections);

/* "base/name/second", the names percent-encoded; second may be NULL. The
 * caller's to free; NULL where there is no memory.
 */
char *cli_path(const char *base, const char *name, const char *second);

/* The path with "?lines=": as the user says, or this many. */
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

/* Shows the answer to a check or a reload: JSON, or a sentence with this
 * beginning ("reloaded") and these verbs ("added", "removed", "changed").
 */
void cli_show_change(const struct cli *cli, const json_t *answer, const char *beginning,
		     const char *const verbs[static 3]);

/* Says on stderr what went wrong, and where, if diag knows the place; or all that is in
 * diag's list.
 */
void cli_complain(const struct diag *diag);

/* From now on it is said as JSON. */
void cli_complain_in_json(void);

#endif
