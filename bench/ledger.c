/*  ledger.c - operations a second through a pool's ledger, and through a plain loop around SQLite
 *
 *      ledger weft|sqlite jobs|results|load|open COUNT PATH
 *
 *  jobs: COUNT jobs are accepted. results: each gets a result too, once its acceptance is on disk. load: they are read
 *  back, page by page. open: nothing but opened and closed; COUNT is what is in it. All is on disk at the end. The peer
 *  is what one would write: prepared statements, the same rows, write-ahead log, synchronous = FULL, and a commit every
 *  1024 operations, in one thread.
 *  Prints the rate (operations a second), cpu (us of all threads an operation) and peak (MiB). */

#include <poll.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/measure.h"
#include "patterns/ledger.h"

enum { GROUP = 1024, PAGE = 4096, AHEAD = 20000 };

static const char spec[] = "\x95\x00\x00\xda\x00\x20" "sleep 0; echo 1234567; # a line-" "\xc4\x00\xc4\x00";
static const char command[] = "sleep 0; echo 1234567; # a line-";

static struct ledger_job
job_of (uint64_t id)
{
    return (struct ledger_job){ .id = id, .tag = id, .spec = spec, .spec_size = sizeof spec - 1, .command = command,
                                .command_size = sizeof command - 1, .submitted = 1700000000000000 + (int64_t) id,
                                .hash = (const unsigned char *) "0123456789abcdef" };
}

static struct ledger_result
result_of (uint64_t job)
{
    return (struct ledger_result){ .job = job, .attempt = 1, .worker = "node0123:45678", .host = "node0123", .slot = 7,
                                   .started = 1700000000000000 + (int64_t) job, .runtime = 1234, .received = 100 };
}

/* -------------------------------------------------------------------- weft */

static void
wait_ledger (struct ledger *ledger)
{
    struct pollfd item = { .fd = ledger_fd (ledger), .events = POLLIN };
    uint64_t count;
    if (poll (&item, 1, -1) < 0 || read (item.fd, &count, sizeof count) < 0)
        die ("%s", strerror (errno));
    if (ledger_state (ledger) != LEDGER_OPEN)
        die ("the disk is full, or has failed");
}

static bool
took (int rc)
{
    if (rc && rc != WEFT_EAGAIN)
        die ("%s", weft_error ());
    return rc == 0;
}

/*  Jobs go in while there is room; a result follows when the ticket of its job is durable. */
static void
weft_write (struct ledger *ledger, uint64_t count, bool results)
{
    static uint64_t tickets[AHEAD];
    uint64_t job = 1, result = 1, last = 0;
    while (job <= count || (results && result <= count)) {
        bool moved = false;
        for (; job <= count && job - result < AHEAD; job++) {
            struct ledger_job add = job_of (job);
            if (!took (ledger_add_job (ledger, &add, &last)))
                break;
            tickets[job % AHEAD] = last;
            result += !results;
            moved = true;
        }
        uint64_t durable = ledger_durable (ledger);
        for (; results && result < job && tickets[result % AHEAD] <= durable; result++) {
            struct ledger_result add = result_of (result);
            if (!took (ledger_add_result (ledger, &add, &last)))
                break;
            moved = true;
        }
        if (!moved)
            wait_ledger (ledger);
    }
    if (ledger_flush (ledger, -1))
        die ("%s", weft_error ());
}

static int
take (void *arg, const struct ledger_open_job *open)
{
    *(uint64_t *) arg = open->job.id;
    return 0;
}

static void
weft_load (struct ledger *ledger, uint64_t count)
{
    uint64_t after = 0, loaded = 0;
    for (int got = 1; got > 0; loaded += (uint64_t) got)
        if ((got = ledger_load (ledger, LEDGER_ANY, after, PAGE, take, &after)) < 0)
            die ("%s", weft_error ());
    if (loaded < count)
        die ("%llu jobs of %llu", (unsigned long long) loaded, (unsigned long long) count);
}

static void
run_weft (const char *what, uint64_t count, const char *path)
{
    struct ledger *ledger;
    struct ledger_found found;
    struct ledger_config config = { .durability = LEDGER_GROUP };
    if (ledger_open (&ledger, path, &config, &found))
        die ("%s", weft_error ());
    if (!strcmp (what, "load"))
        weft_load (ledger, count);
    else if (strcmp (what, "open"))
        weft_write (ledger, count, !strcmp (what, "results"));
    struct ledger_counters counters;
    ledger_counters (ledger, &counters);
    fprintf (stderr, "%llu commits, %llu checkpoints, log of %llu MiB\n", (unsigned long long) counters.commits,
             (unsigned long long) counters.checkpoints, (unsigned long long) counters.log_bytes >> 20);
    if (ledger_close (&ledger))
        die ("%s", weft_error ());
}

/* ------------------------------------------------------------------ sqlite */

static void
sql (sqlite3 *db, const char *text)
{
    if (sqlite3_exec (db, text, NULL, NULL, NULL))
        die ("%s: %s", text, sqlite3_errmsg (db));
}

