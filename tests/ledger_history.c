/*  ledger_history.c - a history of a ledger, and a judge of what is left of it */

#include "tests/ledger_history.h"

#include <stdatomic.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tests/disk.h"
#include "tests/testing.h"

enum { GROUP = HISTORY_GROUP, OPERATIONS = HISTORY_OPERATIONS, HOUR = 3600, FOREVER = -1, DUMP = 20000 };

char history_folder[64], history_path[96];

static struct ledger *_Atomic current;
static atomic_uint_least64_t base, epoch;

uint64_t
history_promise (void)
{
    struct ledger *ledger = current;
    return epoch << 32 | (base + (ledger ? ledger_durable (ledger) : 0));
}

struct ledger_config history_config = { .durability = LEDGER_GROUP, .group_time = HOUR * INT64_C (1000000000),
                                        .group_count = 1 << 30, .log_bytes = 48 << 10 };

void
history_restart (uint64_t promised)
{
    current = NULL;
    base = promised & UINT32_MAX;
    epoch = promised >> 32;
}

/* ----------------------------------------------------------- the history */

static uint64_t
job_of (uint64_t number)
{
    uint64_t group = (number - 1) / GROUP, first = 2 * group + 1;
    switch ((number - 1) % GROUP) {
    case 0: return first;
    case 3:
    case 4: return first;
    case 5: return group % 2 ? first - 2 : first + 1;
    default: return first + 1;
    }
}

static size_t
spec_size (uint64_t job)
{
    return job % 4 == 2 ? 9000 + job : job + 10;
}

/*  Which job it does again; that is a row of its own, but comes with the job or not at all. */
static uint64_t
retries (uint64_t job)
{
    return job % 4 == 3 ? job - 2 : 0;
}

int
history_add (struct ledger *ledger, uint64_t number)
{
    static char spec[10000];
    uint64_t job = job_of (number);
    struct ledger_job new = { .id = job, .tag = number, .spec = spec, .spec_size = spec_size (job), .command = "true",
                              .command_size = 4, .retries = retries (job) };
    struct ledger_result result = { .job = job, .attempt = 1, .status = (int) number, .host = "h", .worker = "w" };
    memset (spec, 'a' + (int) (job % 26), sizeof spec);
    switch ((number - 1) % GROUP) {
    case 0:
    case 1: return ledger_add_job (ledger, &new, NULL);
    case 2: return ledger_add_dealt (ledger, job, NULL);
    case 3: return ledger_add_start (ledger, &result, NULL);
    case 4: return ledger_add_retry (ledger, &result, NULL);
    default: return ledger_add_result (ledger, &result, NULL);
    }
}

/*  The rows of the first operations, table by table. */
static const char *
expected (uint64_t count)
{
    static char text[DUMP];
    static const int order[GROUP] = { 0, 1, 2, 3, 4, 5 };
    size_t used = 0;
    text[0] = '\0';
    for (int table = 1; table < GROUP; table++)
        for (uint64_t number = 1; number <= count; number++) {
            int kind = order[(number - 1) % GROUP];
            unsigned long long job = job_of (number), with = number;
            if ((kind ? kind : 1) != table)
                continue;
            if (kind <= 1)
                used += (size_t) sprintf (text + used, "j%llu %llu %llu %zu %c\n", job,
                                          (unsigned long long) retries (job), with, spec_size (job),
                                          'a' + (int) (job % 26));
            else if (kind == 2)
                used += (size_t) sprintf (text + used, "d%llu\n", job);
            else
                used += (size_t) sprintf (text + used, "%c%llu 1 %llu\n", "srz"[kind - 3], job, kind == 3 ? 0 : with);
        }
    return text;
}

