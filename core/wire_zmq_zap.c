/*  wire_zmq_zap.c - who may connect: a thread of each context answers libzmq's questions (ZAP 1.0, RFC 27)
 *
 *  ZAP's address is one a context, and CZMQ's zauth lives in CZMQ's own: so this is ours. Every wire
 *  has a domain of its own, by which the actor knows whose peer it is that asks. Clear text has one too: it is
 *  let in, but with a domain libzmq refuses whatever speaks ZMTP 1.0 or 2.0, which an HTTP request or an SSH
 *  banner would pass for.
 *
 *  The actor also looks after the lists of keys, and ends connections of peers that are on them no more. */

#include "core/wire_zmq_zap.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "core/error.h"

#define ADDRESS "inproc://zeromq.zap.01"
#define DOMAIN "weft."
#define OUT ".out"                      /*  of connections that we make */
#define LOOK_EVERY_MS 1000              /*  at the lists, should inotify not tell                   */
#define QUIET_MS 20                     /*  at the end, for questions that are under way            */

enum { REQUEST_FRAMES = 8, FIELD_MAX = 128 };

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

/* ------------------------------------------------------------------- domains */

static struct zap_domain *
find_domain (struct zap *self, uint64_t id)
{
    struct zap_domain *domain = self->domains;
    while (domain && domain->id != id)
        domain = domain->next;
    return domain;
}

/*  Whose it is, by "weft.ID" or "weft.ID.out". */
static struct zap_domain *
domain_of (struct zap *self, const char *name, bool *out)
{
    char *end;
    if (strncmp (name, DOMAIN, strlen (DOMAIN)) != 0)
        return NULL;
    uint64_t id = strtoull (name + strlen (DOMAIN), &end, 10);
    *out = strcmp (end, OUT) == 0;
    return *end && !*out ? NULL : find_domain (self, id);
}

static void
deny (struct zap_domain *domain, const struct zap_denial *denial)
{
    if (domain->denial_count == ZAP_DENIALS) {
        domain->first_denial = (domain->first_denial + 1) % ZAP_DENIALS;
        domain->denial_count--;
    }
    domain->denials[(domain->first_denial + domain->denial_count++) % ZAP_DENIALS] = *denial;
}

void
zap_note (struct zap_domain *domain, const char *format, ...)
{
    if (domain->notice_count == ZAP_NOTICES) {
        domain->first_notice = (domain->first_notice + 1) % ZAP_NOTICES;
        domain->notice_count--;
    }
    char *text = domain->notices[(domain->first_notice + domain->notice_count++) % ZAP_NOTICES];
    va_list args;
    va_start (args, format);
    vsnprintf (text, ZAP_TEXT, format, args);
    va_end (args);
    atomic_store (&domain->noticed, true);
    inproc_wake (domain->wire);
}

bool
zap_take_denial (struct zmq_wire *wire, struct zap_denial *denial)
{
    struct zap_domain *domain = wire->domain;
    if (!domain)
        return false;
    pthread_mutex_lock (&wire->context->zap->lock);
    bool taken = domain->denial_count > 0;
    if (taken) {
        *denial = domain->denials[domain->first_denial];
        domain->first_denial = (domain->first_denial + 1) % ZAP_DENIALS;
        domain->denial_count--;
    }
    pthread_mutex_unlock (&wire->context->zap->lock);
    return taken;
}

bool
zap_ready (const struct zmq_wire *wire)
{
    return wire->domain && atomic_load (&wire->domain->noticed);
}

int
zap_next (struct zmq_wire *wire, struct wire_event *event)
{
    struct zap_domain *domain = wire->domain;
    if (!zap_ready (wire))
        return 0;
    pthread_mutex_lock (&wire->context->zap->lock);
    int rc = domain->notice_count > 0;
    if (rc) {
        memcpy (wire->monitor.text, domain->notices[domain->first_notice], sizeof wire->monitor.text);
        domain->first_notice = (domain->first_notice + 1) % ZAP_NOTICES;
        domain->notice_count--;
        *event = (struct wire_event) { .kind = WIRE_NOTICE, .endpoint = wire->wire.bound, .text = wire->monitor.text };
    }
    atomic_store (&domain->noticed, domain->notice_count > 0);
    pthread_mutex_unlock (&wire->context->zap->lock);
    return rc;
}

