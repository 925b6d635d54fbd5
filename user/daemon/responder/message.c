// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/responder/message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/config/config.h"
#include "lib/respond.h"

static json_t *addresses_json(const struct service_config *service)
{
	json_t *addresses = json_array();
	char text[ADDR_TEXT_SIZE];

	for (size_t i = 0; i < service->n_addresses; i++)
		(void)json_array_append_new(addresses,
					    json_string(ip_format(&service->addresses[i], text)));
	return addresses;
}

/* NULL: out of memory. */
static json_t *service_json(const struct service_config *service)
{
	const struct respond_config *respond = &service->respond;

	/* "s*": left out where it is NULL. */
	return json_pack("{s:o, s:i, s:I, s:b, s:s*, s:s*}", "addresses", addresses_json(service),
			 "port", (int)ntohs(service->port), "retry_after_ms",
			 (json_int_t)respond->retry_after_ms, "x_headers", (int)respond->x_headers,
			 "body", respond->body, "content_type", respond->content_type);
}

static int append_service(FILE *stream, const struct service_config *service)
{
	_cleanup_(json_decrefp) json_t *json = service_json(service);

	if (!json || json_dumpf(json, stream, JSON_COMPACT) || fputc('\n', stream) == EOF)
		return -ENOMEM;
	return 0;
}

int responder_message(const struct config *config, char **ret_text, size_t *ret_length)
{
	_cleanup_(cleanup_free) char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);
	int error = stream ? 0 : -ENOMEM;

	for (size_t i = 0; !error && config && i < config->n_services; i++)
		if (config_responds(&config->services[i]))
			error = append_service(stream, &config->services[i]);
	if (stream && !error && fputs(RESPOND_END, stream) == EOF)
		error = -ENOMEM;
	if (stream && fclose(stream))
		error = -ENOMEM;
	if (error)
		return error;
	*ret_text = TAKE_PTR(text);
	*ret_length = length;
	return 0;
}
