// SPDX-License-Identifier: BSD-2-Clause
/* The interfaces that the daemon is asked to have: claimed first, then attached to, and
 * followed as they go, return and are renamed.
 *
 * The daemon attaches by itself to an interface that appears, and again to one to which it could
 * not be attached, when something has changed there. Where other hands have taken the program
 * off, it is their will: a problem says so, and only a command or a reload attaches again.
 */
#include "daemon/core/interfaces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/balancer.h"
#include "daemon/log.h"
#include "daemon/nexthop/follow.h"
#include "daemon/nexthop/links.h"
#include "lib/base/diag.h"

static const struct interface_config *find_config(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->n_interfaces; i++)
		if (!strcmp(config->interfaces[i].name, name))
			return &config->interfaces[i];
	return NULL;
}

/* The interface of this name, made one of ours if it is not yet. NULL: no memory. Invalidates
 * pointers to others.
 */
static struct attachment *want(struct balancer *balancer, const char *name, enum attach_mode asked)
{
	struct attachment *list = balancer_attachment(balancer, name);

	if (list)
		return list;
	list = reallocarray(balancer->attachments, balancer->n_attachments + 1, sizeof(*list));
	if (!list)
		return NULL;
	balancer->attachments = list;
	attachment_init(name, asked, &list[balancer->n_attachments]);
	return &list[balancer->n_attachments++];
}

/* Forgets an interface; a running program stays where it is. */
static void forget(struct balancer *balancer, struct attachment *attachment)
{
	attachment_release(attachment);
	*attachment = balancer->attachments[--balancer->n_attachments];
}

static void say_attached(const struct attachment *attachment)
{
	log_info("%s %s in %s mode%s", attachment->adopted ? "found the program on" : "attached to",
		 attachment->name, config_mode_name(attachment->mode),
		 attachment->shared ? ", through libxdp's dispatcher" : "");
}

static int attach(struct balancer *balancer, struct attachment *attachment, enum attach_mode mode,
		  struct diag *diag)
{
	const bool ran = attachment->state == ATTACHMENT_RUNS;
	const unsigned program = attachment->program_id;
	const enum attach_mode before = attachment->mode;
	int error = attachment_claim(attachment, diag)
			    ?: attachment_attach(balancer->datapath, mode, diag, attachment);

	if (error)
		attachment_refused(balancer->datapath, diag, attachment);
	else if (!ran || attachment->program_id != program || attachment->mode != before)
		say_attached(attachment);
	return error;
}

/* Whether it runs the program in the driver, or is about to. */
static bool is_native(const struct attachment *attachment)
{
	if (attachment->state == ATTACHMENT_RUNS)
		return attachment->mode == ATTACH_NATIVE;
	return attachment->state == ATTACHMENT_MISSING && attachment->ifindex &&
	       attachment->asked != ATTACH_GENERIC;
}

/* Next hops depend on the mode: in generic mode the kernel sends through every device. */
static void tell_natives(const struct balancer *balancer)
{
	unsigned n = 0;

	for (size_t i = 0; i < balancer->n_attachments; i++)
		n += is_native(&balancer->attachments[i]);
	if (balancer->nexthops)
		nexthops_set_natives(balancer->nexthops, n);
}

int balancer_claim_all(struct balancer *balancer, struct diag *diag)
{
	for (size_t i = 0; i < balancer->config->n_interfaces; i++) {
		const struct interface_config *interface = &balancer->config->interfaces[i];
		struct attachment *attachment = want(balancer, interface->name, interface->mode);
		int error = attachment ? attachment_claim(attachment, diag) : diag_no_memory(diag);

		if (error && error != -ENODEV)
			return error;
	}
	tell_natives(balancer);
	return 0;
}

int balancer_attach(struct balancer *balancer, const char *interface, enum attach_mode mode,
		    struct diag *diag)
{
	const bool known = balancer_attachment(balancer, interface);
	struct attachment *attachment = want(balancer, interface, mode);
	int error;

	if (!attachment)
		return diag_no_memory(diag);
	if (mode != ATTACH_AUTO)
		attachment->asked = mode;
	else if (!attachment_look(balancer->datapath, attachment))
		mode = attachment->asked;
	error = attach(balancer, attachment, mode, diag);
	if (error && !known)
		forget(balancer, attachment);
	tell_natives(balancer);
	return error;
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
	forget(balancer, attachment);
	tell_natives(balancer);
	return error;
}

