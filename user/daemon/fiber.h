/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Fibers: functions that have a stack of their own and take turns with the loop, so that a
 * long piece of work is written from its begin to its end and holds up no other. All run in the
 * loop's thread. A fiber goes on until it waits here, or until its turn is over at a
 * yield_point() (lib/base/yield.h); in between nothing else runs, so what does neither needs
 * no lock.
 */
#ifndef SLUICE_DAEMON_FIBER_H
#define SLUICE_DAEMON_FIBER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct fiber;
struct uv_loop_s;

/* Once, before the first fiber; and when none is left, before the loop is closed: run the loop
 * until it is empty afterwards.
 */
void fibers_open(struct uv_loop_s *loop);
void fibers_close(void);

/* Runs the loop until it is empty. What was done before it is no round of the loop. */
void fibers_run(void);

/* Starts run(arg), which at once has the first turn if this round of the loop has time left for
 * one. 0 or -ENOMEM.
 */
typedef void fiber_fn(void *arg);
int fiber_start(fiber_fn *run, void *arg);

/* The fiber whose turn it is; NULL: it is the loop's. */
struct fiber *fiber_self(void);

/* Waits until fiber_wake(); one call of that is enough, also before this. For fibers alone. */
void fiber_sleep(void);
void fiber_wake(struct fiber *fiber);

/* From now on no turn ends at a yield_point(), and every fiber goes on until it has ended or
 * sleeps and no other fiber wakes it.
 */
void fibers_finish(void);
bool fibers_are_finishing(void);

/* The longest round of the loop, callbacks and fibers together, in nanoseconds of the thread's
 * CPU time: since the start.
 */
uint64_t fibers_longest_round(void);

/* A lock that many fibers may share or one may have for itself. They get it in the order in which
 * they came, so that fibers which share it do not keep one from having it alone.
 */
struct fiber_lock {
	unsigned sharing; /* how many */
	bool taken;       /* by one alone */
	TAILQ_HEAD(fiber_waiters, fiber_waiter) waiters;
};

void fiber_lock_init(struct fiber_lock *lock);
void fiber_lock_take(struct fiber_lock *lock);
void fiber_lock_give(struct fiber_lock *lock);
void fiber_lock_share(struct fiber_lock *lock);
void fiber_lock_unshare(struct fiber_lock *lock);

#endif
