/*  test_pool_history.c - thousands of histories in which everything fails, and what was promised holds in all
 *
 *  An accepted job gets exactly one result; accepted means durable first; a result that was told is never told
 *  again; one that says success was a success; nothing waits for ever. The checker knows nothing of how it is
 *  done: it sees what the caller sees, and what is on the disk, which is a ledger in memory that loses at a crash
 *  what was not committed.
 *
 *      WEFT_SEED=123 build/test_pool_history       that history alone */

#include <stdlib.h>
#include <string.h>

#include "cli/outputfile.h"
#include "core/error.h"
#include "patterns/ledger.h"
#include "tests/folder.h"
#include "tests/pool_sim.h"
#include "tests/testing.h"

/*  It is all one thread, in which the thread sanitizer finds nothing, and takes minutes for that. */
#ifdef __SANITIZE_THREAD__
#define HISTORIES 100
#else
#define HISTORIES 1500
#endif
enum { STEPS = 250, PEACE = 3000, OPERATIONS = 4096, PIECES = 4096, PRIORITIES = 3 };

/* ------------------------------------------------------------ the ledger in memory */

struct operation {
    enum { ADD_JOB, ADD_START, ADD_RETRY, ADD_RESULT, ADD_DEALT, ADD_PIECE } kind;
    uint64_t id;
    int64_t attempt;
    int reason, status;
    uint64_t report, bytes;         /*  of a piece; of a result, all that was written */
    char place[LEDGER_PLACE_MAX];
};

struct ledger {
    struct operation queue[OPERATIONS];
    uint64_t first, count, durable, ticket;
    uint64_t epoch, accepted, dealt;
    uint64_t highest;                   /*  job, with those that are not committed      */
    uint64_t marks[PRIORITIES];         /*  of each priority                            */
    struct {
        char spec[128];
        size_t size;
        unsigned char hash[16];
        bool hashed;
        uint64_t tag;
        uint64_t again;                 /*  the job that does it again; 0: none         */
        int priority;
        int results, reason, status;
        int64_t attempts;
        int failures, losses;
        uint64_t received;
        char place[LEDGER_PLACE_MAX];
    } jobs[SIM_IDS + 1];
    struct operation pieces[PIECES];
    size_t pieces_count;
    bool open, crashed, used;
};
static struct ledger disk;

static void
commit_piece (const struct operation *op)
{
    for (size_t i = 0; i < disk.pieces_count; i++)
        if (disk.pieces[i].id == op->id && disk.pieces[i].attempt == op->attempt && disk.pieces[i].report == op->report)
            return;
    assert_true (disk.pieces_count < PIECES);
    disk.pieces[disk.pieces_count++] = *op;
}

static void
disk_commit (uint64_t count)
{
    for (; count && disk.count; count--, disk.count--, disk.durable++) {
        struct operation *op = &disk.queue[disk.first++ % OPERATIONS];
        if (op->kind == ADD_JOB)
            disk.accepted = op->id;
        else if (op->kind == ADD_DEALT)
            disk.dealt = disk.marks[disk.jobs[op->id].priority] = op->id;
        else if (op->kind == ADD_START)
            ;
        else if (op->kind == ADD_PIECE)
            commit_piece (op);
        else if (op->kind == ADD_RETRY) {
            disk.jobs[op->id].attempts = op->attempt;
            disk.jobs[op->id].failures += op->reason != WEFT_JOB_LOST;
            disk.jobs[op->id].losses += op->reason == WEFT_JOB_LOST;
        }
        else {
            assert_int_equal (disk.jobs[op->id].results++, 0);      /*  no second one */
            disk.jobs[op->id].reason = op->reason;
            disk.jobs[op->id].status = op->status;
            disk.jobs[op->id].received = op->bytes;
            strcpy (disk.jobs[op->id].place, op->place);
        }
    }
}

static void
disk_lose (void)
{
    disk.count = 0;
    disk.highest = disk.accepted;
    for (uint64_t id = 1; id <= SIM_IDS; id++)
        if (disk.jobs[id].again > disk.accepted)
            disk.jobs[id].again = 0;
    disk.open = disk.crashed = false;
}

int
ledger_open (struct ledger **self, const char *path, const struct ledger_config *config, struct ledger_found *found)
{
    (void) path;
    (void) config;
    assert_false (disk.open);
    disk.open = true;
    disk.durable = disk.ticket = 0;
    *self = &disk;
    *found = (struct ledger_found) { .pool = "the pool of all ", .epoch = ++disk.epoch, .jobs = disk.accepted,
                                     .last_id = disk.accepted, .dealt = disk.dealt };
    for (uint64_t id = 1; id <= disk.accepted; id++)
        found->results += disk.jobs[id].results > 0;
    return 0;
}