int balancer_detach(struct balancer *balancer, const char *interface, struct diag *diag)
{
	struct attachment *attachment = balancer_attachment(balancer, interface);

	if (!attachment)
		return diag_set(diag, ENOENT, "sluiced is not attached to %s", interface);
	if (attachment_look(balancer->datapath, attachment))
		return detach(balancer, attachment, diag);
	forget(balancer, attachment);
	return 0;
}

size_t balancer_count_attached(const struct balancer *balancer)
{
	size_t n = 0;

	for (size_t i = 0; i < balancer->n_attachments; i++)
		n += balancer->attachments[i].state == ATTACHMENT_RUNS;
	return n;
}

/* ---- all interfaces of a configuration ------------------------------------------- */

/* Where the configuration has another mode than was asked for, `auto` is native; where it has
 * the same, `auto` is the mode in which the program is found.
 */
static int attach_as_configured(struct balancer *balancer, const struct interface_config *interface,
				struct diag *diag)
{
	struct attachment *attachment = want(balancer, interface->name, interface->mode);
	enum attach_mode mode = interface->mode;
	int error;

	if (!attachment)
		return diag_no_memory(diag);
	if (mode == ATTACH_AUTO && attachment->asked != ATTACH_AUTO)
		mode = ATTACH_NATIVE;
	attachment->asked = interface->mode;
	error = attach(balancer, attachment, mode, diag);
	if (error == -ENODEV && !attachment->ifindex) {
		log_warning("%s", attachment->problem.text);
		return 0;
	}
	return error;
}

int balancer_attach_all(struct balancer *balancer, const struct config *config, struct diag *diag)
{
	int error = 0;

	for (size_t i = 0; i < balancer->n_attachments; i++) {
		struct attachment *attachment = &balancer->attachments[i];

		attachment->before.known = true;
		attachment->before.asked = attachment->asked;
		attachment->before.mode =
			attachment->state == ATTACHMENT_RUNS ? attachment->mode : ATTACH_AUTO;
	}
	for (size_t i = 0; !error && i < config->n_interfaces; i++)
		error = attach_as_configured(balancer, &config->interfaces[i], diag);
	tell_natives(balancer);
	return error;
}

void balancer_attach_undo(struct balancer *balancer)
{
	struct diag diag = {};

	for (size_t i = balancer->n_attachments; i-- > 0;) {
		struct attachment *attachment = &balancer->attachments[i];

		if (!attachment->before.known && attachment->state != ATTACHMENT_RUNS) {
			forget(balancer, attachment);
		} else if (!attachment->before.known) {
			(void)detach(balancer, attachment, &diag);
		} else {
			attachment->asked = attachment->before.asked;
			if (attachment->state == ATTACHMENT_RUNS)
				(void)attach(balancer, attachment, attachment->before.mode, &diag);
		}
	}
	tell_natives(balancer);
}

/* A renamed interface stands for the one of its former name, while there is no such one. */
static bool is_wanted(const struct balancer *balancer, const struct config *config,
		      const struct attachment *attachment)
{
	const struct attachment *named;

	if (!config)
		return false;
	if (find_config(config, attachment->name))
		return true;
	if (!attachment->former[0] || !find_config(config, attachment->former))
		return false;
	named = balancer_attachment(balancer, attachment->former);
	return !named || named->state != ATTACHMENT_RUNS;
}

void balancer_detach_others(struct balancer *balancer, const struct config *config)
{
	struct diag diag = {};

	for (size_t i = balancer->n_attachments; i-- > 0;) {
		struct attachment *attachment = &balancer->attachments[i];

		if (is_wanted(balancer, config, attachment))
			continue;
		/* A failed start leaves the programs that it found where they were. */
		if (attachment->adopted && !balancer->running)
			continue;
		if (attachment->state != ATTACHMENT_RUNS)
			forget(balancer, attachment);
		else if (detach(balancer, attachment, &diag))
			log_warning("%s", diag.text);
	}
}

/* ---- following the kernel ---------------------------------------------------------- */

/* Nothing has the name any more that the configuration asks for. */
static void expect_again(struct attachment *attachment, const struct interface_config *config,
			 const char *renamed)
{
	if (!attachment || attachment->ifindex)
		return;
	attachment->asked = config->mode;
	(void)diag_set(&attachment->problem, ENODEV,
		       "there is no interface %s here now: it is called %s, where sluice goes on; "
		       "name it so under interfaces",
		       config->name, renamed);
}

