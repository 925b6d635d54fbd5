# SPDX-License-Identifier: BSD-2-Clause
"""An oracle for single packets: what must become of any frame at all, by the RFCs and by
docs/man/sluice.yaml.5, written apart from bpf/ and sharing no code with it.

    world     what is configured, and where everyone is; sluiced is given the same
    reading   what a receiver reads in a frame
    judge     which ends a frame may meet: action, verdict, the frame that leaves
    leaving   the frames that leave, their checksums by scapy from nothing
    making    random packets as they should be
    mangling  random packets as they should not be
"""
