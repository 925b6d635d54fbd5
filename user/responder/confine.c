// SPDX-License-Identifier: BSD-2-Clause
#include "responder/confine.h"
#include "lib/base/array.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "responder/visitors.h"

/* The user and group of that name, on every distribution. */
#define NOBODY 65534

/* Beside the visitors': what is open at the start, epoll's, some air. */
#define OWN_DESCRIPTORS 64

/* ---- rights ---------------------------------------------------------------------- */

static int become_nobody(void)
{
	if (geteuid())
		return 0;
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		return -errno;
	return 0;
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
	int error = become_nobody();

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

/* What system calls say they are of; for others, see linux/audit.h. */
#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

static const unsigned short allowed[] = {
	/* descriptors */
	SYS_read,
	SYS_write,
	SYS_writev,
	SYS_close,
	SYS_fcntl,
	SYS_fstat,
	/* sockets */
	SYS_accept,
	SYS_accept4,
	SYS_recvfrom,
	SYS_recvmsg,
	SYS_sendto,
	SYS_sendmsg,
	SYS_shutdown,
	SYS_getsockname,
	SYS_getpeername,
	SYS_getsockopt,
	SYS_setsockopt,
	/* the loop */
	SYS_epoll_ctl,
	SYS_epoll_pwait,
	SYS_ppoll,
	SYS_clock_gettime,
	SYS_gettimeofday,
	/* memory */
	SYS_brk,
	SYS_mmap,
	SYS_munmap,
	SYS_mremap,
	SYS_mprotect,
	SYS_madvise,
	SYS_futex,
	/* being a process */
	SYS_exit,
	SYS_exit_group,
	SYS_rt_sigreturn,
	SYS_rt_sigprocmask,
	SYS_restart_syscall,
	SYS_getrandom,
	SYS_getpid,
	SYS_gettid,
	SYS_tgkill,
#ifdef __x86_64__
	SYS_epoll_wait,
	SYS_poll,
	SYS_time,
#endif
#ifdef SLUICE_SANITIZED /* make debug: ASan asks before each call that does not return */
	SYS_sigaltstack,
#endif
};

#define N_ALLOWED   ARRAY_SIZE(allowed)
#define DATA(field) offsetof(struct seccomp_data, field)

/* Instructions before the list of calls, and behind it. */
#define HEAD 4
#define TAIL 5

/* What is not allowed does not exist: a newer libc then tries the older call. Jumps
 * count from the next instruction, and forward alone.
 */
static void write_filter(struct sock_filter filter[static HEAD + N_ALLOWED + TAIL])
{
	const struct sock_filter head[HEAD] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, DATA(arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, DATA(nr)),
	};
	const struct sock_filter tail[TAIL] = {
		/* Of bpf(), reading an element alone. */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, DATA(args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BPF_MAP_LOOKUP_ELEM, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	memcpy(filter, head, sizeof(head));
	for (size_t i = 0; i < N_ALLOWED; i++)
		filter[HEAD + i] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, allowed[i], (__u8)(N_ALLOWED - i + TAIL - 2), 0);
	memcpy(filter + HEAD + N_ALLOWED, tail, sizeof(tail));
}

int confine_calls(void)
{
	struct sock_filter filter[HEAD + N_ALLOWED + TAIL];
	const struct sock_fprog program = { ARRAY_SIZE(filter), filter };

	write_filter(filter);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ? -errno : 0;
}
