// SPDX-License-Identifier: BSD-2-Clause
/* An HTTP probe: one GET on a connection of its own (one that is kept open
 * would hide a dead listener), judged by the status of the answer. A probe
 * under way has an easy handle of its own, so that memory follows the probes
 * under way and not the checks. None is used again: libcurl 7.88 remembers the
 * last header line of the transfer before, which it has freed, and writes to it
 * when the next answer begins with a folded line.
 *
 * An answer counts when it is whole: the header, and the body for as long as the
 * header says. A body whose length the header does not say ends with the connection,
 * closed or reset (RFC 9112 section 6.3; section 8 calls a reset incomplete, but scripts
 * that answer and close without reading the request cause one). What follows a whole
 * answer does not count, and an answer that is cut is a failure, whatever its status.
 *
 * The answer is hostile: what is read of it is bounded, and nothing of it but
 * the number of its status is kept.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/health/curl_loop.h"
#include "daemon/health/probe.h"
#include "lib/base/cleanup.h"

#define HTTP_HEAD_MAX 65536 /* all header lines, of interim answers too */
#define HTTP_BODY_MAX 65536 /* then reading stops, and the status counts */

/* libcurl's own limit must never come first: health/checks.c keeps the time. */
#define HTTP_CONNECT_MS 3600000L

/* CURLE_TOO_LARGE, which libcurl 8.6 and later return; older headers do not name it. */
#define HTTP_TOO_LARGE 100

struct http {
	struct curl_loop *curl;
};

struct http_probe {
	struct probe head;
	struct http *http;
	const struct probe_spec *spec;
	char *url;
	struct curl_slist *headers;
	CURL *easy;                    /* NULL: none is under way */
	size_t head_bytes, body_bytes; /* of the answer */
	bool bad_status;               /* a status line of it has no status of three digits */
	bool interim;                  /* the header under way is of an answer before the last */
	bool head_whole;               /* the last answer's header has come to its end */
	bool encoded;                  /* it says how the body ends, by a transfer coding */
	int socket_error;              /* errno of socket(); 0: none */
	char missing[64];
};

/* ---- what libcurl calls during a transfer ------------------------------- */

/* Whether a line that begins as a status line has a status of three digits (RFC 9112
 * section 4). libcurl 7.88 reads "HTTP/2 -04" as -4, and 8.14 as 200.
 */
static bool http_is_status_line(const char *line, size_t length)
{
	const char *space = memchr(line, ' ', length), *end = line + length;
	size_t digits = 0;

	while (space && space + 1 + digits < end && isdigit((unsigned char)space[1 + digits]))
		digits++;
	return digits == 3;
}

#define ENCODING "Transfer-Encoding:"

/* A line of the header, or its end. */
static void http_note_line(struct http_probe *probe, const char *line, size_t length)
{
	if (length > 5 && memcmp(line, "HTTP/", 5) == 0) {
		const char *space = memchr(line, ' ', length);

		probe->bad_status |= !http_is_status_line(line, length);
		probe->interim = space && space + 1 < line + length && space[1] == '1';
		probe->head_whole = probe->encoded = false;
	} else if (length && (line[0] == '\r' || line[0] == '\n')) {
		probe->head_whole = !probe->interim;
	} else if (length >= strlen(ENCODING) &&
		   strncasecmp(line, ENCODING, strlen(ENCODING)) == 0) {
		probe->encoded = true;
	}
}

static size_t http_take_header(char *data, size_t size, size_t count, void *arg)
{
	struct http_probe *probe = arg;

	http_note_line(probe, data, size * count);
	probe->head_bytes += size * count;
	return probe->head_bytes > HTTP_HEAD_MAX ? 0 : size * count;
}

static size_t http_take_body(char *data, size_t size, size_t count, void *arg)
{
	struct http_probe *probe = arg;

	(void)data;
	probe->body_bytes += size * count;
	return probe->body_bytes > HTTP_BODY_MAX ? 0 : size * count;
}

/* Made here for the sake of its errno and of SO_LINGER: closing resets the
 * connection, so that neither side keeps it in TIME_WAIT.
 */
static curl_socket_t http_make_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct http_probe *probe = arg;
	const struct linger reset = { .l_onoff = 1 };
	int fd = socket(to->family, to->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, to->protocol);

	(void)purpose;
	if (fd < 0) {
		probe->socket_error = errno;
		return CURL_SOCKET_BAD;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	return fd;
}

/* ---- the handle --------------------------------------------------------- */

