// SPDX-License-Identifier: BSD-2-Clause
#include "daemon/responder/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "daemon/responder/link.h"
#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/diag.h"

#define VETH_MTU  1500 /* as the kernel makes a veth */
#define INNER     "eth0"
#define NAMES_MAX 64 /* veths of other daemons in this namespace */
#define BACKLOG   4096
#define THIS_NS   "/proc/thread-self/ns/net"

static const int families[] = { AF_INET, AF_INET6 };

static bool has_ipv6(void)
{
	return !access("/proc/sys/net/ipv6", F_OK);
}

/* ---- going there and back ---------------------------------------------------- */

static int open_this_ns(void)
{
	int fd = open(THIS_NS, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* ns -1: a new one. */
static int go(int ns, int *ret_home)
{
	_cleanup_(cleanup_close) int home = open_this_ns();

	if (home < 0)
		return home;
	if (ns < 0 ? unshare(CLONE_NEWNET) : setns(ns, CLONE_NEWNET))
		return -errno;
	*ret_home = TAKE_FD(home);
	return 0;
}

int responder_net_enter(int ns, int *ret_home)
{
	return go(ns, ret_home);
}

void responder_net_leave(int home)
{
	/* All that the daemon did from here on would be in the wrong place. */
	if (setns(home, CLONE_NEWNET))
		abort();
	(void)close(home);
}

/* ---- settings ------------------------------------------------------------------ */

struct setting {
	const char *key; /* below /proc/sys/net; %s: the device */
	const char *value;
};

/* What a kernel does not know is no error. */
static int set(const struct setting *setting, const char *device)
{
	_cleanup_(cleanup_close) int fd = -1;
	char key[128], path[160];

	(void)snprintf(key, sizeof(key), setting->key, device);
	(void)snprintf(path, sizeof(path), "/proc/sys/net/%s", key);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return write(fd, setting->value, strlen(setting->value)) < 0 ? -errno : 0;
}

static int set_all(const struct setting *settings, size_t n, const char *device)
{
	int error = 0;

	for (size_t i = 0; !error && i < n; i++)
		error = set(&settings[i], device);
	return error;
}

#define SET_ALL(settings, device) set_all(settings, ARRAY_SIZE(settings), device)

/* Connections are short, many, and of clients that may be hostile. */
static const struct setting inside[] = {
	{ "ipv4/conf/all/rp_filter", "0" },
	{ "ipv4/conf/default/rp_filter", "0" },
	{ "ipv6/conf/all/disable_ipv6", "0" },
	{ "ipv6/conf/default/disable_ipv6", "0" },
	{ "ipv6/conf/default/accept_dad", "0" },
	{ "ipv6/conf/default/accept_ra", "0" },
	{ "ipv6/conf/default/addr_gen_mode", "1" }, /* no address of its own */
	{ "ipv4/tcp_fastopen", "0" },
	{ "ipv4/tcp_synack_retries", "2" },
	{ "ipv4/tcp_fin_timeout", "5" },
	{ "ipv4/tcp_max_tw_buckets", "16384" },
};

/* Before it is up. The program asks these whether answers may be forwarded, and hands
 * those to the kernel whose client it has no neighbour for.
 */
static const struct setting outside[] = {
	{ "ipv6/conf/%s/addr_gen_mode", "1" },
	{ "ipv6/conf/%s/accept_ra", "0" },
	{ "ipv4/conf/%s/forwarding", "1" },
	{ "ipv6/conf/%s/forwarding", "1" },
	/* Linux 6.17: forwards whatever is said for all devices. */
	{ "ipv6/conf/%s/force_forwarding", "1" },
	/* The service's address may be one of this machine's. */
	{ "ipv4/conf/%s/accept_local", "1" },
};

/* Of a device's own value and that of all, the larger one counts; 2 asks least. */
static int allow_any_source(const char *device)
{
	_cleanup_(cleanup_close) int fd =
		open("/proc/sys/net/ipv4/conf/all/rp_filter", O_RDONLY | O_CLOEXEC);
	struct setting setting = { "ipv4/conf/%s/rp_filter", "2" };
	char all = '0';

	if (fd >= 0 && read(fd, &all, 1) == 1 && all == '0')
		setting.value = "0";
	return set(&setting, device);
}

/* ---- devices ------------------------------------------------------------------- */

/* A frame that XDP redirects is taken by a veth only if its peer polls (GRO), and
 * what leaves must be whole: XDP finishes no checksum and cuts no segments. For a
 * device that is up: else Linux 6.3 and on do not tell its peer that it takes frames.
 */
static int set_offloads(const char *device)
{
	static const struct ethtool_value values[] = {
		{ ETHTOOL_SGRO, 1 },
		{ ETHTOOL_STSO, 0 },
		{ ETHTOOL_SGSO, 0 },
		{ ETHTOOL_STXCSUM, 0 },
	};
	_cleanup_(cleanup_close) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {};

	if (fd < 0)
		return -errno;
	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct ethtool_value value = values[i];

		request.ifr_data = (char *)&value;
		if (ioctl(fd, SIOCETHTOOL, &request))
			return -errno;
	}
	return 0;
}

/* Of a device's own making (RFC 7042 section 2.1: locally administered). */
static int make_mac(__u8 mac[static 6])
{
	if (getrandom(mac, 6, 0) != 6)
		return -errno;
	mac[0] = 0x02;
	return 0;
}

/* A pair that leads into the namespace, under the first name that is free. */
static int add_veth(struct responder_net *net)
{
	struct responder_veth veth = { .outer = net->name, .inner = INNER, .inner_ns = net->ns };
	int error = make_mac(veth.outer_mac) ?: make_mac(veth.inner_mac);

	if (error)
		return error;
	error = -EEXIST;
	for (int i = 0; error == -EEXIST && i < NAMES_MAX; i++) {
		(void)snprintf(net->name, sizeof(net->name), i ? "sluice-resp%d" : "sluice-resp",
			       i);
		error = link_add_veth(&veth);
	}
	if (error)
		return error;
	memcpy(net->hop.dst_mac, veth.inner_mac, sizeof(veth.inner_mac));
	memcpy(net->hop.src_mac, veth.outer_mac, sizeof(veth.outer_mac));
	net->hop.mtu = VETH_MTU;
	net->hop.ifindex = if_nametoindex(net->name);
	return net->hop.ifindex ? 0 : -errno;
}

/* ---- inside ---------------------------------------------------------------------- */

/* The port is of no matter: the namespace's program sends all connections here. */
static int listen_there(int *ret_listener)
{
	_cleanup_(cleanup_close) int fd = -1;
	int off = 0;

	fd = socket(has_ipv6() ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (has_ipv6() && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)))
		return -errno;
	if (listen(fd, BACKLOG))
		return -errno;
	*ret_listener = TAKE_FD(fd);
	return 0;
}

