// SPDX-License-Identifier: BSD-2-Clause
/* The responder's process: started, told, watched, started again. Invariant: at most one
 * process at a time; its hop is known to others from its first sign of life to its
 * end. The process may have been taken over by a client: each process gets a socket of its own
 * that listens, so none can leave a broken one to the next.
 */
#include "daemon/responder/responder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <uv.h>

#include "daemon/datapath/responder.h"
#include "daemon/datapath/steer.h"
#include "daemon/log.h"
#include "daemon/responder/message.h"
#include "daemon/responder/netns.h"
#include "daemon/responder/output.h"
#include "daemon/responder/talk.h"
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "lib/respond.h"

/* Between two pings, and between the end of a process and the start of the next. */
#define PULSE_MS 1000

/* Pings in a row without an answer, after which the process hangs: noticed within four seconds. A
 * process that starts has a longer time for its first word.
 */
#define SILENT_MAX       3
#define SILENT_MAX_START 20

struct responder {
	responder_changed_fn *changed;
	void *arg;
	char program[PATH_MAX];
	struct responder_net net;
	struct steer *steer;
	int maps[RESPOND_MAP_COUNT]; /* descriptors; -1: none */
	struct talk talk;
	int output; /* a descriptor; -1: none */

	uv_process_t process;
	uv_timer_t pulse;
	unsigned open_handles; /* of those two, and the talk's pipe */
	bool runs, ready, ending;
	bool complained; /* of this failure to start, in the log */
};

/* ---- its end ----------------------------------------------------------------- */

static void release(struct responder *responder)
{
	if (responder->open_handles)
		return;
	steer_free(responder->steer);
	responder_net_done(&responder->net);
	for (size_t i = 0; i < RESPOND_MAP_COUNT; i++)
		cleanup_close(&responder->maps[i]);
	cleanup_close(&responder->output);
	talk_done(&responder->talk);
	free(responder);
}

static void on_closed(struct responder *responder)
{
	responder->open_handles--;
	if (responder->ending)
		release(responder);
}

static void on_pulse_closed(uv_handle_t *handle)
{
	on_closed(handle->data);
}

static void on_process_closed(uv_handle_t *handle)
{
	on_closed(handle->data);
}

static void on_talk_closed(uv_handle_t *handle)
{
	struct talk *talk = handle->data;

	on_closed(talk->arg);
}

static void close_handle(uv_handle_t *handle, uv_close_cb closed)
{
	if (!uv_is_closing(handle))
		uv_close(handle, closed);
}

/* A process of unknown type is one that uv_spawn() has not come to. */
static void close_process(struct responder *responder)
{
	close_handle((uv_handle_t *)&responder->talk.pipe, on_talk_closed);
	if (responder->process.type == UV_PROCESS)
		close_handle((uv_handle_t *)&responder->process, on_process_closed);
}

static void set_ready(struct responder *responder, bool ready)
{
	if (responder->ready == ready)
		return;
	responder->ready = ready;
	if (!responder->ending)
		responder->changed(responder->arg);
}

static void on_exit_of_child(uv_process_t *process, int64_t status, int number)
{
	struct responder *responder = process->data;

	responder->runs = false;
	output_log(responder->output);
	close_process(responder);
	if (responder->ending)
		return;
	if (!responder->complained)
		log_error("the responder has ended (%s %d), it is started again",
			  number ? "signal" : "exit status", number ? number : (int)status);
	responder->complained = !responder->ready;
	(void)uv_timer_again(&responder->pulse);
	set_ready(responder, false);
}

/* on_exit_of_child() does the rest. */
static void end_process(struct responder *responder)
{
	(void)uv_process_kill(&responder->process, SIGKILL);
}

/* ---- telling and hearing ------------------------------------------------------ */

int responder_tell(struct responder *responder, const struct config *config)
{
	size_t length;
	char *text;
	int error = responder_message(config, &text, &length);

	return error ?: talk_tell(&responder->talk, text, length, responder->runs);
}

