/*  test_pool_tail.c - how a run ends: no slot is idle while a job waits elsewhere
 *
 *  A head's decisions and modelled workers, in time: messages take LATENCY, workers take in advance what short jobs
 *  ask for (as slots_window does), and what it all takes is compared with what no order could do better. */

#include <stdlib.h>

#include "core/clock.h"
#include "patterns/pool_dispatch.h"
#include "tests/testing.h"

enum { WORKERS = 8, SLOTS = 4, ALL = WORKERS * SLOTS, JOBS = 4000, PREFETCH = 16, MAIL = 4 * JOBS };

#define STEP (50 * TIME_US)
#define LATENCY (200 * TIME_US)
#define AHEAD (20 * TIME_MS)            /*  as LOOK_AHEAD of a worker           */
#define AFTER TIME_MS                   /*  as RETRACT_AFTER and _AGAIN of a head */
#define AGAIN (5 * TIME_MS)

struct mail {
    int64_t due;
    enum { MAIL_JOB, MAIL_BACK, MAIL_BEGAN, MAIL_ENDED, MAIL_RETURNED } kind;
    int worker;
    uint64_t job;
    int64_t attempt;
    int window;
};

struct place {
    struct dispatch_worker credit;
    struct { uint64_t job; int64_t attempt, ends; } held[2 * SLOTS * (PREFETCH + 1)];     /*  ends 0: it waits */
    int count, running;
    int under_way;                      /*  jobs that are on their way to it    */
    int64_t average;
};

struct world {
    struct dispatch dispatch;
    struct place places[WORKERS];
    struct mail mail[MAIL];             /*  in the order of their coming        */
    size_t first, last;
    int64_t now, retract_at, runtimes[JOBS + 1];
    int backs;                          /*  jobs that were asked back           */
    int64_t wasted, worst;              /*  for how long somebody has been idle for nothing; longest */
};

static void
post (struct world *self, struct mail mail)
{
    mail.due = self->now + LATENCY;
    self->mail[self->last++ % MAIL] = mail;
    assert_true (self->last - self->first < MAIL);
}

static int
window_of (const struct place *place)
{
    int64_t ahead = place->average < 0 ? 0 : place->average ? AHEAD / place->average : PREFETCH;
    return SLOTS * (1 + (int) (ahead < PREFETCH ? ahead : PREFETCH));
}

static void
drop (struct place *place, int at)
{
    place->held[at] = place->held[--place->count];
    for (int i = at; i + 1 < place->count; i++) {       /*  in their order */
        __typeof__ (*place->held) swapped = place->held[i];
        place->held[i] = place->held[place->count - 1];
        place->held[place->count - 1] = swapped;
    }
}

static void
run_place (struct world *self, int number)
{
    struct place *place = &self->places[number];
    for (int i = place->count - 1; i >= 0; i--)
        if (place->held[i].ends && place->held[i].ends <= self->now) {
            int64_t runtime = self->runtimes[place->held[i].job];
            place->average = place->average < 0 ? runtime : place->average + (runtime - place->average) / 8;
            post (self, (struct mail) { .kind = MAIL_ENDED, .worker = number, .job = place->held[i].job,
                                        .attempt = place->held[i].attempt, .window = window_of (place) });
            place->running--;
            drop (place, i);
        }
    for (int i = 0; i < place->count && place->running < SLOTS; i++)
        if (!place->held[i].ends) {
            place->held[i].ends = self->now + self->runtimes[place->held[i].job];
            place->running++;
            post (self, (struct mail) { .kind = MAIL_BEGAN, .worker = number, .job = place->held[i].job,
                                        .attempt = place->held[i].attempt });
        }
}

static void
take_mail (struct world *self, const struct mail *mail)
{
    struct place *place = &self->places[mail->worker];
    struct dispatch_end end = { .reason = WEFT_JOB_EXITED };
    const struct dispatch_job *job;
    switch (mail->kind) {
    case MAIL_JOB:
        place->under_way--;
        place->held[place->count].job = mail->job;
        place->held[place->count].attempt = mail->attempt;
        place->held[place->count++].ends = 0;
        break;
    case MAIL_BACK:
        for (int i = place->count - 1; i >= 0; i--)
            if (place->held[i].job == mail->job && !place->held[i].ends) {
                drop (place, i);
                post (self, (struct mail) { .kind = MAIL_RETURNED, .worker = mail->worker, .job = mail->job,
                                            .attempt = mail->attempt });
            }
        break;
    case MAIL_BEGAN:
        dispatch_began (&self->dispatch, &place->credit, mail->job, mail->attempt);
        break;
    case MAIL_ENDED:
        dispatch_set_window (&self->dispatch, &place->credit, mail->window);
        dispatch_ended (&self->dispatch, &place->credit, mail->job, mail->attempt, &end, &job);
        break;
    case MAIL_RETURNED:
        dispatch_returned (&self->dispatch, &place->credit, mail->job, mail->attempt);
    }
}

