/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The algorithms of limits, in one list: the name of the enum, the name of the row in
 * user/lib/limit, the word of the configuration. The enum, the rows and the words expand
 * from it. Their order is part of the maps' layout (sl_limit.algorithm): a new algorithm
 * goes to the end.
 *
 * A value that is not in the list admits nothing in the program, and has no row.
 */
#ifndef SLUICE_SHARED_ALGORITHM_H
#define SLUICE_SHARED_ALGORITHM_H

#define SL_ALGORITHMS(X)                              \
	X(TOKEN_BUCKET, token_bucket, "token-bucket") \
	X(FIXED_WINDOW, fixed_window, "fixed-window") \
	X(SLIDING_WINDOW, sliding_window, "sliding-window")

#define SL_ALGORITHM_ENUM(name, row, word) SL_ALGORITHM_##name,
enum sl_limit_algorithm { SL_ALGORITHMS(SL_ALGORITHM_ENUM) };
#undef SL_ALGORITHM_ENUM

#endif