static void on_heard(void *arg, enum talk_word word)
{
	struct responder *responder = arg;

	switch (word) {
	case TALK_READY:
		log_info("the responder runs in a network namespace of its own, behind %s",
			 responder->net.name);
		responder->complained = false;
		set_ready(responder, true);
		break;
	case TALK_NONSENSE:
		log_error("the responder says more than it is asked for, it is ended");
		end_process(responder);
		break;
	}
}

static void watch(struct responder *responder)
{
	unsigned silent = talk_ping(&responder->talk);

	output_log(responder->output);
	if (silent < (responder->ready ? SILENT_MAX : SILENT_MAX_START))
		return;
	log_error("the responder has not answered for %u seconds, it is ended",
		  silent * PULSE_MS / 1000);
	end_process(responder);
}

/* ---- its beginning ------------------------------------------------------------- */

/* uv_spawn() in the namespace: the child stays there. */
static int spawn_inside(struct responder *responder, const uv_process_options_t *options)
{
	int home, error = responder_net_enter(responder->net.ns, &home);

	if (error)
		return error;
	error = uv_spawn(responder->pulse.loop, &responder->process, options);
	responder_net_leave(home);
	return error;
}

/* What a process gets for itself: each is closed in the daemon once the process has it. */
struct equipment {
	int null, output, listener;
};

static void drop_equipment(struct equipment *equipment)
{
	cleanup_close(&equipment->null);
	cleanup_close(&equipment->output);
	cleanup_close(&equipment->listener);
}

static int equip(struct responder *responder, struct equipment *equipment)
{
	int error;

	equipment->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (equipment->null < 0)
		return -errno;
	cleanup_close(&responder->output);
	responder->output = -1;
	error = output_open(&responder->output, &equipment->output);
	error = error ?: responder_net_listen(&responder->net, &equipment->listener);
	return error ?: steer_to(responder->steer, equipment->listener);
}

static int spawn(struct responder *responder, const struct equipment *equipment)
{
	uv_stdio_container_t stdio[RESPOND_FD_COUNT] = {
		[RESPOND_FD_TALK] = { .flags = UV_CREATE_PIPE | UV_READABLE_PIPE | UV_WRITABLE_PIPE,
				      .data.stream = (uv_stream_t *)&responder->talk.pipe },
		[RESPOND_FD_NULL] = { .flags = UV_INHERIT_FD, .data.fd = equipment->null },
		[RESPOND_FD_LOG] = { .flags = UV_INHERIT_FD, .data.fd = equipment->output },
		[RESPOND_FD_LISTENER] = { .flags = UV_INHERIT_FD, .data.fd = equipment->listener },
	};
	char *environment[] = { NULL };
	char *arguments[] = { RESPOND_PROGRAM, NULL };
	const uv_process_options_t options = {
		.exit_cb = on_exit_of_child,
		.file = responder->program,
		.args = arguments,
		.env = environment,
		.stdio = stdio,
		.stdio_count = RESPOND_FD_COUNT,
	};

	for (size_t i = 0; i < RESPOND_MAP_COUNT; i++)
		stdio[RESPOND_FD_MAPS + i] =
			(uv_stdio_container_t){ .flags = UV_INHERIT_FD,
						.data.fd = responder->maps[i] };
	return spawn_inside(responder, &options);
}

static int start(struct responder *responder)
{
	_cleanup_(drop_equipment) struct equipment equipment = { -1, -1, -1 };
	int error =
		equip(responder, &equipment) ?: talk_open(&responder->talk, responder->pulse.loop);

	if (error)
		return error;
	responder->process = (uv_process_t){ .data = responder };
	responder->open_handles++;
	error = spawn(responder, &equipment);
	if (responder->process.type == UV_PROCESS)
		responder->open_handles++;
	if (error) {
		close_process(responder);
		return error;
	}
	responder->runs = true;
	return talk_begin(&responder->talk);
}

/* A handle of an earlier process that is still closing is waited for. */
static void start_again(struct responder *responder)
{
	int error = responder->open_handles > 1 ? -EAGAIN : start(responder);

	if (!error || error == -EAGAIN || responder->runs)
		return;
	if (!responder->complained)
		log_error("cannot start the responder: %s", uv_strerror(error));
	responder->complained = true;
}

