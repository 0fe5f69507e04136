/*  wire_zmq_zap.c - who may connect: a thread of each context answers libzmq's questions (ZAP 1.0, RFC 27)
 *
 *  ZAP's address is one a context, and CZMQ's zauth lives in CZMQ's own: so this is ours. Every wire
 *  has a domain of its own, by which the actor knows whose peer it is that asks. Clear text has one too: it is
 *  let in, but with a domain libzmq refuses whatever speaks ZMTP 1.0 or 2.0, which an HTTP request or an SSH
 *  banner would pass for.
 *
 *  The actor also looks at the lists of keys: wire_zmq_lists.c. */

#include "core/wire_zmq_zap.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "core/error.h"

#define ADDRESS "inproc://zeromq.zap.01"
#define LOOK_EVERY_MS 1000              /*  at the lists, should inotify not tell                   */
#define LOOK_SOON_MS 100                /*  at strangers, after some that had to be ended           */
#define QUIET_MS 20                     /*  at the end, for questions that are under way            */

enum { FIELD_MAX = 128 };

/* ----------------------------------------------------------------- questions */

struct field {
    char data[FIELD_MAX];               /*  with a NUL behind it        */
    size_t size;
};

/*  RFC 27: version, request id, domain, address, identity, mechanism, credentials. */
enum { VERSION, REQUEST_ID, WHERE, FROM, IDENTITY, MECHANISM, CREDENTIALS, FIELDS };

struct request {
    struct field fields[FIELDS];
    bool bad;
};

enum answer { LET_IN = 200, LATER = 300, DENIED = 400 };

/*  1, or 0 when there is none. */
static int
read_request (struct zap *self, struct request *request)
{
    int more = 1;
    *request = (struct request) { .bad = false };
    for (int i = 0; more; i++) {
        char rest[FIELD_MAX];
        size_t size = sizeof more;
        char *to = i < FIELDS ? request->fields[i].data : rest;
        int got = zmq_recv (self->socket, to, FIELD_MAX - 1, ZMQ_DONTWAIT);
        if (got < 0)
            return 0;
        if (i >= FIELDS || got >= FIELD_MAX)
            request->bad = true;
        else
            request->fields[i].size = (size_t) got;
        if (zmq_getsockopt (self->socket, ZMQ_RCVMORE, &more, &size))
            return 0;
        request->bad |= !more && i < MECHANISM;
    }
    return 1;
}

static void
write_answer (struct zap *self, const struct request *request, enum answer answer, const char *user)
{
    char code[8];
    const struct field *id = &request->fields[REQUEST_ID];
    const char *text = answer == LET_IN ? "OK" : answer == LATER ? "No room" : "Denied";
    snprintf (code, sizeof code, "%d", answer);
    zmq_send (self->socket, "1.0", 3, ZMQ_SNDMORE);
    zmq_send (self->socket, id->data, id->size, ZMQ_SNDMORE);
    zmq_send (self->socket, code, strlen (code), ZMQ_SNDMORE);
    zmq_send (self->socket, text, strlen (text), ZMQ_SNDMORE);
    zmq_send (self->socket, user, strlen (user), ZMQ_SNDMORE);
    zmq_send (self->socket, "", 0, 0);
}

/* ------------------------------------------------------------------- verdicts */

static enum answer
no_room (struct zap_domain *domain, const struct request *request)
{
    struct zap_denial denial = { .denied = false };
    snprintf (denial.text, sizeof denial.text, "turned away for now: there are %lld peers, as many as max-peers "
              "allows (from %s)", (long long) domain->max_peers, request->fields[FROM].data);
    zap_deny (domain, &denial);
    return LATER;
}

/*  libzmq's peers try again after "later", and never after "denied". */
static enum answer
judge_key (struct zap_domain *domain, const char *key, const struct request *request)
{
    struct zap_denial denial = { .denied = true, .probe = strcmp (key, domain->probe) == 0 };
    char name[KEY_NAME_MAX + 1] = "", words[ZAP_TEXT - FIELD_MAX - 32];
    enum allow_verdict verdict = ALLOW_CLOSED;
    if (denial.probe)
        strcpy (words, "the test of our own guard");
    else if (!domain->allow)
        strcpy (words, "nobody is let in: this listener has no list of keys (allow)");
    else if (zap_is_allowed (domain, key, name, &verdict)) {
        if (!zap_has_room (domain))
            return no_room (domain, request);
        if (zap_admit (domain, key))
            return LET_IN;
        strcpy (words, "out of memory");
    } else
        allow_explain (domain->allow, verdict, key, name, domain->peers ? domain->peers : "connect", words,
                       sizeof words);
    snprintf (denial.text, sizeof denial.text, "%s%s (from %s)", verdict == ALLOW_CLOSED ? "" : "not let in: ", words,
              request->fields[FROM].data);
    zap_deny (domain, &denial);
    return verdict == ALLOW_CLOSED && zap_was_admitted (domain, key) ? LATER : DENIED;
}

static enum answer
judge_clear (struct zap_domain *domain, const struct request *request)
{
    return zap_has_room (domain) ? LET_IN : no_room (domain, request);
}

/*  Under the lock. `user` gets the key as text. */
static enum answer
judge (struct zap *self, const struct request *request, char user[KEY_TEXT])
{
    bool out = false;
    const struct field *mechanism = &request->fields[MECHANISM], *key = &request->fields[CREDENTIALS];
    struct zap_domain *domain = zap_domain_of (self, request->fields[WHERE].data, &out);
    if (request->bad || strcmp (request->fields[VERSION].data, "1.0") != 0)
        return DENIED;
    if (!domain)                /*  libzmq closes a listener some time after its wire: the peer is to try again */
        return LATER;
    bool clear = strcmp (mechanism->data, "NULL") == 0;
    if (out)
        return clear ? LET_IN : DENIED;
    if (!domain->keyed)
        return clear ? judge_clear (domain, request) : DENIED;
    if (strcmp (mechanism->data, "CURVE") != 0 || key->size != 32)
        return DENIED;
    curve_encode (user, (const unsigned char *) key->data);
    enum answer answer = judge_key (domain, user, request);
    if (answer != LET_IN)
        user[0] = '\0';
    return answer;
}