int
ledger_close (struct ledger **self)
{
    if (!disk.crashed)
        disk_commit (OPERATIONS);
    disk_lose ();
    *self = NULL;
    return 0;
}

static int
add (struct operation op, uint64_t *ticket)
{
    if (disk.count == OPERATIONS)
        return error_plain (WEFT_EAGAIN);
    disk.queue[(disk.first + disk.count++) % OPERATIONS] = op;
    disk.ticket++;
    if (ticket)
        *ticket = disk.ticket;
    return 0;
}

static bool
ended_badly (uint64_t id)
{
    return disk.jobs[id].results && (disk.jobs[id].reason != WEFT_JOB_EXITED || disk.jobs[id].status);
}

int
ledger_add_job (struct ledger *self, const struct ledger_job *job, uint64_t *ticket)
{
    assert_true (job->id <= SIM_IDS && job->spec_size <= sizeof self->jobs->spec);
    assert_int_equal (job->id, ++self->highest);
    memcpy (self->jobs[job->id].spec, job->spec, job->spec_size);
    self->jobs[job->id].hashed = job->hash;
    self->jobs[job->id].again = 0;
    if (job->hash)
        memcpy (self->jobs[job->id].hash, job->hash, 16);
    if (job->retries) {
        assert_true (ended_badly (job->retries));
        assert_int_equal (self->jobs[job->retries].again, 0);       /*  no second one */
        self->jobs[job->retries].again = job->id;
    }
    self->jobs[job->id].size = job->spec_size;
    self->jobs[job->id].tag = job->tag;
    self->jobs[job->id].priority = job->priority;
    return add ((struct operation) { .kind = ADD_JOB, .id = job->id }, ticket);
}

/*  Takes its place in the line, and nobody reads it. */
int
ledger_add_start (struct ledger *self, const struct ledger_result *start, uint64_t *ticket)
{
    (void) self;
    return add ((struct operation) { .kind = ADD_START, .id = start->job }, ticket);
}

int
ledger_add_retry (struct ledger *self, const struct ledger_result *attempt, uint64_t *ticket)
{
    (void) self;
    struct operation op = { .kind = ADD_RETRY, .id = attempt->job, .attempt = attempt->attempt,
                            .reason = attempt->reason, .status = attempt->status };
    return add (op, ticket);
}

int
ledger_add_result (struct ledger *self, const struct ledger_result *result, uint64_t *ticket)
{
    (void) self;
    struct operation op = { .kind = ADD_RESULT, .id = result->job, .attempt = result->attempt,
                            .reason = result->reason, .status = result->status,
                            .bytes = result->received };
    snprintf (op.place, sizeof op.place, "%s", result->output ? result->output : "");
    return add (op, ticket);
}

int
ledger_add_piece (struct ledger *self, const struct ledger_piece *piece, uint64_t *ticket)
{
    (void) self;
    struct operation op = { .kind = ADD_PIECE, .id = piece->job, .attempt = piece->attempt,
                            .report = piece->report, .bytes = piece->bytes };
    snprintf (op.place, sizeof op.place, "%s", piece->place);
    return add (op, ticket);
}

int
ledger_find_pieces (struct ledger *self, uint64_t job, int64_t attempt, struct ledger_pieces *pieces)
{
    disk_commit (OPERATIONS);
    *pieces = (struct ledger_pieces) { .report = 0 };
    for (size_t i = 0; i < self->pieces_count; i++) {
        const struct operation *piece = &self->pieces[i];
        if (piece->id != job || piece->attempt != attempt)
            continue;
        pieces->bytes += piece->bytes;
        if (piece->report > pieces->report) {
            pieces->report = piece->report;
            strcpy (pieces->place, piece->place);
        }
    }
    return 0;
}

int
ledger_add_dealt (struct ledger *self, uint64_t id, uint64_t *ticket)
{
    (void) self;
    return add ((struct operation) { .kind = ADD_DEALT, .id = id }, ticket);
}

uint64_t
ledger_durable (const struct ledger *self)
{
    return self->durable;
}

enum ledger_state
ledger_state (const struct ledger *self)
{
    (void) self;
    return LEDGER_OPEN;
}

const char *
ledger_trouble (struct ledger *self, char *text, size_t size)
{
    (void) self;
    (void) size;
    return text;
}

