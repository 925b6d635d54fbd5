/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The options of sluicectl, which may stand anywhere on the command line.
 */
#ifndef SLUICE_CLI_OPTIONS_H
#define SLUICE_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "sluice/api.h"

struct diag;

/* X(NAME, everywhere, name, value, completes, help), in the order of the help.
 * everywhere: for every command, else for those whose row has OPTION(NAME).
 * value: for the help; NULL: a switch; "[X]": may be left out.
 * completes: the words that a shell offers as the value, as in struct command.
 */
/* clang-format off */
#define OPTIONS(X)                                                                              \
	X(JSON, true, "--json", NULL, NULL, "print JSON, for programs")                         \
	X(SOCKET, true, "--socket", "PATH", "@file",                                            \
	  "the daemon's control socket (default: $SLUICE_SOCKET or " SL_API_SOCKET ")")         \
	X(MODE, false, "--mode", "MODE", "auto native generic",                                 \
	  "of attach: auto (default), native or generic")                                       \
	X(TIMEOUT, false, "--timeout", "TIME", NULL,                                            \
	  "of backend drain: after this long it is disabled (30s, 5m, 2h)")                     \
	X(WAIT, false, "--wait", NULL, NULL, "of backend drain: until no connection is live")   \
	X(NAME, false, "--name", "NAME", NULL, "of backend add (default: its address and port)") \
	X(WEIGHT, false, "--weight", "WEIGHT", NULL, "of backend add: its share (default: 1)")  \
	X(BACKUP, false, "--backup", NULL, NULL,                                                \
	  "of backend add: serves only while no other can")                                     \
	X(LINES, false, "--lines", "N", NULL,                                                   \
	  "of limit and deny: at most N rows (default: 50, of deny 1000)")                \
	X(WATCH, false, "--watch", "[TIME]", NULL,                                              \
	  "of limit top: again and again, each second or each TIME, until Ctrl-C")              \
	X(FOR, false, "--for", "TIME", NULL,                                                    \
	  "of deny add: after this long it is lifted (30s, 10m, 2h)")                           \
	X(FORCE, false, "--force", NULL, NULL,                                                  \
	  "of reload: also if that removes all services or all interfaces")                     \
	X(HELP, true, "--help", NULL, NULL, "this help, or that of a command")                  \
	X(VERSION, true, "--version", NULL, NULL, "print the version")
/* clang-format on */

#define OPTIONS_ENUM(option, everywhere, name, value, completes, help) OPTION_##option,
enum option { OPTIONS(OPTIONS_ENUM) OPTION_COUNT };
#undef OPTIONS_ENUM

/* A set of options is the sum of these. */
#define OPTION(name) (1U << OPTION_##name)

struct option_row {
	bool everywhere;
	const char *name, *value, *completes, *help;
};
const struct option_row *options_row(enum option option);

struct options {
	/* NULL: not given. Of a switch, and of an option without the value that may be left
	 * out, an empty text. The socket always has one.
	 */
	const char *value[OPTION_COUNT];
};

/* Takes the options out of words (NULL-terminated), which then holds the rest.
 * -EINVAL and diag: unknown, or without its value.
 */
int options_parse(char **words, struct diag *diag, struct options *ret_options);

/* -EINVAL and diag: one was given that is neither in the set nor for every command. */
int options_misplaced(const struct options *options, unsigned set, struct diag *diag);

/* Those of the set, and those for every command. */
void options_help(FILE *file, unsigned set);

#endif
