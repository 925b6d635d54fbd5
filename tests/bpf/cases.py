# SPDX-License-Identifier: BSD-2-Clause
"""The table of packets: a sentence, the frame, where it arrives, the verdict
that must be counted, and the frame that must come out.
"""

import cases_replies
import cases_bad
import cases_good
import cases_ipip
import cases_limits
import cases_oversize
import cases_ours
import cases_refusals
from case import VERDICTS

# Those that no packet can bring about, and why.
WITHOUT_A_CASE = {
    "RESPONDED": "leaves for the responder's MAC address, which is random: test_responder.py",
    "DROP_INTERNAL": "needs maps that contradict each other, which the daemon never writes",
}

CASES = [
    case
    for table in (
        cases_good.matrix, cases_good.payloads, cases_good.checksums, cases_good.tcp_flags,
        cases_good.ip_headers, cases_good.extensions, cases_good.ttl, cases_good.padding,
        cases_bad.others, cases_bad.malformed, cases_bad.fragments, cases_bad.refused,
        cases_replies.answers, cases_refusals.refusals, cases_limits.access, cases_limits.limits,
        cases_limits.rejections, cases_ipip.inside, cases_ipip.around, cases_ipip.padding,
        cases_ipip.too_big, cases_oversize.requests, cases_oversize.replies,
        cases_ours.frames_elsewhere, cases_ours.frames_to_a_standby, cases_ours.tags,
        cases_ours.martians, cases_ours.source_routes, cases_ours.icmp, cases_ours.refusals,
        cases_ours.held,
    )
    for case in table()
]
GOOD = [case for case in CASES if VERDICTS[case.verdict] == "FORWARD"]
