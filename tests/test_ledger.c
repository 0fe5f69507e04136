/*  test_ledger.c - what was accepted is there when the ledger is opened again, in the order of its tickets */

#include <poll.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "patterns/ledger.h"
#include "tests/ledger_history.h"
#include "tests/testing.h"

enum { FOREVER = -1 };

static const struct ledger_config group = { .durability = LEDGER_GROUP };

/*  In the folder of the ledger, except the ledger. */
static int
others (void)
{
    char command[200];
    snprintf (command, sizeof command, "test $(ls %s | wc -l) = 1", history_folder);
    return system (command);
}

static struct ledger *
open_ledger (const struct ledger_config *config, struct ledger_found *found)
{
    struct ledger *ledger;
    if (ledger_open (&ledger, history_path, config, found))
        fail_msg ("%s", weft_error ());
    return ledger;
}

static void
close_ledger (struct ledger *ledger)
{
    if (ledger_close (&ledger))
        fail_msg ("%s", weft_error ());
    assert_null (ledger);
}

/*  What a file says to a question, as text. */
static const char *
asked (const char *sql)
{
    static char text[1000];
    sqlite3 *db;
    sqlite3_stmt *row;
    assert_int_equal (sqlite3_open_v2 (history_path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    if (sqlite3_prepare_v2 (db, sql, -1, &row, NULL) || sqlite3_step (row) != SQLITE_ROW)
        fail_msg ("%s: %s", sql, sqlite3_errmsg (db));
    const char *words = (const char *) sqlite3_column_text (row, 0);
    snprintf (text, sizeof text, "%s", words ? words : "NULL");
    sqlite3_finalize (row);
    sqlite3_close (db);
    return text;
}

static uint64_t
add_job (struct ledger *ledger, uint64_t id, const char *spec)
{
    uint64_t ticket = 0;
    struct ledger_job job = { .id = id, .tag = id + 1000, .spec = spec, .spec_size = strlen (spec), .command = spec,
                              .command_size = strlen (spec), .hash = (const unsigned char *) "0123456789abcdef",
                              .submitted = 1700000000000000, .priority = -5 };
    if (ledger_add_job (ledger, &job, &ticket))
        fail_msg ("%s", weft_error ());
    return ticket;
}

static struct ledger_result
result_of (uint64_t job, int64_t attempt, int reason, int status)
{
    return (struct ledger_result){ .job = job, .attempt = attempt, .reason = reason, .status = status,
                                   .worker = "host:1", .host = "host", .slot = 3, .started = 1700000001500000,
                                   .runtime = 2500000, .received = 7, .sent = UINT64_MAX, .output = "out/1" };
}

/* --------------------------------------------------------- there and back */

struct taken {
    char text[2000];
    int limit;
};

static int
take (void *arg, const struct ledger_open_job *open)
{
    struct taken *taken = arg;
    size_t used = strlen (taken->text);
    assert_int_equal (open->job.tag, open->job.id + 1000);
    assert_int_equal (open->job.priority, -5);
    assert_int_equal (open->job.submitted, 1700000000000000);
    assert_memory_equal (open->job.hash, "0123456789abcdef", 16);
    assert_int_equal (open->job.command_size, open->job.spec_size);
    assert_memory_equal (open->job.command, open->job.spec, open->job.spec_size);
    snprintf (taken->text + used, sizeof taken->text - used, "%llu=%.*s:%lld,%d,%d ",
              (unsigned long long) open->job.id, (int) open->job.spec_size, (const char *) open->job.spec,
              (long long) open->attempts, open->failures, open->losses);
    return taken->limit && --taken->limit == 0 ? WEFT_ETERM : 0;
}

static int
add_id (void *arg, const struct ledger_open_job *open)
{
    char *text = arg;
    sprintf (text + strlen (text), "%llu ", (unsigned long long) open->job.id);
    return 0;
}

static const char *
failed (struct ledger *ledger, uint64_t after, uint64_t limit)
{
    static char text[100];
    text[0] = '\0';
    assert_true (ledger_failed (ledger, after, limit, add_id, text) >= 0);
    return text;
}

static enum ledger_fate
fate_of (struct ledger *ledger, uint64_t id, uint64_t last)
{
    enum ledger_fate fate;
    uint64_t found = 0;
    assert_int_equal (ledger_fate (ledger, id, &found, &fate), 0);
    assert_int_equal (found, last);
    return fate;
}

/*  Jobs: 1 done, 2 and 3 failed, 4 cancelled, 5 waiting; then 6 does 2 again, and 7 that. */
static void
test_retries (void **state)
{
    struct ledger_found found;
    (void) state;
    struct ledger *ledger = open_ledger (&group, &found);
    for (uint64_t id = 1; id <= 5; id++)
        add_job (ledger, id, "true");
    for (uint64_t id = 1; id <= 4; id++) {
        struct ledger_result result = result_of (id, 1, id == 4 ? WEFT_JOB_CANCELLED : WEFT_JOB_EXITED, id > 1);
        assert_int_equal (ledger_add_result (ledger, &result, NULL), 0);
    }
    assert_string_equal (failed (ledger, 0, 1000), "2 3 ");
    assert_string_equal (failed (ledger, 2, 1000), "3 ");
    assert_string_equal (failed (ledger, 3, 1), "4 ");
    assert_int_equal (fate_of (ledger, 1, 1), LEDGER_ENDED_WELL);
    assert_int_equal (fate_of (ledger, 2, 2), LEDGER_ENDED_BADLY);
    assert_int_equal (fate_of (ledger, 5, 5), LEDGER_NOT_ENDED);
    assert_int_equal (fate_of (ledger, 6, 0), LEDGER_NO_JOB);
    for (uint64_t id = 6; id <= 7; id++) {
        struct ledger_job job = { .id = id, .spec = "true", .spec_size = 4, .retries = id == 6 ? 2 : 6 };
        struct ledger_result result = result_of (id, 1, WEFT_JOB_EXITED, 1);
        assert_int_equal (ledger_add_job (ledger, &job, NULL), 0);
        if (id == 6)
            assert_int_equal (ledger_add_result (ledger, &result, NULL), 0);
    }
    assert_string_equal (failed (ledger, 0, 1000), "3 ");
    assert_int_equal (fate_of (ledger, 2, 7), LEDGER_NOT_ENDED);
    close_ledger (ledger);
    assert_string_equal (asked ("SELECT group_concat (state || retries || retried, ' ') FROM overview"
                                " WHERE id = 6"), "retried27");
    assert_string_equal (asked ("SELECT sum (jobs) FROM summary"), "5");
}

static void
test_reopen (void **state)
{
    struct ledger_found found, again;
    (void) state;
    struct ledger *ledger = open_ledger (&group, &found);
    assert_int_equal (found.epoch, 1);
    assert_int_equal (found.jobs + found.results + found.failed + found.last_id + found.dealt, 0);
    assert_int_equal (add_job (ledger, 1, "one"), 1);
    assert_int_equal (add_job (ledger, 2, "two"), 2);
    assert_int_equal (add_job (ledger, 3, "three"), 3);
    uint64_t ticket;
    assert_int_equal (ledger_add_dealt (ledger, 2, &ticket), 0);
    struct ledger_result result = result_of (1, 1, WEFT_JOB_EXITED, 0);
    assert_int_equal (ledger_add_result (ledger, &result, &ticket), 0);
    result = result_of (2, 1, WEFT_JOB_LOST, 0);
    assert_int_equal (ledger_add_retry (ledger, &result, &ticket), 0);
    result = result_of (2, 2, WEFT_JOB_EXITED, 9);
    assert_int_equal (ledger_add_retry (ledger, &result, &ticket), 0);
    result.attempt = INT64_C (7) << 32 | 3;
    assert_int_equal (ledger_add_start (ledger, &result, &ticket), 0);
    assert_int_equal (ticket, 8);
    assert_int_equal (ledger_flush (ledger, FOREVER), 0);
    assert_int_equal (ledger_durable (ledger), 8);
    struct pollfd item = { .fd = ledger_fd (ledger), .events = POLLIN };
    assert_int_equal (poll (&item, 1, -1), 1);
    assert_string_equal (asked ("SELECT group_concat (state || ' ' || ifnull (status, '')) FROM overview"),
                         "done 0,started ,waiting ");
    assert_string_equal (asked ("SELECT group_concat (ifnull (attempt, 'none')) FROM overview"), "1,3,none");
    assert_string_equal (asked ("SELECT submitted || ' ' || started || ' ' || seconds || ' ' || host FROM overview"),
                         "2023-11-14T22:13:20.000Z 2023-11-14T22:13:21.500Z 2.5 host");
    close_ledger (ledger);
    assert_int_equal (others (), 0);

    ledger = open_ledger (&group, &again);
    assert_memory_equal (again.pool, found.pool, sizeof found.pool);
    assert_int_equal (again.epoch, 2);
    assert_int_equal (again.jobs, 3);
    assert_int_equal (again.results, 1);
    assert_int_equal (again.failed, 0);
    assert_int_equal (again.last_id, 3);
    assert_int_equal (again.dealt, 2);
    struct taken taken = { "", 0 };
    assert_int_equal (ledger_load (ledger, LEDGER_ANY, 0, 10, take, &taken), 2);
    assert_string_equal (taken.text, "2=two:2,1,1 3=three:0,0,0 ");
    close_ledger (ledger);
}

static int
take_level (void *arg, uint64_t id, int priority, bool dealt)
{
    struct taken *taken = arg;
    size_t size = strlen (taken->text);
    snprintf (taken->text + size, sizeof taken->text - size, "%s%d at %d ", dealt ? "dealt " : "", (int) id, priority);
    return 0;
}

static int
take_id (void *arg, const struct ledger_open_job *open)
{
    return take_level (arg, open->job.id, open->job.priority, false);
}

/*  Jobs are read a priority at a time, and each has its mark. */
static void
test_levels (void **state)
{
    struct ledger_found found;
    struct taken taken = { "", 0 };
    (void) state;
    struct ledger *ledger = open_ledger (&group, &found);
    for (uint64_t id = 1; id <= 5; id++) {
        struct ledger_job job = { .id = id, .spec = "spec", .spec_size = 4, .priority = (int) id % 2 * -7 };
        assert_int_equal (ledger_add_job (ledger, &job, NULL), 0);
    }
    assert_int_equal (ledger_add_dealt (ledger, 3, NULL), 0);
    assert_int_equal (ledger_add_dealt (ledger, 2, NULL), 0);
    assert_int_equal (ledger_add_result (ledger, &(struct ledger_result) { .job = 3, .attempt = 1 }, NULL), 0);
    assert_int_equal (ledger_levels (ledger, take_level, &taken), 0);
    assert_string_equal (taken.text, "dealt 2 at 0 dealt 3 at -7 1 at -7 2 at 0 4 at 0 5 at -7 ");
    taken = (struct taken) { "", 0 };
    assert_int_equal (ledger_load (ledger, -7, 0, 10, take_id, &taken), 2);
    assert_int_equal (ledger_load (ledger, 0, 2, 10, take_id, &taken), 1);
    assert_int_equal (ledger_load (ledger, 1, 0, 10, take_id, &taken), 0);
    assert_string_equal (taken.text, "1 at -7 5 at -7 4 at 0 ");
    close_ledger (ledger);
}

/*  A result, start or retry that is there already changes nothing. */
static void
test_repeats (void **state)
{
    struct ledger_found found;
    struct ledger_counters counters;
    (void) state;
    struct ledger *ledger = open_ledger (&group, &found);
    add_job (ledger, 1, "one");
    struct ledger_result result = result_of (1, 1, WEFT_JOB_EXITED, 3), other = result_of (1, 2, WEFT_JOB_EXITED, 0);
    assert_int_equal (ledger_add_start (ledger, &result, NULL), 0);
    assert_int_equal (ledger_add_start (ledger, &result, NULL), 0);
    assert_int_equal (ledger_add_retry (ledger, &result, NULL), 0);
    assert_int_equal (ledger_add_retry (ledger, &result, NULL), 0);
    assert_int_equal (ledger_add_result (ledger, &result, NULL), 0);
    assert_int_equal (ledger_flush (ledger, FOREVER), 0);
    assert_int_equal (ledger_add_result (ledger, &other, NULL), 0);
    assert_int_equal (ledger_flush (ledger, FOREVER), 0);
    ledger_counters (ledger, &counters);
    assert_int_equal (counters.repeats, 3);
    assert_int_equal (counters.operations, 7);
    assert_int_equal (counters.queued_bytes, 0);
    assert_string_equal (asked ("SELECT group_concat (attempt || ' ' || status) FROM results"), "1 3");
    close_ledger (ledger);
    ledger = open_ledger (&group, &found);
    assert_int_equal (found.failed, 1);
    close_ledger (ledger);
}

static void
test_arguments (void **state)
{
    struct ledger_found found;
    (void) state;
    struct ledger *ledger = open_ledger (&group, &found);
    struct ledger_job job = { .id = 2, .spec = "x", .spec_size = 1 };
    struct ledger_result result = { .job = 1 };
    assert_int_equal (ledger_add_job (ledger, &job, NULL), WEFT_EINVAL);
    assert_int_equal (ledger_add_result (ledger, &result, NULL), WEFT_EINVAL);
    assert_int_equal (ledger_add_start (ledger, &result, NULL), WEFT_EINVAL);
    assert_int_equal (ledger_add_retry (ledger, &result, NULL), WEFT_EINVAL);
    job.id = 1;
    job.spec_size = LEDGER_SPEC_MAX + 1;
    assert_int_equal (ledger_add_job (ledger, &job, NULL), WEFT_ETOOBIG);
    job.spec_size = 1;
    assert_int_equal (ledger_add_job (ledger, &job, NULL), 0);
    assert_int_equal (ledger_add_job (ledger, &job, NULL), WEFT_EINVAL);
    result.job = 0;
    assert_int_equal (ledger_add_result (ledger, &result, NULL), WEFT_EINVAL);
    close_ledger (ledger);
}

/*  Bytes of any kind, and of any number; what is for people is cut. */
static void
test_sizes (void **state)
{
    struct ledger_found found;
    (void) state;
    char *large = malloc (LEDGER_SPEC_MAX);
    memset (large, 0xfe, LEDGER_SPEC_MAX);
    struct ledger_config small = { .durability = LEDGER_SYNC, .queue_bytes = 1000 };
    struct ledger *ledger = open_ledger (&small, &found);
    struct ledger_job job = { .id = 1, .tag = UINT64_MAX, .spec = large, .spec_size = LEDGER_SPEC_MAX, .command = large,
                              .command_size = LEDGER_COMMAND_MAX + 1 };
    assert_int_equal (ledger_add_job (ledger, &job, NULL), 0);
    assert_int_equal (ledger_flush (ledger, FOREVER), 0);
    job = (struct ledger_job){ .id = 2, .spec = "\0\xff", .spec_size = 2 };
    assert_int_equal (ledger_add_job (ledger, &job, NULL), 0);
    assert_int_equal (ledger_flush (ledger, FOREVER), 0);
    job = (struct ledger_job){ .id = 3 };
    assert_int_equal (ledger_add_job (ledger, &job, NULL), 0);
    struct ledger_result result = { .job = 3, .received = UINT64_MAX };
    large[LEDGER_TEXT_MAX + 10] = '\0';
    result.why = large;
    while (ledger_add_result (ledger, &result, NULL) == WEFT_EAGAIN)
        assert_int_equal (ledger_flush (ledger, FOREVER), 0);
    close_ledger (ledger);
    assert_string_equal (asked ("SELECT group_concat (length (spec) || ' ' || tag) FROM jobs"),
                         "41943040 -1,2 0,0 0");
    assert_string_equal (asked ("SELECT group_concat (ifnull (length (CAST (command AS BLOB)), 'none')) FROM jobs"),
                         "4096,none,none");
    assert_string_equal (asked ("SELECT received || ' ' || length (CAST (why AS BLOB)) FROM results"),
                         "9223372036854775807 65536");
    assert_string_equal (asked ("SELECT hex (spec) FROM jobs WHERE id = 2"), "00FF");
    free (large);
}

/*  Jobs may fill three quarters of the queue, so that there is room for results; then all is to wait. */
static void
test_queue_is_bounded (void **state)
{
    struct ledger_found found;
    struct ledger_counters counters;
    (void) state;
    struct ledger_config later = { .durability = LEDGER_GROUP, .group_time = INT64_C (3600000000000),
                                   .group_count = 1 << 30, .queue_bytes = 40000 };
    struct ledger *ledger = open_ledger (&later, &found);
    char spec[1000];
    struct ledger_job job = { .id = 1, .spec = memset (spec, 'x', sizeof spec), .spec_size = sizeof spec };
    struct ledger_result result = { .job = 1 };
    uint64_t results = 0;
    int rc;
    while ((rc = ledger_add_job (ledger, &job, NULL)) == 0)
        job.id++;
    assert_int_equal (rc, WEFT_EAGAIN);
    assert_true (job.id > 10 && job.id < 31);
    while ((rc = ledger_add_result (ledger, &result, NULL)) == 0) {
        results++;
        result.job++;
        if (result.job == job.id)
            break;
    }
    assert_true (results >= 10);
    ledger_counters (ledger, &counters);
    assert_true (counters.queued_bytes > 30000 && counters.queued_bytes <= 41000);
    assert_int_equal (ledger_durable (ledger), 0);
    assert_int_equal (ledger_flush (ledger, FOREVER), 0);
    assert_int_equal (ledger_add_job (ledger, &job, NULL), 0);
    close_ledger (ledger);
}

static void
test_load_by_pages (void **state)
{
    enum { JOBS = 1000, PAGE = 70 };
    struct ledger_found found;
    (void) state;
    struct ledger *ledger = open_ledger (&group, &found);
    for (uint64_t id = 1; id <= JOBS; id++) {
        add_job (ledger, id, "x");
        struct ledger_result result = { .job = id };
        if (id % 10)
            assert_int_equal (ledger_add_result (ledger, &result, NULL), 0);
    }
    uint64_t after = 0;
    int total = 0;
    for (int got = 1; got > 0; total += got) {
        struct taken taken = { "", 0 };
        got = ledger_load (ledger, LEDGER_ANY, after, PAGE, take, &taken);
        assert_true (got >= 0 && got <= PAGE);
        if (!got)
            break;
        assert_int_equal (atoi (taken.text), after + 10);
        after += 10 * (uint64_t) got;
    }
    assert_int_equal (total, JOBS / 10);
    struct taken stopped = { "", 3 };
    assert_int_equal (ledger_load (ledger, LEDGER_ANY, 0, PAGE, take, &stopped), WEFT_ETERM);
    assert_string_equal (stopped.text, "10=x:0,0,0 20=x:0,0,0 30=x:0,0,0 ");
    assert_int_equal (ledger_load (ledger, LEDGER_ANY, JOBS, PAGE, take, &stopped), 0);
    add_job (ledger, JOBS + 1, "x");        /*  the writer goes on */
    assert_int_equal (ledger_flush (ledger, FOREVER), 0);
    close_ledger (ledger);
}

/*  Whoever reads, and for however long, sees one state, holds up nothing, and leaves the log as it is. */
static void
test_reader (void **state)
{
    struct ledger_found found;
    struct ledger_counters counters;
    struct ledger_config often = { .durability = LEDGER_NONE, .log_bytes = 8192 };
    sqlite3 *db;
    sqlite3_stmt *row;
    (void) state;
    struct ledger *ledger = open_ledger (&often, &found);
    add_job (ledger, 1, "x");
    assert_int_equal (ledger_flush (ledger, FOREVER), 0);
    assert_int_equal (sqlite3_open_v2 (history_path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal (sqlite3_exec (db, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal (sqlite3_prepare_v2 (db, "SELECT count (*) FROM overview", -1, &row, NULL), SQLITE_OK);
    assert_int_equal (sqlite3_step (row), SQLITE_ROW);
    assert_int_equal (sqlite3_column_int (row, 0), 1);
    for (uint64_t id = 2; id <= 100; id++) {
        add_job (ledger, id, "x");
        assert_int_equal (ledger_flush (ledger, FOREVER), 0);
    }
    sqlite3_reset (row);
    assert_int_equal (sqlite3_step (row), SQLITE_ROW);
    assert_int_equal (sqlite3_column_int (row, 0), 1);
    assert_string_equal (asked ("SELECT count (*) FROM overview"), "100");
    ledger_counters (ledger, &counters);
    assert_true (counters.log_bytes > 100 * 4096);
    close_ledger (ledger);
    sqlite3_finalize (row);
    sqlite3_close (db);
    ledger = open_ledger (&often, &found);
    assert_int_equal (found.jobs, 100);
    close_ledger (ledger);
    assert_int_equal (others (), 0);
}

/* ---------------------------------------------------------- a full disk */

static bool
has_room (struct ledger *ledger)
{
    struct pollfd item = { .fd = ledger_fd (ledger), .events = POLLIN };
    uint64_t count;
    if (ledger_state (ledger) == LEDGER_OPEN)
        return true;
    assert_int_equal (poll (&item, 1, -1), 1);
    assert_int_equal (read (item.fd, &count, sizeof count), sizeof count);
    return false;
}

/*  A real one: a file system of 20 MiB in memory. */
static void
test_disk_full (void **state)
{
    enum { BALLAST = 1 << 20, SPEC = 100000 };
    static char spec[SPEC], ballast[BALLAST], name[128];
    struct ledger_found found;
    (void) state;
    if (mount ("weft", history_folder, "tmpfs", 0, "size=20m")) {
        print_message ("no tmpfs can be mounted here: the full disk is not tested\n");
        skip ();
    }
    snprintf (name, sizeof name, "%s/ballast", history_folder);
    FILE *file = fopen (name, "w");
    assert_int_equal (fwrite (ballast, 1, sizeof ballast, file), sizeof ballast);
    fclose (file);

    struct ledger *ledger = open_ledger (&group, &found);
    struct ledger_job job = { .id = 1, .spec = spec, .spec_size = sizeof spec };
    int rc = 0;
    for (; rc == 0; job.id++) {
        if (!(rc = ledger_add_job (ledger, &job, NULL)))
            rc = ledger_flush (ledger, FOREVER);
        assert_true (job.id < 300);
    }
    assert_int_equal (rc, WEFT_ELIMIT);
    assert_says ("full");
    job.id--;                               /*  the last waits, or was refused */
    assert_int_equal (ledger_flush (ledger, FOREVER), 0);
    struct ledger_result result = { .job = 1 };
    for (; result.job < job.id; result.job++)
        assert_int_equal (ledger_add_result (ledger, &result, NULL), 0);
    assert_int_equal (ledger_flush (ledger, FOREVER), 0);
    assert_int_equal (ledger_state (ledger), LEDGER_FULL);
    job.id += ledger_add_result (ledger, &result, NULL) == 0;
    result.job += job.id > result.job;
    assert_int_equal (ledger_add_job (ledger, &job, NULL), WEFT_ELIMIT);
    assert_int_equal (unlink (name), 0);
    while (!has_room (ledger))
        ;
    assert_int_equal (ledger_add_job (ledger, &job, NULL), 0);
    assert_int_equal (ledger_flush (ledger, FOREVER), 0);
    close_ledger (ledger);
    ledger = open_ledger (&group, &found);
    assert_int_equal (found.results, result.job - 1);
    assert_int_equal (found.jobs, job.id);
    close_ledger (ledger);
    assert_int_equal (umount (history_folder), 0);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_retries, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_reopen, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_levels, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_repeats, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_arguments, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_sizes, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_queue_is_bounded, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_load_by_pages, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_reader, history_make_folder, history_remove_folder),
        cmocka_unit_test_setup_teardown (test_disk_full, history_make_folder, history_remove_folder)
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
