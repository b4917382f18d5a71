#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Read messages of RFC 5424 by its grammar (section 6).

    rfc5424.py < log       a line each: priority, time, program, message ID
    rfc5424.py N < log     the structured data of message N, a parameter a line
"""

import re
import sys

NAME = r'[^\x00-\x20"=\]\x7f-\U0010ffff]{1,32}'
PARAM = rf'{NAME}="(?:\\["\\\]]|[^"\\\]])*"'
MESSAGE = re.compile(
    r"<(\d{1,3})>1 "
    r"(-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)) "
    r"([\x21-\x7e]{1,255}) ([\x21-\x7e]{1,48}) ([\x21-\x7e]{1,128}) ([\x21-\x7e]{1,32}) "
    rf"(-|(?:\[{NAME}(?: {PARAM})*\])+)(?: (.*))?")


def main(args):
    """See the top of the file."""
    for number, line in enumerate(sys.stdin.read().splitlines()):
        match = MESSAGE.fullmatch(line)
        if not match:
            print("not of RFC 5424:", line)
        elif not args:
            print(match[1], match[2], match[4], match[6])
        elif number == int(args[0]):
            for param in re.findall(PARAM, match[7]):
                name, _, value = param.partition("=")
                print(name + "=" + re.sub(r"\\(.)", r"\1", value[1:-1]))


main(sys.argv[1:])
