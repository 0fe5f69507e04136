/*  slots.c - how many jobs at once: -j N, N%, +N, -N or 0 */

#include "cli/slots.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/error.h"
#include "core/limits.h"

#define SLOTS_MAX 4096          /*  of one worker                               */
#define SLOTS_DEFAULT_MAX 1000  /*  -j0: more at once rarely helps a machine    */
#define FDS_A_JOB 4
#define FDS_A_WORKER 16
#define FDS_SPARE 100

static long
slots_possible (void)
{
    struct rlimit limit;
    if (getrlimit (RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max == RLIM_INFINITY)
        return SLOTS_DEFAULT_MAX;
    long possible = ((long) limit.rlim_max - FDS_SPARE) / FDS_A_JOB;
    return possible < SLOTS_DEFAULT_MAX ? possible : SLOTS_DEFAULT_MAX;
}

int
slots_parse (const char *text, int processors, int *slots)
{
    char *end = NULL;
    const char *digits = text ? text + strspn (text, "+-") : "";
    long count = text ? strtol (digits, &end, 10) : processors;
    if (text && (digits > text + 1 || *digits < '0' || *digits > '9' || count > 1000000
                 || (*end && (strcmp (end, "%") != 0 || digits != text))))
        return error_set (WEFT_EINVAL, "jobs '%s': give a number (4), a part of the processors (50%%), some more (+2) "
                          "or fewer (-1), or 0 for as many as possible", text);
    if (text && *end == '%')
        count = processors * count / 100;
    else if (text && digits > text)
        count = *text == '+' ? processors + count : processors - count;
    else if (count == 0)
        count = slots_possible ();
    if (count > SLOTS_MAX)
        return error_set (WEFT_EINVAL, "jobs '%s': one worker runs at most %d jobs at once", text, SLOTS_MAX);
    *slots = count > 1 ? (int) count : 1;
    return 0;
}

void
slots_provide (int slots, int workers)
{
    limits_want_files ((rlim_t) (FDS_SPARE + slots * FDS_A_JOB + workers * FDS_A_WORKER));
}

int
slots_processors (void)
{
    cpu_set_t set;
    return sched_getaffinity (0, sizeof set, &set) == 0 ? CPU_COUNT (&set) : 1;
}
