/*  test_jobs.c - weft jobs: what a ledger says of its jobs, with its head and without */

#include <signal.h>
#include <unistd.h>

#include "core/clock.h"
#include "patterns/ledger.h"
#include "tests/cli_support.h"
#include "tests/folder.h"
#include "tests/testing.h"

static char path[64], words[128];
static weft_t *weft;

static void
add_job (struct ledger *ledger, uint64_t id, const char *command)
{
    struct ledger_job job = { .id = id, .spec = "spec", .spec_size = 4, .command = command,
                              .command_size = strlen (command), .submitted = 1700000000000000 };
    assert_int_equal (ledger_add_job (ledger, &job, NULL), 0);
}

static struct ledger_result
result_of (uint64_t job, int64_t attempt, int reason, int status)
{
    return (struct ledger_result){ .job = job, .attempt = attempt, .reason = reason, .status = status,
                                   .worker = "host:1", .host = "host", .slot = 3, .started = 1700000001500000,
                                   .runtime = 2500000, .output = "out/1" };
}

static void
add_start (struct ledger *ledger, struct ledger_result attempt, int64_t epoch)
{
    attempt.attempt |= epoch;
    assert_int_equal (ledger_add_start (ledger, &attempt, NULL), 0);
}

/*  Jobs: 1 done, 2 failed after a retry, 3 dead, 4 started, 5 again, 6 waiting, and `more` that are done. */
static struct ledger *
fill (uint64_t more)
{
    static const char *const texts[] = { "echo one", "echo\ttwo\nthree", "echo \xff\"", "d", "e", "f" };
    struct ledger_config config = { .durability = LEDGER_NONE };
    struct ledger_found found;
    struct ledger *ledger;
    assert_int_equal (ledger_open (&ledger, path, &config, &found), 0);
    int64_t epoch = (int64_t) found.epoch << 32;
    for (uint64_t id = 1; id <= 6 + more; id++)
        add_job (ledger, id, id <= 6 ? texts[id - 1] : "more");
    for (uint64_t id = 1; id <= 6 + more; id++) {
        struct ledger_result first = result_of (id, 1, WEFT_JOB_EXITED, id == 1 || id > 6 ? 0 : 4);
        struct ledger_result second = result_of (id, 2, id == 3 ? WEFT_JOB_LOST : WEFT_JOB_EXITED, 7);
        if (id == 6)
            continue;
        add_start (ledger, first, epoch);
        if (id == 1 || id > 6)
            assert_int_equal (ledger_add_result (ledger, &first, NULL), 0);
        else if (id != 4)
            assert_int_equal (ledger_add_retry (ledger, &first, NULL), 0);
        if (id == 2 || id == 3) {
            add_start (ledger, second, epoch);
            assert_int_equal (ledger_add_result (ledger, &second, NULL), 0);
        }
    }
    assert_int_equal (ledger_flush (ledger, TIME_FOREVER), 0);
    return ledger;
}

static void
end_jobs (struct ledger *ledger)
{
    for (uint64_t id = 4; id <= 6; id++) {
        struct ledger_result result = result_of (id, 2, WEFT_JOB_EXITED, 0);
        assert_int_equal (ledger_add_result (ledger, &result, NULL), 0);
    }
    assert_int_equal (ledger_flush (ledger, TIME_FOREVER), 0);
}

/*  "weft jobs ...", where @ is the ledger. */
static void
assert_output (const char *line, int status, const char *output)
{
    struct program program;
    const char *at = strchr (line, '@');
    snprintf (words, sizeof words, "jobs %.*s%s%s", (int) (at - line), line, path, at + 1);
    assert_int_equal (program_run (&program, weft, words, ""), status);
    if (strcmp (program.output, output) != 0)
        fail_msg ("%s: %s%s", words, program.output, program.talk);
    program_free (&program);
}

#define NAMES "ID\tSTATE\tATTEMPT\tSTATUS\tSIGNAL\tSECONDS\tHOST\tCOMMAND\n"
#define ONE "1\tdone\t1\t0\t0\t2.500\thost\techo one\n"
#define TWO "2\tfailed\t2\t7\t0\t2.500\thost\techo\\x09two\\nthree\n"
#define THREE "3\tdead\t2\t7\t0\t2.500\thost\techo \xff\"\n"
#define FOUR "4\tstarted\t1\t-\t-\t-\thost\td\n"
#define FIVE "5\tagain\t1\t-\t-\t-\thost\te\n"
#define SIX "6\twaiting\t-\t-\t-\t-\t-\tf\n"

static void
assert_lists (void)
{
    assert_output ("@", EXIT_OK, NAMES ONE TWO THREE FOUR FIVE SIX);
    assert_output ("@ list --failed", EXIT_OK, NAMES TWO THREE);
    assert_output ("--done --running @", EXIT_OK, NAMES ONE FOUR);
    assert_output ("--waiting @", EXIT_OK, NAMES FIVE SIX);
    assert_output ("@ summary", EXIT_OK, "6 jobs: 1 done, 2 failed, 1 started, 2 waiting\n");
    assert_output ("@ summary --json", EXIT_OK,
                   "{\"jobs\":6,\"done\":1,\"failed\":2,\"started\":1,\"waiting\":2,\"cancelled\":0}\n");
    assert_output ("@ show 2 --json", EXIT_OK,
                 "{\"id\":2,\"state\":\"failed\",\"command\":\"echo\\ttwo\\nthree\",\"status\":7,\"signal\":0,"
                 "\"reason\":\"exited\",\"why\":null,\"attempt\":2,\"host\":\"host\",\"worker\":\"host:1\",\"slot\":3,"
                 "\"submitted\":\"2023-11-14T22:13:20.000Z\",\"started\":\"2023-11-14T22:13:21.500Z\","
                 "\"seconds\":2.500,\"output\":\"out/1\",\"retries\":null,\"retried\":null,\"priority\":0,"
                 "\"earlier\":[{\"attempt\":1,\"reason\":\"exited\","
                 "\"status\":4,\"signal\":0,\"why\":null,\"host\":\"host\",\"worker\":\"host:1\",\"slot\":3,"
                 "\"started\":\"2023-11-14T22:13:21.500Z\",\"seconds\":2.500}]}\n");
}

