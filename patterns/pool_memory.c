/*  pool_memory.c - how much memory jobs on this machine can have */

#include "patterns/pool_memory.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t
smaller (uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

/*  The number in a file; without one ("max", no file) there is no limit. */
static uint64_t
limit_in (const char *root, const char *folder, const char *path, const char *name)
{
    char file[2 * PATH_MAX + 64], text[64] = "";
    snprintf (file, sizeof file, "%s%s%s/%s", root, folder, path, name);
    FILE *in = fopen (file, "r");
    if (!in)
        return UINT64_MAX;
    char *end, *read = fgets (text, sizeof text, in);
    fclose (in);
    uint64_t limit = read ? strtoull (text, &end, 10) : 0;
    return read && end != text && limit ? limit : UINT64_MAX;
}

/*  Of the group and of each that it is in. In a container the path may be one of outside: then its root counts. */
static uint64_t
limit_of (const char *root, const char *folder, char *path, const char *name)
{
    uint64_t limit = UINT64_MAX;
    while (*path) {
        limit = smaller (limit, limit_in (root, folder, path, name));
        *strrchr (path, '/') = '\0';
    }
    return smaller (limit, limit_in (root, folder, "", name));
}

/*  A line of /proc/self/cgroup: NUMBER:CONTROLLERS:PATH, of version 2 without controllers. */
static uint64_t
limit_by (const char *root, char *line)
{
    char *controllers = strchr (line, ':'), *path = controllers ? strchr (controllers + 1, ':') : NULL;
    if (!path || path[1] != '/')
        return UINT64_MAX;
    *controllers++ = *path++ = '\0';
    path[strcspn (path, "\n")] = '\0';
    if (!*controllers)
        return limit_of (root, "/sys/fs/cgroup", path, "memory.max");
    if (strcmp (controllers, "memory") == 0)
        return limit_of (root, "/sys/fs/cgroup/memory", path, "memory.limit_in_bytes");
    return UINT64_MAX;
}

uint64_t
memory_available (const char *root)
{
    char file[PATH_MAX], line[PATH_MAX];
    long pages = sysconf (_SC_PHYS_PAGES), size = sysconf (_SC_PAGESIZE);
    uint64_t memory = pages > 0 && size > 0 ? (uint64_t) pages * (uint64_t) size : UINT64_MAX;
    snprintf (file, sizeof file, "%s/proc/self/cgroup", root);
    FILE *in = fopen (file, "r");
    while (in && fgets (line, sizeof line, in))
        memory = smaller (memory, limit_by (root, line));
    if (in)
        fclose (in);
    return memory;
}
