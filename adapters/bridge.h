/*  bridge.h - a foreign protocol in and out of the fabric
 *
 *  A bridge joins the connections of one adapter with sockets of the fabric, by modes (enum adapter_mode). It runs on
 *  one thread, which is the caller's of bridge_run.
 *
 *  Guarantee: at most once. A message is taken from its connection only when the fabric has taken it: while that is
 *  full the connection is not read, and its peer waits. What is lost all the same is counted. */
#ifndef WEFT_ADAPTERS_BRIDGE_H
#define WEFT_ADAPTERS_BRIDGE_H

#include "adapters/adapter.h"
#include "core/datagram.h"
#include "core/security.h"
#include "patterns/pattern.h"

enum bridge_full { FULL_BLOCK, FULL_DROP, FULL_DISCONNECT };

/*  Lists of endpoints of the fabric, by mode; and what goes for all of them. */
struct bridge_config {
    struct option_list rep, push, req, pub, sub, pull;
    struct option_list listen, dial;
    int64_t connections;                /*  to each of dial                                             */
    struct option_list subscribe;       /*  topics of sub                                               */
    struct option_list allow_host;      /*  names by which we may be called                             */
    bool relay;
    int64_t topic_linger;               /*  how long one that no peer wants stays asked for             */
    char *topic;                        /*  template of what is published; NULL: no topic               */
    char *format;                       /*  template of what peers get by relay, sub and pull; NULL: as it is   */
    bool origin;                        /*  a frame that says whence it came                            */
    int64_t timeout;                    /*  of a request                                                */
    int64_t in_flight;                  /*  requests of one peer                                        */
    int when_full;                      /*  enum bridge_full                                            */
    int64_t threads;                    /*  see bridge_threads.h                                        */
};

/*  Adapters that may take part in a bridge: the one that is asked for, and its companions. */
enum { BRIDGE_KINDS = 4 };

/*  All options of a bridge; each struct has its table. */
struct bridge_setup {
    struct bridge_config bridge;        /*  bridge_options                                              */
    struct stream_config stream;        /*  stream_options; and tls_options of stream.tls               */
    struct datagram_config datagram;    /*  datagram_options, in place of them if adapter->datagram     */
    struct socket_config socket;        /*  bridge_socket_options                                       */
    struct security_config security;    /*  security_options: whoever has them, sets them               */
    void *configs[BRIDGE_KINDS];        /*  by bridge_kind: its options; NULL: it takes no part         */
};
extern const struct option bridge_options[], bridge_socket_options[];

/*  The adapters; ends with NULL. By name, or NULL. */
extern const struct adapter *const bridge_adapters[];
const struct adapter *bridge_adapter_find (const char *name);

/*  The adapters of a bridge of `adapter`: itself is the first; NULL past the last. Zeroed structs for their options,
 *  and their end; the tables are set and freed by the caller. WEFT_ENOMEM. */
const struct adapter *bridge_kind (const struct adapter *adapter, size_t index);
int bridge_configs_new (const struct adapter *adapter, struct bridge_setup *setup);
void bridge_configs_free (struct bridge_setup *setup);

struct bridge;

/*  Whether the options fit together: 0, or WEFT_EINVAL. Opens nothing. */
int bridge_check (const struct adapter *adapter, struct bridge_setup *setup);

/*  Checks the setup, opens all sockets, listens and dials. The setup has to live as long as the bridge. WEFT_EINVAL
 *  when options do not fit together, and what sockets and listeners say. */
int bridge_new (weft_t *weft, const struct adapter *adapter, struct bridge_setup *setup, struct bridge **self);
void bridge_destroy (struct bridge **self);

/*  What listens, one by one: its address, and in *what the mode, or the adapter's name; NULL past the last. */
const char *bridge_listens (const struct bridge *self, size_t index, const char **what);

/*  Runs until bridge_stop was called, or `stop_fd` (an eventfd; -1: none) was written to; then takes nothing more, and
 *  delivers what was taken for at most the option `linger`, or until it is told to stop again. 0, or the failure of a
 *  socket; WEFT_ETIMEOUT after `timeout` (ns), with which it may be run again, with the same stop_fd. */
int bridge_run (struct bridge *self, int stop_fd, int64_t timeout);
void bridge_stop (struct bridge *self);     /*  any thread, or a signal handler */

/*  Its own numbers, exactly: for the thread that runs it, or when none does. See bridge_metrics.h for the others. */
void bridge_counters (struct bridge *self, weft_bridge_counters_t *counters);

#endif