static CURL *http_make_easy(void)
{
	CURL *easy = curl_easy_init();
	bool bad = false;

	if (!easy)
		return NULL;
	bad |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
	bad |= curl_easy_setopt(easy, CURLOPT_PROXY, "");
	bad |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	bad |= curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	bad |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	bad |= curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
	bad |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, HTTP_CONNECT_MS);
	/* No cache of one entry per backend, walked after every transfer. */
	bad |= curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	bad |= curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 4096L);
	bad |= curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 0L); /* one write is all */
	bad |= curl_easy_setopt(easy, CURLOPT_USERAGENT, "sluice-check/0.1");
	bad |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, http_take_header);
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, http_take_body);
	bad |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, http_make_socket);
	if (!bad)
		return easy;
	curl_easy_cleanup(easy);
	return NULL;
}

/* ---- the verdict -------------------------------------------------------- */

static enum probe_outcome http_judge_status(const struct check_config *config, long status,
					    char ret_text[static PROBE_TEXT_SIZE])
{
	const struct status_range *range = config->status;
	size_t length;

	for (size_t i = 0; i < config->n_status; i++)
		if (status >= range[i].first && status <= range[i].last) {
			(void)snprintf(ret_text, PROBE_TEXT_SIZE, "HTTP %ld", status);
			return PROBE_OK;
		}

	length = (size_t)snprintf(ret_text, PROBE_TEXT_SIZE, "HTTP %ld, wanted", status);
	for (size_t i = 0; i < config->n_status && length < PROBE_TEXT_SIZE; i++) {
		const char *comma = i ? "," : "";
		char *end = ret_text + length;
		size_t room = PROBE_TEXT_SIZE - length;

		if (range[i].first == range[i].last)
			length += (size_t)snprintf(end, room, "%s %u", comma, range[i].first);
		else
			length += (size_t)snprintf(end, room, "%s %u-%u", comma, range[i].first,
						   range[i].last);
	}
	return PROBE_NOT_READY;
}

static enum probe_outcome http_fail(const char *words, char ret_text[static PROBE_TEXT_SIZE])
{
	(void)snprintf(ret_text, PROBE_TEXT_SIZE, "%s", words);
	return PROBE_FAILED;
}