static void
run_head (struct world *self)
{
    struct dispatch_job *job;
    while ((job = dispatch_assign (&self->dispatch))) {
        int number = (int) (map_entry (job->worker, struct place, credit) - self->places);
        self->places[number].under_way++;
        post (self, (struct mail) { .kind = MAIL_JOB, .worker = number, .job = job->id, .attempt = job->attempt });
    }
    if (!dispatch_may_retract (&self->dispatch)) {
        self->retract_at = TIME_FOREVER;
        return;
    }
    bool first = self->retract_at == TIME_FOREVER;
    if (!first && self->now < self->retract_at)
        return;
    self->retract_at = self->now + (first ? AFTER : AGAIN);
    while (!first && (job = dispatch_retract (&self->dispatch))) {
        self->retract_at = self->now + AFTER;
        self->backs++;
        post (self, (struct mail) { .kind = MAIL_BACK, .job = job->id, .attempt = job->attempt,
                                    .worker = (int) (map_entry (job->worker, struct place, credit) - self->places) });
    }
}

/*  Is a slot without a job, and none under way to it, while elsewhere one waits for a slot? */
static void
watch (struct world *self)
{
    bool idle = false, waits = self->dispatch.queued > 0;
    for (int i = 0; i < WORKERS; i++) {
        const struct place *place = &self->places[i];
        idle |= place->running + place->under_way < SLOTS && place->count == place->running;
        waits |= place->count > place->running;
    }
    self->wasted = idle && waits ? self->wasted + STEP : 0;
    self->worst = self->wasted > self->worst ? self->wasted : self->worst;
}

/*  What all takes. */
static int64_t
play (struct world *self, int jobs)
{
    static const struct dispatch_limits limits = { .queue = JOBS, .queue_bytes = 1 << 20 };
    static const struct dispatch_wants wants = { .priority = 0 };
    uint64_t id;
    self->retract_at = TIME_FOREVER;
    assert_int_equal (dispatch_init (&self->dispatch, &limits), 0);
    for (int i = 0; i < WORKERS; i++) {
        self->places[i].average = -1;
        dispatch_join (&self->dispatch, &self->places[i].credit, SLOTS, SLOTS);
    }
    for (int i = 1; i <= jobs; i++)
        assert_int_equal (dispatch_submit (&self->dispatch, 0, &wants, "x", 1, &id), 0);
    for (; self->dispatch.jobs.count; self->now += STEP) {
        assert_true (self->now < 600 * TIME_S);
        while (self->first != self->last && self->mail[self->first % MAIL].due <= self->now)
            take_mail (self, &self->mail[self->first++ % MAIL]);
        run_head (self);
        for (int i = 0; i < WORKERS; i++)
            run_place (self, i);
        watch (self);
    }
    dispatch_free (&self->dispatch);
    return self->now;
}

/*  No order could do better than this, and none that leaves no slot idle is worse than this and the longest job. */
static int64_t
ideal (const struct world *self, int jobs, int64_t *longest)
{
    int64_t all = 0;
    *longest = 0;
    for (int i = 1; i <= jobs; i++) {
        all += self->runtimes[i];
        *longest = self->runtimes[i] > *longest ? self->runtimes[i] : *longest;
    }
    return all / ALL > *longest ? all / ALL : *longest;
}

static void
check (struct world *self, int jobs, const char *what)
{
    int64_t longest, best = ideal (self, jobs, &longest), took = play (self, jobs);
    int64_t most = best + longest + 10 * TIME_MS + best / 20;
    if (getenv ("WEFT_TAIL"))
        print_message ("%s: %.1f ms, ideal %.1f, longest %.1f; idle for nothing %.2f ms at most; %d asked back\n", what,
                       (double) took / TIME_MS, (double) best / TIME_MS, (double) longest / TIME_MS,
                       (double) self->worst / TIME_MS, self->backs);
    assert_true (took <= most);
    assert_true (self->worst <= AGAIN + AFTER + 4 * LATENCY);
    assert_true (self->backs <= ALL);           /*  little had been sent ahead */
    free (self);
}

/*  Short ones fill the workers' windows, and then long ones come. */
static void
test_long_ones_last (void **state)
{
    struct world *self = calloc (1, sizeof *self);
    (void) state;
    uint64_t random = 1;
    for (int i = 1; i <= JOBS; i++)
        self->runtimes[i] = (int64_t) (500 + random_next (&random) % 1000) * (i <= JOBS - ALL ? TIME_US : TIME_MS);
    check (self, JOBS, "long ones last");
}

static void
test_all_alike (void **state)
{
    (void) state;
    for (int ms = 1; ms <= 1000; ms *= 10) {
        struct world *self = calloc (1, sizeof *self);
        int jobs = ms < 100 ? JOBS - 7 : 10 * ALL + 5;
        for (int i = 1; i <= jobs; i++)
            self->runtimes[i] = ms * TIME_MS;
        check (self, jobs, "all alike");
    }
}

/*  One in twenty takes a hundred times as long, wherever it comes. */
static void
test_mixed (void **state)
{
    (void) state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct world *self = calloc (1, sizeof *self);
        uint64_t random = seed;
        for (int i = 1; i <= JOBS; i++)
            self->runtimes[i] = (int64_t) (1 + random_next (&random) % 3) * TIME_MS
                                * (random_next (&random) % 20 ? 1 : 100);
        check (self, JOBS, "mixed");
    }
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_long_ones_last),
        cmocka_unit_test (test_all_alike),
        cmocka_unit_test (test_mixed),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
