# SPDX-License-Identifier: BSD-2-Clause
"""A kernel refuses a program of which it would have to verify more than a million instructions.
What this kernel counts, another one does not, so half of that is left to others. The guest's
scenarios ask for the same of older kernels (INSTRUCTIONS_MOST in tests/guest/inside.sh).
"""

INSTRUCTIONS_MOST = 500_000


def test_half_of_what_a_kernel_verifies_is_enough(datapath):
    assert 0 < datapath.program.verified() < INSTRUCTIONS_MOST
