/*  test_pool_memory.c - how much memory a machine, or our part of it, has */

#include "patterns/pool_memory.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/folder.h"
#include "tests/testing.h"

static char root[FOLDER_SIZE];

static int
setup (void **state)
{
    (void) state;
    return folder_make (root);
}

static int
teardown (void **state)
{
    (void) state;
    return folder_remove ();
}

/*  With the folders that it is in. */
static void
put (const char *path, const char *text)
{
    char name[512];
    snprintf (name, sizeof name, "%s%s", root, path);
    for (char *slash = name + strlen (root) + 1; (slash = strchr (slash, '/')); slash++) {
        *slash = '\0';
        mkdir (name, 0700);
        *slash = '/';
    }
    FILE *out = fopen (name, "w");
    assert_non_null (out);
    fputs (text, out);
    fclose (out);
}

static void
test_machine (void **state)
{
    (void) state;
    uint64_t all = memory_available (root);         /*  there is nothing below it */
    assert_true (all > 1 << 20 && all < UINT64_MAX);
    assert_true (memory_available ("") <= all);
}

/*  The least of a group and all that it is in. */
static void
test_groups (void **state)
{
    (void) state;
    put ("/proc/self/cgroup", "0::/slurm/job_7/step_0\n");
    put ("/sys/fs/cgroup/slurm/job_7/step_0/memory.max", "max\n");
    put ("/sys/fs/cgroup/slurm/job_7/memory.max", "3000000\n");
    put ("/sys/fs/cgroup/slurm/memory.max", "5000000\n");
    assert_int_equal (memory_available (root), 3000000);
    put ("/sys/fs/cgroup/slurm/memory.max", "2000000\n");
    assert_int_equal (memory_available (root), 2000000);
}

static void
test_old_groups (void **state)
{
    (void) state;
    put ("/proc/self/cgroup", "12:cpu,cpuacct:/x\n5:memory:/docker/abc\nbad line\n1:name=systemd:/\n");
    put ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    put ("/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "4000000\n");
    assert_int_equal (memory_available (root), 4000000);
    put ("/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "");
    assert_true (memory_available (root) > 4000000);
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown (test_machine, setup, teardown),
                                        cmocka_unit_test_setup_teardown (test_groups, setup, teardown),
                                        cmocka_unit_test_setup_teardown (test_old_groups, setup, teardown) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
