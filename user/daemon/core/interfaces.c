// SPDX-License-Identifier: BSD-2-Clause
/* The interfaces that the daemon has: claimed first, then attached to. */
#include "daemon/core/interfaces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/balancer.h"
#include "daemon/log.h"
#include "lib/base/diag.h"

/* Claims an interface for later; one that is claimed already stays so. */
static int claim(struct balancer *balancer, const char *interface, struct diag *diag)
{
	struct attachment *list;
	int error;

	if (balancer_attachment(balancer, interface))
		return 0;
	list = reallocarray(balancer->attachments, balancer->n_attachments + 1, sizeof(*list));
	if (!list)
		return diag_no_memory(diag);
	balancer->attachments = list;
	error = attachment_claim(interface, diag, &list[balancer->n_attachments]);
	if (!error)
		balancer->n_attachments++;
	return error;
}

int balancer_claim_all(struct balancer *balancer, struct diag *diag)
{
	int error = 0;

	for (size_t i = 0; !error && i < balancer->config->n_interfaces; i++)
		error = claim(balancer, balancer->config->interfaces[i].name, diag);
	return error;
}

/* Forgets an interface; a running program stays where it is. */
static void release(struct balancer *balancer, struct attachment *attachment)
{
	attachment_release(attachment);
	*attachment = balancer->attachments[--balancer->n_attachments];
}

int balancer_attach(struct balancer *balancer, const char *interface, enum attach_mode mode,
		    struct diag *diag)
{
	struct attachment *attachment;
	int error = claim(balancer, interface, diag);

	if (error)
		return error;
	attachment = balancer_attachment(balancer, interface);
	if (attachment->program_id)
		return 0;
	error = attachment_attach(balancer->datapath, mode, diag, attachment);
	if (error) {
		release(balancer, attachment);
		return error;
	}
	log_info("%s %s in %s mode%s", attachment->adopted ? "found the program on" : "attached to",
		 interface, config_mode_name(attachment->mode),
		 attachment->shared ? ", through libxdp's dispatcher" : "");
	return 0;
}

/* An interface that runs our program no more is forgotten; one that cannot be detached from
 * stays known.
 */
static int detach(struct balancer *balancer, struct attachment *attachment, struct diag *diag)
{
	int error = attachment_detach(balancer->datapath, attachment, diag);

	if (error && error != -ENOENT)
		return error;
	if (!error)
		log_info("detached from %s", attachment->name);
	release(balancer, attachment);
	return error;
}

int balancer_detach(struct balancer *balancer, const char *interface, struct diag *diag)
{
	struct attachment *attachment = balancer_attachment(balancer, interface);

	if (!attachment)
		return diag_set(diag, ENOENT, "sluiced is not attached to %s", interface);
	return detach(balancer, attachment, diag);
}

int balancer_attach_all(struct balancer *balancer, const struct config *config, struct diag *diag)
{
	for (size_t i = 0; i < config->n_interfaces; i++) {
		int error = balancer_attach(balancer, config->interfaces[i].name,
					    config->interfaces[i].mode, diag);

		if (error)
			return error;
	}
	return 0;
}

void balancer_detach_others(struct balancer *balancer, const struct config *config)
{
	struct diag diag = {};

	for (size_t i = balancer->n_attachments; i-- > 0;) {
		struct attachment *attachment = &balancer->attachments[i];
		bool wanted = false;

		for (size_t j = 0; config && j < config->n_interfaces; j++)
			wanted |= !strcmp(config->interfaces[j].name, attachment->name);
		/* A failed start leaves the programs that it found where they were. */
		if (attachment->adopted && !balancer->running)
			continue;
		if (!wanted && attachment->program_id && detach(balancer, attachment, &diag))
			log_warning("%s", diag.text);
	}
}