static int furnish_inside(void)
{
	int error = SET_ALL(inside, "");

	return error ?: link_set_up((int)if_nametoindex("lo"));
}

static int connect_inside(const struct responder_net *net)
{
	int ifindex = (int)if_nametoindex(INNER);
	int error = link_set_up(ifindex) ?: set_offloads(INNER);

	for (size_t i = 0; !error && i < ARRAY_SIZE(families); i++) {
		if (families[i] == AF_INET6 && !has_ipv6())
			continue;
		error = link_add_way_out(families[i], ifindex, net->hop.src_mac)
				?: link_own_everything(families[i], INNER);
	}
	return error;
}

/* ---- all of it ------------------------------------------------------------------- */

/* A namespace without devices but lo, and its socket. */
static int make_ns(struct responder_net *net)
{
	int home, error = go(-1, &home);

	if (error)
		return error;
	net->ns = open_this_ns();
	error = net->ns < 0 ? net->ns : furnish_inside();
	responder_net_leave(home);
	return error;
}

static int make_veth(struct responder_net *net)
{
	int home, error = add_veth(net);

	if (error)
		return error;
	error = SET_ALL(outside, net->name) ?: allow_any_source(net->name);
	if (!error)
		error = link_set_up((int)net->hop.ifindex);
	if (!error)
		error = go(net->ns, &home);
	if (error)
		return error;
	error = connect_inside(net);
	responder_net_leave(home);
	return error;
}

int responder_net_make(struct diag *diag, struct responder_net *ret_net)
{
	_cleanup_(responder_net_done) struct responder_net net = RESPONDER_NET_NONE;
	int error = make_ns(&net);

	if (error)
		return diag_set(diag, -error,
				"cannot make a network namespace for the responder: %s",
				strerror(-error));
	error = make_veth(&net);
	if (error)
		return diag_set(diag, -error, "cannot make a veth to the responder: %s",
				strerror(-error));
	*ret_net = net;
	net = RESPONDER_NET_NONE;
	return 0;
}

int responder_net_listen(const struct responder_net *net, int *ret_listener)
{
	int home, error = go(net->ns, &home);

	if (error)
		return error;
	error = listen_there(ret_listener);
	responder_net_leave(home);
	return error;
}

void responder_net_done(struct responder_net *net)
{
	/* It would go with the namespace, but somewhat later. */
	if (net->hop.ifindex)
		(void)link_delete((int)net->hop.ifindex);
	cleanup_close(&net->ns);
	*net = RESPONDER_NET_NONE;
}