void
ledger_counters (struct ledger *self, struct ledger_counters *counters)
{
    (void) self;
    *counters = (struct ledger_counters) { 0 };
}

const struct histogram *
ledger_times (const struct ledger *self)
{
    (void) self;
    return NULL;
}

int
ledger_fd (const struct ledger *self)
{
    (void) self;
    return -1;
}

int
ledger_load (struct ledger *self, int priority, uint64_t after, uint64_t limit, ledger_take_fn *take, void *arg)
{
    int taken = 0;
    disk_commit (sim_chance (sim_world, 2) ? OPERATIONS : 0);       /*  a full disk commits nothing */
    for (uint64_t id = after + 1; id <= self->accepted && (uint64_t) taken < limit; id++) {
        if (self->jobs[id].results || (priority != LEDGER_ANY && priority != self->jobs[id].priority))
            continue;
        struct ledger_open_job open = {
            .job = { .id = id, .priority = self->jobs[id].priority, .tag = self->jobs[id].tag,
                     .spec = self->jobs[id].spec, .spec_size = self->jobs[id].size, .hash = self->jobs[id].hash },
            .attempts = self->jobs[id].attempts, .failures = self->jobs[id].failures, .losses = self->jobs[id].losses
        };
        int rc = take (arg, &open);
        if (rc < 0)
            return rc;
        taken++;
    }
    return taken;
}

int
ledger_levels (struct ledger *self, ledger_level_fn *take, void *arg)
{
    for (int priority = 0; priority < PRIORITIES; priority++)
        if (self->marks[priority])
            assert_int_equal (take (arg, self->marks[priority], priority, true), 0);
    for (uint64_t id = 1; id <= self->accepted; id++)
        if (!self->jobs[id].results)
            assert_int_equal (take (arg, id, self->jobs[id].priority, false), 0);
    return 0;
}

int
ledger_hashes (struct ledger *self, ledger_hash_fn *take, void *arg)
{
    for (uint64_t id = 1; id <= self->accepted; id++)
        if (self->jobs[id].hashed)
            assert_int_equal (take (arg, id, self->jobs[id].hash), 0);
    return (int) self->accepted;
}

int
ledger_failed (struct ledger *self, uint64_t after, uint64_t limit, ledger_take_fn *take, void *arg)
{
    int taken = 0;
    disk_commit (OPERATIONS);
    for (uint64_t id = after + 1; id <= self->accepted && (uint64_t) taken < limit; id++) {
        if (!ended_badly (id) || self->jobs[id].again || (limit != 1 && self->jobs[id].reason == WEFT_JOB_CANCELLED))
            continue;
        struct ledger_open_job open = {
            .job = { .id = id, .priority = self->jobs[id].priority, .tag = self->jobs[id].tag,
                     .spec = self->jobs[id].spec, .spec_size = self->jobs[id].size }
        };
        int rc = take (arg, &open);
        if (rc < 0)
            return rc;
        taken++;
    }
    return taken;
}

static uint64_t
last_of (uint64_t id)
{
    while (disk.jobs[id].again)
        id = disk.jobs[id].again;
    return id;
}

int
ledger_fate (struct ledger *self, uint64_t id, uint64_t *last, enum ledger_fate *fate)
{
    disk_commit (OPERATIONS);
    *fate = LEDGER_NO_JOB;
    if (id > self->accepted)
        return 0;
    *last = last_of (id);
    *fate = ended_badly (*last) ? LEDGER_ENDED_BADLY : self->jobs[*last].results ? LEDGER_ENDED_WELL : LEDGER_NOT_ENDED;
    return 0;
}

/* ---------------------------------------------------------------------- the caller */

struct caller {
    struct sim sim;
    bool kept;                      /*  with a ledger                               */
    uint64_t next;                  /*  the number of the next job to hand over     */
    uint64_t ids[SIM_JOBS + 1];     /*  by their numbers; 0: none, or lost with a head  */
    uint64_t accepted;              /*  as the head told                            */
    int told[SIM_IDS + 1];
    int overdue;                    /*  jobs that were stopped so                   */
    bool median;                    /*  who runs for too long is stopped            */
    int64_t delay, started;         /*  least between two starts; the last          */
    bool named[SIM_IDS + 1];       /*  cancelled by its name                       */
    bool taken[SIM_IDS + 1];       /*  ... and not passed over: no attempt follows */
    unsigned begun[SIM_IDS + 1];   /*  ... when it had been begun so often         */
    bool passed;                    /*  this head leaves jobs to the next one       */
    bool gentle;                    /*  nothing happens that could make a job run twice */
};

