/*  test_pilot.c - the pilot's folder, and its script with programs that stand for Slurm's */

#include "cli/pilot.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "tests/folder.h"
#include "tests/testing.h"

static struct ticket ticket;

/*  What the worker's command line is when squeue says that so much is left. */
static void
worker_line (const struct pilot_config *config, const char *left, char *line, size_t size)
{
    char script[64];
    struct pilot pilot = { .folder = "" };
    snprintf (script, sizeof script, "#!/bin/sh\necho '%s'\n", left);
    folder_write ("squeue", script, 0700);
    assert_int_equal (pilot_make (&pilot, config), 0);
    FILE *output = popen (pilot_script (&pilot), "r");
    assert_non_null (output);
    size_t got = fread (line, 1, size - 1, output);
    line[got] = '\0';
    assert_int_equal (pclose (output), 0);
    pilot_remove (&pilot);
}

/*  Less what the last results may take; and never more than what the user wants. */
static void
lifetimes (void **state)
{
    (void) state;
    static const struct {
        const char *left;
        int64_t wanted;
        const char *given;
    } cases[] = { { "1:00", 0, "50" }, { "5:00", 0, "285" }, { "1:00:00", 0, "3480" }, { "1-00:00:00", 0, "86280" },
                  { "2-01:02:03", 0, "176403" }, { "0:05", 0, "1" }, { "UNLIMITED", 0, "0" }, { "INVALID", 0, "0" },
                  { "", 0, "0" }, { "UNLIMITED", 90, "90" }, { "1:00", 90, "50" }, { "1:00:00", 90, "90" },
                  { "", 90, "90" } };
    struct option_list none = { .count = 0 };
    char weft[256];
    snprintf (weft, sizeof weft, "%s", folder_path ("it's weft"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[4096], expected[64];
        struct pilot_config config = { .dir = folder_path ("shared"), .weft = weft, .nodes = 2,
                                       .sbatch = &none, .ticket = &ticket, .lifetime = cases[i].wanted * TIME_S };
        worker_line (&config, cases[i].left, line, sizeof line);
        snprintf (expected, sizeof expected, "[--lifetime][%s][--name][n7:12]", cases[i].given);
        if (!strstr (line, expected))
            fail_msg ("%s left: %s", cases[i].left, line);
        assert_non_null (strstr (line, "it's weft][worker][--ticket][/"));
    }
}

static void
assert_script (const struct pilot_config *config, const char *has, const char *has_not)
{
    struct pilot pilot = { .folder = "/shared/run" };
    struct buffer text;
    buffer_init (&text, 0);
    assert_int_equal (pilot_print (&pilot, config, &text), 0);
    assert_int_equal (buffer_terminate (&text), 0);
    assert_non_null (strstr (buffer_data (&text), has));
    assert_null (strstr (buffer_data (&text), has_not));
    buffer_free (&text);
}

/*  A number of jobs asks for so many processors, all else for the node; the user's options come after ours. */
static void
requests (void **state)
{
    (void) state;
    char *options[] = { "-p short", "--time=1:00:00 -A me" };
    struct option_list sbatch = { .items = options, .count = 2 };
    struct pilot_config config = { .nodes = 3, .sbatch = &sbatch, .ticket = &ticket, .jobs = "100%" };
    assert_script (&config, "--exclusive\n#SBATCH -p short\n#SBATCH --time=1:00:00 -A me\n", "--cpus-per-task");
    assert_script (&config, "#SBATCH --nodes=3\n", "--cpus-per-task");
    config.jobs = "0";
    assert_script (&config, "--exclusive\n", "--cpus-per-task");
    config.jobs = "12";
    assert_script (&config, "--cpus-per-task=12\n", "--exclusive");
    options[1] = "x\nrm -rf /";
    struct pilot pilot = { .folder = "/shared/run" };
    struct buffer text;
    buffer_init (&text, 0);
    assert_int_equal (pilot_print (&pilot, &config, &text), WEFT_EINVAL);
    buffer_free (&text);
}

/*  What a run that is over has left goes; what another has that lives, or that others put there, stays. */
static void
folders (void **state)
{
    (void) state;
    struct option_list none = { .count = 0 };
    struct pilot pilot = { .folder = "" };
    struct pilot_config config = { .nodes = 1, .sbatch = &none, .ticket = &ticket };
    char place[256], host[65] = "", dead[512], alive[512], other[512];
    struct stat status;
    snprintf (place, sizeof place, "%s", folder_path ("a"));
    config.dir = place;
    gethostname (host, sizeof host - 1);
    snprintf (dead, sizeof dead, "%s/run-%s-999999999-abcdef", place, host);
    snprintf (alive, sizeof alive, "%s/run-%s-%d-abcdef", place, host, (int) getppid ());
    snprintf (other, sizeof other, "%s/run-%s-99-other", place, host);
    assert_int_equal (pilot_make (&pilot, &config), 0);
    assert_int_equal (stat (pilot.folder, &status), 0);
    assert_int_equal (status.st_mode & 0777, 0700);
    pilot_remove (&pilot);
    assert_int_equal (mkdir (dead, 0700) | mkdir (alive, 0700) | mkdir (other, 0700), 0);
    assert_int_equal (pilot_make (&pilot, &config), 0);
    pilot_remove (&pilot);
    assert_int_not_equal (stat (dead, &status), 0);
    assert_int_equal (rmdir (alive) | rmdir (other), 0);
    assert_int_equal (rmdir (place), 0);
    config.dir = "/proc/nowhere";
    assert_true (pilot_make (&pilot, &config) < 0);
    assert_says ("--slurm-dir");
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (lifetimes), cmocka_unit_test (requests),
                                        cmocka_unit_test (folders) };
    char folder[FOLDER_SIZE], path[4096];
    if (folder_make (folder))
        return 1;
    ticket_init (&ticket);
    strcpy (ticket.connect, "tcp://head:1");
    snprintf (path, sizeof path, "%s:%s", folder, getenv ("PATH"));
    setenv ("PATH", path, 1);
    setenv ("SLURM_JOB_ID", "12", 1);
    setenv ("SLURMD_NODENAME", "n7", 1);
    folder_write ("srun", "#!/bin/sh\nwhile [ \"$1\" != sh ]; do shift; done\nexec \"$@\"\n", 0700);
    folder_write ("it's weft", "#!/bin/sh\nprintf '[%s]' \"$0\" \"$@\"\n", 0700);
    int failed = cmocka_run_group_tests (tests, NULL, NULL);
    ticket_free (&ticket);
    folder_remove ();
    return failed;
}
