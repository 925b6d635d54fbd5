// SPDX-License-Identifier: BSD-2-Clause
/* responder/confine: what a responder that a client has taken over could still do.
 * Each case is a process of its own, which confines itself and tries.
 */
#include "lib/base/array.h"
#include "responder/confine.c"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { DONE, REFUSED, CONFINING_FAILED };

static int listener;

/* Whether the call is refused as unknown: the result of one that could not. */
static int refused(long result)
{
	return result == -1 && errno == ENOSYS ? REFUSED : DONE;
}

static int try_open(void)
{
	return refused(open("/dev/null", O_RDONLY));
}

static int try_socket(void)
{
	return refused(socket(AF_INET, SOCK_STREAM, 0));
}

static int try_connect(void)
{
	const struct sockaddr_in nowhere = { .sin_family = AF_INET };

	return refused(connect(listener, (const struct sockaddr *)&nowhere, sizeof(nowhere)));
}

static int try_bind(void)
{
	const struct sockaddr_in any = { .sin_family = AF_INET };

	return refused(bind(listener, (const struct sockaddr *)&any, sizeof(any)));
}

static int try_exec(void)
{
	char *const arguments[] = { "true", NULL };

	return refused(execve("/bin/true", arguments, NULL));
}

static int try_fork(void)
{
	return refused(fork());
}

static int try_kill(void)
{
	return refused(kill(getppid(), 0));
}

static int try_signal_of_parent(void)
{
	return refused(syscall(SYS_pidfd_open, 1, 0));
}

/* The process that started this one: its end would be the end of the test. */
static int try_ending_another(void)
{
	pid_t parent = getppid();

	return refused(syscall(SYS_tgkill, parent, parent, 0));
}

static int try_shutting_the_listener(void)
{
	return refused(shutdown(RESPOND_FD_LISTENER, SHUT_RDWR));
}

/* The kernel takes the lower half alone. */
static int try_shutting_it_by_a_wide_number(void)
{
	return refused(syscall(SYS_shutdown, 1UL << 32 | RESPOND_FD_LISTENER, SHUT_RDWR));
}

static int try_a_copy_of_the_listener(void)
{
	return refused(fcntl(RESPOND_FD_LISTENER, F_DUPFD, 10));
}

static int try_signals_by_a_descriptor(void)
{
	return refused(fcntl(RESPOND_FD_LISTENER, F_SETOWN, getppid()));
}

static int try_io_uring(void)
{
	return refused(syscall(SYS_io_uring_setup, 1, NULL));
}

static int try_making_a_map(void)
{
	union bpf_attr attributes = { .map_type = BPF_MAP_TYPE_ARRAY };

	return refused(syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes)));
}

static int try_writing_to_a_map(void)
{
	union bpf_attr attributes = { .map_fd = 0 };

	return refused(syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attributes, sizeof(attributes)));
}

static int try_being_root(void)
{
	return refused(setresuid(0, 0, 0));
}

static int do_read_a_map(void)
{
	union bpf_attr attributes = { .map_fd = UINT32_MAX };

	return refused(syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attributes, sizeof(attributes)));
}

static int do_accept(void)
{
	return refused(accept4(listener, NULL, NULL, SOCK_NONBLOCK));
}

static int do_shut_a_connection(void)
{
	for (int fd = RESPOND_FD_LISTENER + 1; fd < VISITORS_MAX + OWN_DESCRIPTORS; fd++)
		if (refused(shutdown(fd, SHUT_RDWR)) == REFUSED)
			return REFUSED;
	return DONE;
}

static int do_signal_itself(void)
{
	return refused(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), 0));
}

static int do_stop_blocking(void)
{
	return refused(fcntl(listener, F_SETFL, O_NONBLOCK));
}

static int do_allocate(void)
{
	char *volatile memory = malloc(1 << 22);

	if (!memory)
		return REFUSED;
	memset(memory, 1, 1 << 22);
	free(memory);
	return DONE;
}

static int outcome(int (*attempt)(void))
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (!child) {
		if (confine_rights() || confine_calls())
			_exit(CONFINING_FAILED);
		_exit(attempt());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_what_is_refused(void **state)
{
	static int (*const attempts[])(void) = {
		try_open,
		try_socket,
		try_connect,
		try_bind,
		try_exec,
		try_fork,
		try_kill,
		try_signal_of_parent,
		try_io_uring,
		try_being_root,
		try_making_a_map,
		try_writing_to_a_map,
		try_ending_another,
		try_shutting_the_listener,
		try_shutting_it_by_a_wide_number,
		try_a_copy_of_the_listener,
		try_signals_by_a_descriptor,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++)
		if (outcome(attempts[i]) != REFUSED)
			fail_msg("attempt %zu: %d", i, outcome(attempts[i]));
}

static void test_what_goes_on(void **state)
{
	(void)state;
	assert_int_equal(outcome(do_read_a_map), DONE);
	assert_int_equal(outcome(do_accept), DONE);
	assert_int_equal(outcome(do_shut_a_connection), DONE);
	assert_int_equal(outcome(do_signal_itself), DONE);
	assert_int_equal(outcome(do_stop_blocking), DONE);
	assert_int_equal(outcome(do_allocate), DONE);
}

static int say_rights(void)
{
	struct rlimit limit;

	if (!getuid() || !geteuid() || !getgid() || capng_get_caps_process() ||
	    capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE)
		return 10;
	if (getrlimit(RLIMIT_CORE, &limit) || limit.rlim_max || getrlimit(RLIMIT_NOFILE, &limit) ||
	    limit.rlim_max != VISITORS_MAX + OWN_DESCRIPTORS)
		return 11;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? DONE : 12;
}

/* Before the system calls are, with which it is asked. */
static void test_rights_are_gone(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	if (!child)
		_exit(confine_rights() ? CONFINING_FAILED : say_rights());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_what_goes_on),
		cmocka_unit_test(test_rights_are_gone),
	};

	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (listener < 0 || listen(listener, 1))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