/* ---------------------------------------------------------------------- room */

/*  Under the lock. Those whose handshake is not done yet count. */
static bool
is_full (const struct zap_domain *domain)
{
    return domain->max_peers > 0
           && domain->established + (domain->admissions - domain->settled) >= (uint64_t) domain->max_peers;
}

uint64_t
zap_admissions (const struct zmq_wire *wire)
{
    pthread_mutex_lock (&wire->context->zap->lock);
    uint64_t admissions = wire->domain->admissions;
    pthread_mutex_unlock (&wire->context->zap->lock);
    return admissions;
}

void
zap_settle (const struct zmq_wire *wire, uint64_t established, uint64_t settled)
{
    struct zap_domain *domain = wire->domain;
    pthread_mutex_lock (&wire->context->zap->lock);
    domain->established = established;
    domain->settled = settled > domain->admissions ? domain->admissions : settled;
    pthread_mutex_unlock (&wire->context->zap->lock);
}

static enum answer
no_room (struct zap_domain *domain, const struct request *request)
{
    struct zap_denial denial = { .denied = false };
    snprintf (denial.text, sizeof denial.text, "turned away for now: there are %lld peers, as many as max-peers "
              "allows (from %s)", (long long) domain->max_peers, request->fields[FROM].data);
    deny (domain, &denial);
    return LATER;
}

/* ------------------------------------------------------------------- verdicts */

/*  Without a command, whatever a key is for will do. */
bool
zap_is_allowed (struct zap_domain *domain, const char *key, char *name, enum allow_verdict *verdict)
{
    *verdict = allow_ask (domain->allow, key, domain->peers ? domain->peers : "", NULL, 0, name);
    if (*verdict == ALLOW_NOT_FOR && !domain->peers)
        *verdict = ALLOW_YES;
    return *verdict == ALLOW_YES;
}

struct admitted {
    struct map_node node;
    char key[KEY_TEXT];
    bool lapsed;                /*  its list is not in order any more: it may come back when it is */
};

static struct admitted *
find_admitted (const struct zap_domain *domain, const char *key)
{
    struct map_node *node = map_first (&domain->admitted, hash_bytes (key, KEY_TEXT));
    while (node && strcmp (map_entry (node, struct admitted, node)->key, key) != 0)
        node = map_next (node);
    return node ? map_entry (node, struct admitted, node) : NULL;
}

bool
zap_is_admitted (const struct zap_domain *domain, const char *key)
{
    const struct admitted *admitted = find_admitted (domain, key);
    return admitted && !admitted->lapsed;
}

/*  Who is remembered can be revoked: who cannot be is not let in. */
static bool
admit (struct zap_domain *domain, const char *key)
{
    struct admitted *admitted = find_admitted (domain, key);
    if (!admitted && (admitted = malloc (sizeof *admitted))) {
        strcpy (admitted->key, key);
        map_add (&domain->admitted, &admitted->node, hash_bytes (admitted->key, KEY_TEXT));
    }
    if (admitted)
        admitted->lapsed = false;
    return admitted != NULL;
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
        if (is_full (domain))
            return no_room (domain, request);
        if (admit (domain, key)) {
            domain->admissions++;
            return LET_IN;
        }
        strcpy (words, "out of memory");
    } else
        allow_explain (domain->allow, verdict, key, name, domain->peers ? domain->peers : "connect", words,
                       sizeof words);
    snprintf (denial.text, sizeof denial.text, "%s%s (from %s)", verdict == ALLOW_CLOSED ? "" : "not let in: ", words,
              request->fields[FROM].data);
    deny (domain, &denial);
    return verdict == ALLOW_CLOSED && find_admitted (domain, key) ? LATER : DENIED;
}

static enum answer
judge_clear (struct zap_domain *domain, const struct request *request)
{
    if (is_full (domain))
        return no_room (domain, request);
    domain->admissions++;
    return LET_IN;
}

