// SPDX-License-Identifier: BSD-2-Clause
/* Families of generic netlink: the kernel numbers them and their groups when it starts, and tells
 * the numbers by name.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <string.h>

#include "daemon/netlink/netlink.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

#define GROUPS_MAX 16 /* of one family; those that we ask for have two */

DEFINE_CLEANUP(netlink_free, struct netlink *);

struct nlmsghdr *netlink_begin_generic(char buffer[static NETLINK_REQUEST_SIZE], __u16 type,
				       __u8 command)
{
	struct nlmsghdr *request = netlink_begin(buffer, type, 0);
	struct genlmsghdr *header = mnl_nlmsg_put_extra_header(request, sizeof(*header));

	header->cmd = command;
	header->version = 1;
	return request;
}

/* What the kernel's answer says of a family. */
struct found {
	const char *group;
	__u16 type;
	__u32 group_id; /* 0: not found */
};

static void on_family(const struct nlmsghdr *message, void *arg)
{
	const struct nlattr *attrs[CTRL_ATTR_MAX + 1], *groups[GROUPS_MAX + 1];
	struct found *found = arg;

	if (!netlink_attrs(message, sizeof(struct genlmsghdr), CTRL_ATTR_MAX, attrs) ||
	    !netlink_get_u16(attrs[CTRL_ATTR_FAMILY_ID], &found->type))
		return;
	netlink_nested(attrs[CTRL_ATTR_MCAST_GROUPS], GROUPS_MAX, groups);
	for (int i = 0; i <= GROUPS_MAX; i++) {
		const struct nlattr *group[CTRL_ATTR_MCAST_GRP_MAX + 1];
		const char *name;

		netlink_nested(groups[i], CTRL_ATTR_MCAST_GRP_MAX, group);
		if (netlink_get_text(group[CTRL_ATTR_MCAST_GRP_NAME], &name) &&
		    !strcmp(name, found->group))
			(void)netlink_get_u32(group[CTRL_ATTR_MCAST_GRP_ID], &found->group_id);
	}
}

int netlink_new_generic(struct uv_loop_s *loop, const struct netlink_listener *listener,
			const struct netlink_family *family, struct diag *diag, __u16 *ret_type,
			struct netlink **ret_netlink)
{
	_cleanup_(netlink_freep) struct netlink *netlink = NULL;
	char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *request = netlink_begin_generic(buffer, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	struct found found = { .group = family->group };
	int error = netlink_open(loop, NETLINK_GENERIC, listener, diag, &netlink);

	if (error)
		return error;
	mnl_attr_put_strz(request, CTRL_ATTR_FAMILY_NAME, family->name);
	error = netlink_ask(netlink, request, on_family, &found);
	if (!error)
		error = found.group_id ? netlink_join(netlink, (int)found.group_id) : -ENOENT;
	if (error)
		return diag_set(diag, -error, "the kernel's family %s cannot be followed: %s",
				family->name, strerror(-error));
	*ret_type = found.type;
	*ret_netlink = TAKE_PTR(netlink);
	return 0;
}
