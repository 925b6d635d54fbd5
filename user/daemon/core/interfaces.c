// SPDX-License-Identifier: BSD-2-Clause
/* The interfaces that the daemon has: claimed first, then attached to. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/internal.h"
#include "daemon/log.h"
#include "lib/base/diag.h"

static struct attachment *find_attachment(struct server *server, const char *name)
{
	for (size_t i = 0; i < server->n_attachments; i++)
		if (!strcmp(server->attachments[i].name, name))
			return &server->attachments[i];
	return NULL;
}

/* Claims an interface for later; one that is claimed already stays so. */
static int claim(struct server *server, const char *interface, struct diag *diag)
{
	struct attachment *list;
	int error;

	if (find_attachment(server, interface))
		return 0;
	list = reallocarray(server->attachments, server->n_attachments + 1, sizeof(*list));
	if (!list)
		return diag_set(diag, ENOMEM, "no memory");
	server->attachments = list;
	error = attachment_claim(interface, diag, &list[server->n_attachments]);
	if (!error)
		server->n_attachments++;
	return error;
}

int server_claim_all(struct server *server, struct diag *diag)
{
	int error = 0;

	for (size_t i = 0; !error && i < server->config->n_interfaces; i++)
		error = claim(server, server->config->interfaces[i].name, diag);
	return error;
}

/* Forgets an interface; a running program stays where it is. */
static void release(struct server *server, struct attachment *attachment)
{
	attachment_release(attachment);
	*attachment = server->attachments[--server->n_attachments];
}

int server_attach(struct server *server, const char *interface, enum attach_mode mode,
		  struct diag *diag)
{
	struct attachment *attachment;
	int error = claim(server, interface, diag);

	if (error)
		return error;
	attachment = find_attachment(server, interface);
	if (attachment->program_id)
		return 0;
	error = attachment_attach(server->datapath, mode, diag, attachment);
	if (error) {
		release(server, attachment);
		return error;
	}
	log_info("%s %s in %s mode%s", attachment->adopted ? "found the program on" : "attached to",
		 interface, config_mode_name(attachment->mode),
		 attachment->shared ? ", through libxdp's dispatcher" : "");
	return 0;
}

/* What is not ours any more is forgotten; what cannot be detached stays known. */
static int detach(struct server *server, struct attachment *attachment, struct diag *diag)
{
	int error = attachment_detach(server->datapath, attachment, diag);

	if (error && error != -ENOENT)
		return error;
	if (!error)
		log_info("detached from %s", attachment->name);
	release(server, attachment);
	return error;
}

int server_detach(struct server *server, const char *interface, struct diag *diag)
{
	struct attachment *attachment = find_attachment(server, interface);

	if (!attachment)
		return diag_set(diag, ENOENT, "sluiced is not attached to %s", interface);
	return detach(server, attachment, diag);
}

int server_attach_all(struct server *server, const struct config *config, struct diag *diag)
{
	for (size_t i = 0; i < config->n_interfaces; i++) {
		int error = server_attach(server, config->interfaces[i].name,
					  config->interfaces[i].mode, diag);

		if (error)
			return error;
	}
	return 0;
}

void server_detach_others(struct server *server, const struct config *config)
{
	struct diag diag = { 0 };

	for (size_t i = server->n_attachments; i-- > 0;) {
		struct attachment *attachment = &server->attachments[i];
		bool wanted = false;

		for (size_t j = 0; config && j < config->n_interfaces; j++)
			wanted |= !strcmp(config->interfaces[j].name, attachment->name);
		/* A failed start leaves what it found as it was. */
		if (attachment->adopted && !server->running)
			continue;
		if (!wanted && attachment->program_id && detach(server, attachment, &diag))
			log_warning("%s", diag.text);
	}
}
