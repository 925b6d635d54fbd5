/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sluicectl limit top --watch. On a terminal each picture takes the place of the
 * last and fits the window; elsewhere they follow one another.
 */
#include "cli/cmd_limit_watch.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>

#include "cli/cli.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

#define CLEAR      "\033[H\033[2J"
#define LINES      50
#define LINES_MOST 1000
#define STEP_MS    500
#define LINES_REST 4 /* of a window: time, heading, "more", and where the cursor stays */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

/* As many lines as the window has room for. */
static int lines_of_window(const struct cli *cli)
{
	struct winsize size;
	int lines;

	if (ioctl(fileno(cli->out.file), TIOCGWINSZ, &size) < 0 || !size.ws_row)
		return LINES;
	lines = size.ws_row > LINES_REST ? size.ws_row - LINES_REST : 1;
	return lines < LINES_MOST ? lines : LINES_MOST;
}

static int count_lines(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void put_time(FILE *file)
{
	time_t now = time(NULL);
	char text[32];
	struct tm utc;

	if (gmtime_r(&now, &utc) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc))
		(void)fprintf(file, "%s\n", text);
}

/* One picture, whole before any of it is seen. The caller's to free. */
static char *picture(const struct cli *cli, json_t *answer, const struct out_section *sections,
		     bool terminal)
{
	struct cli copy = *cli;
	char *text = NULL;
	size_t size;

	copy.out.width = cli->out.json ? 0 : out_terminal_width(fileno(cli->out.file));
	copy.out.file = open_memstream(&text, &size);
	if (!copy.out.file) {
		json_decref(answer);
		return NULL;
	}
	if (terminal)
		(void)fputs(CLEAR, copy.out.file);
	if (!cli->out.json)
		put_time(copy.out.file);
	(void)cli_show_rows(&copy, answer, sections);
	if (!cli->out.json && !terminal)
		(void)fputc('\n', copy.out.file);
	if (fclose(copy.out.file) != 0)
		free(TAKE_PTR(text));
	return text;
}

/* A picture with the given number of rows. The caller frees it; NULL: the user has been told. */
static char *ask_picture(const struct cli *cli, const struct out_section *sections, bool terminal,
			 int rows)
{
	_cleanup_(cleanup_free) char *path = NULL;
	char lines[16];
	json_t *answer;

	(void)snprintf(lines, sizeof(lines), "%d", rows);
	path = cli_path_lines(cli, "/v1/sources", lines);
	answer = path ? cli_get(cli, path) : NULL;
	return answer ? picture(cli, answer, sections, terminal) : NULL;
}

/* Done: there is a next one to wait for. In a narrow window a row takes several lines. */
static int show_once(const struct cli *cli, const struct out_section *sections, bool terminal)
{
	int lines = terminal ? lines_of_window(cli) : LINES;
	_cleanup_(cleanup_free) char *text = ask_picture(cli, sections, terminal, lines);
	int used = text && terminal ? count_lines(text) - LINES_REST + 1 : 0;

	if (used > lines) {
		free(text);
		text = ask_picture(cli, sections, terminal, lines * lines / used ?: 1);
	}
	if (!text || fputs(text, cli->out.file) == EOF || fflush(cli->out.file) != 0)
		return CLI_FAILED;
	return CLI_DONE;
}

/* In small steps: a signal just before a poll() does not end it. */
static void pause_for(unsigned long long ms)
{
	for (; ms && !interrupted; ms -= ms < STEP_MS ? ms : STEP_MS)
		(void)poll(NULL, 0, (int)(ms < STEP_MS ? ms : STEP_MS));
}

int cmd_limit_watch(const struct cli *cli, const struct out_section *sections,
		    unsigned long long interval_ms)
{
	bool terminal = !cli->out.json && isatty(fileno(cli->out.file));
	const struct sigaction action = { .sa_handler = on_interrupt };

	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	while (!interrupted) {
		int code = show_once(cli, sections, terminal);

		if (code)
			return interrupted ? CLI_DONE : code;
		pause_for(interval_ms);
	}
	return CLI_DONE;
}
