// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/attachment.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <string.h>
#include <xdp/libxdp.h>

#include "daemon/datapath/claim.h"
#include "daemon/datapath/internal.h"
#include "daemon/datapath/program/occupant.h"
#include "daemon/datapath/program/owned.h"
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

static const char *mode_text(enum attach_mode mode)
{
	return mode == ATTACH_GENERIC ? "generic" : "native";
}

/* What `ip link` calls the mode: "xdp off" would look for a native program alone. */
static const char *ip_mode(enum attach_mode mode)
{
	return mode == ATTACH_GENERIC ? "xdpgeneric" : "xdpdrv";
}

static int explain_missing(struct diag *diag, const char *name)
{
	return diag_set(diag, ENODEV,
			"there is no interface %s here now: sluiced attaches to it when it appears",
			name);
}

/* Another's program keeps ours off. */
static int explain_foreign(struct diag *diag, const char *name, const struct occupant *occupant)
{
	return diag_set(
		diag, EBUSY,
		"%s already runs another XDP program, \"%s\" (id %u, %s mode), which cannot "
		"share it; remove it first: ip link set dev %s %s off",
		name, occupant->name[0] ? occupant->name : "?", occupant->id,
		mode_text(occupant->mode), name, ip_mode(occupant->mode));
}

static void explain_taken_off(struct diag *diag, const char *name, const struct occupant *occupant)
{
	if (occupant->id)
		(void)diag_set(
			diag, ENOENT,
			"another XDP program, \"%s\" (id %u, %s mode), was put in the place "
			"of sluice's on %s, whose packets do not reach sluice; mend it: ip link "
			"set dev %s %s off, and then sluicectl attach %s",
			occupant->name[0] ? occupant->name : "?", occupant->id,
			mode_text(occupant->mode), name, name, ip_mode(occupant->mode), name);
	else
		(void)diag_set(
			diag, ENOENT,
			"sluice's program was taken off %s, whose packets do not reach sluice; "
			"mend it: sluicectl attach %s",
			name, name);
}

static int cannot_ask(struct diag *diag, const char *name, int error)
{
	return diag_set(diag, error, "cannot ask what %s runs: %s", name, strerror(error));
}

static int explain(struct diag *diag, int error, const char *name, enum attach_mode mode)
{
	_cleanup_(occupant_done) struct occupant occupant = { .sluice_fd = -1 };

	(void)occupant_look((int)if_nametoindex(name), &occupant);
	switch (error) {
	case EPERM:
		return diag_set(diag, error, "no right to attach to %s: run as root", name);
	case EBUSY:
	case EEXIST:
		return explain_foreign(diag, name, &occupant);
	case EOPNOTSUPP:
	case EINVAL:
		if (occupant.dispatcher)
			return diag_set(diag, EBUSY,
					"%s runs other XDP programs in libxdp's dispatcher, where "
					"this kernel lets no program change packets that the "
					"installed libxdp has put there; remove them first: "
					"xdp-loader unload %s --all",
					name, name);
		/* fall through */
	case ENOMEM:
		if (mode != ATTACH_GENERIC)
			return diag_set(
				diag, error,
				"the driver of %s refuses XDP in native mode (%s); check MTU "
				"and queues, or ask for `mode: generic`, which is slower",
				name, strerror(error));
		/* fall through */
	default:
		return diag_set(diag, error, "cannot attach to %s: %s", name, strerror(error));
	}
}

/* A sluice program with other maps than ours, left by a daemon that is gone
 * (a running one has a claim): ours takes its place without a gap.
 */
static int replace_sluice(const struct datapath *datapath, int ifindex,
			  const struct occupant *occupant)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, options, .old_prog_fd = occupant->sluice_fd);
	__u32 mode = occupant->mode == ATTACH_GENERIC ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;

	return bpf_xdp_attach(ifindex, datapath->program.fd, XDP_FLAGS_REPLACE | mode, &options);
}

/* libxdp's unspecified mode is no mode to detach in: the kernel then looks for native. */
static enum xdp_attach_mode libxdp_mode(enum attach_mode mode)
{
	return mode == ATTACH_GENERIC ? XDP_MODE_SKB : XDP_MODE_NATIVE;
}

static int detach_sluice(int ifindex, const struct occupant *occupant)
{
	struct xdp_program *program = xdp_program__from_fd(occupant->sluice_fd);
	int error = (int)libxdp_get_error(program);

	if (error)
		return error;
	error = xdp_program__detach(program, ifindex, libxdp_mode(occupant->mode), 0);
	xdp_program__close(program);
	return error;
}

