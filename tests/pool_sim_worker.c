/*  pool_sim_worker.c - a worker of a simulated pool: real sessions and reports, modelled jobs */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/pool_sim.h"
#include "tests/testing.h"

#define BEAT TIME_S
#define GREET_AGAIN (5 * TIME_S)

void
sim_worker_start (struct sim *sim, struct sim_worker *worker)
{
    worker->wire = (struct wire) { .engine = &sim_engine, .type = WIRE_DEALER };
    worker->sim = sim;
    worker->alive = true;
    worker->told_break = false;
    worker->instance = ++sim->instances;
    worker->count = 0;
    worker->slots = worker == sim->workers ? 2 : 1 + (int) sim_pick (sim, 2);     /*  one suits all jobs */
    snprintf (worker->route, sizeof worker->route, "worker-%llu", (unsigned long long) worker->instance);
    line_init (&worker->line, worker->instance, 1);
}

/*  What is under way from it may still arrive, but belongs to a routing id that nobody will have again. */
void
sim_worker_crash (struct sim_worker *worker)
{
    sim_break (worker);
    worker->alive = false;
    sim_queue_clear (&worker->up[1]);
    sim_queue_clear (&worker->down[1]);
    line_free (&worker->line);
}

static int64_t
now_of (const struct sim_worker *self)
{
    return self->sim->clock.time;
}

/* ------------------------------------------------------------------------ jobs */

static void
report (struct sim_worker *self, struct sim_job *job, int kind, int reason, int status)
{
    struct pool_record record = { .kind = kind, .job = job->id, .attempt = job->attempt, .slot = 1, .reason = reason,
                                  .status = status, .received = job->wrote };
    char byte = SIM_BYTE (job->wrote);
    if (kind == WEFT_POOL_OUTPUT) {
        record.stream = 1 + (int) (job->wrote++ % 5 == 3);
        record.data = (struct pool_bytes) { &byte, 1 };
    }
    assert_int_equal (outbox_add (&self->line.outbox, &record, now_of (self)), 0);
}

static void
drop_job (struct sim_worker *self, int place)
{
    memmove (&self->jobs[place], &self->jobs[place + 1], sizeof *self->jobs * (size_t) (--self->count - place));
}

static void
add_job (struct sim_worker *self, uint64_t id, int64_t attempt, struct pool_bytes bytes)
{
    struct pool_spec spec;
    struct pool_reader arguments;
    assert_int_equal (pool_get_spec (&spec, bytes, &arguments), 0);
    assert_true (self->count < SIM_HELD);
    if (self->sim->given)
        self->sim->given (id, attempt);
    for (int i = 0; i < self->count; i++)
        assert_false (self->jobs[i].id == id && self->jobs[i].attempt == attempt);
    int cores = spec.cores > 1 ? (int) spec.cores : 1;
    assert_true (cores <= self->slots && spec.memory <= SIM_MEMORY);         /*  else it would wait for ever here */
    self->jobs[self->count++] = (struct sim_job) { .id = id, .attempt = attempt, .cores = cores,
                                                   .memory = spec.memory };
}

static void
cancel_job (struct sim_worker *self, uint64_t id, int64_t attempt, bool running)
{
    for (int i = self->count - 1; i >= 0; i--) {
        struct sim_job *job = &self->jobs[i];
        if ((id && (job->id != id || job->attempt != attempt)) || (job->running && !running))
            continue;
        report (self, job, job->running ? WEFT_POOL_DONE : POOL_RECORD_RETURNED, WEFT_JOB_CANCELLED, 0);
        drop_job (self, i);
    }
}

static void
run_job (struct sim_worker *self, struct sim_job *job)
{
    job->report = 0;
    job->ends = now_of (self) + (int64_t) sim_pick (self->sim, 4) * 700 * TIME_MS;
    self->sim->runs[job->id]++;
}

/*  Every third job is a message. That its first attempt began is told late or never; another begins only when the head
 *  knows of it. */
static void
begin_job (struct sim_worker *self, struct sim_job *job)
{
    bool message = job->id % 3 == 0, first = POOL_ATTEMPT_NUMBER (job->attempt) == 1;
    job->running = true;
    job->untold = message && first;
    if (!job->untold)
        report (self, job, WEFT_POOL_STARTED, 0, 0);
    if (message && !first)
        job->report = self->line.outbox.next;
    else
        run_job (self, job);
}

/*  Told that it began, or known to have begun. */
static void
go_on (struct sim_worker *self, struct sim_job *job)
{
    if (job->report && outbox_acked (&self->line.outbox) >= job->report)
        run_job (self, job);
    if (job->untold && sim_chance (self->sim, 4)) {
        report (self, job, WEFT_POOL_STARTED, 0, 0);
        job->untold = false;
    }
}

