#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Copyright the sessaudit authors
#
# One of everything without a terminal. tests/golden/README.md says what a transcript must show of it.
cd "$HOME" || exit
id -u
ls /nonexistent
sh -c 'exit 42'
./no-such-program
python3 -c 'import os; os.kill(os.getpid(), 11)'
sh -c 'kill -TERM $$'
./nested.sh first 'second argument'
echo aWQgLXVuCg== | base64 -d | sh
/bin/true $'not UTF-8: \xff\xfe' 'quote " and
newline'
python3 -c 'import os; os.execv("/bin/true", ["true", "x" * 9000, "end"])'
env PGPASSWORD=Argv-Secret-2 true --password=Argv-Secret-3
python3 net.py
bash -c 'exec 3<>/dev/tcp/127.0.0.1/22'
curl -s http://127.0.0.1:1/
touch /etc/denied
sudo -n touch /etc/sa-golden-a
sudo -n sh -c 'cd /etc && mv sa-golden-a sa-golden-b && chmod 600 sa-golden-b &&
	ln -s sa-golden-b sa-golden-c && echo more >>sa-golden-c && rm sa-golden-b sa-golden-c
	mount -t tmpfs none /mnt && umount /mnt'
nohup sh -c 'sleep 4; exec true left-behind' >/dev/null 2>&1 &
exit 3