/* On an interface that runs nothing. */
static int attach_alone(const struct datapath *datapath, int ifindex, enum attach_mode mode)
{
	__u32 flag = mode == ATTACH_GENERIC ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;

	return bpf_xdp_attach(ifindex, datapath->program.fd, XDP_FLAGS_UPDATE_IF_NOEXIST | flag,
			      NULL);
}

/* Whether the kernel refuses every program that extends another; libxdp's dispatcher is made
 * of those. libxdp would find out, and then load alone the program that is loaded already, at
 * the cost of another verification. A kernel that knows extending programs refuses this one
 * with EINVAL, because it extends nothing.
 */
static bool extensions_refused(void)
{
	const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	_cleanup_(cleanup_close) int fd =
		bpf_prog_load(BPF_PROG_TYPE_EXT, NULL, "GPL", nothing, ARRAY_SIZE(nothing), NULL);

	return fd < 0 && errno == EPERM;
}

static int attach_program(struct datapath *datapath, int ifindex, enum attach_mode mode,
			  const struct occupant *occupant)
{
	int error = 0;

	if (occupant->sluice_fd >= 0 && !occupant->dispatcher)
		return replace_sluice(datapath, ifindex, occupant);
	if (occupant->sluice_fd >= 0)
		error = detach_sluice(ifindex, occupant);
	if (!error && !occupant->id && (datapath->program.alone || extensions_refused()))
		return attach_alone(datapath, ifindex, mode);
	if (!error)
		error = program_make_chained(&datapath->program, &datapath->maps);
	if (!error)
		error = xdp_program__attach(datapath->program.chained, ifindex, libxdp_mode(mode),
					    0);
	if (!error)
		return 0;
	/* libxdp attaches alone by itself where a kernel knows no extending of
	 * programs; but newer ones (6.12) know it and refuse ours, for it changes
	 * packets and the functions of an older dispatcher do not.
	 */
	if (datapath->program.chained && xdp_program__fd(datapath->program.chained) < 0)
		program_forget_chained(&datapath->program);
	if (occupant->id)
		return error;
	error = attach_alone(datapath, ifindex, mode);
	datapath->program.alone |= !error;
	return error;
}

static bool is_ours(const struct datapath *datapath, const struct occupant *occupant)
{
	return occupant->sluice_fd >= 0 &&
	       maps_used_by(occupant->sluice_fd, datapath->maps.map[MAP_SLOTS].fd);
}

/* Notes what an interface runs, which is our program. */
static void note_running(const struct occupant *occupant, struct attachment *attachment)
{
	attachment->state = ATTACHMENT_RUNS;
	attachment->problem = (struct diag){};
	attachment->occupant_id = occupant->id;
	attachment->mode = occupant->mode;
	attachment->program_id = occupant->sluice_id;
	attachment->shared = occupant->dispatcher;
}

/* The kernel runs no program in two modes at once, so that for a moment none runs. Where the
 * other mode is refused, the program goes on in the one that it had.
 */
static int change_mode(struct datapath *datapath, int ifindex, enum attach_mode mode,
		       const struct occupant *before)
{
	_cleanup_(occupant_done) struct occupant rest = { .sluice_fd = -1 };
	int error = detach_sluice(ifindex, before);

	if (!error)
		error = occupant_look(ifindex, &rest);
	if (error)
		return error;
	error = attach_program(datapath, ifindex, mode, &rest);
	if (error)
		(void)attach_program(datapath, ifindex, before->mode, &rest);
	return error;
}

/* Makes the interface run the program, if it does not yet. */
static int make_run(struct datapath *datapath, enum attach_mode mode, struct occupant *before,
		    const struct attachment *attachment)
{
	if (!is_ours(datapath, before))
		return attach_program(datapath, attachment->ifindex, mode, before);
	if (mode == ATTACH_AUTO || mode == before->mode)
		return 0;
	return change_mode(datapath, attachment->ifindex, mode, before);
}

int attachment_attach(struct datapath *datapath, enum attach_mode mode, struct diag *diag,
		      struct attachment *attachment)
{
	_cleanup_(occupant_done) struct occupant before = { .sluice_fd = -1 };
	_cleanup_(occupant_done) struct occupant after = { .sluice_fd = -1 };
	int error = occupant_look(attachment->ifindex, &before);

	if (error)
		return cannot_ask(diag, attachment->name, -error);
	error = make_run(datapath, mode, &before, attachment);
	if (error)
		return explain(diag, -error, attachment->name, mode);
	error = occupant_look(attachment->ifindex, &after);
	if (error)
		return cannot_ask(diag, attachment->name, -error);
	if (!is_ours(datapath, &after))
		return diag_set(diag, EIO, "%s does not run the program after attaching it",
				attachment->name);
	if (attachment->state != ATTACHMENT_RUNS || before.sluice_id != after.sluice_id)
		attachment->adopted = before.sluice_id == after.sluice_id;
	note_running(&after, attachment);
	/* Alone, the program that runs is the one that is pinned. */
	if (after.dispatcher)
		return 0;
	return pins_set_program(&datapath->pins, after.sluice_fd, diag)
		       ?: program_keep(&datapath->program, after.sluice_fd, diag);
}