/*  Under the lock. `user` gets the key as text. */
static enum answer
judge (struct zap *self, const struct request *request, char user[KEY_TEXT])
{
    bool out = false;
    const struct field *mechanism = &request->fields[MECHANISM], *key = &request->fields[CREDENTIALS];
    struct zap_domain *domain = domain_of (self, request->fields[WHERE].data, &out);
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

/* ------------------------------------------------------------------- the lists */

struct told {
    char text[ZAP_TEXT];
};

static void
hear (void *arg, int level, const char *text)
{
    if (level <= WEFT_LOG_WARNING)
        snprintf (((struct told *) arg)->text, ZAP_TEXT, "%s", text);
}

/*  The list has changed: who is still on it? */
static void
reconsider (struct zap_domain *domain)
{
    struct map_node *next;
    size_t gone = 0;
    char words[ZAP_TEXT / 2] = "";
    for (size_t i = 0; i <= domain->admitted.mask; i++)
        for (struct map_node *node = domain->admitted.buckets[i]; node; node = next) {
            struct admitted *admitted = map_entry (node, struct admitted, node);
            char name[KEY_NAME_MAX + 1];
            enum allow_verdict verdict;
            next = node->next;
            if (zap_is_allowed (domain, admitted->key, name, &verdict)
                || (admitted->lapsed && verdict == ALLOW_CLOSED))
                continue;
            allow_explain (domain->allow, verdict, admitted->key, name, domain->peers ? domain->peers : "connect",
                           words, sizeof words);
            gone++;
            admitted->lapsed = verdict == ALLOW_CLOSED;
            if (admitted->lapsed)
                continue;
            map_remove (&domain->admitted, node);
            free (admitted);
        }
    if (gone == 0)
        return;
    unsigned ended = zap_end_connections (domain);
    zap_note (domain, "no longer let in: %s%s; connections ended: %u", words, gone > 1 ? ", and others" : "", ended);
}

/*  What is read anew, which may take time, is read without the lock. */
static void
look_at_lists (struct zap *self)
{
    pthread_mutex_lock (&self->lock);
    uint64_t last = self->ids;
    pthread_mutex_unlock (&self->lock);
    for (uint64_t id = 1; id <= last && id; id++) {
        pthread_mutex_lock (&self->lock);
        struct zap_domain *domain = NULL;
        for (struct zap_domain *each = self->domains; each; each = each->next)
            if (each->allow && each->id >= id && (!domain || each->id < domain->id))
                domain = each;
        struct allow *allow = domain ? allow_retain (domain->allow) : NULL;
        id = domain ? domain->id : last;
        pthread_mutex_unlock (&self->lock);
        if (!allow)
            break;
        struct told told = { .text = "" };
        struct log log = { .fn = hear, .arg = &told };
        allow_refresh (allow, &log);
        pthread_mutex_lock (&self->lock);
        for (domain = self->domains; domain; domain = domain->next) {
            if (domain->allow == allow && told.text[0])
                zap_note (domain, "%s", told.text);
            if (domain->allow == allow && domain->generation != allow_generation (allow)) {
                domain->generation = allow_generation (allow);
                reconsider (domain);
            }
        }
        pthread_mutex_unlock (&self->lock);
        allow_release (&allow);
    }
}

/*  The folder of the list: editors write another file and rename it. */
static void
watch_folder (struct zap *self, const struct allow *allow)
{
    char folder[KEY_PATH_MAX];
    snprintf (folder, sizeof folder, "%s", allow_path (allow));
    char *slash = strrchr (folder, '/');
    if (!slash)
        strcpy (folder, ".");
    else
        slash[slash == folder] = '\0';
    if (self->notify_fd >= 0)
        inotify_add_watch (self->notify_fd, folder,
                           IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB);
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
        look_at_lists (self);
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

static void *
zap_thread (void *arg)
{
    struct zap *self = arg;
    struct clock *clock = clock_system ();
    int64_t looked = clock_now (clock);
    while (!atomic_load (&self->stopping)) {
        pthread_mutex_lock (&self->lock);
        int timeout = self->keyed ? LOOK_EVERY_MS : -1, notify_fd = self->notify_fd;
        pthread_mutex_unlock (&self->lock);
        zmq_pollitem_t items[] = {
            { .socket = self->socket, .events = ZMQ_POLLIN },
            { .fd = self->wake_fd, .events = ZMQ_POLLIN },
            { .fd = notify_fd, .events = ZMQ_POLLIN },
        };
        zmq_poll (items, notify_fd >= 0 ? 3 : 2, timeout);
        drain (self->wake_fd);
        if (drain (notify_fd) || (timeout >= 0 && clock_now (clock) - looked >= LOOK_EVERY_MS * TIME_MS)) {
            look_at_lists (self);
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
static int
start (struct zmq_context *context)
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

static int
make_domain (struct zmq_wire *wire)
{
    const struct wire_security *security = &wire->wire.options.security;
    struct zap_domain *self = calloc (1, sizeof *self);
    if (!self || map_init (&self->admitted)) {
        free (self);
        return error_plain (WEFT_ENOMEM);
    }
    if (map_init (&self->known)) {
        map_free (&self->admitted);
        free (self);
        return error_plain (WEFT_ENOMEM);
    }
    self->wire = wire;
    self->keyed = security->secret_key[0];
    self->peers = security->peers;
    self->max_peers = wire->wire.options.max_peers;
    if (self->keyed && security->allow) {
        self->allow = security->allow;      /*  the wire's, which lives longer */
        self->generation = allow_generation (self->allow);
    }
    wire->domain = self;
    return 0;
}

int
zap_enter (struct zmq_wire *wire)
{
    struct zmq_context *context = wire->context;
    if (wire->domain)
        return 0;
    pthread_mutex_lock (&context->lock);
    int rc = context->zap ? 0 : start (context);
    pthread_mutex_unlock (&context->lock);
    rc = rc ? rc : make_domain (wire);
    if (rc)
        return rc;
    struct zap *self = context->zap;
    struct zap_domain *domain = wire->domain;
    pthread_mutex_lock (&self->lock);
    domain->id = ++self->ids;
    domain->next = self->domains;
    self->domains = domain;
    if (domain->allow) {
        if (self->keyed++ == 0 && self->notify_fd < 0)
            self->notify_fd = inotify_init1 (IN_CLOEXEC | IN_NONBLOCK);
        watch_folder (self, domain->allow);
    }
    pthread_mutex_unlock (&self->lock);
    if (domain->allow)
        eventfd_write (self->wake_fd, 1);
    return 0;
}

static void
free_nodes (struct map *map)
{
    struct map_node *next;
    for (size_t i = 0; map->buckets && i <= map->mask; i++)
        for (struct map_node *node = map->buckets[i]; node; node = next) {
            next = node->next;
            free (node);        /*  the first member of all that is kept here */
        }
    map_free (map);
}

void
zap_leave (struct zmq_wire *wire)
{
    struct zap_domain *domain = wire->domain;
    struct zap *self = wire->context->zap;
    if (!domain)
        return;
    pthread_mutex_lock (&self->lock);
    for (struct zap_domain **place = &self->domains; *place; place = &(*place)->next)
        if (*place == domain) {
            *place = domain->next;
            break;
        }
    self->keyed -= domain->allow != NULL;
    pthread_mutex_unlock (&self->lock);
    free_nodes (&domain->admitted);
    free_nodes (&domain->known);
    free (domain);
    wire->domain = NULL;
}

void
zap_domain_name (const struct zmq_wire *wire, bool out, char name[ZAP_DOMAIN_MAX])
{
    snprintf (name, ZAP_DOMAIN_MAX, DOMAIN "%llu%s", (unsigned long long) wire->domain->id, out ? OUT : "");
}

void
zap_listens (struct zmq_wire *wire, const char *address)
{
    struct zap_domain *domain = wire->domain;
    pthread_mutex_lock (&wire->context->zap->lock);
    snprintf (domain->listeners[domain->listener_count++ % ZAP_LISTENERS], ENDPOINT_MAX, "%s", address);
    pthread_mutex_unlock (&wire->context->zap->lock);
}

void
zap_set_probe (struct zmq_wire *wire, const char *key)
{
    pthread_mutex_lock (&wire->context->zap->lock);
    strcpy (wire->domain->probe, key);
    pthread_mutex_unlock (&wire->context->zap->lock);
}
