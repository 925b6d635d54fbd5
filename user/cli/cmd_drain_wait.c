/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sluicectl backend drain --wait: watches the drain of a backend. The drain goes on
 * whether it is watched or not.
 */
#include "cli/cmd_drain_wait.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

/* Seconds without a live connection after which the drain counts as done: a connection is
 * known only once a packet of it has come by.
 */
#define QUIET_S 5

enum drain_end {
	DRAIN_GOES_ON,
	DRAIN_EMPTY,     /* no live connection for QUIET_S */
	DRAIN_TIMED_OUT, /* the daemon has disabled it */
	DRAIN_TAKEN_BACK,
	DRAIN_LEFT, /* the user does not wait any more */
	DRAIN_LOST, /* the daemon does not answer; the user has been told */
};

struct drain {
	const struct cli *cli;
	const char *path;
	json_t *view;     /* the daemon's last word */
	char *last;       /* the last progress shown */
	json_int_t live;  /* while it drained */
	unsigned quiet_s; /* since when none has been live */
	bool terminal;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static void free_drain(struct drain *drain)
{
	json_decref(drain->view);
	free(drain->last);
}

static char *cell(const struct drain *drain, enum out_kind kind, const char *member)
{
	const struct out_column column = { "", kind, member, NULL, 0 };

	return out_cell(drain->view, &column);
}

/* One line: on a terminal in the place of the last, else only when the count changes. */
static void show_progress(struct drain *drain)
{
	_cleanup_(cleanup_free) char *service = cell(drain, OUT_TEXT, "service");
	_cleanup_(cleanup_free) char *name = cell(drain, OUT_TEXT, "name");
	_cleanup_(cleanup_free) char *live = cell(drain, OUT_COUNT, "live");
	_cleanup_(cleanup_free) char *end = cell(drain, OUT_SECONDS, "ends_in_s");
	FILE *file = drain->cli->out.file;
	bool ends = end && strcmp(end, "-") != 0;

	if (drain->cli->out.json || !service || !name || !live || !end)
		return;
	if (!drain->terminal && drain->last && strcmp(drain->last, live) == 0)
		return;
	(void)fprintf(file, "%s%s/%s: %s live connection%s%s%s%s",
		      drain->terminal ? "\r\033[K" : "", service, name, live,
		      strcmp(live, "1") == 0 ? "" : "s", ends ? ", ends in " : "", ends ? end : "",
		      drain->terminal ? "" : "\n");
	(void)fflush(file);
	free(drain->last);
	drain->last = TAKE_PTR(live);
}

/* How the drain stands, by the daemon's last answer. */
static enum drain_end judge(struct drain *drain)
{
	const char *state = json_string_value(json_object_get(drain->view, "state")) ?: "";

	if (strcmp(state, "disabled") == 0)
		return DRAIN_TIMED_OUT;
	if (strcmp(state, "drain") != 0)
		return DRAIN_TAKEN_BACK;
	drain->live = json_integer_value(json_object_get(drain->view, "live"));
	if (drain->live)
		drain->quiet_s = 0;
	return drain->quiet_s < QUIET_S ? DRAIN_GOES_ON : DRAIN_EMPTY;
}

static enum drain_end watch(struct drain *drain)
{
	for (;;) {
		enum drain_end end = judge(drain);

		if (end != DRAIN_TAKEN_BACK)
			show_progress(drain);
		if (end != DRAIN_GOES_ON)
			return end;
		(void)poll(NULL, 0, 1000); /* a second, or until the signal */
		if (interrupted)
			return DRAIN_LEFT;
		drain->quiet_s++;
		json_decref(TAKE_PTR(drain->view));
		drain->view = cli_get(drain->cli, drain->path);
		if (!drain->view)
			return interrupted ? DRAIN_LEFT : DRAIN_LOST;
	}
}

static int tell_end(const struct drain *drain, enum drain_end end)
{
	FILE *file = drain->cli->out.file;
	struct diag diag = {};

	if (drain->terminal && !drain->cli->out.json)
		(void)fputc('\n', file);
	switch (end) {
	case DRAIN_EMPTY:
	case DRAIN_TIMED_OUT:
		break;
	case DRAIN_TAKEN_BACK:
		diag_set(&diag, ECANCELED, "the drain was taken back");
		break;
	case DRAIN_LEFT:
		diag_set(&diag, EINTR,
			 "not waiting any more; the backend goes on draining "
			 "(sluicectl backend enable takes it back)");
		break;
	case DRAIN_GOES_ON:
	case DRAIN_LOST:
		return CLI_FAILED;
	}
	if (diag.text[0]) {
		cli_complain(&diag);
		return CLI_FAILED;
	}
	if (drain->cli->out.json)
		out_answer(&drain->cli->out, drain->view, NULL);
	else if (end == DRAIN_EMPTY)
		(void)fprintf(file, "drained: no connection was live in the last %d s\n", QUIET_S);
	else
		(void)fprintf(file,
			      "the time is over: disabled, with %" JSON_INTEGER_FORMAT
			      " live connection%s left\n",
			      drain->live, drain->live == 1 ? "" : "s");
	return CLI_DONE;
}

int cmd_drain_wait(const struct cli *cli, const char *path, json_t *view)
{
	_cleanup_(free_drain) struct drain drain = {
		.cli = cli,
		.path = path,
		.view = view,
		.terminal = isatty(fileno(cli->out.file)),
	};
	const struct sigaction action = { .sa_handler = on_interrupt };

	(void)sigaction(SIGINT, &action, NULL);
	return tell_end(&drain, watch(&drain));
}