bool attachment_look(const struct datapath *datapath, struct attachment *attachment)
{
	_cleanup_(occupant_done) struct occupant occupant = { .sluice_fd = -1 };
	bool ran = attachment->state == ATTACHMENT_RUNS;

	/* An interface that is gone cannot be asked; the kernel's message says so soon. */
	if (!attachment->ifindex || occupant_look(attachment->ifindex, &occupant))
		return ran;
	attachment->occupant_id = occupant.id;
	if (is_ours(datapath, &occupant)) {
		attachment->adopted |= !ran;
		note_running(&occupant, attachment);
		return true;
	}
	if (ran || attachment->state == ATTACHMENT_TAKEN_OFF) {
		attachment->state = ATTACHMENT_TAKEN_OFF;
		explain_taken_off(&attachment->problem, attachment->name, &occupant);
	}
	return false;
}

void attachment_refused(const struct datapath *datapath, const struct diag *diag,
			struct attachment *attachment)
{
	if (!attachment->ifindex || attachment_look(datapath, attachment))
		return;
	attachment->state = ATTACHMENT_REFUSED;
	attachment->problem = *diag;
}

void attachment_init(const char *name, enum attach_mode asked, struct attachment *ret_attachment)
{
	*ret_attachment = (struct attachment){ .asked = asked, .claim = -1 };
	(void)snprintf(ret_attachment->name, sizeof(ret_attachment->name), "%s", name);
	(void)explain_missing(&ret_attachment->problem, name);
}

void attachment_lost(struct attachment *attachment)
{
	attachment_release(attachment);
	attachment->ifindex = 0;
	attachment->device = 0;
	attachment->state = ATTACHMENT_MISSING;
	(void)explain_missing(&attachment->problem, attachment->name);
}

/* -ENODEV: there is none; of any other failure nothing is known. */
static int find_interface(const char *name, struct diag *diag, int *ret_ifindex)
{
	int error = occupant_find_interface(name, ret_ifindex);

	if (error == -ENODEV)
		return explain_missing(diag, name);
	return error ? cannot_ask(diag, name, -error) : 0;
}

int attachment_claim(struct attachment *attachment, struct diag *diag)
{
	int ifindex = 0;
	int error = find_interface(attachment->name, diag, &ifindex);

	if (error && error != -ENODEV)
		return error;
	if (attachment->ifindex && ifindex != attachment->ifindex)
		attachment_lost(attachment);
	if (error)
		return error;
	if (attachment->claim >= 0)
		return 0;
	error = claim_take(ifindex, attachment->name, diag, &attachment->claim);
	attachment->ifindex = ifindex;
	return error;
}

void attachment_release(struct attachment *attachment)
{
	claim_release(TAKE_FD(attachment->claim), attachment->ifindex);
}

int attachment_check(const struct datapath *datapath, const char *name, struct diag *diag)
{
	_cleanup_(occupant_done) struct occupant occupant = { .sluice_fd = -1 };
	int ifindex = 0;
	int error = find_interface(name, diag, &ifindex);

	if (error)
		return error;
	if (!datapath || occupant_look(ifindex, &occupant) || !occupant.id || occupant.dispatcher ||
	    is_ours(datapath, &occupant) || occupant.sluice_fd >= 0)
		return 0;
	return explain_foreign(diag, name, &occupant);
}

int attachment_detach(const struct datapath *datapath, const struct attachment *attachment,
		      struct diag *diag)
{
	_cleanup_(occupant_done) struct occupant occupant = { .sluice_fd = -1 };
	int error = occupant_look(attachment->ifindex, &occupant);

	if (error && error != -ENODEV)
		return cannot_ask(diag, attachment->name, -error);
	if (error || !is_ours(datapath, &occupant))
		return diag_set(diag, ENOENT, "%s does not run the program any more",
				attachment->name);
	error = detach_sluice(attachment->ifindex, &occupant);
	if (error)
		return diag_set(diag, -error, "cannot detach from %s: %s", attachment->name,
				strerror(-error));
	return 0;
}

const char *attachment_state_name(enum attachment_state state)
{
	static const char *const names[] = {
#define ATTACHMENT_NAME(enumerator, name) [ATTACHMENT_##enumerator] = name,
		ATTACHMENT_STATES(ATTACHMENT_NAME)
#undef ATTACHMENT_NAME
	};

	return names[state];
}
