#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
"""
mklog.py [--kind mixed|exec] [--eoe] [--rate EVENTS] [--seed N] RECORDS SESSIONS

An audit log as a busy host makes it: so many records, of so many sessions at the same time.
mixed: programs that start and end, files that are opened for writing, connections, 4.4 records an
event; exec: programs only, 6 records. Sessions take turns record by record, so that an event's
records stand apart by as many as there are sessions; one event in 5,000 is held up in the middle
for thousands of records of others, as a process is that loses its CPU. --eoe: with the records
that end an event, which the kernel sends and auditd does not write down. --rate: events a second
by their stamps. The same arguments give the same bytes.
"""
import argparse
import random

START = 1795222800
MIX = (("exec", 40), ("open", 32), ("net", 18), ("exit", 10))
PROGRAMS = ("grep", "sed", "awk", "cat", "ls", "find", "curl", "psql", "git", "python3", "systemctl", "tar")
FILES = ("/var/log/app/app.log", "/home/alice/notes.txt", "/etc/app/app.conf", "/tmp/out", "/srv/data/export.csv")
HELD = 5000


class Log:
    def __init__(self, args):
        self.random = random.Random(args.seed)
        self.eoe, self.rate, self.serial = args.eoe, args.rate, 0
        kinds = MIX if args.kind == "mixed" else (("exec", 1),)
        self.kinds = [kind for kind, weight in kinds for _ in range(weight)]
        self.pid = [200000] * (args.sessions + 1)  # of the program that a session runs

    def stamp(self):
        """msg= of the next event"""
        self.serial += 1
        ms = self.serial * 1000 // self.rate
        return f"msg=audit({START + ms // 1000}.{ms % 1000:03d}:{self.serial}):"

    def login(self, ses):
        pid = 100000 + ses
        head = f"pid={pid} uid=0"
        at, then = self.stamp(), self.stamp()
        return [
            f"type=LOGIN {at} {head} subj=unconfined old-auid=4294967295 auid=1001 tty=(none) "
            f"old-ses=4294967295 ses={ses} res=1",
            f"type=USER_START {then} {head} auid=1001 ses={ses} subj=unconfined "
            f"msg='op=PAM:session_open grantors=pam_permit acct=\"alice\" exe=\"/usr/sbin/sshd\" "
            f"hostname=10.0.0.9 addr=10.0.0.9 terminal=ssh res=success'",
        ]

    def call(self, at, ses, number, args, items, name, key, code="success=yes exit=0"):
        return (
            f"type=SYSCALL {at} arch=c000003e syscall={number} {code} {args} items={items} "
            f"ppid={100000 + ses} pid={self.pid[ses]} auid=1001 uid=1001 gid=1001 euid=1001 "
            f"suid=1001 fsuid=1001 egid=1001 sgid=1001 fsgid=1001 tty=pts{ses % 64} ses={ses} "
            f"comm=\"{name}\" exe=\"/usr/bin/{name}\" subj=unconfined key=\"{key}\""
        )

    def path(self, at, item, name, inode, kind="NORMAL"):
        return (
            f"type=PATH {at} item={item} name=\"{name}\" inode={inode} dev=08:01 mode=0100755 ouid=0 ogid=0 "
            f"rdev=00:00 nametype={kind} cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0"
        )

    def event(self, ses):
        at, kind = self.stamp(), self.random.choice(self.kinds)
        name = self.random.choice(PROGRAMS)
        cwd = f"type=CWD {at} cwd=\"/home/alice/work\""
        title = f"type=PROCTITLE {at} proctitle={name.encode().hex().upper()}002D72006E6565646C65"
        if kind == "exec":
            self.pid[ses] = 200000 + self.serial % 4000000
            lines = [
                self.call(at, ses, 59, "a0=55d0c3a4b2c0 a1=55d0c3a4b300 a2=55d0c3a4b340 a3=8", 2, name, "sessaudit-exec"),
                f"type=EXECVE {at} argc=4 a0=\"{name}\" a1=\"-r\" a2=\"needle{self.serial}\" a3=2F746D702F612062",
                cwd,
                self.path(at, 0, f"/usr/bin/{name}", 131),
                self.path(at, 1, "/lib64/ld-linux-x86-64.so.2", 132),
                title,
            ]
        elif kind == "open":
            file = self.random.choice(FILES)
            lines = [
                self.call(at, ses, 257, "a0=ffffff9c a1=7ffc0a1b2c30 a2=441 a3=1b6", 1, name, "sessaudit-file",
                          "success=yes exit=3"),
                cwd,
                self.path(at, 0, f"{file}.{self.serial % 100}", 1000 + self.serial % 5000),
                title,
            ]
        elif kind == "net":
            port, host = (443, 5432, 22, 80)[self.serial % 4], self.serial % 250 + 1
            lines = [
                self.call(at, ses, 42, "a0=3 a1=7ffc0a1b2c30 a2=10 a3=0", 0, name, "sessaudit-net"),
                f"type=SOCKADDR {at} saddr=0200{port:04X}0A0000{host:02X}0000000000000000",
                title,
            ]
        else:
            lines = [
                f"type=SYSCALL {at} arch=c000003e syscall=231 a0=0 a1=e7 a2=3c a3=7ffc0a1b2c30 items=0 "
                + self.call(at, ses, 231, "", 0, name, "sessaudit-exit").split(" items=0 ", 1)[1],
                title,
            ]
        if self.eoe:
            lines.append(f"type=EOE {at} ")
        return lines


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--kind", choices=("mixed", "exec"), default="mixed")
    parser.add_argument("--eoe", action="store_true")
    parser.add_argument("--rate", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("records", type=int)
    parser.add_argument("sessions", type=int)
    args = parser.parse_args()
    log, out, n = Log(args), [], args.sessions
    for ses in range(1, n + 1):
        out += log.login(ses)
    waiting = [[] for _ in range(n)]  # records of the event that a session is in
    held = [0] * n
    pick = log.random.random
    while len(out) < args.records:
        i = int(pick() * n)
        if held[i] > len(out):
            if n > 1:
                continue
            held[i] = 0
        if not waiting[i]:
            waiting[i] = log.event(i + 1)
            waiting[i].reverse()
            if log.serial % HELD == 0:
                held[i] = len(out) + 2000 + int(pick() * 45000)
                out.append(waiting[i].pop())
                continue
        out.append(waiting[i].pop())
    print("\n".join(out[: args.records]))


main()