const char *
history_found_rows (uint64_t *count)
{
    static char text[DUMP];
    static const char *const tables[] = {
        ("SELECT 'j' || id || ' ' || ifnull ((SELECT job FROM retried WHERE by = id), 0) ||"
         " ' ' || tag || ' ' || length (spec) || ' ' || substr (CAST (spec AS TEXT), 1, 1) ||"
         " trim (CAST (spec AS TEXT), substr (CAST (spec AS TEXT), 1, 1)) FROM jobs ORDER BY tag"),
        "SELECT 'd' || id FROM dealt ORDER BY id",
        "SELECT 's' || job || ' ' || attempt || ' 0' FROM starts ORDER BY job",
        "SELECT 'r' || job || ' ' || attempt || ' ' || status FROM retries ORDER BY status",
        "SELECT 'z' || job || ' ' || attempt || ' ' || status FROM results ORDER BY status"
    };
    sqlite3 *db;
    size_t used = 0;
    text[0] = '\0';
    *count = 0;
    assert_int_equal (sqlite3_open_v2 (history_path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        sqlite3_stmt *row;
        if (sqlite3_prepare_v2 (db, tables[i], -1, &row, NULL))
            fail_msg ("%s", sqlite3_errmsg (db));
        for (; sqlite3_step (row) == SQLITE_ROW; ++*count)
            used += (size_t) sprintf (text + used, "%s\n", (const char *) sqlite3_column_text (row, 0));
        assert_int_equal (sqlite3_finalize (row), SQLITE_OK);
    }
    sqlite3_close (db);
    return text;
}

/* -------------------------------------------------------------- the judge */

static int
take (void *arg, const struct ledger_open_job *open)
{
    size_t used = strlen (arg);
    assert_int_equal (open->job.spec_size, spec_size (open->job.id));
    sprintf ((char *) arg + used, "%llu:%d ", (unsigned long long) open->job.id, open->failures);
    return 0;
}

/*  What is to be done still, by the model. */
static const char *
expected_open (uint64_t count)
{
    static char text[DUMP];
    bool ended[OPERATIONS + 1] = { false };
    int failures[OPERATIONS + 1] = { 0 };
    size_t used = 0;
    text[0] = '\0';
    for (uint64_t number = 1; number <= count; number++) {
        ended[job_of (number)] |= (number - 1) % GROUP == 5;
        failures[job_of (number)] += (number - 1) % GROUP == 4;
    }
    for (uint64_t number = 1; number <= count; number++)
        if ((number - 1) % GROUP <= 1 && !ended[job_of (number)])
            used += (size_t) sprintf (text + used, "%llu:%d ", (unsigned long long) job_of (number),
                                      failures[job_of (number)]);
    return text;
}

uint64_t
history_judge (const char *where, uint64_t promised)
{
    static char open[DUMP];
    struct ledger *ledger;
    struct ledger_found found;
    uint64_t count;
    if (ledger_open (&ledger, history_path, &history_config, &found))
        fail_msg ("%s: %s", where, weft_error ());
    if (found.epoch <= promised >> 32)
        fail_msg ("%s: epoch %d comes again", where, (int) (promised >> 32));
    open[0] = '\0';
    if (ledger_load (ledger, LEDGER_ANY, 0, 1000, take, open) < 0 || ledger_close (&ledger))
        fail_msg ("%s: %s", where, weft_error ());
    const char *rows = history_found_rows (&count);
    if (count < (promised & UINT32_MAX))
        fail_msg ("%s: %d operations are there, and %d were promised", where, (int) count, (int) promised);
    if (strcmp (rows, expected (count)))
        fail_msg ("%s: the file has\n%sand should have\n%s", where, rows, expected (count));
    if (strcmp (open, expected_open (count)))
        fail_msg ("%s: to be done are\n%s\nand should be\n%s", where, open, expected_open (count));
    return count;
}

/* ------------------------------------------------------------- recording */

int
history_make_folder (void **state)
{
    (void) state;
    snprintf (history_folder, sizeof history_folder, "%s/test_ledger.XXXXXX",
              access ("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    assert_non_null (mkdtemp (history_folder));
    snprintf (history_path, sizeof history_path, "%s/jobs", history_folder);
    history_restart (0);
    history_config.durability = LEDGER_GROUP;
    return 0;
}

int
history_remove_folder (void **state)
{
    char command[128];
    (void) state;
    disk_stop ();
    disk_forget (0);
    disk_fault (false, 0, 0, 0);
    disk_fault (true, 0, 0, 0);
    disk_room (INT64_MAX);
    umount2 (history_folder, MNT_DETACH);   /*  where a test has failed, and has it open still */
    snprintf (command, sizeof command, "rm -r %s", history_folder);
    return system (command);
}

struct ledger *
history_begin (const struct ledger_config *how)
{
    struct ledger *ledger = NULL;
    struct ledger_found found;
    uint64_t count;
    if (ledger_open (&ledger, history_path, how, &found))
        return NULL;
    history_found_rows (&count);
    base = count;
    epoch = found.epoch;
    current = ledger;
    return ledger;
}

int
history_end (struct ledger *ledger)
{
    base += ledger_durable (ledger);
    current = NULL;
    return ledger_close (&ledger);
}

void
history_session (uint64_t from, uint64_t to)
{
    struct ledger *ledger = history_begin (&history_config);
    uint64_t next = from, size = 1;
    if (!ledger)
        fail_msg ("%s", weft_error ());
    for (uint64_t number = from; number <= to; number++) {
        assert_int_equal (history_add (ledger, number), 0);
        if (number >= next) {
            assert_int_equal (ledger_flush (ledger, FOREVER), 0);
            next += ++size;
        }
    }
    assert_int_equal (history_end (ledger), 0);
}

void
history_sweep (size_t from, size_t each, uint64_t seeds)
{
    char where[256];
    size_t steps = disk_steps ();
    disk_stop ();
    for (size_t step = from; step <= steps; step += each)
        for (int how = 0; how < CRASHES; how++)
            for (uint64_t seed = 0; seed < (how == CRASH_POWER ? 1 : seeds); seed++) {
                snprintf (where, sizeof where, "crash %d, seed %d, before %s", how, (int) seed, disk_step (step));
                disk_crash (history_folder, step, (enum disk_crash) how, seed + step * seeds);
                uint64_t promised = step < steps ? disk_promised (step) : history_promise ();
                if (history_config.durability == LEDGER_NONE && how != CRASH_KILL)
                    promised &= ~(uint64_t) UINT32_MAX;
                history_judge (where, promised);
            }
}
