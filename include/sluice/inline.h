/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A mark for shared functions that return a struct: BPF has no such calls, and clang 19
 * refuses one that it has not inlined.
 */
#ifndef SLUICE_SHARED_INLINE_H
#define SLUICE_SHARED_INLINE_H

#define SL_ALWAYS_INLINE inline __attribute__((always_inline))

#endif
