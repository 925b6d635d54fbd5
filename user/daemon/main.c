// SPDX-License-Identifier: BSD-2-Clause
/* sluiced: rights, signals, and the order of starting and stopping. */
#include <cap-ng.h>
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uv.h>

#include "daemon/api/api.h"
#include "daemon/arguments.h"
#include "daemon/core/advice.h"
#include "daemon/core/balancer.h"
#include "daemon/core/lifecycle.h"
#include "daemon/core/reload.h"
#include "daemon/fiber.h"
#include "daemon/limits/watch.h"
#include "daemon/log.h"
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

/* `config save` gives the new file the owner and the group of the old one. A daemon that was
 * started without this right saves files of its own user alone.
 */
static int keep_chown(bool had)
{
	return had ? capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
				  CAP_CHOWN)
		   : 0;
}

/* Keeps the rights that the daemon needs and gives up all others: maps and
 * programs (BPF, PERFMON), attaching and netlink (NET_ADMIN), finding a program
 * by its id, mounting a bpffs and making the responder's namespace (SYS_ADMIN),
 * giving the responder a user of its own and ending it (SETUID, SETGID, KILL). The packet socket is
 * open by now: to send by it needs no right.
 */
static int drop_rights(struct diag *diag)
{
	bool had_chown = capng_have_capability(CAPNG_PERMITTED, CAP_CHOWN);

	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
			  CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_BPF, CAP_PERFMON, CAP_SETUID,
			  CAP_SETGID, CAP_KILL, -1) ||
	    keep_chown(had_chown) || capng_apply(CAPNG_SELECT_BOTH))
		return diag_set(diag, EPERM,
				"sluiced needs to be root, or to have the capabilities "
				"CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN, "
				"CAP_SETUID, CAP_SETGID and CAP_KILL");
	return 0;
}

static void log_diag(const struct diag *diag)
{
	char text[DIAG_LINE_SIZE];

	diag_format(diag, text, sizeof(text));
	log_error("%s", text);
}

/* What was found in a configuration: all of the list, and an error that is not in it. */
static void log_findings(const struct diag *diag, int error)
{
	char text[DIAG_LINE_SIZE];

	for (size_t i = 0; i < diag->list->n; i++) {
		const struct diag_item *item = &diag->list->items[i];

		diag_format(&item->diag, text, sizeof(text));
		log_write(item->warning ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR, "%s", text);
	}
	if (error && !diag->list->n_errors)
		log_diag(diag);
}

/* What lives as long as the daemon runs. */
struct process {
	uv_loop_t loop;
	uv_signal_t signals[3];
	uv_timer_t reload; /* runs for a moment after SIGHUP */
	bool reloading;    /* a reload waits for its turn */
	struct balancer *balancer;
	struct limits_watch *limits;
	struct api *api;
};

static void stop(struct process *process)
{
	fibers_finish(); /* what has begun is done, and answered */
	api_free(TAKE_PTR(process->api));
	limits_watch_free(TAKE_PTR(process->limits));
	balancer_stop(process->balancer);
	for (size_t i = 0; i < ARRAY_SIZE(process->signals); i++)
		if (!uv_is_closing((uv_handle_t *)&process->signals[i]))
			uv_close((uv_handle_t *)&process->signals[i], NULL);
	if (!uv_is_closing((uv_handle_t *)&process->reload))
		uv_close((uv_handle_t *)&process->reload, NULL);
}

static void on_stop_signal(uv_signal_t *handle, int number)
{
	log_info("%s: stopping", number == SIGINT ? "SIGINT" : "SIGTERM");
	stop(handle->data);
}

static void reload_now(struct balancer *balancer)
{
	_cleanup_(diag_list_done) struct diag_list list = {};
	struct balancer_change change;
	struct diag diag = { .list = &list };
	int error = balancer_reload(balancer, false, &diag, &change);

	log_findings(&diag, error);
	if (error) {
		balancer_note_refusal(balancer, &diag);
		log_error("reload refused, nothing has changed");
	} else {
		log_info("reloaded: %zu services added, %zu removed, %zu changed, by SIGHUP",
			 change.added, change.removed, change.changed);
	}
}

/* On a fiber. */
static void reload(void *arg)
{
	struct process *process = arg;
	struct fiber_lock *changing = &process->balancer->changing;

	fiber_lock_take(changing);
	process->reloading = false;
	if (!fibers_are_finishing())
		reload_now(process->balancer);
	fiber_lock_give(changing);
}

static void on_reload(uv_timer_t *timer)
{
	struct process *process = timer->data;

	if (process->reloading)
		return;
	process->reloading = true;
	if (!fiber_start(reload, process))
		return;
	process->reloading = false;
	log_error("out of memory, nothing is reloaded");
}

/* All signals that have come before a reload begins are one reload: each would read the same
 * file.
 */
static void on_reload_signal(uv_signal_t *handle, int number)
{
	struct process *process = handle->data;

	(void)number;
	(void)uv_timer_start(&process->reload, on_reload, 0, 0);
}

/* Holds SIGHUP back, which would end the process, until the loop takes it. */
static void hold_reload_signal(int how)
{
	sigset_t reload;

	(void)sigemptyset(&reload);
	(void)sigaddset(&reload, SIGHUP);
	(void)sigprocmask(how, &reload, NULL);
}

