// SPDX-License-Identifier: BSD-2-Clause
/* The responder's process: started, told, started again. Invariant: at most one
 * process at a time; its hop is known to others from its first sign of life to its
 * end.
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
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"
#include "lib/respond.h"

#define RESTART_MS 1000

struct responder {
	responder_changed_fn *changed;
	void *arg;
	char program[PATH_MAX];
	struct responder_net net;
	struct steer *steer;
	int maps[RESPOND_MAP_COUNT]; /* descriptors; -1: none */
	char *message;               /* what it is to know, in its latest form */
	size_t message_length;

	uv_process_t process;
	uv_pipe_t talk;
	uv_timer_t restart;
	unsigned open_handles; /* of those three */
	bool runs, ready, ending;
	bool complained; /* of this failure to start, in the log */
	char heard[16];
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
	free(responder->message);
	free(responder);
}

static void on_closed(uv_handle_t *handle)
{
	struct responder *responder = handle->data;

	responder->open_handles--;
	if (responder->ending)
		release(responder);
}

static void close_handle(uv_handle_t *handle)
{
	if (!uv_is_closing(handle))
		uv_close(handle, on_closed);
}

/* A process of unknown type is one that uv_spawn() has not come to. */
static void close_process(struct responder *responder)
{
	close_handle((uv_handle_t *)&responder->talk);
	if (responder->process.type == UV_PROCESS)
		close_handle((uv_handle_t *)&responder->process);
}

static void set_ready(struct responder *responder, bool ready)
{
	if (responder->ready == ready)
		return;
	responder->ready = ready;
	if (!responder->ending)
		responder->changed(responder->arg);
}

static void on_restart(uv_timer_t *timer);

static void on_exit_of_child(uv_process_t *process, int64_t status, int number)
{
	struct responder *responder = process->data;

	responder->runs = false;
	close_process(responder);
	if (responder->ending)
		return;
	if (!responder->complained)
		log_error("the responder has ended (%s %d), it is started again",
			  number ? "signal" : "exit status", number ? number : (int)status);
	responder->complained = !responder->ready;
	(void)uv_timer_start(&responder->restart, on_restart, RESTART_MS, 0);
	set_ready(responder, false);
}

/* ---- telling and hearing ------------------------------------------------------ */

struct telling {
	uv_write_t request;
	char text[];
};

static void on_sent(uv_write_t *request, int status)
{
	(void)status; /* where it has failed, the process is at its end */
	free(request->data);
}

/* uv_write() keeps what the pipe does not take yet. */
static int tell(struct responder *responder)
{
	struct telling *telling = malloc(sizeof(*telling) + responder->message_length);
	uv_buf_t buffer;

	if (!telling)
		return -ENOMEM;
	memcpy(telling->text, responder->message, responder->message_length);
	telling->request.data = telling;
	buffer = uv_buf_init(telling->text, (unsigned)responder->message_length);
	if (uv_write(&telling->request, (uv_stream_t *)&responder->talk, &buffer, 1, on_sent))
		free(telling); /* as above */
	return 0;
}

int responder_tell(struct responder *responder, const struct config *config)
{
	size_t length;
	char *text;
	int error = responder_message(config, &text, &length);

	if (error)
		return error;
	free(responder->message);
	responder->message = text;
	responder->message_length = length;
	return responder->runs ? tell(responder) : 0;
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
	struct responder *responder = handle->data;

	(void)suggested;
	*ret_buffer = uv_buf_init(responder->heard, sizeof(responder->heard));
}

/* What it may say to us is one thing. */
static void on_heard(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
	struct responder *responder = stream->data;

	if (length < 0) {
		(void)uv_read_stop(stream);
		return;
	}
	if (!memchr(buffer->base, RESPOND_READY, (size_t)length) || responder->ready)
		return;
	log_info("the responder runs in a network namespace of its own, behind %s",
		 responder->net.name);
	responder->complained = false;
	set_ready(responder, true);
}

/* ---- its beginning ------------------------------------------------------------- */

/* uv_spawn() in the namespace: the child stays there. */
static int spawn_inside(struct responder *responder, const uv_process_options_t *options)
{
	int home, error = responder_net_enter(responder->net.ns, &home);

	if (error)
		return error;
	error = uv_spawn(responder->restart.loop, &responder->process, options);
	responder_net_leave(home);
	return error;
}

static int spawn(struct responder *responder)
{
	_cleanup_(cleanup_close) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	uv_stdio_container_t stdio[RESPOND_FD_COUNT] = {
		[RESPOND_FD_TALK] = { .flags = UV_CREATE_PIPE | UV_READABLE_PIPE | UV_WRITABLE_PIPE,
				      .data.stream = (uv_stream_t *)&responder->talk },
		[RESPOND_FD_NULL] = { .flags = UV_INHERIT_FD, .data.fd = null },
		[RESPOND_FD_LOG] = { .flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO },
		[RESPOND_FD_LISTENER] = { .flags = UV_INHERIT_FD,
					  .data.fd = responder->net.listener },
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

	if (null < 0)
		return -errno;
	for (size_t i = 0; i < RESPOND_MAP_COUNT; i++)
		stdio[RESPOND_FD_MAPS + i] =
			(uv_stdio_container_t){ .flags = UV_INHERIT_FD,
						.data.fd = responder->maps[i] };
	return spawn_inside(responder, &options);
}

static int start(struct responder *responder)
{
	uv_loop_t *loop = responder->restart.loop;
	int error = uv_pipe_init(loop, &responder->talk, 0);

	if (error)
		return error;
	responder->talk.data = responder;
	responder->process = (uv_process_t){ .data = responder };
	responder->open_handles++;
	error = spawn(responder);
	if (responder->process.type == UV_PROCESS)
		responder->open_handles++;
	if (error) {
		close_process(responder);
		return error;
	}
	responder->runs = true;
	(void)uv_read_start((uv_stream_t *)&responder->talk, give_buffer, on_heard);
	return tell(responder);
}

static void on_restart(uv_timer_t *timer)
{
	struct responder *responder = timer->data;
	int error = start(responder);

	if (!error || responder->runs)
		return;
	if (!responder->complained)
		log_error("cannot start the responder: %s", uv_strerror(error));
	responder->complained = true;
	(void)uv_timer_start(timer, on_restart, RESTART_MS, 0);
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
	int error = find_program(diag, responder->program);

	if (!error)
		error = responder_net_make(diag, &responder->net);
	if (error)
		return error;
	error = steer_new(responder->net.ns, responder->net.listener, &responder->steer);
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
	return responder_message(NULL, &responder->message, &responder->message_length)
		       ? diag_no_memory(diag)
		       : 0;
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
	for (size_t i = 0; i < RESPOND_MAP_COUNT; i++)
		responder->maps[i] = -1;
	error = prepare(responder, datapath, diag);
	if (error)
		return error;
	(void)uv_timer_init(loop, &responder->restart);
	responder->restart.data = responder;
	responder->open_handles++;
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
		close_handle((uv_handle_t *)&responder->restart);
	if (responder->runs)
		(void)uv_process_kill(&responder->process, SIGKILL);
	/* No packet finds it any more, whatever the plans still say. */
	responder_net_done(&responder->net);
	release(responder);
}

const struct sl_hop *responder_hop(const struct responder *responder)
{
	return responder->ready ? &responder->net.hop : NULL;
}