static void
lists (void **state)
{
    (void) state;
    struct ledger *ledger = fill (0);
    assert_lists ();
    assert_int_equal (ledger_close (&ledger), 0);
    assert_lists ();
}

/*  Bytes that JSON cannot hold. */
static void
bytes (void **state)
{
    (void) state;
    struct program program;
    struct ledger *ledger = fill (0);
    snprintf (words, sizeof words, "jobs %s show 3 4", path);
    assert_int_equal (program_run (&program, weft, words, ""), EXIT_OK);
    assert_contains (program.output, "id: 3\nstate: dead\ncommand: echo \xff\"\nstatus: 7\n");
    assert_contains (program.output, "earlier:\n  attempt: 1\n");
    assert_contains (program.output, "\n\nid: 4\n");
    program_free (&program);
    snprintf (words, sizeof words, "jobs %s --failed --json", path);
    assert_int_equal (program_run (&program, weft, words, ""), EXIT_OK);
    assert_contains (program.output, "\n{\"id\":3,\"state\":\"dead\",\"command\":\"echo \xef\xbf\xbd\\\"\"");
    program_free (&program);
    assert_int_equal (ledger_close (&ledger), 0);
}

/*  More than a page of lines, and than is counted at once; what is open lies far below. */
static void
many (void **state)
{
    (void) state;
    struct ledger *ledger = fill (9000);
    assert_output ("@ summary", EXIT_OK, "9006 jobs: 9001 done, 2 failed, 1 started, 2 waiting\n");
    assert_output ("@ list --waiting --running", EXIT_OK, NAMES FOUR FIVE SIX);
    end_jobs (ledger);
    assert_output ("@ summary", EXIT_OK, "9006 jobs: 9004 done, 2 failed, 0 started, 0 waiting\n");
    assert_int_equal (ledger_close (&ledger), 0);
}

/*  More than a page of lines: each once, in order. */
static void
pages (void **state)
{
    (void) state;
    struct program program;
    struct ledger *ledger = fill (1500);
    snprintf (words, sizeof words, "jobs --done --failed %s", path);
    assert_int_equal (program_run (&program, weft, words, ""), EXIT_OK);
    const char *line = strchr (program.output, '\n');
    for (unsigned long id = 1; id <= 1506; id++) {
        if (id >= 4 && id <= 6)
            continue;
        assert_int_equal (strtoul (line + 1, NULL, 10), id);
        line = strchr (line + 1, '\n');
        assert_non_null (line);
    }
    assert_string_equal (line, "\n");
    program_free (&program);
    assert_int_equal (ledger_close (&ledger), 0);
}

static void
waits (void **state)
{
    (void) state;
    struct program program;
    struct ledger *ledger = fill (0);
    snprintf (words, sizeof words, "jobs %s wait", path);
    program_start (&program, weft, words, "");
    program_stop (&program);
    assert_int_equal (program_wait (&program), EXIT_ERROR);
    assert_contains (program.talk, "stopped: 1 were running, 2 waiting");
    program_free (&program);
    program_start (&program, weft, words, "");
    end_jobs (ledger);
    assert_int_equal (program_wait (&program), EXIT_ERROR);
    assert_string_equal (program.output, "6 jobs: 4 done, 2 failed, 0 started, 0 waiting\n");
    program_free (&program);
    assert_int_equal (ledger_close (&ledger), 0);
}

static void
refusals (void **state)
{
    (void) state;
    static const char *const lines[][2] = {
        { "jobs", "give a ledger" }, { "jobs /nonexistent/ledger", "/nonexistent/ledger" },
        { "jobs /etc/passwd", "is no ledger" }, { "jobs @ shout", "there are list, summary, " },
        { "jobs @ summary x", "'x' is too much" }, { "jobs @ show", "numbers of jobs" },
        { "jobs @ show 1x", "'1x'" }, { "jobs @ show 7", "has no job 7" }, { "jobs @ show -1", "-1" },
    };
    struct ledger *ledger = fill (0);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct program program;
        const char *at = strchr (lines[i][0], '@');
        snprintf (words, sizeof words, "%.*s%s%s", at ? (int) (at - lines[i][0]) : 100, lines[i][0], at ? path : "",
                  at ? at + 1 : "");
        assert_int_not_equal (program_run (&program, weft, words, ""), EXIT_OK);
        assert_contains (program.talk, lines[i][1]);
        assert_string_equal (program.output, "");
        program_free (&program);
    }
    assert_int_equal (ledger_close (&ledger), 0);
}

static int
make_ledger (void **state)
{
    (void) state;
    assert_int_equal (folder_make (NULL), 0);
    strcpy (path, folder_path ("ledger"));
    weft = weft_new ();
    return weft ? 0 : -1;
}

static int
remove_ledger (void **state)
{
    weft_destroy (&weft);
    return folder_teardown (state);
}

#define WITH_LEDGER(test) cmocka_unit_test_setup_teardown (test, make_ledger, remove_ledger)

int
main (void)
{
    const struct CMUnitTest tests[] = { WITH_LEDGER (lists), WITH_LEDGER (bytes), WITH_LEDGER (many),
                                        WITH_LEDGER (pages), WITH_LEDGER (waits), WITH_LEDGER (refusals) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