static void
start_head (struct caller *self)
{
    struct sim *sim = &self->sim;
    sim->pool = weft_pool_new (sim->weft);
    sim->sends_left = -1;
    sim->breaks = 0;
    self->next = 1;
    self->passed = false;
    for (int i = 1; self->kept && i <= SIM_JOBS; i++)
        if (self->ids[i] > disk.accepted)
            self->ids[i] = 0;
    for (uint64_t id = disk.accepted + 1; self->kept && id <= SIM_IDS; id++)
        self->named[id] = false;
    if (!self->kept)                    /*  it knows nothing of those before it, and is given all anew */
        memset (self->told, 0, sizeof self->told);
    assert_int_equal (weft_pool_set (sim->pool, "retries", "2"), 0);
    assert_int_equal (weft_pool_set (sim->pool, "crash-limit", self->sim.seed % 2 ? "1" : "1000"), 0);
    assert_int_equal (weft_pool_set (sim->pool, "queue", self->kept && self->sim.seed % 3 ? "4" : "100"), 0);
    self->median = !self->gentle && sim->seed % 3 == 0;
    assert_int_equal (weft_pool_set (sim->pool, "timeout-percent", self->median ? "150" : "0"), 0);
    self->delay = self->gentle && !self->kept && sim->seed % 4 == 0 ? 100 * TIME_MS : 0;
    assert_int_equal (weft_pool_set (sim->pool, "delay", self->delay ? "100ms" : "0"), 0);
    if (self->gentle)                   /*  a HELLO that is lost is said again only after 5 s */
        assert_int_equal (weft_pool_set (sim->pool, "reattach", "60s"), 0);
    if (self->kept) {
        assert_int_equal (weft_pool_set (sim->pool, "ledger", "memory"), 0);
        assert_int_equal (weft_pool_set (sim->pool, "resume", "yes"), 0);
        assert_int_equal (weft_pool_set (sim->pool, "outputs", folder_path ("outputs")), 0);
    }
    if (weft_pool_bind (sim->pool, "inproc://head"))
        fail_msg ("%s", weft_error ());
}

static void
hand_over (struct caller *self)
{
    char command[32];
    uint64_t id;
    for (uint64_t count = sim_pick (&self->sim, 4); count && self->next <= SIM_JOBS; count--) {
        snprintf (command, sizeof command, "job %llu", (unsigned long long) self->next);
        int rc = weft_pool_submit (self->sim.pool, &(weft_job_t) { .command = command, .tag = self->next,
                                                                  .priority = (int) self->next * 7 % PRIORITIES,
                                                                  .cores = self->next % 5 ? 0 : 2,
                                                                  .memory = self->next % 4 ? 0 : 60 }, &id);
        if (rc == WEFT_EAGAIN)
            return;
        assert_int_equal (rc, 0);
        if (self->ids[self->next])                  /*  known from before */
            assert_int_equal (id, self->ids[self->next]);
        else
            assert_int_equal (id, self->kept ? disk.highest : self->next);
        self->ids[self->next++] = self->kept ? id : 0;
    }
}

/*  The highest id that this head has given, or found. */
static uint64_t
highest (const struct caller *self)
{
    return self->kept ? disk.highest : self->next - 1;
}

/*  One that ended badly, or all of them, are done again: each once. */
static void
retry (struct caller *self)
{
    uint64_t before = disk.highest, got = 0;
    uint64_t id = sim_chance (&self->sim, 4) ? 0 : 1 + sim_pick (&self->sim, before + 1);
    if (before >= 2 * SIM_JOBS)
        return;
    int rc = weft_pool_retry (self->sim.pool, id, &got);
    assert_true (rc == 0 || rc == WEFT_EAGAIN || rc == WEFT_EINVAL || rc == WEFT_ESTATE);
    if (rc == WEFT_EINVAL)
        assert_true (id > disk.accepted);
    else if (rc == WEFT_ESTATE)
        assert_false (ended_badly (last_of (id)));
    else if (rc == 0 && id == 0)
        assert_int_equal (got, disk.highest - before);
    else if (rc == 0) {
        assert_int_equal (got, before + 1);
        assert_int_equal (last_of (id), got);
    }
}

