// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/datapath/program/occupant.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <xdp/libxdp.h>

#include "daemon/datapath/program/owned.h"
#include "lib/base/cleanup.h"

#define PROGRAM_NAME "sluice"

void occupant_done(struct occupant *occupant)
{
	cleanup_close(&occupant->sluice_fd);
}

static void keep_if_sluice(const struct xdp_program *program, struct occupant *occupant)
{
	const char *name = xdp_program__name(program);

	if (!name || strcmp(name, PROGRAM_NAME) != 0 || occupant->sluice_fd >= 0)
		return;
	occupant->sluice_fd = fcntl(xdp_program__fd(program), F_DUPFD_CLOEXEC, 0);
	occupant->sluice_id = xdp_program__id(program);
}

int occupant_look(int ifindex, struct occupant *ret_occupant)
{
	_cleanup_(xdp_multiprog__closep) struct xdp_multiprog *multiprog = NULL;
	struct xdp_program *main_program, *program = NULL;
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	*ret_occupant = (struct occupant){ .sluice_fd = -1 };
	if (bpf_xdp_query(ifindex, 0, &query))
		return -errno;
	ret_occupant->id = query.skb_prog_id ?: query.drv_prog_id ?: query.prog_id;
	ret_occupant->mode = query.skb_prog_id ? ATTACH_GENERIC : ATTACH_NATIVE;
	if (!ret_occupant->id)
		return 0;
	multiprog = xdp_multiprog__get_from_ifindex(ifindex);
	if (libxdp_get_error(multiprog)) {
		multiprog = NULL;
		return 0;
	}
	main_program = xdp_multiprog__main_prog(multiprog);
	if (main_program && xdp_program__name(main_program))
		(void)snprintf(ret_occupant->name, sizeof(ret_occupant->name), "%s",
			       xdp_program__name(main_program));
	ret_occupant->dispatcher = !xdp_multiprog__is_legacy(multiprog);
	if (!ret_occupant->dispatcher) {
		if (main_program)
			keep_if_sluice(main_program, ret_occupant);
		return 0;
	}
	while ((program = xdp_multiprog__next_prog(program, multiprog)))
		keep_if_sluice(program, ret_occupant);
	return 0;
}

int occupant_find_sluice(int ifindex)
{
	_cleanup_(occupant_done) struct occupant occupant;
	int error = occupant_look(ifindex, &occupant);

	if (error)
		return error;
	return occupant.sluice_fd < 0 ? -ENOENT : TAKE_FD(occupant.sluice_fd);
}
