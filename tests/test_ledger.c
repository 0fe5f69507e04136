/*  test_ledger.c - what was accepted is there when the ledger is opened again, in the order of its tickets */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "core/clock.h"
#include "patterns/ledger.h"
#include "tests/testing.h"

enum { FOREVER = -1 };

static char folder[64], path[128];
static const struct ledger_config group = { .durability = LEDGER_GROUP };

static int
make_folder (void **state)
{
    (void) state;
    strcpy (folder, "/tmp/test_ledger.XXXXXX");
    assert_non_null (mkdtemp (folder));
    snprintf (path, sizeof path, "%s/jobs", folder);
    return 0;
}

static int
remove_one (const char *name, const struct stat *stat, int kind, struct FTW *where)
{
    (void) stat, (void) kind, (void) where;
    return remove (name);
}

static int
remove_folder (void **state)
{
    (void) state;
    return nftw (folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/*  In the folder of the ledger, except the ledger. */
static int
others (void)
{
    char command[200];
    snprintf (command, sizeof command, "test $(ls %s | wc -l) = 1", folder);
    return system (command);
}

static struct ledger *
open_ledger (const struct ledger_config *config, struct ledger_found *found)
{
    struct ledger *ledger;
    if (ledger_open (&ledger, path, config, found))
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
    assert_int_equal (sqlite3_open_v2 (path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
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
    result.attempt = 3;
    assert_int_equal (ledger_add_start (ledger, &result, &ticket), 0);
    assert_int_equal (ticket, 8);
    assert_int_equal (ledger_flush (ledger, FOREVER), 0);
    assert_int_equal (ledger_durable (ledger), 8);
    struct pollfd item = { .fd = ledger_fd (ledger), .events = POLLIN };
    assert_int_equal (poll (&item, 1, -1), 1);
    assert_string_equal (asked ("SELECT group_concat (state || ' ' || ifnull (status, '')) FROM overview"),
                         "done 0,started ,waiting ");
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
    assert_int_equal (ledger_load (ledger, 0, 10, take, &taken), 2);
    assert_string_equal (taken.text, "2=two:3,1,1 3=three:0,0,0 ");
    close_ledger (ledger);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_reopen, make_folder, remove_folder)
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