/* ------------------------------------------------------------------ the thread */

static bool
take_request (struct zap *self)
{
    struct request request;
    char user[KEY_TEXT] = "";
    if (!read_request (self, &request))
        return false;
    if (strcmp (request.fields[MECHANISM].data, "CURVE") == 0)
        zap_look_at_lists (self);
    pthread_mutex_lock (&self->lock);
    enum answer answer = judge (self, &request, user);
    pthread_mutex_unlock (&self->lock);
    write_answer (self, &request, answer, user);
    return true;
}

static bool
drain (int fd)
{
    char rest[4096];
    bool some = false;
    while (fd >= 0 && read (fd, rest, sizeof rest) > 0)
        some = true;
    return some;
}

/*  Connections of wires that have closed may still be made, to deliver what lingers: whoever has
 *  asked by now gets an answer, and whoever would ask later finds that there is nobody to ask, which holds up
 *  none but those who connect to a listener, and there is no listener any more. */
static void
finish (struct zap *self)
{
    zmq_pollitem_t item = { .socket = self->socket, .events = ZMQ_POLLIN };
    zmq_unbind (self->socket, ADDRESS);
    do
        while (take_request (self))
            continue;
    while (!atomic_load (&self->hasty) && zmq_poll (&item, 1, QUIET_MS) > 0);
    zmq_close (self->socket);
}

/*  How long until the next look: soon when there was somebody. */
static int
look_at_strangers (struct zap *self)
{
    unsigned ended = 0;
    pthread_mutex_lock (&self->lock);
    for (struct zap_domain *domain = self->domains; domain; domain = domain->next)
        ended += zap_end_loud_strangers (domain);
    pthread_mutex_unlock (&self->lock);
    return ended ? LOOK_SOON_MS : LOOK_EVERY_MS;
}

static void *
zap_thread (void *arg)
{
    struct zap *self = arg;
    struct clock *clock = clock_system ();
    int64_t looked = clock_now (clock);
    int every = LOOK_EVERY_MS;
    while (!atomic_load (&self->stopping)) {
        pthread_mutex_lock (&self->lock);
        int timeout = self->keyed ? every : -1, notify_fd = self->notify_fd;
        pthread_mutex_unlock (&self->lock);
        zmq_pollitem_t items[] = {
            { .socket = self->socket, .events = ZMQ_POLLIN },
            { .fd = self->wake_fd, .events = ZMQ_POLLIN },
            { .fd = notify_fd, .events = ZMQ_POLLIN },
        };
        zmq_poll (items, notify_fd >= 0 ? 3 : 2, timeout);
        drain (self->wake_fd);
        if (drain (notify_fd) || (timeout >= 0 && clock_now (clock) - looked >= every * TIME_MS)) {
            zap_look_at_lists (self);
            every = look_at_strangers (self);
            looked = clock_now (clock);
        }
        while (!atomic_load (&self->stopping) && take_request (self))
            continue;
    }
    finish (self);
    return NULL;
}

/* -------------------------------------------------------------- beginning, end */

static void
free_zap (struct zap *self)
{
    if (self->wake_fd >= 0)
        close (self->wake_fd);
    if (self->notify_fd >= 0)
        close (self->notify_fd);
    pthread_mutex_destroy (&self->lock);
    free (self);
}

/*  Signals are for the threads of the program. */
static int
start_thread (struct zap *self)
{
    sigset_t all, before;
    sigfillset (&all);
    pthread_sigmask (SIG_BLOCK, &all, &before);
    int failed = pthread_create (&self->thread, NULL, zap_thread, self);
    pthread_sigmask (SIG_SETMASK, &before, NULL);
    errno = failed;
    return failed ? error_errno ("the thread that lets peers in") : 0;
}

static int
open_socket (struct zap *self, void *zmq)
{
    int none = 0;
    self->socket = zmq_socket (zmq, ZMQ_REP);
    if (!self->socket || zmq_setsockopt (self->socket, ZMQ_LINGER, &none, sizeof none)
        || zmq_setsockopt (self->socket, ZMQ_RCVHWM, &none, sizeof none)
        || zmq_setsockopt (self->socket, ZMQ_SNDHWM, &none, sizeof none) || zmq_bind (self->socket, ADDRESS))
        return zmq_wire_error ("authentication");
    return 0;
}

/*  Under the context's lock. */
int
zap_start (struct zmq_context *context)
{
    struct zap *self = calloc (1, sizeof *self);
    if (!self)
        return error_plain (WEFT_ENOMEM);
    pthread_mutex_init (&self->lock, NULL);
    self->notify_fd = -1;
    self->wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    int rc = self->wake_fd < 0 ? zmq_wire_error ("authentication") : open_socket (self, context->zmq);
    rc = rc ? rc : start_thread (self);
    if (rc) {
        if (self->socket)
            zmq_close (self->socket);
        free_zap (self);
        return rc;
    }
    context->zap = self;
    return 0;
}

void
zap_finish (struct zmq_context *context, bool hasty)
{
    struct zap *self = context->zap;
    if (!self)
        return;
    atomic_store (&self->hasty, hasty);
    atomic_store (&self->stopping, true);
    eventfd_write (self->wake_fd, 1);
    pthread_join (self->thread, NULL);
    context->zap = NULL;
    free_zap (self);
}