static void on_pulse(uv_timer_t *timer)
{
	struct responder *responder = timer->data;

	if (responder->runs)
		watch(responder);
	else
		start_again(responder);
}

/* Beside our own program; or as installed, sbin/ here and libexec/sluice/ there. */
static int find_program(struct diag *diag, char path[static PATH_MAX])
{
	static const char *const places[] = { "", "../libexec/sluice/" };
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
	char *slash;

	if (length < 0)
		return diag_set(diag, errno, "cannot read /proc/self/exe: %s", strerror(errno));
	path[length] = '\0';
	slash = strrchr(path, '/');
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		size_t room = (size_t)(path + PATH_MAX - slash - 1);

		if ((size_t)snprintf(slash + 1, room, "%s%s", places[i], RESPOND_PROGRAM) < room &&
		    !access(path, X_OK))
			return 0;
	}
	slash[0] = '\0';
	return diag_set(diag, ENOENT, "there is no %s in %s, nor in ../libexec/sluice from there",
			RESPOND_PROGRAM, path);
}

static int prepare(struct responder *responder, struct datapath *datapath, struct diag *diag)
{
	char *text;
	size_t length;
	int error = find_program(diag, responder->program);

	if (!error)
		error = responder_net_make(diag, &responder->net);
	if (error)
		return error;
	error = steer_new(responder->net.ns, &responder->steer);
	if (error)
		return diag_set(diag, -error,
				"this kernel does not let a program choose the socket of a "
				"connection (sk_lookup, Linux 5.9): %s",
				strerror(-error));
	error = datapath_attach_responder(datapath, (int)responder->net.hop.ifindex);
	if (error)
		return diag_set(diag, -error, "cannot attach to the responder's veth: %s",
				strerror(-error));
	error = datapath_responder_maps(datapath, responder->maps);
	if (error)
		return diag_set(diag, -error, "cannot give the responder the maps: %s",
				strerror(-error));
	error = responder_message(NULL, &text, &length);
	if (error)
		return diag_no_memory(diag);
	talk_init(&responder->talk, on_heard, responder, text, length);
	return 0;
}

DEFINE_CLEANUP(responder_free, struct responder *);

int responder_new(struct uv_loop_s *loop, struct datapath *datapath, responder_changed_fn *changed,
		  void *arg, struct diag *diag, struct responder **ret_responder)
{
	_cleanup_(responder_freep) struct responder *responder = calloc(1, sizeof(*responder));
	int error;

	if (!responder)
		return diag_no_memory(diag);
	responder->changed = changed;
	responder->arg = arg;
	responder->net = RESPONDER_NET_NONE;
	responder->output = -1;
	for (size_t i = 0; i < RESPOND_MAP_COUNT; i++)
		responder->maps[i] = -1;
	error = prepare(responder, datapath, diag);
	if (error)
		return error;
	(void)uv_timer_init(loop, &responder->pulse);
	responder->pulse.data = responder;
	responder->open_handles++;
	(void)uv_timer_start(&responder->pulse, on_pulse, PULSE_MS, PULSE_MS);
	error = start(responder);
	if (error)
		return diag_set(diag, -error, "cannot start %s: %s", responder->program,
				uv_strerror(error));
	*ret_responder = TAKE_PTR(responder);
	return 0;
}

/* A process that runs is waited for: else it would stay a zombie. */
void responder_free(struct responder *responder)
{
	if (!responder)
		return;
	responder->ending = true;
	if (responder->open_handles)
		close_handle((uv_handle_t *)&responder->pulse, on_pulse_closed);
	if (responder->runs)
		end_process(responder);
	/* No packet finds it any more, whatever the plans still say. */
	responder_net_done(&responder->net);
	release(responder);
}

const struct sl_hop *responder_hop(const struct responder *responder)
{
	return responder->ready ? &responder->net.hop : NULL;
}
