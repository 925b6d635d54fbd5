/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The output of the responder's process: a pipe, from which the daemon copies lines to its own
 * log. A process that has been taken over can write anything, so the lines are few, short and
 * printable, and a pipe that is full hurts the process alone.
 */
#ifndef SLUICE_DAEMON_RESPONDER_OUTPUT_H
#define SLUICE_DAEMON_RESPONDER_OUTPUT_H

/* *ret_ours: the end to read from, which does not block; *ret_theirs: the end that the process
 * inherits. The caller closes both. 0 or -errno.
 */
int output_open(int *ret_ours, int *ret_theirs);

/* Logs what has come since the last call, up to OUTPUT_LINES lines of OUTPUT_SIZE bytes
 * together; the rest waits in the pipe. Does not block.
 */
#define OUTPUT_SIZE  1024
#define OUTPUT_LINES 8
void output_log(int ours);

#endif