static sqlite3_stmt *
prepared (sqlite3 *db, const char *text)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2 (db, text, -1, &statement, NULL))
        die ("%s: %s", text, sqlite3_errmsg (db));
    return statement;
}

static void
insert (sqlite3 *db, sqlite3_stmt *statement, uint64_t *operations)
{
    if (sqlite3_step (statement) != SQLITE_DONE)
        die ("%s", sqlite3_errmsg (db));
    sqlite3_reset (statement);
    if (++*operations % GROUP == 0)
        sql (db, "COMMIT; BEGIN");
}

static void
insert_job (sqlite3 *db, sqlite3_stmt *statement, uint64_t id, uint64_t *operations)
{
    struct ledger_job job = job_of (id);
    sqlite3_bind_int64 (statement, 1, (int64_t) job.id);
    sqlite3_bind_int64 (statement, 2, (int64_t) job.tag);
    sqlite3_bind_int (statement, 3, job.priority);
    sqlite3_bind_int64 (statement, 4, job.submitted);
    sqlite3_bind_text (statement, 5, job.command, (int) job.command_size, SQLITE_STATIC);
    sqlite3_bind_blob (statement, 6, job.hash, 16, SQLITE_STATIC);
    sqlite3_bind_blob (statement, 7, job.spec, (int) job.spec_size, SQLITE_STATIC);
    insert (db, statement, operations);
}

static void
insert_result (sqlite3 *db, sqlite3_stmt *statement, uint64_t id, uint64_t *operations)
{
    struct ledger_result result = result_of (id);
    sqlite3_bind_int64 (statement, 1, (int64_t) result.job);
    sqlite3_bind_int64 (statement, 2, result.attempt);
    for (int i = 3; i <= 5; i++)
        sqlite3_bind_int (statement, i, 0);
    sqlite3_bind_text (statement, 7, result.worker, -1, SQLITE_STATIC);
    sqlite3_bind_text (statement, 8, result.host, -1, SQLITE_STATIC);
    sqlite3_bind_int (statement, 9, result.slot);
    sqlite3_bind_int64 (statement, 10, result.started);
    sqlite3_bind_int64 (statement, 11, result.runtime);
    sqlite3_bind_int64 (statement, 12, (int64_t) result.received);
    sqlite3_bind_int64 (statement, 13, 0);
    insert (db, statement, operations);
}

static void
sqlite_load (sqlite3 *db, uint64_t count)
{
    sqlite3_stmt *row = prepared (db, "SELECT * FROM jobs WHERE id NOT IN (SELECT job FROM results) ORDER BY id");
    uint64_t loaded = 0;
    while (sqlite3_step (row) == SQLITE_ROW)
        loaded += sqlite3_column_bytes (row, 6) > 0;
    sqlite3_finalize (row);
    if (loaded < count)
        die ("%llu jobs of %llu", (unsigned long long) loaded, (unsigned long long) count);
}

static void
run_sqlite (const char *what, uint64_t count, const char *path)
{
    sqlite3 *db;
    uint64_t operations = 0;
    if (sqlite3_open (path, &db))
        die ("%s", sqlite3_errmsg (db));
    sql (db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
         "CREATE TABLE IF NOT EXISTS jobs (id INTEGER PRIMARY KEY, tag, priority, submitted, command, hash, spec);"
         "CREATE TABLE IF NOT EXISTS results (job INTEGER PRIMARY KEY, attempt, reason, status, signal, why, worker,"
         " host, slot, started, runtime, received, sent, output)");
    if (!strcmp (what, "open"))
        goto end;
    if (!strcmp (what, "load")) {
        sqlite_load (db, count);
        goto end;
    }
    sqlite3_stmt *job = prepared (db, "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?)");
    sqlite3_stmt *result = prepared (db, "INSERT INTO results VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    sql (db, "BEGIN");
    for (uint64_t id = 1; id <= count; id++) {
        insert_job (db, job, id, &operations);
        if (!strcmp (what, "results"))
            insert_result (db, result, id, &operations);
    }
    sql (db, "COMMIT");
    sqlite3_finalize (job);
    sqlite3_finalize (result);
end:
    sqlite3_close (db);
}

static double
seconds_of (struct timeval time)
{
    return (double) time.tv_sec + (double) time.tv_usec / 1e6;
}

int
main (int argc, char **argv)
{
    if (argc != 5 || !strstr ("jobs results load open", argv[2]))
        die ("usage: weft|sqlite jobs|results|load|open COUNT PATH");
    uint64_t count = number_of (argv[3], 1);
    int64_t start = now_ns ();
    (strcmp (argv[1], "weft") ? run_sqlite : run_weft) (argv[2], count, argv[4]);
    double seconds = (double) (now_ns () - start) / 1e9;
    double operations = (double) (strcmp (argv[2], "results") ? count : 2 * count);
    struct rusage usage;
    getrusage (RUSAGE_SELF, &usage);
    printf ("rate %.0f\ncpu %.3f\npeak %.1f\n", operations / seconds,
            (seconds_of (usage.ru_utime) + seconds_of (usage.ru_stime)) / operations * 1e6,
            (double) usage.ru_maxrss / 1024);
    return 0;
}