/*  A head that crashes may have taken it and told nobody. */
static void
cancel_one (struct caller *self)
{
    uint64_t id = 1 + sim_pick (&self->sim, highest (self) + 2);
    bool running = sim_chance (&self->sim, 2);
    int rc = weft_pool_cancel_job (self->sim.pool, sim_chance (&self->sim, 20) ? id = 0 : id, running);
    assert_true (rc == 0 || rc == WEFT_EEND || rc == WEFT_EINVAL || (rc == WEFT_ESTATE && !running));
    if (rc == WEFT_EINVAL)
        assert_true (self->kept ? id > disk.accepted : id >= self->next);
    if (rc)
        return;
    for (uint64_t i = id ? id : 1; i <= (id ? id : highest (self)); i++) {
        if (!self->taken[i])
            self->begun[i] = self->sim.runs[i];
        self->named[i] = true;
        self->taken[i] |= id || running;
    }
}

static void
take_done (struct caller *self, const weft_pool_event_t *event)
{
    assert_in_range (event->job, 1, highest (self));
    assert_int_equal (event->tag, self->kept ? disk.jobs[event->job].tag : event->job);
    if (self->passed && event->reason == WEFT_JOB_CANCELLED && !event->data)
        return;                         /*  no end: the next head goes on */
    assert_int_equal (self->told[event->job]++, 0);
    assert_true (event->reason != WEFT_JOB_TIMEOUT || self->median);
    self->overdue += event->reason == WEFT_JOB_TIMEOUT;
    if (event->reason == WEFT_JOB_EXITED && event->status == 0)
        assert_true (self->sim.succeeded[event->job]);
    if (event->reason == WEFT_JOB_CANCELLED && event->data)
        assert_true (self->named[event->job]);
    if (!self->kept)
        return;
    assert_int_equal (disk.jobs[event->job].results, 1);                /*  durable first */
    assert_int_equal (disk.jobs[event->job].status, event->status);
    assert_int_equal (disk.jobs[event->job].reason, event->reason);
}

static void
take_started (struct caller *self)
{
    int64_t now = self->sim.clock.time;
    assert_true (!self->delay || !self->started || now - self->started >= self->delay);
    self->started = now;
}

/*  WEFT_EEND when the pool has ended. */
static int
run_head (struct caller *self, int events)
{
    weft_pool_event_t event;
    int rc = 0;
    while (events-- && (rc = weft_pool_next (self->sim.pool, &event, 0)) == 0) {
        if (event.kind == WEFT_POOL_DONE)
            take_done (self, &event);
        else if (event.kind == WEFT_POOL_STARTED)
            take_started (self);
        else if (event.kind == WEFT_POOL_ACCEPTED) {
            assert_true (event.job <= disk.accepted);
            self->accepted = event.job > self->accepted ? event.job : self->accepted;
        }
    }
    assert_true (rc == 0 || rc == WEFT_EAGAIN || rc == WEFT_EEND);
    return rc;
}

/*  The ledger knew before that it might be: else the next head would not wait for who has it. And it knows how the
 *  attempts before it ended: else the next head would hear of that when it has this one, and not count it. */
static void
check_given (uint64_t job, int64_t attempt)
{
    assert_true (job <= disk.marks[disk.jobs[job].priority]);
    for (uint64_t i = 0; i < disk.count; i++) {
        const struct operation *op = &disk.queue[(disk.first + i) % OPERATIONS];
        if (op->kind == ADD_RETRY && op->id == job)
            assert_true (op->attempt >= POOL_ATTEMPT_NUMBER (attempt));
    }
}

/*  It crashes, or the caller has enough of it. */
static void
end_head (struct caller *self, bool crashes)
{
    struct sim *sim = &self->sim;
    if (crashes) {
        sim->sends_left = (int) sim_pick (sim, 5);
        run_head (self, 5);
        sim->sends_left = 0;
        disk.crashed = true;
    }
    weft_pool_destroy (&sim->pool);
    assert_true (disk.accepted >= self->accepted);
    for (int i = 0; i < SIM_WORKERS; i++) {
        sim_break (&sim->workers[i]);
        sim_queue_clear (&sim->workers[i].up[0]);
        sim_queue_clear (&sim->workers[i].up[1]);
    }
}

/* ----------------------------------------------------------------------- the world */

static int64_t
some_time (struct sim *sim)
{
    return (int64_t) sim_pick (sim, (uint64_t) sim->faults.outage / TIME_MS + 1) * TIME_MS;
}

