/*  wire_zmq_zap.h - what the authentication of a context knows of each wire; for wire_zmq*.c alone */
#ifndef WEFT_CORE_WIRE_ZMQ_ZAP_H
#define WEFT_CORE_WIRE_ZMQ_ZAP_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/map.h"
#include "core/wire_zmq.h"

enum {
    ZAP_DENIALS = 64,           /*  kept for a wire; older ones make room                       */
    ZAP_NOTICES = 8
};

/*  Where a wire listens. */
struct zap_listener {
    struct zap_listener *next;
    char address[ENDPOINT_MAX];
};

/*  A wire, as the actor sees it. All under zap->lock. */
struct zap_domain {
    struct zap_domain *next;
    struct zmq_wire *wire;
    uint64_t id;                        /*  its ZAP domain is weft.ID, or weft.ID.out where we connect  */
    bool keyed;
    struct allow *allow;                /*  may be NULL: then nobody                            */
    const char *peers;
    uint64_t generation;                /*  of the list, when `admitted` was last gone through  */
    char probe[KEY_TEXT];               /*  the self-test's key                                 */
    struct map admitted;                /*  keys that were let in                               */
    struct map known;                   /*  connections whose key is known, by their cookie     */
    struct zap_listener *listeners;
    int64_t max_peers;                  /*  0: no limit                                         */
    int64_t present;                    /*  with a limit: how many there are, or fewer          */
    int64_t counted;                    /*  when they were counted last                         */
    struct zap_denial denials[ZAP_DENIALS];
    unsigned first_denial, denial_count;
    char notices[ZAP_NOTICES][ZAP_TEXT];
    unsigned first_notice, notice_count;
    atomic_bool noticed;                /*  there are notices; read without the lock            */
};

struct zap {
    void *socket;                       /*  REP, of the actor's thread                          */
    pthread_t thread;
    pthread_mutex_t lock;
    int wake_fd, notify_fd;             /*  eventfd; inotify, or -1                             */
    atomic_bool stopping;
    atomic_bool hasty;                  /*  nothing lingers: the end need not wait              */
    struct zap_domain *domains;
    uint64_t ids;
    unsigned keyed;                     /*  domains that have a list                            */
};

/*  wire_zmq_zap.c: starts the actor; under the context's lock. */
int zap_start (struct zmq_context *context);

/*  wire_zmq_domain.c, all under zap->lock. Whose domain it is, or NULL; `out`: of a connection that the wire makes. */
struct zap_domain *zap_domain_of (struct zap *self, const char *name, bool *out);

/*  May one more come? Then it is counted. */
bool zap_has_room (struct zap_domain *domain);

/*  Kept for the wire: at most so many, the oldest go. */
void zap_deny (struct zap_domain *domain, const struct zap_denial *denial);
void zap_note (struct zap_domain *domain, const char *format, ...) WEFT_PRINTF (2, 3);

/*  The same, but not under the lock; nothing for a wire without a domain. */
void zap_note_wire (struct zmq_wire *wire, const char *format, ...) WEFT_PRINTF (2, 3);

/*  wire_zmq_lists.c, under zap->lock. */
bool zap_is_allowed (struct zap_domain *domain, const char *key, char *name, enum allow_verdict *verdict);

/*  Who is admitted is remembered, so that it can be revoked: false when there is no memory for it. */
bool zap_admit (struct zap_domain *domain, const char *key);
bool zap_is_admitted (const struct zap_domain *domain, const char *key);

/*  Is it, or was it until its list was broken? */
bool zap_was_admitted (const struct zap_domain *domain, const char *key);

/*  Not under the lock, as reading takes time: reads again what has changed, and ends the connections of those
 *  who are on the lists no more. */
void zap_look_at_lists (struct zap *self);
void zap_watch_folder (struct zap *self, const struct allow *allow);

/*  wire_zmq_guard.c, under zap->lock: ends every connection that came to the wire and is not known to be of
 *  somebody who is admitted. */
unsigned zap_end_connections (struct zap_domain *domain);
unsigned zap_count_connections (struct zap_domain *domain);

/*  Ends those of whom nobody knows who they are, and who send more than a handshake is. */
unsigned zap_end_loud_strangers (struct zap_domain *domain);

#endif
