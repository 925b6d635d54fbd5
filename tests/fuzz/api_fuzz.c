// SPDX-License-Identifier: BSD-2-Clause
/* libFuzzer on the control socket: any bytes a client may send, to the API of a daemon
 * that runs, with the real program and maps, in a network namespace of its own.
 * What is answered is HTTP; where it says so, JSON, with an "error" unless the status
 * is 200. Needs root; `make fuzz` runs it.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "daemon/api/api.h"
#include "daemon/core/balancer.h"
#include "daemon/core/change.h"
#include "daemon/core/lifecycle.h"
#include "daemon/core/reload.h"
#include "daemon/fiber.h"
#include "daemon/limits/watch.h"
#include "daemon/log.h"
#include "lib/base/diag.h"
#include "lib/config/config.h"

/* In a mount namespace of its own, so that nothing stays behind, however this ends. */
#define ROOM        "/mnt"
#define SOCKET      ROOM "/control.sock"
#define FILE_NAME   ROOM "/sluice.yaml"

#define QUIET_TURNS 20 /* of the loop */
#define ANSWER_MAX  (1 << 20)

static const char text[] =
	"interfaces: [front]\n"
	"services:\n"
	"  - {name: web, address: 198.51.100.10, port: 80, check: none, backends: [\n"
	"      {name: web-1, address: 10.0.0.11}, {name: web-2, address: 10.0.0.12, backup: true}]}\n"
	"  - {name: dns, address: [198.51.100.10, '2001:db8::10'], port: 53, protocol: udp,\n"
	"     check: none, scheduler: source-hash, limit: {rate: 10/s, burst: 5}, backends: [\n"
	"      {name: a, address: 10.0.0.11, weight: 3}, {name: b, address: 10.0.0.12, weight: 0},\n"
	"      {name: c, address: '2001:db8::11'}]}\n";

/* Next hops for two of the backends; the third has none. */
static const char network[] =
	"ip link set lo up && ip link add front type veth peer name back && "
	"ip address add 10.0.0.1/24 dev front && ip link set front up && ip link set back up && "
	"ip neighbour add 10.0.0.11 lladdr 02:00:00:00:00:11 dev front && "
	"ip neighbour add 10.0.0.12 lladdr 02:00:00:00:00:12 dev front";

static struct {
	uv_loop_t loop;
	struct balancer *balancer;
	struct limits_watch *limits;
	struct api *api;
	char answer[ANSWER_MAX + 1];
} t;

static void must(int failed, const char *what)
{
	if (!failed)
		return;
	(void)fprintf(stderr, "api_fuzz: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void write_config(void)
{
	FILE *file = fopen(FILE_NAME, "w");

	must(!file, FILE_NAME);
	must(fputs(text, file) < 0 || fclose(file), FILE_NAME);
}

static void make_room(void)
{
	must(unshare(CLONE_NEWNS | CLONE_NEWNET), "namespaces (are you root?)");
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "mount namespace");
	must(mount("none", ROOM, "tmpfs", 0, NULL), "tmpfs");
	must(mkdir(ROOM "/bpf", 0700), ROOM "/bpf");
	must(mount("none", ROOM "/bpf", "bpf", 0, NULL), "bpffs");
	must(system(network), "network");
	write_config();
}

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct balancer_options options = {
		.config_path = FILE_NAME,
		.socket_path = SOCKET,
		.pin_dir = ROOM "/bpf/sluice",
		.state_path = ROOM "/state/file",
	};
	struct config *config = NULL;
	struct diag diag = {};

	(void)argc;
	(void)argv;
	make_room();
	log_set_level(LOG_LEVEL_ERROR);
	must(uv_loop_init(&t.loop), "loop");
	fibers_open(&t.loop);
	if (config_load(FILE_NAME, &diag, &config) || api_open(SOCKET, &diag, &t.api) ||
	    balancer_new(&t.loop, &options, config, &diag, &t.balancer) ||
	    balancer_start(t.balancer, &diag) || limits_watch_new(t.balancer, &diag, &t.limits) ||
	    api_start(t.api, t.balancer, &diag)) {
		(void)fprintf(stderr, "api_fuzz: %s\n", diag.text);
		exit(1);
	}
	return 0;
}