static void
harm_worker (struct sim *sim, struct sim_worker *worker)
{
    if (sim_chance (sim, sim->faults.cut)) {
        sim_break (worker);
        worker->connect_at = sim->clock.time + some_time (sim);
    }
    if (sim_chance (sim, sim->faults.partition)) {
        worker->silent = true;
        worker->heal_at = sim->clock.time + some_time (sim);
    }
    if (worker->alive && sim_chance (sim, sim->faults.worker_crash))
        sim_worker_crash (worker);
    if (sim_chance (sim, sim->faults.worker_stop))
        worker->stopped_until = sim->clock.time + some_time (sim);
}

static void
run_worker (struct sim *sim, struct sim_worker *worker)
{
    int64_t now = sim->clock.time;
    harm_worker (sim, worker);
    if (worker->silent && now >= worker->heal_at)
        worker->silent = false;
    if (!worker->alive && sim->pool && sim_chance (sim, 10))
        sim_worker_start (sim, worker);
    if (worker->alive && !worker->connected && sim->pool && now >= worker->connect_at)
        sim_connect (worker);
    if (worker->alive && now >= worker->stopped_until)
        sim_worker_turn (worker);
}

static void
step (struct caller *self)
{
    static const int64_t leaps[] = { 1, 20, 20, 300, 300, 2000 };
    struct sim *sim = &self->sim;
    sim->clock.time += (int64_t) (1 + sim_pick (sim, (uint64_t) leaps[sim_pick (sim, 6)])) * TIME_MS;
    if (!sim->pool && sim_chance (sim, 4))
        start_head (self);
    for (int i = 0; i < SIM_WORKERS; i++)
        run_worker (sim, &sim->workers[i]);
    disk_commit (sim_chance (sim, 2) ? OPERATIONS : sim_pick (sim, 4));
    if (sim->pool && sim_chance (sim, sim->faults.head_stop))
        sim->head_stopped_until = sim->clock.time + some_time (sim);
    if (!sim->pool || sim->clock.time < sim->head_stopped_until)
        return;
    hand_over (self);
    if (sim_chance (sim, sim->faults.cancel_one))
        cancel_one (self);
    if (self->kept && sim_chance (sim, sim->faults.retry))
        retry (self);
    if (sim_chance (sim, sim->faults.cancel)) {
        self->passed = self->kept;
        assert_int_equal (weft_pool_cancel (sim->pool, sim_chance (sim, 2)), 0);
    }
    run_head (self, 1 + (int) sim_pick (sim, 30));
    if (sim_chance (sim, sim->faults.head_crash))
        end_head (self, true);
    else if (self->passed && sim_chance (sim, 10))
        end_head (self, sim_chance (sim, 2));
}

static bool
all_told (const struct caller *self)
{
    if (!self->sim.pool)
        return false;
    for (int i = 1; i <= SIM_JOBS; i++)
        if (self->kept ? !self->ids[i] : self->told[i] != 1)
            return false;
    for (uint64_t id = 1; self->kept && id <= disk.highest; id++)
        if (disk.jobs[id].results != 1)
            return false;
    return true;
}

/*  Nothing fails any more: all must come to its end. */
static void
make_peace (struct caller *self)
{
    struct sim *sim = &self->sim;
    memset (&sim->faults, 0, sizeof sim->faults);
    for (int i = 0; i < SIM_WORKERS; i++) {
        sim->workers[i].stopped_until = sim->workers[i].connect_at = sim->workers[i].heal_at = 0;
        sim->workers[i].silent = false;
    }
    sim->head_stopped_until = 0;
    if (self->passed && sim->pool)
        end_head (self, false);
    for (int i = 0; i < PEACE && !all_told (self); i++)
        step (self);
    assert_true (all_told (self));
    weft_pool_finish (sim->pool);
    int rc = 0;
    for (int i = 0; i < PEACE && rc != WEFT_EEND; i++) {
        sim->clock.time += 100 * TIME_MS;
        disk_commit (OPERATIONS);
        rc = run_head (self, 100);
    }
    assert_int_equal (rc, WEFT_EEND);
}

struct reading {
    struct outputfile file;
    unsigned bytes;
};

static int
take_output (void *arg, const struct output_record *record)
{
    struct reading *reading = arg;
    for (size_t i = 0; i < record->size; i++)
        assert_int_equal (record->data[i], SIM_BYTE (reading->bytes++));
    return 0;
}

/*  What the attempt that counts has written is there, each byte once and in order, whoever was killed meanwhile, and
 *  whoever else was given the job. */