static void follow_signals(struct process *process)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };

	(void)uv_timer_init(&process->loop, &process->reload);
	process->reload.data = process;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		uv_signal_t *handle = &process->signals[i];

		(void)uv_signal_init(&process->loop, handle);
		handle->data = process;
		(void)uv_signal_start(handle,
				      numbers[i] == SIGHUP ? on_reload_signal : on_stop_signal,
				      numbers[i]);
	}
	hold_reload_signal(SIG_UNBLOCK);
}

static int start(struct process *process, const struct arguments *arguments, struct config *config,
		 struct diag *diag)
{
	int error;

	follow_signals(process);
	/* First of all: another daemon that answers there must not be disturbed. */
	error = api_open(arguments->options.socket_path, diag, &process->api);
	if (error) {
		config_free(config);
		return error;
	}
	error = balancer_new(&process->loop, &arguments->options, config, diag, &process->balancer);
	if (!error)
		error = balancer_start(process->balancer, diag);
	if (!error)
		error = limits_watch_new(process->balancer, diag, &process->limits);
	if (!error)
		error = api_start(process->api, process->balancer, diag);
	return error;
}

/* Ten thousand checks have thousands of sockets open at a time. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void log_advice(void *arg, const char *text)
{
	(void)arg;
	log_warning("%s", text);
}

static int run(const struct arguments *arguments, struct config *config)
{
	struct process process = {};
	struct diag diag = {};
	int error = uv_loop_init(&process.loop);

	if (error) {
		config_free(config);
		log_error("cannot make an event loop: %s", uv_strerror(error));
		return EXIT_FAILURE;
	}
	fibers_open(&process.loop);
	error = start(&process, arguments, config, &diag);
	if (error) {
		log_diag(&diag);
		stop(&process);
	} else {
		log_info("sluiced %s runs: %zu service%s, %zu interface%s", SLUICE_VERSION,
			 process.balancer->config->n_services,
			 plural(process.balancer->config->n_services),
			 process.balancer->n_attachments, plural(process.balancer->n_attachments));
		advice_give(process.balancer, log_advice, NULL);
	}
	fibers_run();
	fibers_close();
	(void)uv_run(&process.loop, UV_RUN_DEFAULT);
	balancer_free(process.balancer);
	(void)uv_loop_close(&process.loop);
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Says on stderr what was found, as compilers do. */
static int check(const struct arguments *arguments)
{
	_cleanup_(diag_list_done) struct diag_list list = {};
	_cleanup_(config_freep) struct config *config = NULL;
	struct diag_item last = { .diag = { .list = &list } };
	int error = config_load(arguments->options.config_path, &last.diag, &config);
	char text[DIAG_LINE_SIZE];

	/* A daemon with this configuration waits for interfaces that are missing. */
	if (!error)
		(void)balancer_check_interfaces(NULL, config, &last.diag);
	for (size_t i = 0; i < list.n; i++) {
		diag_item_format(&list.items[i], text);
		(void)fprintf(stderr, "%s\n", text);
	}
	if (error && !list.n_errors) {
		diag_item_format(&last, text);
		(void)fprintf(stderr, "%s\n", text);
	}
	if (list.cut)
		(void)fprintf(stderr, "there is more: these are the first %d\n", DIAG_LIST_MAX);
	if (error)
		return EXIT_FAILURE;
	printf("%s is valid: %zu service%s, %zu interface%s\n", arguments->options.config_path,
	       config->n_services, plural(config->n_services), config->n_interfaces,
	       plural(config->n_interfaces));
	return EXIT_SUCCESS;
}

static int load(const struct arguments *arguments, struct config **ret_config)
{
	_cleanup_(diag_list_done) struct diag_list list = {};
	struct diag diag = { .list = &list };
	int error = config_load(arguments->options.config_path, &diag, ret_config);

	log_findings(&diag, error);
	return error;
}

/* The C library does two things at once that each take up to a tenth of a second: it joins
 * hundreds of thousands of small pieces of memory that were freed, when it next takes or frees a
 * large one, and gives hundreds of megabytes back to the kernel. Here each piece is joined as it
 * is freed, and what a large configuration has taken is kept for the next one.
 */
static void free_evenly(void)
{
	(void)mallopt(M_MXFAST, 0);
	(void)mallopt(M_TRIM_THRESHOLD, INT_MAX);
}

int main(int argc, char **argv)
{
	struct arguments arguments;
	struct config *config = NULL;
	struct diag diag = {};
	int status;

	free_evenly();
	hold_reload_signal(SIG_BLOCK);
	status = arguments_parse(argc, argv, &arguments);
	if (status >= 0)
		return status;
	(void)signal(SIGPIPE, SIG_IGN);
	if (arguments.check)
		return check(&arguments);
	if (load(&arguments, &config))
		return EXIT_FAILURE;
	if (balancer_open_socket(&diag, &arguments.options.packet_socket) || drop_rights(&diag)) {
		log_diag(&diag);
		config_free(config);
		return EXIT_FAILURE;
	}
	raise_descriptor_limit();
	return run(&arguments, config);
}