/* Whether the answer has come to its end, by what libcurl says of the connection's. */
static bool http_is_whole(const struct http_probe *probe, CURLcode code)
{
	curl_off_t length = -1;

	if (!probe->head_whole)
		return false;
	if (code == CURLE_OK || probe->body_bytes > HTTP_BODY_MAX)
		return true;
	(void)curl_easy_getinfo(probe->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	return (code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR) && length < 0 &&
	       !probe->encoded;
}

static enum probe_outcome http_judge(struct http_probe *probe, CURLcode code,
				     char ret_text[static PROBE_TEXT_SIZE])
{
	const char *too_long = "the header of the answer is too long";
	curl_off_t connected = 0;
	long status = 0, error = 0;

	(void)curl_easy_getinfo(probe->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(probe->easy, CURLINFO_OS_ERRNO, &error);
	(void)curl_easy_getinfo(probe->easy, CURLINFO_CONNECT_TIME_T, &connected);
	if (probe->head_bytes > HTTP_HEAD_MAX)
		return http_fail(too_long, ret_text);
	if (code == CURLE_OK && probe->bad_status)
		return http_fail("not an HTTP answer", ret_text);
	if (http_is_whole(probe, code))
		return http_judge_status(&probe->spec->config, status, ret_text);
	switch ((int)code) {
	case CURLE_COULDNT_CONNECT:
		if (probe->socket_error || error)
			return probe_explain(probe->socket_error ?: (int)error, ret_text);
		return http_fail("no connection", ret_text);
	case CURLE_GOT_NOTHING:
		return http_fail("closed without an answer", ret_text);
	case CURLE_OK: /* an answer without the end of its header is none to sluice */
	case CURLE_PARTIAL_FILE:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		return http_fail("the answer broke off", ret_text);
	case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9, which is: anything */
	case CURLE_WEIRD_SERVER_REPLY:
		return http_fail("not an HTTP answer", ret_text);
	case HTTP_TOO_LARGE:
	case CURLE_OUT_OF_MEMORY: /* libcurl before 8.6 returns it for a line over 100 KiB, too */
		if (connected > 0)
			return http_fail(too_long, ret_text);
		return probe_explain(ENOMEM, ret_text);
	}
	return http_fail(curl_easy_strerror(code), ret_text); /* a constant of libcurl's */
}

static void http_done(CURL *easy, CURLcode code)
{
	struct http_probe *probe = NULL;
	enum probe_outcome outcome;
	char text[PROBE_TEXT_SIZE];

	(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&probe);
	outcome = http_judge(probe, code, text);
	curl_easy_cleanup(TAKE_PTR(probe->easy));
	probe->head.done(probe->head.arg, outcome, text);
}

/* ---- the kind ----------------------------------------------------------- */

static int http_open(struct uv_loop_s *loop, void **ret_shared)
{
	_cleanup_(cleanup_free) struct http *http = calloc(1, sizeof(*http));
	int error;

	if (!http)
		return -ENOMEM;
	error = curl_loop_new(loop, http_done, &http->curl);
	if (error)
		return error;
	*ret_shared = TAKE_PTR(http);
	return 0;
}

static void http_close(void *shared)
{
	struct http *http = shared;

	if (!http)
		return;
	curl_loop_free(http->curl);
	free(http);
}

static void http_cancel(struct probe *head)
{
	struct http_probe *probe = (struct http_probe *)head;

	curl_loop_remove(probe->http->curl, probe->easy);
	curl_easy_cleanup(TAKE_PTR(probe->easy));
}

static void http_free(struct probe *head)
{
	struct http_probe *probe = (struct http_probe *)head;

	if (!probe)
		return;
	if (probe->easy)
		http_cancel(head);
	curl_slist_free_all(probe->headers);
	free(probe->url);
	free(probe);
}

static void http_freep(struct http_probe **probe)
{
	http_free((struct probe *)*probe);
}

static int http_add_header(struct http_probe *probe, const char *name, const char *value)
{
	_cleanup_(cleanup_free) char *line = NULL;
	struct curl_slist *headers;

	if (asprintf(&line, "%s: %s", name, value) < 0) {
		line = NULL;
		return -ENOMEM;
	}
	headers = curl_slist_append(probe->headers, line);
	if (!headers)
		return -ENOMEM;
	probe->headers = headers;
	return 0;
}

/* What stands in a request line or header must not be able to end it. */
static bool http_is_clean(const char *text)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return false;
	return *text != '\0';
}

static int http_make(void *shared, const struct probe_spec *spec, struct probe **ret_probe)
{
	_cleanup_(http_freep) struct http_probe *probe = NULL;
	const char *path = spec->config.path, *host = spec->config.host;
	char endpoint[ENDPOINT_TEXT_SIZE];

	if (*path != '/' || !http_is_clean(path) || (host && !http_is_clean(host)))
		return -EINVAL;
	probe = calloc(1, sizeof(*probe));
	if (!probe)
		return -ENOMEM;
	probe->http = shared;
	probe->spec = spec;
	(void)endpoint_format(&spec->ip, spec->port, endpoint);
	if (asprintf(&probe->url, "http://%s/", endpoint) < 0) {
		probe->url = NULL;
		return -ENOMEM;
	}
	if ((host && http_add_header(probe, "Host", host) < 0) ||
	    http_add_header(probe, "Connection", "close") < 0)
		return -ENOMEM;
	*ret_probe = &probe->head;
	(void)TAKE_PTR(probe);
	return 0;
}

static int http_start(struct probe *head, probe_done_fn *done, void *arg)
{
	struct http_probe *probe = (struct http_probe *)head;
	struct http *http = probe->http;
	CURL *easy = http_make_easy();
	bool bad = false;

	if (!easy)
		return -ENOMEM;
	probe->head_bytes = 0;
	probe->bad_status = probe->interim = probe->head_whole = probe->encoded = false;
	probe->body_bytes = 0;
	probe->socket_error = 0;
	head->done = done;
	head->arg = arg;
	bad |= curl_easy_setopt(easy, CURLOPT_URL, probe->url);
	/* The path as it is written; a URL's would be tidied up. */
	bad |= curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, probe->spec->config.path);
	bad |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, probe->headers);
	bad |= curl_easy_setopt(easy, CURLOPT_PRIVATE, probe);
	bad |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, probe);
	bad |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, probe);
	bad |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, probe);
	if (bad || curl_loop_add(http->curl, easy) < 0) {
		curl_easy_cleanup(easy);
		return -ENOMEM;
	}
	probe->easy = easy;
	return 0;
}

static const char *http_missing(struct probe *head)
{
	struct http_probe *probe = (struct http_probe *)head;
	curl_off_t connected = 0;
	long status = 0;

	(void)curl_easy_getinfo(probe->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(probe->easy, CURLINFO_CONNECT_TIME_T, &connected);
	if (status > 0)
		(void)snprintf(probe->missing, sizeof(probe->missing),
			       "HTTP %ld, but no end of the answer", status);
	else
		(void)snprintf(probe->missing, sizeof(probe->missing), "%sno answer",
			       connected > 0 ? "connected, but " : "");
	return probe->missing;
}

const struct probe_kind probe_http = {
	.open = http_open,
	.close = http_close,
	.make = http_make,
	.free = http_free,
	.start = http_start,
	.cancel = http_cancel,
	.missing = http_missing,
};
