/*  limits.c - limits of the process that it changed for itself, and that what it starts shall not inherit */

#include "core/limits.h"

#include "core/error.h"

struct limit_given limits_given[LIMITS_MAX];
size_t limits_count;

static int
change (int resource, rlim_t value)
{
    struct rlimit limit;
    if (getrlimit ((__rlimit_resource_t) resource, &limit))
        return -1;
    size_t i = 0;
    while (i < limits_count && limits_given[i].resource != resource)
        i++;
    struct rlimit changed = { .rlim_cur = value < limit.rlim_max ? value : limit.rlim_max, .rlim_max = limit.rlim_max };
    if (setrlimit ((__rlimit_resource_t) resource, &changed))
        return -1;
    if (i == limits_count)
        limits_given[limits_count++] = (struct limit_given) { .resource = resource, .limit = limit };
    return 0;
}

void
limits_want_files (rlim_t count)
{
    struct rlimit limit;
    if (getrlimit (RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < count && limit.rlim_cur < limit.rlim_max)
        change (RLIMIT_NOFILE, count);      /*  what cannot be had is missed where it is needed */
}

/*  Not RLIMIT_AS: glibc reserves much more than it uses. */
int
limits_memory (int64_t bytes)
{
    return change (RLIMIT_DATA, (rlim_t) bytes) ? error_errno ("cannot limit memory") : 0;
}
