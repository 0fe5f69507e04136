/*  slurm.c - workers on nodes that Slurm gives: one pilot job after another, as long as there is work */

#include "cli/slurm.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/piped.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/file.h"
#include "core/thread.h"

#define LOOK_FIRST (TIME_S / 4)         /*  between looks at the queue; then twice as long, and so on */
#define LOOK_LONGEST (10 * TIME_S)
#define ANSWER (60 * TIME_S)            /*  Slurm's controller may be busy                  */
#define SUBMISSION (180 * TIME_S)       /*  what is cut off may be in the queue still       */
#define OUTPUT_MAX (256 * 1024)
#define LINES_MAX 20                    /*  of a pilot's output that are shown              */
#define FAILURES_MAX 3                  /*  pilots in a row of which no worker came         */
#define REASON_MAX 80

enum pilot_state {
    PILOT_WAITS,
    PILOT_RUNS,
    PILOT_ENDED,
    PILOT_UNKNOWN               /*  Slurm does not answer now           */
};

/* ------------------------------------------------------------- Slurm's programs */

/*  What they wrote is a C string in out and err, which the caller frees in any case. */
static int
ask (char *const *argv, struct buffer *out, struct buffer *err, int64_t limit)
{
    buffer_init (out, OUTPUT_MAX);
    buffer_init (err, OUTPUT_MAX);
    return piped_run (argv, out, err, limit, -1);
}

static void
say_lines (struct slurm *self, bool error, const char *who, char *text)
{
    for (char *line; (line = strsep (&text, "\n")); )
        if (*line)
            talk_say (self->talk, error, "%s: %s", who, line);
}

/*  "12", or "12;cluster". */
static bool
take_id (struct slurm *self, const char *text)
{
    size_t size = strspn (text, "0123456789");
    if (size == 0 || size >= SLURM_ID_MAX)
        return false;
    pthread_mutex_lock (&self->lock);
    memcpy (self->id, text, size);
    self->id[size] = '\0';
    self->came = self->there = 0;
    self->slots = 0;
    pthread_mutex_unlock (&self->lock);
    return true;
}

static bool
submit (struct slurm *self)
{
    struct buffer out, err;
    char output[KEY_PATH_MAX + 80];
    snprintf (output, sizeof output, "--output=%s", pilot_output (&self->pilot, "%j"));
    char *argv[] = { "sbatch", "--parsable", output, (char *) (uintptr_t) pilot_script (&self->pilot), NULL };
    int status = ask (argv, &out, &err, SUBMISSION);
    bool good = status == 0 && take_id (self, buffer_data (&out));
    if (status < 0)
        talk_say (self->talk, true, "%s (is Slurm installed here?)", weft_error ());
    else {
        say_lines (self, !good, "slurm", buffer_data (&err));
        if (good)
            talk_say (self->talk, false, "slurm job %s: submitted, for %lld node%s", self->id,
                      (long long) self->config.nodes, self->config.nodes == 1 ? "" : "s");
        else
            talk_say (self->talk, true, "slurm did not take the job (sbatch: status %d%s)", status,
                      status > 128 ? "; it was ended since it did not answer: is the job in squeue?" : "");
    }
    buffer_free (&out);
    buffer_free (&err);
    return good;
}

static void
cancel (struct slurm *self)
{
    struct buffer out, err;
    char *argv[] = { "scancel", self->id, NULL };
    int status = ask (argv, &out, &err, ANSWER);
    if (status != 0)
        talk_say (self->talk, true, "slurm job %s could not be cancelled: %s", self->id,
                  status < 0 ? weft_error () : buffer_data (&err));
    buffer_free (&out);
    buffer_free (&err);
}

/*  "STATE|REASON" of squeue; reason gets the second. */
static enum pilot_state
read_state (const char *text, char reason[REASON_MAX])
{
    static const char *const running[] = { "RUNNING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT" };
    static const char *const waiting[] = { "PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD",
                                           "RESV_DEL_HOLD", "SPECIAL_EXIT", "RESIZING" };
    size_t size = strcspn (text, "|\n");
    snprintf (reason, REASON_MAX, "%.*s", (int) strcspn (text + size + (text[size] == '|'), "\n"),
              text + size + (text[size] == '|'));
    for (size_t i = 0; i < sizeof running / sizeof *running; i++)
        if (strlen (running[i]) == size && memcmp (text, running[i], size) == 0)
            return PILOT_RUNS;
    for (size_t i = 0; i < sizeof waiting / sizeof *waiting; i++)
        if (strlen (waiting[i]) == size && memcmp (text, waiting[i], size) == 0)
            return PILOT_WAITS;
    return PILOT_ENDED;
}

/*  `reason` is Slurm's word for why it waits, or how it ended. */
static enum pilot_state
look (struct slurm *self, char reason[REASON_MAX])
{
    struct buffer out, err;
    enum pilot_state state = PILOT_UNKNOWN;
    char *argv[] = { "squeue", "-h", "-t", "all", "-o", "%T|%r", "-j", self->id, NULL };
    int status = ask (argv, &out, &err, ANSWER);
    if (status == 0)
        state = read_state (buffer_data (&out), reason);
    else if (status > 0 && strstr (buffer_data (&err), "Invalid job id"))
        state = PILOT_ENDED;
    if (state == PILOT_ENDED)
        snprintf (reason, REASON_MAX, "%.*s", (int) strcspn (buffer_data (&out), "|\n"), buffer_data (&out));
    buffer_free (&out);
    buffer_free (&err);
    return state;
}

/* ------------------------------------------------------------------- a pilot's life */

