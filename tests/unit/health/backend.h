/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A backend for tests of checks: a thread that serves one connection after the
 * other on a loopback port and behaves as told. Which way can change while it
 * runs.
 */
#ifndef SLUICE_TESTS_UNIT_HEALTH_BACKEND_H
#define SLUICE_TESTS_UNIT_HEALTH_BACKEND_H

#include <arpa/inet.h>
#include <errno.h>
#include <linux/types.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKEND_HELD_MAX 64

enum backend_mode {
	BACKEND_ANSWER,  /* text, then close */
	BACKEND_KEEP,    /* text, then wait for the client to close */
	BACKEND_SILENT,  /* accept, and never answer */
	BACKEND_ENDLESS, /* text, then `repeat` for ever */
	BACKEND_DRIP,    /* text, then `repeat` for ever, slowly */
	BACKEND_HOLD,    /* text, once `release` is set; then close */
	BACKEND_RESET,   /* text, then a reset */
	BACKEND_UNREAD,  /* text, then close with the request unread, which is a reset */
};

struct backend {
	int fd;
	__be16 port;
	pthread_t thread;
	_Atomic(enum backend_mode) mode;
	_Atomic(const char *) text;
	const char *repeat;
	atomic_uint connections; /* whose request has been read */
	atomic_uint resets;      /* by the client, while it was read from */
	atomic_bool release;
	int held[BACKEND_HELD_MAX];
	size_t n_held;
	pthread_mutex_t lock;
	char request[1024]; /* the last one; under lock */
};

static inline bool backend_send(int fd, const char *text)
{
	size_t length = strlen(text);

	while (length > 0) {
		ssize_t n = send(fd, text, length, MSG_NOSIGNAL);

		if (n < 0)
			return false;
		text += n;
		length -= (size_t)n;
	}
	return true;
}

static inline void backend_read_request(struct backend *backend, int fd)
{
	char request[sizeof(backend->request)] = "";
	size_t length = 0;

	while (length < sizeof(request) - 1 && !strstr(request, "\r\n\r\n")) {
		ssize_t n = recv(fd, request + length, sizeof(request) - 1 - length, 0);

		if (n < 0 && errno == ECONNRESET)
			backend->resets++;
		if (n <= 0)
			break;
		length += (size_t)n;
		request[length] = '\0';
	}
	(void)pthread_mutex_lock(&backend->lock);
	(void)memcpy(backend->request, request, sizeof(request));
	(void)pthread_mutex_unlock(&backend->lock);
}

static inline void backend_serve(struct backend *backend, int fd)
{
	struct pollfd gone = { .fd = fd };
	enum backend_mode mode = backend->mode; /* clang refuses to switch on an _Atomic */
	const struct linger at_once = { .l_onoff = 1 };
	char c;

	switch (mode) {
	case BACKEND_SILENT:
		if (backend->n_held < BACKEND_HELD_MAX)
			backend->held[backend->n_held++] = dup(fd);
		return;
	case BACKEND_ANSWER:
		(void)backend_send(fd, backend->text);
		return;
	case BACKEND_KEEP:
		(void)backend_send(fd, backend->text);
		if (recv(fd, &c, 1, 0) < 0 && errno == ECONNRESET)
			backend->resets++;
		return;
	case BACKEND_RESET:
		(void)backend_send(fd, backend->text);
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		return;
	case BACKEND_UNREAD:
		(void)backend_send(fd, backend->text);
		return;
	case BACKEND_HOLD:
		while (!backend->release && poll(&gone, 1, 1) == 0)
			;
		(void)backend_send(fd, backend->text);
		return;
	case BACKEND_ENDLESS:
		if (backend_send(fd, backend->text))
			while (backend_send(fd, backend->repeat))
				;
		return;
	case BACKEND_DRIP:
		if (backend_send(fd, backend->text))
			while (poll(&gone, 1, 10) == 0 && backend_send(fd, backend->repeat))
				;
		return;
	}
}

static inline void *backend_run(void *arg)
{
	const struct timeval patience = { .tv_sec = 3 };
	struct backend *backend = arg;
	int fd;

	/* stop() shuts the listener down, which ends accept() with EINVAL. EMFILE comes where
	 * a test takes this process's descriptors away, and passes.
	 */
	while ((fd = accept4(backend->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0 || errno == EMFILE) {
		if (fd < 0) {
			(void)poll(NULL, 0, 1);
			continue;
		}
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		if (backend->mode == BACKEND_UNREAD)
			(void)poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 3000);
		else
			backend_read_request(backend, fd);
		backend->connections++;
		backend_serve(backend, fd);
		(void)close(fd);
	}
	return NULL;
}

/* A socket bound to a loopback port (0: any free one), which refuses until
 * listen(). Several can be bound to one, and keep it from others.
 */
static inline int backend_bind(int family, __be16 *port)
{
	const int on = 1;
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_port = *port,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
				   .sin6_port = *port,
				   .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	bool is_v4 = family == AF_INET;
	struct sockaddr *address = is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
	socklen_t length = is_v4 ? sizeof(v4) : sizeof(v6);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, address, length) < 0 || getsockname(fd, address, &length) < 0) {
		(void)close(fd);
		return -1;
	}
	*port = is_v4 ? v4.sin_port : v6.sin6_port;
	return fd;
}

/* False: this machine has no such family. Set mode, text and repeat before. */
static inline bool backend_start(struct backend *backend, int family)
{
	backend->fd = backend_bind(family, &backend->port);
	if (backend->fd < 0)
		return false;
	(void)pthread_mutex_init(&backend->lock, NULL);
	return listen(backend->fd, 1024) == 0 &&
	       pthread_create(&backend->thread, NULL, backend_run, backend) == 0;
}

static inline void backend_stop(struct backend *backend)
{
	(void)shutdown(backend->fd, SHUT_RDWR);
	(void)pthread_join(backend->thread, NULL);
	(void)close(backend->fd);
	while (backend->n_held)
		(void)close(backend->held[--backend->n_held]);
	(void)pthread_mutex_destroy(&backend->lock);
}

#endif