static void
check_output (uint64_t id)
{
    struct reading reading = { .bytes = 0 };
    const char *folder = folder_path ("outputs");
    int64_t attempt = 0;
    const char *last = disk.jobs[id].place;
    for (size_t i = 0; i < disk.pieces_count; i++)
        if (disk.pieces[i].id == id && strcmp (disk.pieces[i].place, last) == 0)
            attempt = disk.pieces[i].attempt;
    for (size_t i = 0; i < disk.pieces_count && attempt; i++)
        if (disk.pieces[i].id == id && disk.pieces[i].attempt == attempt
            && outputfile_read (&reading.file, folder, disk.pieces[i].place, id, take_output, &reading))
            fail_msg ("%s", weft_error ());
    if (!attempt && *last && outputfile_read (&reading.file, folder, last, id, take_output, &reading))
        fail_msg ("%s", weft_error ());
    if (disk.jobs[id].reason == WEFT_JOB_EXITED)
        assert_int_equal (reading.bytes, disk.jobs[id].received);
    outputfile_close (&reading.file);
}

static void
check (struct caller *self)
{
    assert_true (highest (self) >= SIM_JOBS);
    for (uint64_t i = 1; i <= highest (self); i++) {
        if (self->kept) {
            assert_int_equal (disk.jobs[i].results, 1);
            assert_true (self->told[i] <= 1);
            check_output (i);
        }
        else
            assert_int_equal (self->told[i], 1);
        if (self->taken[i] && !self->kept)
            assert_in_range (self->sim.runs[i], 0, self->begun[i] + SIM_WORKERS);
        /*  A head may crash when it has had an attempt stopped, and before that is on disk. */
        if (self->gentle && !(self->kept && self->named[i]))
            assert_in_range (self->sim.runs[i], self->named[i] ? 0 : 1, 1 + self->sim.failed[i]);
    }
}

/* ---------------------------------------------------------------------- histories */

static uint64_t seed;       /*  of the history that runs: for who must repeat it */

static void
tell_log (void *arg, int level, const char *text)
{
    struct sim *sim = arg;
    (void) level;
    print_message ("%lld ms: %s\n", (long long) (sim->clock.time / TIME_MS), text);
}

static void
play (uint64_t number, const struct sim_faults *faults, bool kept, bool gentle)
{
    struct caller *self = calloc (1, sizeof *self);
    struct sim *sim = &self->sim;
    memset (&disk, 0, sizeof disk);
    assert_int_equal (folder_make (NULL), 0);
    sim_world = sim;
    sim->seed = number * 0x9e3779b97f4a7c15;
    sim->faults = *faults;
    clock_fake_init (&sim->clock, TIME_S);
    sim->weft = context_new (&sim_engine, &sim->clock.clock);
    if (getenv ("WEFT_SEED"))
        weft_set_log (sim->weft, tell_log, sim);
    self->kept = kept;
    sim->given = kept ? check_given : NULL;
    self->gentle = gentle;
    for (int i = 0; i < SIM_WORKERS; i++) {
        for (int j = 0; j < 2; j++) {
            sim_queue_init (&sim->workers[i].up[j]);
            sim_queue_init (&sim->workers[i].down[j]);
        }
        sim_worker_start (sim, &sim->workers[i]);
    }
    start_head (self);
    for (int i = 0; i < STEPS; i++)
        step (self);
    make_peace (self);
    check (self);
    weft_pool_destroy (&sim->pool);
    for (int i = 0; i < SIM_WORKERS; i++) {
        if (sim->workers[i].alive)
            sim_worker_crash (&sim->workers[i]);
        sim_queue_clear (&sim->workers[i].up[0]);
        sim_queue_clear (&sim->workers[i].down[0]);
    }
    assert_int_equal (weft_destroy (&sim->weft), 0);
    assert_int_equal (folder_remove (), 0);
    free (self);
}

static int
tell_seed (void **state)
{
    (void) state;
    if (seed)
        print_error ("seed %llu; again: WEFT_SEED=%llu build/test_pool_history\n", (unsigned long long) seed,
                     (unsigned long long) seed);
    return 0;
}

static void
play_all (const struct sim_faults *faults, bool kept, bool gentle)
{
    const char *chosen = getenv ("WEFT_SEED");
    uint64_t first = chosen ? strtoull (chosen, NULL, 10) : 1, last = chosen ? first : HISTORIES;
    for (seed = first; seed <= last; seed++)
        play (seed, faults, kept, gentle);
    seed = 0;
}

/*  Links break for less than the head waits, and messages are lost, repeated and late: no job runs twice. */
static void
test_links_fail (void **state)
{
    (void) state;
    play_all (&(struct sim_faults) { .lose = 30, .repeat = 20, .cut = 25, .outage = 2 * TIME_S }, false, true);
}

