/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The daemon over its Unix socket, with libcurl. The process that answers there is not
 * trusted to be the daemon: the answer is bounded in size and time, and every part of it
 * may be missing.
 */
#include "cli/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/un.h>

#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

#define ANSWER_MAX              ((size_t)256 << 20)
#define CONNECT_MS              5000L
#define ANSWER_MS               60000L             /* a large configuration takes its time */
#define URL_START               "http://localhost" /* never looked up: the socket is the way */
#define HTTP_STATUS_OK          200
#define HTTP_STATUS_BAD_REQUEST 400

struct answer {
	char *text;
	size_t length, size;
};

DEFINE_CLEANUP(curl_easy_cleanup, CURL *);

DEFINE_CLEANUP(curl_slist_free_all, struct curl_slist *);

static void free_answer(struct answer *answer)
{
	free(answer->text);
}

/* curl's callback: anything but the length taken ends the transfer. */
static size_t receive(char *data, size_t one, size_t length, void *arg)
{
	struct answer *answer = arg;

	(void)one;
	if (length > ANSWER_MAX - answer->length)
		return CURL_WRITEFUNC_ERROR;
	if (answer->length + length > answer->size) {
		size_t size = (answer->length + length) * 2;
		char *text = realloc(answer->text, size);

		if (!text)
			return CURL_WRITEFUNC_ERROR;
		answer->text = text;
		answer->size = size;
	}
	memcpy(answer->text + answer->length, data, length);
	answer->length += length;
	return length;
}

/* These options are valid; setting them can fail for want of memory alone. */
static bool prepare(CURL *easy, const char *socket, const struct request *request,
		    struct answer *answer)
{
	return curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, socket) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, ANSWER_MS) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method) == CURLE_OK;
}

static bool prepare_body(CURL *easy, const struct request *request, struct curl_slist **headers)
{
	char type[128];

	if (strcmp(request->method, "POST") != 0)
		return true;
	(void)snprintf(type, sizeof(type), "Content-Type: %s", request->type ?: "application/json");
	*headers = curl_slist_append(NULL, type);
	return *headers && curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *headers) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->length) ==
		       CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body ?: "") == CURLE_OK;
}

static int explain_failure(CURL *easy, CURLcode code, const char *socket, struct diag *diag)
{
	long error = 0;

	(void)curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &error);
	if (code == CURLE_COULDNT_CONNECT && (error == EACCES || error == EPERM))
		return diag_set(diag, EACCES,
				"permission denied on %s: be root, or in the socket's group",
				socket);
	if (code == CURLE_COULDNT_CONNECT)
		return diag_set(diag, ECONNREFUSED, "no sluiced answers on %s: is it running?",
				socket);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return diag_set(diag, ETIMEDOUT, "sluiced on %s does not answer in time", socket);
	if (code == CURLE_WRITE_ERROR)
		return diag_set(diag, EMSGSIZE, "the answer on %s is too large", socket);
	return diag_set(diag, EIO, "talking to sluiced on %s failed: %s", socket,
			curl_easy_strerror(code));
}

static void read_place(const json_t *object, struct diag *diag)
{
	const char *file = json_string_value(json_object_get(object, "file"));
	json_int_t line = json_integer_value(json_object_get(object, "line"));
	json_int_t column = json_integer_value(json_object_get(object, "column"));

	(void)snprintf(diag->file, sizeof(diag->file), "%s", file ?: "");
	diag->line = line > 0 ? (unsigned)line : 0;
	diag->column = column > 0 ? (unsigned)column : 0;
}

static void take_array(const json_t *array, bool warnings, struct diag *diag)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *object = json_array_get(array, i);
		const char *text = json_string_value(json_object_get(object, "text"));
		struct diag one = { .list = diag->list };

		if (!text)
			continue;
		read_place(object, &one);
		if (warnings) {
			diag_warn(&one, one.line, one.column, "%s", text);
		} else {
			(void)diag_set(&one, EINVAL, "%s", text);
			(void)diag_keep(&one, -EINVAL);
		}
	}
}

void client_take_findings(const json_t *answer, struct diag *diag)
{
	if (!diag->list)
		return;
	take_array(json_object_get(answer, "errors"), false, diag);
	take_array(json_object_get(answer, "warnings"), true, diag);
	diag_list_sort(diag->list, diag->file);
}

/* The daemon's refusal: {"error": ..., "file": ..., "line": ..., "column": ...} */
static int explain_refusal(const json_t *body, long status, struct diag *diag)
{
	const char *text = json_string_value(json_object_get(body, "error"));

	if (!text)
		return diag_set(diag, EPROTO, "the answer has HTTP status %ld and no words",
				status);
	read_place(body, diag);
	client_take_findings(body, diag);
	return diag_set(diag, status == HTTP_STATUS_BAD_REQUEST ? EINVAL : EREMOTEIO, "%s", text);
}

int client_ask(const char *socket, const struct request *request, struct diag *diag,
	       json_t **ret_answer)
{
	_cleanup_(curl_easy_cleanupp) CURL *easy = curl_easy_init();
	_cleanup_(curl_slist_free_allp) struct curl_slist *headers = NULL;
	_cleanup_(free_answer) struct answer answer = {};
	_cleanup_(json_decrefp) json_t *body = NULL;
	_cleanup_(cleanup_free) char *url = NULL;
	long status = 0;
	CURLcode code;

	if (strlen(socket) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return diag_set(diag, ENAMETOOLONG, "the path of the socket is too long: %s",
				socket);
	if (!easy || asprintf(&url, URL_START "%s", request->path) < 0 ||
	    curl_easy_setopt(easy, CURLOPT_URL, url) != CURLE_OK ||
	    !prepare(easy, socket, request, &answer) || !prepare_body(easy, request, &headers))
		return diag_no_memory(diag);

	code = curl_easy_perform(easy);
	if (code != CURLE_OK)
		return explain_failure(easy, code, socket, diag);
	(void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	body = request->text && status == HTTP_STATUS_OK
		       ? json_stringn(answer.text ?: "", answer.length)
		       : json_loadb(answer.text ?: "", answer.length, 0, NULL);
	if (status != HTTP_STATUS_OK)
		return explain_refusal(body, status, diag);
	if (!body)
		return diag_set(diag, EPROTO, "what answers on %s is not sluiced: no %s", socket,
				request->text ? "text" : "JSON");
	*ret_answer = TAKE_PTR(body);
	return 0;
}
