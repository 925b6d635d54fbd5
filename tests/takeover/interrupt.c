// SPDX-License-Identifier: BSD-2-Clause
/* The maps' memory is read-only, so that each store to it is a fault. The handler counts it,
 * makes the memory writable for this one instruction, and has the processor trap behind it.
 */
#include "takeover/interrupt.h"

#include <bpf/bpf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "daemon/datapath/program/maps.h"

#define INTERRUPTED 42
#define TRAP_FLAG   0x100 /* of EFLAGS: a trap behind the next instruction */

/* Of the process that is to be ended. */
static const struct maps *watched;
static unsigned left;

static void count_write(void)
{
	if (watched && !left--)
		_exit(INTERRUPTED);
}

/* ---- requests to the kernel: the linker leads the calls here -------------------- */

int __real_bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags);
int __real_bpf_map_delete_elem(int fd, const void *key);
int __wrap_bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags);
int __wrap_bpf_map_delete_elem(int fd, const void *key);

int __wrap_bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags)
{
	count_write();
	return __real_bpf_map_update_elem(fd, key, value, flags);
}

int __wrap_bpf_map_delete_elem(int fd, const void *key)
{
	count_write();
	return __real_bpf_map_delete_elem(fd, key);
}

/* ---- stores to memory -------------------------------------------------------------- */

#if defined(__x86_64__)

static void protect(int protection)
{
	for (unsigned i = 0; i < MAP_COUNT; i++)
		if (watched->map[i].memory)
			(void)mprotect(watched->map[i].memory, watched->map[i].size, protection);
}

static bool is_in_maps(const void *address)
{
	for (unsigned i = 0; i < MAP_COUNT; i++) {
		const char *memory = watched->map[i].memory;

		if (memory && (const char *)address >= memory &&
		    (const char *)address < memory + watched->map[i].size)
			return true;
	}
	return false;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;

	(void)number;
	if (!is_in_maps(info->si_addr)) {
		(void)signal(SIGSEGV, SIG_DFL);
		return;
	}
	count_write();
	protect(PROT_READ | PROT_WRITE);
	interrupted->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
}

static void on_trap(int number, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;

	(void)number;
	(void)info;
	protect(PROT_READ);
	interrupted->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

static void handle(int number, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	(void)sigaction(number, &action, NULL);
}

static void watch(const struct maps *maps, unsigned writes)
{
	watched = maps;
	left = writes;
	handle(SIGSEGV, on_fault);
	handle(SIGTRAP, on_trap);
	protect(PROT_READ);
}

#else

static void watch(const struct maps *maps, unsigned writes)
{
	watched = maps;
	left = writes;
}

#endif

bool interrupt_after(const struct maps *maps, unsigned writes, void (*work)(void *arg), void *arg)
{
	int status;
	pid_t child;

	(void)fflush(NULL);
	child = fork();
	if (!child) {
		watch(maps, writes);
		work(arg);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
	    (WEXITSTATUS(status) && WEXITSTATUS(status) != INTERRUPTED)) {
		(void)fprintf(stderr, "the process that was to be ended failed by itself\n");
		exit(1);
	}
	return !WEXITSTATUS(status);
}