/*  The head is killed besides. Its workers live, and it is back in time. */
static void
test_head_crashes (void **state)
{
    (void) state;
    play_all (&(struct sim_faults) { .lose = 0, .repeat = 20, .cut = 50, .head_crash = 30, .outage = 500 * TIME_MS },
              true, true);
}

/*  Jobs fail and are tried again; a head that comes after has to hear all of that before it tries once more. */
static void
test_head_crashes_and_jobs_fail (void **state)
{
    (void) state;
    play_all (&(struct sim_faults) { .repeat = 20, .cut = 50, .head_crash = 15, .fail = 2, .outage = 500 * TIME_MS },
              true, true);
}

static void
test_workers_fail (void **state)
{
    (void) state;
    play_all (&(struct sim_faults) { .lose = 40, .repeat = 20, .cut = 30, .partition = 60, .worker_crash = 60,
                                     .worker_stop = 60, .head_stop = 60, .fail = 5, .outage = 20 * TIME_S },
              false, false);
}

/*  Heads without a ledger follow one another: to the workers each is another pool. */
static void
test_other_heads (void **state)
{
    (void) state;
    play_all (&(struct sim_faults) { .lose = 40, .repeat = 20, .cut = 30, .worker_crash = 100, .head_crash = 40,
                                     .fail = 5, .outage = 2 * TIME_S },
              false, false);
}

static void
test_cancelled (void **state)
{
    (void) state;
    play_all (&(struct sim_faults) { .lose = 40, .repeat = 20, .cut = 30, .partition = 60, .worker_crash = 60,
                                     .fail = 5, .cancel = 60, .outage = 20 * TIME_S },
              false, false);
}

/*  Jobs are taken back by their names. No attempt follows but those that workers had already, perhaps
 *  for long and out of our sight. */
static void
test_cancelled_by_name (void **state)
{
    (void) state;
    play_all (&(struct sim_faults) { .lose = 30, .repeat = 20, .cut = 25, .cancel_one = 6, .outage = 2 * TIME_S },
              false, true);
    play_all (&(struct sim_faults) { .lose = 40, .repeat = 20, .cut = 30, .partition = 60, .worker_crash = 60,
                                     .fail = 5, .cancel_one = 6, .outage = 20 * TIME_S },
              false, false);
    play_all (&(struct sim_faults) { .repeat = 20, .cut = 50, .head_crash = 30, .cancel_one = 6,
                                     .outage = 500 * TIME_MS },
              true, true);
}

static void
test_everything_fails (void **state)
{
    (void) state;
    play_all (&(struct sim_faults) { .lose = 40, .repeat = 20, .cut = 30, .partition = 60, .worker_crash = 60,
                                     .worker_stop = 60, .head_crash = 40, .head_stop = 60, .fail = 5,
                                     .cancel_one = 40, .outage = 20 * TIME_S },
              true, false);
}

/*  What failed is done again while all that goes on, by a head that may leave the rest to the next one. */
static void
test_done_again (void **state)
{
    (void) state;
    play_all (&(struct sim_faults) { .repeat = 20, .cut = 50, .head_crash = 30, .fail = 2, .cancel_one = 40,
                                     .retry = 10, .outage = 500 * TIME_MS },
              true, true);
    play_all (&(struct sim_faults) { .lose = 40, .repeat = 20, .cut = 30, .partition = 60, .worker_crash = 60,
                                     .worker_stop = 60, .head_crash = 40, .head_stop = 60, .fail = 3, .cancel = 60,
                                     .cancel_one = 60, .retry = 10, .outage = 20 * TIME_S },
              true, false);
    /*  What a worker tells of a job that its head has left to the next one is that one's to count. */
    play_all (&(struct sim_faults) { .lose = 4, .repeat = 20, .cut = 8, .cancel = 25, .outage = 3 * TIME_S },
              true, false);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown (test_links_fail, tell_seed),
        cmocka_unit_test_teardown (test_head_crashes, tell_seed),
        cmocka_unit_test_teardown (test_head_crashes_and_jobs_fail, tell_seed),
        cmocka_unit_test_teardown (test_workers_fail, tell_seed),
        cmocka_unit_test_teardown (test_other_heads, tell_seed),
        cmocka_unit_test_teardown (test_cancelled, tell_seed),
        cmocka_unit_test_teardown (test_cancelled_by_name, tell_seed),
        cmocka_unit_test_teardown (test_everything_fails, tell_seed),
        cmocka_unit_test_teardown (test_done_again, tell_seed),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
