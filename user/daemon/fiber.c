// SPDX-License-Identifier: BSD-2-Clause
/* Stacks are switched by makecontext() and swapcontext() of the C library. A round is what the
 * loop does between two polls: fibers share ROUND_NS of it, and TURN_NS is one's turn.
 */
#include "daemon/fiber.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <uv.h>

#include "daemon/log.h"
#include "lib/base/cleanup.h"
#include "lib/base/yield.h"

#ifdef SLUICE_SANITIZED
#include <sanitizer/common_interface_defs.h>
#define SANITIZER_LEAVES(save, to, size)   __sanitizer_start_switch_fiber(save, to, size)
#define SANITIZER_ENTERS(save, from, size) __sanitizer_finish_switch_fiber(save, from, size)
#else
#define SANITIZER_LEAVES(save, to, size)   ((void)(save))
#define SANITIZER_ENTERS(save, from, size) ((void)(save))
#endif

#define TURN_NS     5000000
#define ROUND_NS    10000000
#define LONG_NS     20000000 /* no round should take longer */

#define STACK_SIZE  ((size_t)1 << 20) /* pages that are never touched take no memory */
#define STACKS_KEPT 4
#define LOOK_EVERY  16 /* steps of work between two looks at the clock */

struct fiber {
	TAILQ_ENTRY(fiber) link; /* in fibers.ready */
	ucontext_t context;
	void *stack; /* a guard page without rights, then STACK_SIZE */
	void *sanitizer;
	fiber_fn *run;
	void *arg;
	bool ready; /* in fibers.ready */
	bool woken; /* before it slept */
	bool asleep, ended;
};

static struct {
	struct uv_loop_s *loop;
	uv_idle_t turns; /* runs while there are fibers to go on with */
	uv_check_t rounds;
	TAILQ_HEAD(, fiber) ready;
	struct fiber *self;
	ucontext_t context; /* of the loop */
	const void *loop_stack;
	size_t loop_stack_size;
	void *sanitizer;
	uint64_t round_end, turn_end; /* uv_hrtime() */
	uint64_t round_cpu;           /* the thread's CPU time when the round began */
	uint64_t longest;
	unsigned steps; /* of work since the last look at the clock */
	bool finishing;
	void *stacks[STACKS_KEPT]; /* of fibers that have ended */
	size_t n_stacks;
} fibers;

/* ---- rounds of the loop -------------------------------------------------- */

