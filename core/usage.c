/*  usage.c - what the system says of this process: memory, descriptors, time */

#include "core/usage.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"

#define FIELD(name) offsetof (struct usage_values, name)

/*  The names that all of Prometheus' clients have. */
const struct metric usage_metrics[] = {
    { .name = "process_cpu_seconds_total", .kind = METRIC_COUNTER, .type = METRIC_TIME, .offset = FIELD (cpu),
      .text = "processor time that was used, of the program and in the system for it" },
    { .name = "process_resident_memory_bytes", .kind = METRIC_GAUGE, .offset = FIELD (resident),
      .text = "memory in use" },
    { .name = "process_virtual_memory_bytes", .kind = METRIC_GAUGE, .offset = FIELD (virtual_bytes),
      .text = "address space in use" },
    { .name = "process_open_fds", .kind = METRIC_GAUGE, .offset = FIELD (files), .text = "file descriptors in use" },
    { .name = "process_max_fds", .kind = METRIC_GAUGE, .offset = FIELD (files_max),
      .text = "file descriptors that it may use" },
    { .name = "process_threads", .kind = METRIC_GAUGE, .offset = FIELD (threads), .text = "threads" },
    { .name = "process_start_time_seconds", .kind = METRIC_GAUGE, .type = METRIC_TIME, .offset = FIELD (started),
      .text = "when it was started, since 1970" },
    METRIC_END
};

/*  A small file of the system's as text; "" when there is none. */
static void
read_text (const char *path, char *text, size_t size)
{
    FILE *file = fopen (path, "re");
    size_t got = file ? fread (text, 1, size - 1, file) : 0;
    text[got] = '\0';
    if (file)
        fclose (file);
}

/*  Ticks of the system's clock as ns. */
static uint64_t
ticks (uint64_t count)
{
    uint64_t second = (uint64_t) sysconf (_SC_CLK_TCK);
    return count / second * (uint64_t) TIME_S + count % second * (uint64_t) TIME_S / second;
}

/*  The word of that index, as a number. */
static bool
number_at (const char *text, int index, uint64_t *number)
{
    for (text += strspn (text, " "); index > 0 && *text; index--) {
        text += strcspn (text, " ");
        text += strspn (text, " ");
    }
    *number = strtoull (text, NULL, 10);
    return *text >= '0' && *text <= '9';
}

/*  proc(5): fields 20, 22 and 23; the second in ticks since the boot. The name before them may have anything in it,
 *  brackets too. */
static bool
read_stat (uint64_t *threads, uint64_t *started, uint64_t *virtual_bytes)
{
    char text[1024];
    read_text ("/proc/self/stat", text, sizeof text);
    const char *rest = strrchr (text, ')');
    enum { FIRST = 3 };         /*  the field that follows on the name */
    return rest && number_at (rest + 1, 20 - FIRST, threads) && number_at (rest + 1, 22 - FIRST, started)
           && number_at (rest + 1, 23 - FIRST, virtual_bytes);
}

uint64_t
usage_started (void)
{
    uint64_t threads, started, bytes;
    if (!read_stat (&threads, &started, &bytes))
        return 0;
    struct timespec since_boot, now;
    clock_gettime (CLOCK_BOOTTIME, &since_boot);
    clock_gettime (CLOCK_REALTIME, &now);
    uint64_t boot = (uint64_t) (now.tv_sec - since_boot.tv_sec) * (uint64_t) TIME_S + (uint64_t) now.tv_nsec
                    - (uint64_t) since_boot.tv_nsec;
    return boot + ticks (started);
}

static void
read_memory (struct usage_values *values)
{
    char text[256];
    uint64_t pages;
    read_text ("/proc/self/statm", text, sizeof text);
    if (number_at (text, 1, &pages))
        values->resident = pages * (uint64_t) sysconf (_SC_PAGESIZE);
}

static void
read_files (struct usage_values *values)
{
    struct rlimit limit;
    if (getrlimit (RLIMIT_NOFILE, &limit) == 0)
        values->files_max = limit.rlim_cur;
    DIR *dir = opendir ("/proc/self/fd");
    if (!dir)
        return;
    for (const struct dirent *each; (each = readdir (dir)); )
        values->files += each->d_name[0] != '.';
    values->files--;                /*  the folder's own        */
    closedir (dir);
}

void
usage_read (void *started, void *into)
{
    struct usage_values *values = into;
    struct timespec used;
    uint64_t since_boot;
    values->started = *(const uint64_t *) started;
    if (clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &used) == 0)
        values->cpu = (uint64_t) used.tv_sec * (uint64_t) TIME_S + (uint64_t) used.tv_nsec;
    if (!read_stat (&values->threads, &since_boot, &values->virtual_bytes))
        values->threads = values->virtual_bytes = 0;
    read_memory (values);
    read_files (values);
}
