// SPDX-License-Identifier: BSD-2-Clause
#include "responder/confine.h"
#include "lib/base/array.h"

#include <assert.h>
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/respond.h"
#include "responder/visitors.h"

/* The user and the group of this process alone are this number and its process id. The range
 * up to 2^31 is given to nothing else (systemd's "Users, Groups, UIDs and GIDs").
 */
#define OWN_USERS 0x70000000U

/* The user and group of that name, on every distribution. */
#define NOBODY 65534

/* Beside the visitors': what is open at the start, epoll's, some air. */
#define OWN_DESCRIPTORS 64

DEFINE_CLEANUP(seccomp_release, scmp_filter_ctx);

/* ---- rights ---------------------------------------------------------------------- */

static int become(unsigned user)
{
	return setresgid(user, user, user) || setresuid(user, user, user) ? -errno : 0;
}

/* A user that no other process has can signal no other process, and no other process but
 * root's can signal it. In a user namespace the number may not exist; nobody always does.
 */
static int become_unprivileged(void)
{
	int error;

	if (geteuid())
		return 0;
	if (setgroups(0, NULL))
		return -errno;
	error = become(OWN_USERS + (unsigned)getpid());
	return error == -EINVAL ? become(NOBODY) : error;
}

static int drop_capabilities(void)
{
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
		return -errno;
	capng_clear(CAPNG_SELECT_CAPS);
	return capng_apply(CAPNG_SELECT_CAPS) ? -EPERM : 0;
}

/* Lowers the limit; to raise it takes a right. */
static int bound(__rlimit_resource_t resource, rlim_t most)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit))
		return -errno;
	if (limit.rlim_max < most)
		most = limit.rlim_max;
	limit = (struct rlimit){ most, most };
	return setrlimit(resource, &limit) ? -errno : 0;
}

int confine_rights(void)
{
	int error = become_unprivileged();

	if (!error)
		error = drop_capabilities();
	if (!error)
		error = bound(RLIMIT_NOFILE, VISITORS_MAX + OWN_DESCRIPTORS);
	if (!error)
		error = bound(RLIMIT_CORE, 0);
	if (!error)
		error = bound(RLIMIT_NPROC, 0);
	if (error)
		return error;
	(void)umask(0777);
	/* Last: a change of user takes the signal back. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
		return -errno;
	return 0;
}

/* ---- system calls ------------------------------------------------------------------ */

/* Calls that are allowed whatever their arguments. */
static const int allowed[] = {
	/* descriptors */
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(close),
	SCMP_SYS(fstat),
	/* sockets */
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(sendmsg),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	/* the loop */
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(ppoll),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),
	/* memory */
	SCMP_SYS(brk),
	SCMP_SYS(mmap),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(mprotect),
	SCMP_SYS(madvise),
	SCMP_SYS(futex),
	/* being a process */
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(getrandom),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
#ifdef __x86_64__
	SCMP_SYS(epoll_wait),
	SCMP_SYS(poll),
	SCMP_SYS(time),
#endif
#ifdef SLUICE_SANITIZED /* make debug: ASan asks before each call that does not return */
	SCMP_SYS(sigaltstack),
#endif
};

/* Calls that are allowed for one value of one argument; the kernel takes the lower 32 bits of
 * each of these arguments.
 */
struct argument_rule {
	int call;
	unsigned argument;
	uint32_t value;
};

static int allow_argument(scmp_filter_ctx filter, const struct argument_rule *rule)
{
	return seccomp_rule_add(
		filter, SCMP_ACT_ALLOW, rule->call, 1,
		SCMP_CMP(rule->argument, SCMP_CMP_MASKED_EQ, UINT32_MAX, rule->value));
}

static int allow_by_argument(scmp_filter_ctx filter)
{
	const struct argument_rule rules[] = {
		/* No copy of a descriptor: the rule for shutdown() goes by the number. */
		{ SCMP_SYS(fcntl), 1, F_GETFD },
		{ SCMP_SYS(fcntl), 1, F_SETFD },
		{ SCMP_SYS(fcntl), 1, F_GETFL },
		{ SCMP_SYS(fcntl), 1, F_SETFL },
		/* abort() signals its own thread. */
		{ SCMP_SYS(tgkill), 0, (uint32_t)getpid() },
		/* Of bpf(), reading an element alone. */
		{ SCMP_SYS(bpf), 0, BPF_MAP_LOOKUP_ELEM },
	};
	int error = 0;

	for (size_t i = 0; !error && i < ARRAY_SIZE(rules); i++)
		error = allow_argument(filter, &rules[i]);
	return error;
}

/* Any descriptor may be shut but the first four, of which the last is the socket that listens:
 * a number that has one of the bits above the lowest two.
 */
static int allow_shutdown(scmp_filter_ctx filter)
{
	int error = 0;

	static_assert(RESPOND_FD_LISTENER == 3, "the lowest two bits tell the listener");
	for (unsigned bit = 2; !error && 1U << bit < VISITORS_MAX + OWN_DESCRIPTORS; bit++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(shutdown), 1,
					 SCMP_A0_64(SCMP_CMP_MASKED_EQ, 1ULL << bit, 1ULL << bit));
	return error;
}

static int fill(scmp_filter_ctx filter)
{
	int error = 0;

	for (size_t i = 0; !error && i < ARRAY_SIZE(allowed); i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	return error ?: allow_by_argument(filter) ?: allow_shutdown(filter);
}

/* What is not allowed does not exist (ENOSYS): a newer libc then tries the older call. */
int confine_calls(void)
{
	_cleanup_(seccomp_releasep) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));

	if (!filter)
		return -ENOMEM;
	return seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS)
		       ?: fill(filter)
		       ?: seccomp_load(filter);
}
