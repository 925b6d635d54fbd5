// SPDX-License-Identifier: BSD-2-Clause
/* libFuzzer on the HTTP check: any bytes a backend may answer, over loopback. Whatever
 * comes, the probe ends once, is "ok" for a wanted status alone, and its words hold
 * nothing that the backend wrote.
 *
 * The first byte of an input says how the backend ends: 'r' by a reset, 's' not at all
 * (the probe is cancelled), else by closing; the second in pieces of how many bytes it
 * writes, where that is a digit.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "daemon/health/probe.h"

#define TURNS_MAX    1000000
#define SILENT_TURNS 50

static struct {
	uv_loop_t loop;
	void *shared;
	struct probe_spec spec;
	struct probe *probe;
	int listening;
	unsigned told;
	enum probe_outcome outcome;
	char text[PROBE_TEXT_SIZE];
} t;

static void must(int failed, const char *what)
{
	if (!failed)
		return;
	(void)fprintf(stderr, "answer_fuzz: %s: %s\n", what, strerror(errno));
	exit(1);
}

static __be16 listen_on_loopback(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	t.listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	must(t.listening < 0, "socket");
	must(bind(t.listening, (const struct sockaddr *)&address, sizeof(address)), "bind");
	must(listen(t.listening, 16), "listen");
	must(getsockname(t.listening, (struct sockaddr *)&address, &length), "getsockname");
	return address.sin_port;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct check_config config = {
		.type = CHECK_HTTP,
		.interval_ms = 1000,
		.timeout_ms = 1000,
		.rise = 1,
		.fall = 1,
		.path = (char *)"/health",
		.status = { { 200, 299 }, { 404, 404 } },
		.n_status = 2,
	};
	struct ip ip;

	(void)argc;
	(void)argv;
	must(uv_loop_init(&t.loop), "loop");
	must(ip_parse("127.0.0.1", &ip), "address");
	must(probe_spec_fill(&config, &ip, listen_on_loopback(), &t.spec), "spec");
	must(probe_http.open(&t.loop, &t.shared), "probe");
	must(probe_http.make(t.shared, &t.spec, &t.probe), "probe");
	return 0;
}

static void on_done(void *arg, enum probe_outcome outcome, const char *text)
{
	(void)arg;
	t.told++;
	t.outcome = outcome;
	(void)snprintf(t.text, sizeof(t.text), "%s", text);
}

/* ---- the backend ---------------------------------------------------------- */

struct backend {
	int fd; /* -1: no probe has come yet, or it has ended */
	const uint8_t *data;
	size_t size, piece;
	char end;
};

static void backend_end(struct backend *backend)
{
	const struct linger reset = { .l_onoff = 1 };
	char request[4096];

	if (backend->end == 'r')
		(void)setsockopt(backend->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	else /* what is unread would make it a reset */
		(void)recv(backend->fd, request, sizeof(request), MSG_DONTWAIT);
	(void)close(backend->fd);
	backend->fd = -1;
}

static void backend_turn(struct backend *backend)
{
	size_t length = backend->size < backend->piece ? backend->size : backend->piece;
	ssize_t n;

	if (backend->fd < 0)
		return;
	n = length ? send(backend->fd, backend->data, length, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0) /* the probe has heard enough */
		backend->size = 0;
	else
		backend->data += n, backend->size -= (size_t)n;
	if (!backend->size && backend->end != 's')
		backend_end(backend);
}

/* ---- what was told -------------------------------------------------------- */

static bool says_status(const char *text, long *ret_status)
{
	char *end;

	if (strncmp(text, "HTTP ", 5) || !isdigit((unsigned char)text[5]))
		return false;
	*ret_status = strtol(text + 5, &end, 10);
	return !*end || !strcmp(end, ", wanted 200-299, 404");
}

static bool says_failure(const char *text)
{
	static const char *const words[] = {
		"closed without an answer",
		"the answer broke off",
		"not an HTTP answer",
		"the header of the answer is too long",
		"no connection",
		"connection reset by peer",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(text, words[i]))
			return true;
	/* libcurl's own words are constants, too. */
	for (int code = 1; code < CURL_LAST; code++)
		if (!strcmp(text, curl_easy_strerror((CURLcode)code)))
			return true;
	return false;
}

static void check_told(void)
{
	long status = 0;

	assert(t.told == 1);
	switch (t.outcome) {
	case PROBE_OK:
		assert(says_status(t.text, &status) && !strstr(t.text, "wanted"));
		assert((status >= 200 && status <= 299) || status == 404);
		break;
	case PROBE_NOT_READY:
		assert(says_status(t.text, &status) && strstr(t.text, "wanted"));
		assert((status < 200 || status > 299) && status != 404);
		break;
	case PROBE_FAILED:
	case PROBE_IMPOSSIBLE:
		if (!says_failure(t.text))
			(void)fprintf(stderr, "told: %s\n", t.text);
		assert(says_failure(t.text));
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct backend backend = { .fd = -1 };
	bool accepted = false;
	int turn, quiet = 0;

	if (size < 2)
		return 0;
	backend.end = (char)data[0];
	backend.piece = isdigit(data[1]) && data[1] != '0' ? (size_t)(data[1] - '0') : SIZE_MAX;
	backend.data = data + 2;
	backend.size = size - 2;
	t.told = 0;
	must(probe_http.start(t.probe, on_done, NULL) < 0, "start");
	for (turn = 0; !t.told && quiet < SILENT_TURNS; turn++) {
		assert(turn < TURNS_MAX);
		if (!accepted) {
			backend.fd = accept4(t.listening, NULL, NULL, SOCK_CLOEXEC);
			accepted = backend.fd >= 0;
		}
		backend_turn(&backend);
		(void)uv_run(&t.loop, UV_RUN_NOWAIT);
		if (accepted && !backend.size && backend.end == 's')
			quiet++;
	}
	if (t.told) {
		check_told();
	} else {
		assert(probe_http.missing(t.probe)[0]);
		probe_http.cancel(t.probe);
		assert(!t.told);
	}
	if (backend.fd >= 0)
		backend_end(&backend);
	(void)uv_run(&t.loop, UV_RUN_NOWAIT);
	return 0;
}
