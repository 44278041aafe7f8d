#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
"""mklog.py RECORDS SESSIONS: an audit log of so many records, of sessions that run at the same time."""
import sys

START = 1795222800


def stamp(serial):
    # a thousand events a second
    return f"audit({START + serial // 1000}.{serial % 1000:03d}:{serial})"


def login(serial, ses):
    return [
        f"type=LOGIN msg={stamp(serial)}: pid={100000 + ses} uid=0 old-auid=4294967295 auid=1001 "
        f"tty=(none) old-ses=4294967295 ses={ses} res=1",
        f"type=USER_START msg={stamp(serial)}: pid={100000 + ses} uid=0 auid=1001 ses={ses} "
        f"msg='op=PAM:session_open acct=\"alice\" exe=\"/usr/sbin/sshd\" hostname=10.0.0.9 "
        f"addr=10.0.0.9 terminal=ssh res=success'",
    ]


def command(serial, ses):
    at = stamp(serial)
    return [
        f"type=SYSCALL msg={at}: arch=c000003e syscall=59 success=yes exit=0 a0=55d0c3 a1=55d0c8 "
        f"a2=55d0d0 a3=8 items=2 ppid={100000 + ses} pid={serial} auid=1001 uid=1001 gid=1001 "
        f"euid=1001 suid=1001 fsuid=1001 egid=1001 sgid=1001 fsgid=1001 tty=pts0 ses={ses} "
        f"comm=\"grep\" exe=\"/usr/bin/grep\" key=\"sessaudit\"",
        f"type=EXECVE msg={at}: argc=4 a0=\"grep\" a1=\"-r\" a2=\"needle{serial}\" a3=2F746D702F612062",
        f"type=CWD msg={at}: cwd=\"/home/alice\"",
        f"type=PATH msg={at}: item=0 name=\"/usr/bin/grep\" inode=131 dev=08:01 mode=0100755 "
        f"ouid=0 ogid=0 rdev=00:00 nametype=NORMAL",
        f"type=PATH msg={at}: item=1 name=\"/lib64/ld-linux-x86-64.so.2\" inode=132 dev=08:01 "
        f"mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL",
        f"type=PROCTITLE msg={at}: proctitle=67726570002D72006E6565646C65",
    ]


def main():
    records, sessions = int(sys.argv[1]), int(sys.argv[2])
    serial = written = 0
    while written < records:
        ses = serial % sessions + 1
        lines = login(serial, ses) if serial < sessions else command(serial, ses)
        sys.stdout.write("\n".join(lines) + "\n")
        serial, written = serial + 1, written + len(lines)


main()
