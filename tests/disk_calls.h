/*  disk_calls.h - puts tests/disk.c between a program and libc; for one file of a test program */
#ifndef WEFT_TESTS_DISK_CALLS_H
#define WEFT_TESTS_DISK_CALLS_H

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/disk.h"

#define SEEN __attribute__ ((visibility ("default"), used))

SEEN ssize_t
pwrite (int fd, const void *data, size_t size, off_t at)
{
    return disk_pwrite (fd, data, size, at);
}

SEEN ssize_t
pwrite64 (int fd, const void *data, size_t size, off64_t at)
{
    return disk_pwrite (fd, data, size, at);
}

SEEN int
ftruncate (int fd, off_t size)
{
    return disk_ftruncate (fd, size);
}

SEEN int
ftruncate64 (int fd, off64_t size)
{
    return disk_ftruncate (fd, size);
}

SEEN int
fsync (int fd)
{
    return disk_fsync (fd);
}

SEEN int
fdatasync (int fd)
{
    return disk_fsync (fd);
}

SEEN int
rename (const char *from, const char *to)
{
    return disk_rename (from, to);
}

SEEN int
unlink (const char *name)
{
    return disk_unlink (name);
}

SEEN int
fallocate (int fd, int mode, off_t at, off_t size)
{
    return disk_fallocate (fd, mode, at, size);
}

#endif