/* Gives the device that had the name `attachment->name` its new one. If the configuration names
 * the old one, it is waited for. Invalidates pointers to attachments.
 */
static void rename_to(struct balancer *balancer, struct attachment *attachment, const char *name)
{
	struct attachment *other = balancer_attachment(balancer, name);
	const struct interface_config *config = find_config(balancer->config, attachment->name);
	const struct interface_config *expected; /* what the configuration calls the device */
	char old[IF_NAMESIZE];

	log_warning("%s is called %s now; sluice stays attached to it", attachment->name, name);
	strcpy(old, attachment->name);
	strcpy(attachment->name, name);
	if (config)
		strcpy(attachment->former, old);
	expected = find_config(balancer->config, attachment->former);
	if (find_config(balancer->config, name))
		attachment->former[0] = '\0';
	/* The other one has lost its name to this one: it has another by now, or is missing. */
	if (other && (config || other->ifindex))
		strcpy(other->name, old);
	else if (other)
		forget(balancer, other);
	if (expected)
		expect_again(want(balancer, expected->name, expected->mode), expected, name);
}

/* Whether one has been renamed. Its program runs on. */
static bool follow_names(struct balancer *balancer)
{
	const struct links *links = nexthops_links(balancer->nexthops);

	for (size_t i = 0; i < balancer->n_attachments; i++) {
		struct attachment *attachment = &balancer->attachments[i];
		const struct link *link = links_find(links, attachment->ifindex);

		if (!link || (attachment->device && attachment->device != link->serial) ||
		    !strcmp(link->name, attachment->name))
			continue;
		rename_to(balancer, attachment, link->name);
		return true;
	}
	return false;
}

/* The device that the attachment has, or that has its name; NULL: there is none, or the kernel's
 * message of it has not arrived yet.
 */
static const struct link *find_device(const struct links *links, struct attachment *attachment)
{
	const struct link *link = links_find(links, attachment->ifindex);
	char name[IF_NAMESIZE];

	if (link && (!attachment->device || attachment->device == link->serial))
		return link;
	/* Attached to before the message of the device has arrived. */
	if (!attachment->device &&
	    (if_indextoname((unsigned)attachment->ifindex, name) || errno != ENXIO))
		return NULL;
	if (attachment->ifindex) {
		log_warning("%s is gone: sluiced attaches to it when it appears again",
			    attachment->name);
		attachment_lost(attachment);
	}
	link = links_find(links, (int)if_nametoindex(attachment->name));
	return link && !strcmp(link->name, attachment->name) ? link : NULL;
}

/* Attaches without being told to. */
static void attach_again(struct balancer *balancer, struct attachment *attachment,
			 const struct link *link)
{
	struct diag diag = {};

	attachment->mtu = link->mtu;
	if (attach(balancer, attachment, attachment->asked, &diag))
		log_warning("%s", diag.text);
	attachment->device = attachment->ifindex == link->ifindex ? link->serial : 0;
}

static void follow(struct balancer *balancer, struct attachment *attachment)
{
	const struct link *link = find_device(nexthops_links(balancer->nexthops), attachment);
	bool changed;

	if (!link)
		return;
	changed = link->program != attachment->occupant_id;
	switch (attachment->state) {
	case ATTACHMENT_MISSING:
		attach_again(balancer, attachment, link);
		return;
	case ATTACHMENT_REFUSED:
		if (changed || link->mtu != attachment->mtu)
			attach_again(balancer, attachment, link);
		break;
	case ATTACHMENT_TAKEN_OFF:
		if (changed && attachment_look(balancer->datapath, attachment))
			say_attached(attachment);
		break;
	case ATTACHMENT_RUNS:
		if (changed && !attachment_look(balancer->datapath, attachment))
			log_warning("%s", attachment->problem.text);
		break;
	}
	attachment->device = link->serial;
}

void balancer_follow_interfaces(struct balancer *balancer)
{
	while (follow_names(balancer))
		;
	for (size_t i = balancer->n_attachments; i-- > 0;) {
		struct attachment *attachment = &balancer->attachments[i];

		follow(balancer, attachment);
		/* What the configuration names is waited for under that name. */
		if (attachment->state == ATTACHMENT_MISSING && attachment->former[0])
			forget(balancer, attachment);
	}
	tell_natives(balancer);
}