static uint64_t thread_ns(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* Behind the poll, whose callbacks belong to the round that ends here. */
static void on_round(uv_check_t *check)
{
	uint64_t now = thread_ns(), took = now - fibers.round_cpu;

	(void)check;
	if (took > fibers.longest)
		fibers.longest = took;
	if (took > LONG_NS)
		log_debug("a step of the loop took %llu ms of CPU time",
			  (unsigned long long)took / 1000000);
	fibers.round_cpu = now;
	fibers.round_end = uv_hrtime() + ROUND_NS;
}

uint64_t fibers_longest_round(void)
{
	return fibers.longest;
}

/* ---- stacks -------------------------------------------------------------- */

static size_t guard_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static void *stack_new(void)
{
	void *stack;

	if (fibers.n_stacks)
		return fibers.stacks[--fibers.n_stacks];
	stack = mmap(NULL, guard_size() + STACK_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	if (stack == MAP_FAILED)
		return NULL;
	if (!mprotect(stack, guard_size(), PROT_NONE))
		return stack;
	(void)munmap(stack, guard_size() + STACK_SIZE);
	return NULL;
}

static void stack_free(void *stack)
{
	if (fibers.n_stacks < STACKS_KEPT)
		fibers.stacks[fibers.n_stacks++] = stack;
	else
		(void)munmap(stack, guard_size() + STACK_SIZE);
}

static void *stack_bottom(const struct fiber *fiber)
{
	return (char *)fiber->stack + guard_size();
}

/* ---- turns --------------------------------------------------------------- */

static void on_turns(uv_idle_t *idle);

static void make_ready(struct fiber *fiber)
{
	if (fiber->ready)
		return;
	fiber->ready = true;
	TAILQ_INSERT_TAIL(&fibers.ready, fiber, link);
	(void)uv_idle_start(&fibers.turns, on_turns);
}

/* The loop goes on, until it is this fiber's turn again. */
static void pause_fiber(struct fiber *fiber)
{
	SANITIZER_LEAVES(fiber->ended ? NULL : &fiber->sanitizer, fibers.loop_stack,
			 fibers.loop_stack_size);
	(void)swapcontext(&fiber->context, &fibers.context);
	SANITIZER_ENTERS(fiber->sanitizer, NULL, NULL);
}

static void begin(void)
{
	struct fiber *fiber = fibers.self;

	SANITIZER_ENTERS(NULL, &fibers.loop_stack, &fibers.loop_stack_size);
	fiber->run(fiber->arg);
	fiber->ended = true;
	pause_fiber(fiber);
}

static void go_on(struct fiber *fiber)
{
	assert(!fibers.self);
	fibers.self = fiber;
	fibers.turn_end = uv_hrtime() + TURN_NS;
	SANITIZER_LEAVES(&fibers.sanitizer, stack_bottom(fiber), STACK_SIZE);
	(void)swapcontext(&fibers.context, &fiber->context);
	SANITIZER_ENTERS(fibers.sanitizer, NULL, NULL);
	fibers.self = NULL;
	if (!fiber->ended)
		return;
	stack_free(fiber->stack);
	free(fiber);
}

static bool next_turn(void)
{
	struct fiber *fiber = TAILQ_FIRST(&fibers.ready);

	if (!fiber)
		return false;
	TAILQ_REMOVE(&fibers.ready, fiber, link);
	fiber->ready = false;
	go_on(fiber);
	return true;
}

static void on_turns(uv_idle_t *idle)
{
	do {
		if (!next_turn()) {
			(void)uv_idle_stop(idle);
			return;
		}
	} while (uv_hrtime() < fibers.round_end);
}

/* What yield_point() calls. */
static void give_way(unsigned steps)
{
	struct fiber *fiber = fibers.self;
	int error = errno;

	if (!fiber || fibers.finishing)
		return;
	fibers.steps += steps;
	if (fibers.steps < LOOK_EVERY)
		return;
	fibers.steps = 0;
	if (uv_hrtime() < fibers.turn_end)
		return;
	make_ready(fiber);
	pause_fiber(fiber);
	errno = error;
}

int fiber_start(fiber_fn *run, void *arg)
{
	_cleanup_(cleanup_free) struct fiber *fiber = calloc(1, sizeof(*fiber));
	void *stack = fiber ? stack_new() : NULL;
	struct fiber *started;

	if (!stack)
		return -ENOMEM;
	fiber->stack = stack;
	fiber->run = run;
	fiber->arg = arg;
	(void)getcontext(&fiber->context);
	fiber->context.uc_stack.ss_sp = stack_bottom(fiber);
	fiber->context.uc_stack.ss_size = STACK_SIZE;
	makecontext(&fiber->context, begin, 0);
	started = TAKE_PTR(fiber);
	if (fibers.self || uv_hrtime() >= fibers.round_end)
		make_ready(started);
	else
		go_on(started);
	return 0;
}

struct fiber *fiber_self(void)
{
	return fibers.self;
}

void fiber_sleep(void)
{
	struct fiber *fiber = fibers.self;

	assert(fiber);
	if (!fiber->woken) {
		fiber->asleep = true;
		pause_fiber(fiber);
		fiber->asleep = false;
	}
	fiber->woken = false;
}

void fiber_wake(struct fiber *fiber)
{
	fiber->woken = true;
	if (fiber->asleep)
		make_ready(fiber);
}

/* ---- life ---------------------------------------------------------------- */

void fibers_open(struct uv_loop_s *loop)
{
	fibers.loop = loop;
	TAILQ_INIT(&fibers.ready);
	(void)uv_idle_init(loop, &fibers.turns);
	(void)uv_check_init(loop, &fibers.rounds);
	(void)uv_check_start(&fibers.rounds, on_round);
	uv_unref((uv_handle_t *)&fibers.rounds);
	fibers.round_end = uv_hrtime() + ROUND_NS;
	yield_hook = give_way;
}

void fibers_run(void)
{
	fibers.round_cpu = thread_ns();
	(void)uv_run(fibers.loop, UV_RUN_DEFAULT);
}

bool fibers_are_finishing(void)
{
	return fibers.finishing;
}

void fibers_finish(void)
{
	fibers.finishing = true;
	while (next_turn())
		;
}

void fibers_close(void)
{
	yield_hook = NULL;
	uv_close((uv_handle_t *)&fibers.turns, NULL);
	uv_close((uv_handle_t *)&fibers.rounds, NULL);
	while (fibers.n_stacks)
		(void)munmap(fibers.stacks[--fibers.n_stacks], guard_size() + STACK_SIZE);
}

/* ---- locks --------------------------------------------------------------- */

/* Lives on the stack of the fiber that waits. */
struct fiber_waiter {
	TAILQ_ENTRY(fiber_waiter) link;
	struct fiber *fiber;
};

void fiber_lock_init(struct fiber_lock *lock)
{
	*lock = (struct fiber_lock){};
	TAILQ_INIT(&lock->waiters);
}

/* The first who waits looks whether the lock is free for it now. */
static void wake_first(const struct fiber_lock *lock)
{
	const struct fiber_waiter *first = TAILQ_FIRST(&lock->waiters);

	if (first)
		fiber_wake(first->fiber);
}

/* Waits behind the fibers that came before, until no fiber has the lock for itself, nor, if this
 * one is to have it alone, shares it.
 */
static void wait_for(struct fiber_lock *lock, bool alone)
{
	struct fiber_waiter waiter = { .fiber = fibers.self };

	if (TAILQ_EMPTY(&lock->waiters) && !lock->taken && !(alone && lock->sharing))
		return;
	TAILQ_INSERT_TAIL(&lock->waiters, &waiter, link);
	do
		fiber_sleep();
	while (TAILQ_FIRST(&lock->waiters) != &waiter || lock->taken || (alone && lock->sharing));
	TAILQ_REMOVE(&lock->waiters, &waiter, link);
}

void fiber_lock_take(struct fiber_lock *lock)
{
	wait_for(lock, true);
	lock->taken = true;
}

void fiber_lock_give(struct fiber_lock *lock)
{
	lock->taken = false;
	wake_first(lock);
}

void fiber_lock_share(struct fiber_lock *lock)
{
	wait_for(lock, false);
	lock->sharing++;
	wake_first(lock); /* which may share it, too */
}

void fiber_lock_unshare(struct fiber_lock *lock)
{
	lock->sharing--;
	wake_first(lock);
}