/* ---- one connection ------------------------------------------------------- */

static int connect_to_api(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = SOCKET };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	must(fd < 0, "socket");
	must(connect(fd, (const struct sockaddr *)&address, sizeof(address)), "connect");
	return fd;
}

/* The number of bytes that were taken; all, once the API has closed. */
static size_t send_some(int fd, const uint8_t *data, size_t size)
{
	ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN ? 0 : size;
	return (size_t)n;
}

/* Sends all of it, says that it was all, and reads until the API closes, or waits for
 * more: half a request has its time before it is given up (API_DEADLINE_MS).
 */
static size_t converse(const uint8_t *data, size_t size)
{
	size_t sent = 0, length = 0;
	int fd = connect_to_api();
	ssize_t n;

	for (int quiet = 0; quiet < QUIET_TURNS && length < ANSWER_MAX; quiet++) {
		size_t more = sent < size ? send_some(fd, data + sent, size - sent) : 0;

		sent += more;
		if (sent == size)
			(void)shutdown(fd, SHUT_WR);
		(void)uv_run(&t.loop, UV_RUN_NOWAIT);
		n = recv(fd, t.answer + length, ANSWER_MAX - length, 0);
		if (!n || (n < 0 && errno != EAGAIN))
			break;
		if (n > 0)
			length += (size_t)n;
		if (n > 0 || more)
			quiet = 0;
	}
	(void)close(fd);
	for (int turn = 0; turn < QUIET_TURNS; turn++)
		(void)uv_run(&t.loop, UV_RUN_NOWAIT);
	t.answer[length] = '\0';
	return length;
}

/* ---- what was answered ---------------------------------------------------- */

static void check_json(const char *body, size_t length, int status)
{
	json_t *json = json_loadb(body, length, 0, NULL);

	assert(json_is_object(json) || json_is_array(json));
	assert((status != 200) == json_is_string(json_object_get(json, "error")));
	json_decref(json);
}

/* Of the first answer alone: where the next one begins, only its length says. */
static void check_answer(size_t length)
{
	const char *head = t.answer, *body, *type, *number;
	size_t body_length;
	int status;

	if (!length)
		return;
	assert(!strncmp(head, "HTTP/1.1 ", 9) || !strncmp(head, "HTTP/1.0 ", 9));
	status = atoi(head + 9);
	assert(status >= 100 && status <= 599);
	body = strstr(head, "\r\n\r\n");
	if (!body || status == 100)
		return;
	body += 4;
	type = strstr(head, "Content-Type: application/json\r\n");
	number = strstr(head, "Content-Length: ");
	if (!type || type > body || !number || number > body)
		return;
	body_length = strtoul(number + strlen("Content-Length: "), NULL, 10);
	/* Less: cut at what there is room for here. */
	if (body_length <= length - (size_t)(body - head))
		check_json(body, body_length, status);
}

static void take_back(void *arg)
{
	struct balancer_change change;
	struct diag diag = {};
	struct revert revert = {};

	fiber_lock_take(&t.balancer->changing);
	assert(!balancer_revert(t.balancer, &revert, &diag));
	write_config();
	assert(!balancer_reload(t.balancer, true, &diag, &change));
	fiber_lock_give(&t.balancer->changing);
	*(bool *)arg = true;
}

/* So that each input meets the same daemon, or nearly. */
static void restore(void)
{
	bool restored = false;

	if (!t.balancer->n_edits && !t.balancer->n_denials)
		return;
	assert(!fiber_start(take_back, &restored));
	while (!restored)
		(void)uv_run(&t.loop, UV_RUN_NOWAIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t length = converse(data, size);

	if (!memmem(data, size, "HEAD", 4)) /* whose answer has a length and no body */
		check_answer(length);
	restore();
	return 0;
}
