// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/program/occupant.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <xdp/libxdp.h>

#include "daemon/datapath/program/owned.h"
#include "lib/base/cleanup.h"

#define PROGRAM_NAME    "sluice"
#define DISPATCHER_NAME "xdp_dispatcher" /* libxdp's */

void occupant_done(struct occupant *occupant)
{
	cleanup_close(&occupant->sluice_fd);
}

/* Keeps a descriptor of the program, if it is sluice's. 0 or -errno. */
static int keep_if_sluice(const char *name, int fd, unsigned id, struct occupant *occupant)
{
	if (!name || strcmp(name, PROGRAM_NAME) != 0 || occupant->sluice_fd >= 0)
		return 0;
	occupant->sluice_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	occupant->sluice_id = id;
	return occupant->sluice_fd < 0 ? -errno : 0;
}

/* if_nametoindex() does not tell that a descriptor was missing. */
int occupant_find_interface(const char *name, int *ret_ifindex)
{
	_cleanup_(cleanup_close) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {};

	if (fd < 0)
		return -errno;
	if (strlen(name) >= sizeof(request.ifr_name))
		return -ENODEV;
	memcpy(request.ifr_name, name, strlen(name));
	if (ioctl(fd, SIOCGIFINDEX, &request))
		return -errno;
	*ret_ifindex = request.ifr_ifindex;
	return 0;
}

/* Looks among the programs that libxdp's dispatcher runs. Those of another version of libxdp may
 * not be read; then sluice is none of them. 0 or -errno.
 */
static int look_behind_dispatcher(int ifindex, struct occupant *occupant)
{
	_cleanup_(xdp_multiprog__closep) struct xdp_multiprog *multiprog =
		xdp_multiprog__get_from_ifindex(ifindex);
	struct xdp_program *program = NULL;
	int error = (int)libxdp_get_error(multiprog);

	if (error) {
		multiprog = NULL;
		return error == -EMFILE || error == -ENFILE || error == -ENOMEM ? error : 0;
	}
	occupant->dispatcher = !xdp_multiprog__is_legacy(multiprog);
	while (!error && (program = xdp_multiprog__next_prog(program, multiprog)))
		error = keep_if_sluice(xdp_program__name(program), xdp_program__fd(program),
				       xdp_program__id(program), occupant);
	return error;
}

/* libxdp is asked about its dispatcher alone, since its version 1.3 loses a descriptor with each
 * question.
 */
int occupant_look(int ifindex, struct occupant *ret_occupant)
{
	_cleanup_(cleanup_close) int fd = -1;
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	*ret_occupant = (struct occupant){ .sluice_fd = -1 };
	if (bpf_xdp_query(ifindex, 0, &query))
		return -errno;
	ret_occupant->id = query.skb_prog_id ?: query.drv_prog_id ?: query.prog_id;
	ret_occupant->mode = query.skb_prog_id ? ATTACH_GENERIC : ATTACH_NATIVE;
	if (!ret_occupant->id)
		return 0;
	fd = bpf_prog_get_fd_by_id(ret_occupant->id);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno; /* it was there just now */
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	(void)snprintf(ret_occupant->name, sizeof(ret_occupant->name), "%s", info.name);
	if (!strcmp(info.name, DISPATCHER_NAME))
		return look_behind_dispatcher(ifindex, ret_occupant);
	return keep_if_sluice(info.name, fd, ret_occupant->id, ret_occupant);
}

int occupant_find_sluice(int ifindex)
{
	_cleanup_(occupant_done) struct occupant occupant;
	int error = occupant_look(ifindex, &occupant);

	if (error)
		return error;
	return occupant.sluice_fd < 0 ? -ENOENT : TAKE_FD(occupant.sluice_fd);
}
