// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/attachment.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <xdp/libxdp.h>

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

static int explain(struct diag *diag, int error, const char *name, enum attach_mode mode)
{
	struct occupant occupant;

	switch (error) {
	case EPERM:
		return diag_set(diag, error, "no right to attach to %s: run as root", name);
	case EBUSY:
	case EEXIST:
		(void)occupant_look((int)if_nametoindex(name), &occupant);
		occupant_done(&occupant);
		return diag_set(
			diag, EBUSY,
			"%s already runs another XDP program, \"%s\" (id %u, %s mode), "
			"which cannot share it; remove it first: ip link set dev %s xdp off",
			name, occupant.name[0] ? occupant.name : "?", occupant.id,
			mode_text(occupant.mode), name);
	case EOPNOTSUPP:
	case EINVAL:
		(void)occupant_look((int)if_nametoindex(name), &occupant);
		occupant_done(&occupant);
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

/* An abstract socket belongs to the network namespace, as the interface does,
 * and goes with its process: no stale claims.
 */
static int claim_interface(int ifindex, const char *name, struct diag *diag, int *ret_claim)
{
	_cleanup_(cleanup_close) int claim = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int length;

	if (claim < 0)
		return diag_set(diag, errno, "cannot make a socket: %s", strerror(errno));
	length = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "sluice-interface-%d",
			  ifindex);
	if (bind(claim, (struct sockaddr *)&address,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)))
		return diag_set(diag, errno == EADDRINUSE ? EBUSY : errno,
				errno == EADDRINUSE ? "another sluiced runs %s" : "cannot claim %s",
				name);
	*ret_claim = TAKE_FD(claim);
	return 0;
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

int attachment_attach(struct datapath *datapath, enum attach_mode mode, struct diag *diag,
		      struct attachment *attachment)
{
	_cleanup_(occupant_done) struct occupant before = { .sluice_fd = -1 };
	_cleanup_(occupant_done) struct occupant after = { .sluice_fd = -1 };
	int error = occupant_look(attachment->ifindex, &before);

	if (error)
		return diag_set(diag, -error, "cannot ask what %s runs: %s", attachment->name,
				strerror(-error));
	attachment->adopted = is_ours(datapath, &before);
	if (!attachment->adopted) {
		error = attach_program(datapath, attachment->ifindex, mode, &before);
		if (error)
			return explain(diag, -error, attachment->name, mode);
	}
	error = occupant_look(attachment->ifindex, &after);
	if (error || !is_ours(datapath, &after))
		return diag_set(diag, EIO, "%s does not run the program after attaching it",
				attachment->name);
	attachment->mode = after.mode;
	attachment->program_id = after.sluice_id;
	attachment->shared = after.dispatcher;
	/* Alone, the program that runs is the one that is pinned. */
	if (after.dispatcher)
		return 0;
	return pins_set_program(&datapath->pins, after.sluice_fd, diag)
		       ?: program_keep(&datapath->program, after.sluice_fd, diag);
}

int attachment_claim(const char *name, struct diag *diag, struct attachment *ret_attachment)
{
	struct attachment attachment = { .ifindex = (int)if_nametoindex(name), .claim = -1 };
	int error;

	if (!attachment.ifindex)
		return diag_set(diag, ENODEV, "there is no interface %s here", name);
	(void)snprintf(attachment.name, sizeof(attachment.name), "%s", name);
	error = claim_interface(attachment.ifindex, name, diag, &attachment.claim);
	if (!error)
		*ret_attachment = attachment;
	return error;
}

void attachment_release(struct attachment *attachment)
{
	cleanup_close(&attachment->claim);
	attachment->claim = -1;
}

int attachment_detach(const struct datapath *datapath, const struct attachment *attachment,
		      struct diag *diag)
{
	_cleanup_(occupant_done) struct occupant occupant = { .sluice_fd = -1 };
	int error = occupant_look(attachment->ifindex, &occupant);

	if (error || !is_ours(datapath, &occupant))
		return diag_set(diag, ENOENT, "%s does not run the program any more",
				attachment->name);
	error = detach_sluice(attachment->ifindex, &occupant);
	if (error)
		return diag_set(diag, -error, "cannot detach from %s: %s", attachment->name,
				strerror(-error));
	return 0;
}