static void
run_jobs (struct sim_worker *self)
{
    struct sim *sim = self->sim;
    int cores = 0;
    uint64_t memory = 0;
    for (int i = self->count - 1; i >= 0; i--) {
        struct sim_job *job = &self->jobs[i];
        if (job->running)
            go_on (self, job);
        if (job->running && !job->report && now_of (self) >= job->ends) {
            int status = sim_chance (sim, sim->faults.fail);
            if (sim_chance (sim, 2))
                report (self, job, WEFT_POOL_OUTPUT, 0, 0);
            report (self, job, WEFT_POOL_DONE, WEFT_JOB_EXITED, status);
            sim->succeeded[job->id] |= !status;
            sim->failed[job->id] += status != 0;
            drop_job (self, i);
        }
        else {
            cores += job->running ? job->cores : 0;
            memory += job->running ? job->memory : 0;
            for (int bytes = job->running && !job->report && sim_chance (sim, 3) ? 2 : 0; bytes; bytes--)
                report (self, job, WEFT_POOL_OUTPUT, 0, 0);
        }
    }
    for (int i = 0; i < self->count; i++) {
        struct sim_job *job = &self->jobs[i];
        if (job->running)
            continue;
        if (cores + job->cores > self->slots || memory + job->memory > SIM_MEMORY)
            break;
        begin_job (self, job);
        cores += job->cores;
        memory += job->memory;
    }
    for (int i = self->count - 1; i >= 0; i--)
        if (!self->jobs[i].running && sim_chance (sim, 40)) {
            report (self, &self->jobs[i], POOL_RECORD_RETURNED, 0, 0);
            drop_job (self, i);
        }
}

/* --------------------------------------------------------------------- the line */

static void
tell (struct sim_worker *self, struct buffer *body)
{
    if (pool_send (&self->wire, NULL, body, now_of (self)) == 0)
        self->sent = now_of (self);
}

static int64_t
window (const struct sim_worker *self)
{
    return self->slots + 2;
}

static void
say_hello (struct sim_worker *self)
{
    struct pool_hello hello = { .slots = self->slots, .heartbeat = BEAT / TIME_MS, .held = (uint32_t) self->count,
                                .memory = SIM_MEMORY,
                                .name = { self->route, strlen (self->route) }, .host = { "sim", 3 } };
    struct buffer body;
    buffer_init (&body, 0);
    self->greeted = now_of (self);
    assert_int_equal (line_hello (&self->line, &hello, window (self)), 0);
    assert_int_equal (pool_put_hello (&body, &hello), 0);
    for (int i = 0; i < self->count; i++)
        assert_int_equal (pool_put_held (&body, self->jobs[i].id, self->jobs[i].attempt, self->jobs[i].running), 0);
    assert_int_equal (pool_put_hello_end (&body, &hello), 0);
    tell (self, &body);
    buffer_free (&body);
}

static void
carry_out (struct sim_worker *self, struct pool_message *message)
{
    struct pool_bytes spec;
    uint64_t id;
    int64_t attempt;
    if (message->verb == POOL_CANCEL && !message->left)
        cancel_job (self, 0, 0, message->running);
    while (message->verb == POOL_JOBS && pool_next_job (message, &id, &attempt, &spec) == 1)
        add_job (self, id, attempt, spec);
    while (message->verb == POOL_CANCEL && pool_next_cancelled (message, &id, &attempt) == 1)
        cancel_job (self, id, attempt, message->running);
}

static void
take_message (struct sim_worker *self, const struct sim_message *bytes)
{
    struct pool_message message;
    uint64_t dropped;
    assert_int_equal (pool_decode (&message, bytes->data, bytes->size), 0);
    assert_int_not_equal (message.verb, POOL_REFUSED);
    if (message.verb == POOL_END)
        sim_worker_crash (self);
    else if (message.verb == POOL_WELCOME) {
        if (line_welcomed (&self->line, &message.welcome, &dropped) == LINE_OTHER)
            self->count = 0;
    }
    else {
        int rc = line_take (&self->line, &message);
        assert_true (rc >= 0);
        if (rc == LINE_TAKE)
            carry_out (self, &message);
    }
}

static void
speak (struct sim_worker *self)
{
    struct outbox *outbox = &self->line.outbox;
    if (self->line.state == LINE_GREETING && now_of (self) - self->greeted > GREET_AGAIN)
        self->line.state = LINE_SEEKING;
    if (self->line.state == LINE_SEEKING)
        say_hello (self);
    if (self->line.state != LINE_MEMBER)
        return;
    if (outbox->count && !sim_chance (self->sim, 3))
        assert_int_equal (outbox_seal (outbox, window (self)), 0);
    if (outbox_send (outbox, &self->wire) > 0)
        self->sent = now_of (self);
    else if (now_of (self) - self->sent >= BEAT) {
        struct buffer body;
        buffer_init (&body, 0);
        assert_int_equal (pool_put_heartbeat (&body, self->line.session, outbox_sent (outbox), 0), 0);
        tell (self, &body);
        buffer_free (&body);
    }
}

void
sim_worker_turn (struct sim_worker *self)
{
    struct sim_message *message;
    if (self->told_break && self->alive) {
        self->told_break = false;
        line_break (&self->line);
    }
    while (self->alive && (message = sim_take (self))) {
        take_message (self, message);
        free (message);
    }
    if (!self->alive)
        return;
    run_jobs (self);
    if (self->connected && !self->told_break)
        speak (self);
}