/*  Until a time, a word from the main thread, or the end: then false. */
static bool
rest (struct slurm *self, int64_t wait)
{
    eventfd_t count;
    struct pollfd fds[] = { { .fd = self->stop, .events = POLLIN }, { .fd = self->wake, .events = POLLIN } };
    while (poll (fds, 2, clock_poll_ms (wait)) < 0 && errno == EINTR)
        continue;
    if (fds[1].revents)
        eventfd_read (self->wake, &count);
    return fds[0].revents == 0;
}

/*  What the pilot wrote, from its end. */
static void
say_output (struct slurm *self)
{
    struct buffer text;
    struct stat status;
    char who[SLURM_ID_MAX + 16];
    snprintf (who, sizeof who, "slurm job %s", self->id);
    buffer_init (&text, 0);
    if (file_read (pilot_output (&self->pilot, self->id), OUTPUT_MAX, &text, &status) == 0
        && buffer_terminate (&text) == 0) {
        char *from = buffer_data (&text) + buffer_size (&text);
        for (int lines = 0; from > buffer_data (&text) && lines <= LINES_MAX; )
            lines += *--from == '\n';
        say_lines (self, true, who, from);
    }
    buffer_free (&text);
}

/*  Watches it until it has ended: true; false when the run has. */
static bool
attend (struct slurm *self)
{
    char reason[REASON_MAX] = "", said[REASON_MAX] = "";
    int64_t wait = LOOK_FIRST;
    bool unknown = false;
    while (rest (self, wait)) {
        enum pilot_state state = look (self, reason);
        if (state == PILOT_ENDED) {
            talk_say (self->talk, false, "slurm job %s: has ended%s%s", self->id, *reason ? ", " : "", reason);
            return true;
        }
        if (state == PILOT_WAITS && strcmp (reason, "None") != 0 && strcmp (reason, said) != 0) {
            talk_say (self->talk, false, "slurm job %s: waits in the queue (%s)", self->id, reason);
            memcpy (said, reason, sizeof said);
        }
        if (state == PILOT_UNKNOWN && !unknown)
            talk_say (self->talk, true, "slurm does not answer; asking it again");
        unknown = state == PILOT_UNKNOWN;
        wait = wait < LOOK_LONGEST / 2 ? wait * 2 : LOOK_LONGEST;
        /*  The last of its workers has gone: its end is near. */
        pthread_mutex_lock (&self->lock);
        if (self->came && !self->there)
            wait = LOOK_FIRST;
        pthread_mutex_unlock (&self->lock);
    }
    return false;
}

static bool
wait_for_work (struct slurm *self)
{
    while (!self->work)
        if (!rest (self, TIME_FOREVER))
            return false;
    return rest (self, 0);
}

static void *
slurm_run (void *arg)
{
    struct slurm *self = arg;
    bool ever = false;
    for (int failures = 0; failures < FAILURES_MAX && wait_for_work (self); ) {
        if (!submit (self))
            break;
        bool ended = attend (self);
        if (!ended) {
            cancel (self);
            break;
        }
        pthread_mutex_lock (&self->lock);
        bool came = self->came > 0;
        self->id[0] = came ? '\0' : self->id[0];
        pthread_mutex_unlock (&self->lock);
        ever |= came;
        failures = came ? 0 : failures + 1;
        if (came)
            continue;
        say_output (self);
        talk_say (self->talk, true, "slurm job %s: no worker came of it", self->id);
        /*  What never worked would fail again. */
        if (!ever)
            break;
    }
    self->trying = false;
    talk_stir (self->talk);
    return NULL;
}

/* ------------------------------------------------------------ of the main thread */

int
slurm_start (struct slurm *self, const struct pilot_config *config, struct talk *talk)
{
    *self = (struct slurm){ .config = *config, .talk = talk, .wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK),
                            .stop = eventfd (0, EFD_CLOEXEC) };
    pthread_mutex_init (&self->lock, NULL);
    self->trying = true;
    self->started = true;
    int rc = self->wake < 0 || self->stop < 0 ? error_errno ("cannot watch Slurm") : 0;
    rc = rc ? rc : pilot_make (&self->pilot, &self->config);
    rc = rc ? rc : thread_start (&self->thread, 0, slurm_run, self);
    if (rc) {
        self->started = false;
        pilot_remove (&self->pilot);
    }
    return rc;
}

/*  Workers of the pilot are called NODE:JOB. */
void
slurm_event (struct slurm *self, const weft_pool_event_t *event)
{
    const char *colon = event->worker ? strrchr (event->worker, ':') : NULL;
    bool joined = event->kind == WEFT_POOL_JOINED;
    if (!self->started || !colon)
        return;
    pthread_mutex_lock (&self->lock);
    bool ours = strcmp (colon + 1, self->id) == 0, last = false;
    if (ours && joined) {
        self->came++;
        self->there++;
        self->slots += event->slots;
        last = self->came == self->config.nodes;
    } else if (ours && self->there)
        self->there--;
    bool empty = ours && !joined && !self->there;
    pthread_mutex_unlock (&self->lock);
    if (last)
        talk_say (self->talk, false, "slurm job %s: all its nodes are there, with %d slot%s", colon + 1, self->slots,
                  self->slots == 1 ? "" : "s");
    if (empty)
        eventfd_write (self->wake, 1);
}

void
slurm_work (struct slurm *self, bool work)
{
    if (!self->started || self->work == work)
        return;
    self->work = work;
    eventfd_write (self->wake, 1);
}

void
slurm_stop (struct slurm *self)
{
    if (!self->started)
        return;
    eventfd_write (self->stop, 1);
    pthread_join (self->thread, NULL);
    pilot_remove (&self->pilot);
    pthread_mutex_destroy (&self->lock);
    close (self->stop);
    close (self->wake);
    self->started = false;
}
