#!/bin/sh
# faked.sh COMMAND...: runs it with the clock that FAKETIME has, or the file that FAKETIME_TIMESTAMP_FILE names.
# libfaketime shares something under a name that is made of the pid, and ends a process that finds it there already: left by
# another one that had this pid before and was killed.
rm -f "/dev/shm/faketime_shm_$$" "/dev/shm/sem.faketime_sem_$$"
LD_PRELOAD=$(echo /usr/lib/*/faketime/libfaketime.so.1)
export LD_PRELOAD
exec "$@"
