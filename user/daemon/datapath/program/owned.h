/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Objects of libbpf and libxdp that are closed where their variable ends.
 */
#ifndef SLUICE_DAEMON_DATAPATH_PROGRAM_OWNED_H
#define SLUICE_DAEMON_DATAPATH_PROGRAM_OWNED_H

#include <bpf/libbpf.h>
#include <xdp/libxdp.h>

#include "lib/base/cleanup.h"

DEFINE_CLEANUP(bpf_object__close, struct bpf_object *);
DEFINE_CLEANUP(xdp_multiprog__close, struct xdp_multiprog *);

#endif
