/*  pool_wire.h - the pool's messages to and from msgpack, without I/O
 *
 *  docs/spec/pool.md is the protocol. A message is one frame: an array whose
 *  first member is the verb. Arrays may be longer than what is known here; the
 *  rest is ignored, so that a later minor revision can add to them.
 *
 *  A message is scanned as a whole before anything is taken from it: it must be
 *  well-formed, end where the frame ends, nest no deeper than POOL_DEPTH, and no
 *  count may promise more members than there are bytes. Nothing is allocated. */

#ifndef WEFT_CODEC_POOL_WIRE_H
#define WEFT_CODEC_POOL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"
#include "weft.h"

#define POOL_PROTOCOL "weft-pool"
#define POOL_VERSION 2

#define POOL_DEPTH 8                    /*  arrays within arrays                    */
#define POOL_CHUNK 65536                /*  bytes of output in one record           */
#define POOL_BATCH 65536                /*  bytes at which a batch is sent          */
#define POOL_JOB_MAX (32 << 20)         /*  bytes in a job: command and input       */
#define POOL_MESSAGE_MAX (40 << 20)     /*  bytes in a message                      */
#define POOL_NAME_MAX 255               /*  bytes in a name                         */
#define POOL_ID 16                      /*  bytes in the identity of a pool         */
#define POOL_SLOTS_MAX 4096
#define POOL_WINDOW_MAX 65536
#define POOL_ARGS_MAX 65536
#define POOL_HELD_MAX (POOL_WINDOW_MAX + POOL_SLOTS_MAX)    /*  jobs that a worker has */

/*  The number of an attempt: which opening of its ledger the head deals from (0 without one), above the number that
 *  people see. So no attempt is ever numbered twice. */
#define POOL_ATTEMPT(epoch, number) ((int64_t) (epoch) << 32 | (number))
#define POOL_ATTEMPT_EPOCH(attempt) ((uint64_t) (attempt) >> 32)
#define POOL_ATTEMPT_NUMBER(attempt) ((int) ((attempt) & INT32_MAX))

enum pool_verb {
    POOL_HELLO = 1,     /*  a worker, or a head to its sink: who it is              */
    POOL_WELCOME,       /*  the answer: go on                                       */
    POOL_REFUSED,       /*  the answer: go away, and why                            */
    POOL_JOBS,          /*  head to worker: a batch of jobs, and what is acknowledged */
    POOL_REPORT,        /*  to the head or the sink: a numbered batch of records    */
    POOL_ACK,           /*  reports up to this number are safe                      */
    POOL_HEARTBEAT,     /*  both ways, when there is nothing else to say            */
    POOL_CANCEL,        /*  head to worker: stop these jobs                         */
    POOL_END,           /*  head to worker: there is no more, stop and go           */
    POOL_GOODBYE,       /*  I am going                                              */
    POOL_UNKNOWN        /*  to a peer that said no HELLO: say it                    */
};

enum pool_role {
    POOL_ROLE_WORKER = 1,   /*  HELLO of a worker to a head */
    POOL_ROLE_HEAD          /*  HELLO of a head to a sink   */
};

enum pool_record_kind {     /*  the first six are WEFT_POOL_... */
    POOL_RECORD_RETURNED = 7    /*  a job that was not begun is given back */
};

struct pool_bytes {
    const char *data;
    size_t size;
};

struct pool_hello {
    int version;
    enum pool_role role;
    uint64_t instance;          /*  random, one a process (or handle)               */
    uint64_t session;           /*  1 for its first HELLO, and up                   */
    uint64_t next;              /*  number of the first report that is still kept   */
    uint64_t last;              /*  number of the last that was made; next - 1: none is kept */
    struct pool_bytes name, host;
    int64_t pid;
    int64_t slots, window;      /*  jobs at once; jobs held, waiting ones included  */
    int64_t heartbeat;          /*  ms between heartbeats; 0: none                  */
    uint64_t memory;            /*  bytes for jobs; 0: the peer knows nothing of memory and cores   */
    struct pool_bytes pool;     /*  whose jobs it has: POOL_ID bytes, or none       */
    uint32_t held;              /*  how many it has: pool_next_held                 */
};

struct pool_welcome {
    int version;
    uint64_t instance;          /*  of who answers                                  */
    uint64_t session;           /*  as in the HELLO                                 */
    uint64_t have;              /*  last report that is safe; 0 for none            */
    int64_t heartbeat;
    struct pool_bytes pool;     /*  POOL_ID bytes; none from a sink                 */
};

/*  What to run: made once, when a job is submitted, and carried as it is. */
struct pool_spec {
    bool stream;                /*  send output line by line                        */
    int64_t timeout;            /*  ms; 0: none                                     */
    struct pool_bytes command;  /*  for the shell, when argc is 0                   */
    size_t argc;                /*  else: pool_next_argument, so many times         */
    bool message;               /*  neither: `input` is for what the worker has for messages */
    struct pool_bytes input;
    struct pool_bytes mark;     /*  stands for the number of the slot; empty: none  */
    uint64_t number;            /*  what it is called in its environment; 0: its id */
    struct pool_bytes note;     /*  the submitter's own                             */
    int64_t cores;              /*  slots that it takes; 0: 1                       */
    uint64_t memory;            /*  bytes that it takes; 0: none                    */
};

struct pool_record {
    int kind;                   /*  WEFT_POOL_... or POOL_RECORD_...                */
    uint64_t job, tag;
    int64_t attempt, slot;
    struct pool_bytes name, host;               /*  of the worker, to a sink        */
    struct pool_bytes command;                  /*  STARTED, DONE, to a sink        */
    int64_t stream;                             /*  OUTPUT                          */
    struct pool_bytes data;                     /*  OUTPUT; DONE, RETRY: why        */
    int64_t reason, status, signal;             /*  DONE, RETRY                     */
    int64_t started, runtime;                   /*  us                              */
    uint64_t received, sent;
    int64_t slots;                              /*  JOINED                          */
};

/* ---------------------------------------------------------------- encoding */

/*  Each adds to `out`; WEFT_ENOMEM. Batches are a head and then so many members. */
int pool_put_hello (struct buffer *out, const struct pool_hello *hello);
int pool_put_hello_end (struct buffer *out, const struct pool_hello *hello);     /*  after its pool_put_held */
int pool_put_held (struct buffer *out, uint64_t id, int64_t attempt, bool begun);
int pool_put_welcome (struct buffer *out, const struct pool_welcome *welcome);
int pool_put_refused (struct buffer *out, const char *text);
int pool_put_ack (struct buffer *out, uint64_t session, uint64_t have);
int pool_put_heartbeat (struct buffer *out, uint64_t session, uint64_t number, uint64_t have);
int pool_put_plain (struct buffer *out, enum pool_verb verb, uint64_t session);     /*  GOODBYE, UNKNOWN */
int pool_put_end (struct buffer *out, bool answer);

int pool_put_jobs (struct buffer *out, uint64_t session, uint64_t number, uint64_t have, uint32_t count);
int pool_put_job (struct buffer *out, uint64_t id, int64_t attempt, const void *spec, size_t size);
int pool_put_spec (struct buffer *out, const weft_job_t *job, int64_t timeout, bool stream);

int pool_put_report (struct buffer *out, uint64_t number, int64_t window, uint32_t count);
int pool_put_record (struct buffer *out, const struct pool_record *record);

/*  Of 0 jobs: of everything. */
int pool_put_cancel (struct buffer *out, uint64_t session, uint64_t number, bool running, uint32_t count);
int pool_put_cancelled (struct buffer *out, uint64_t id, int64_t attempt);

/* ---------------------------------------------------------------- decoding */

struct pool_reader {
    const unsigned char *at, *end;
    bool bad;                   /*  a member was missing, of another type or out of range */
};

/*  A message that was taken apart. Pointers are into the frame. */
struct pool_message {
    enum pool_verb verb;
    union {
        struct pool_hello hello;
        struct pool_welcome welcome;
        struct pool_bytes text;         /*  REFUSED                             */
    };
    uint64_t session;                   /*  all but HELLO, WELCOME, REFUSED, REPORT, END */
    uint64_t number;                    /*  REPORT, JOBS, CANCEL; HEARTBEAT: of the last of these */
    uint64_t have;                      /*  JOBS, ACK, HEARTBEAT: reports up to it are safe */
    int64_t window;                     /*  REPORT                              */
    bool running;                       /*  CANCEL: also jobs that have begun   */
    bool answer;                        /*  END: a GOODBYE is waited for        */
    uint32_t left;                      /*  HELLO, JOBS, REPORT, CANCEL: members that
                                            pool_next_... have not given yet    */
    struct pool_reader reader;          /*  where they are                      */
};

/*  WEFT_EPROTO says what is wrong; WEFT_ENOTSUP: HELLO or WELCOME of another version,
 *  of which then only `version` is filled. */
int pool_decode (struct pool_message *self, const void *data, size_t size);

/*  1 for the next member of the batch, 0 past the last, or WEFT_EPROTO. */
int pool_next_held (struct pool_message *self, uint64_t *id, int64_t *attempt, bool *begun);
int pool_next_job (struct pool_message *self, uint64_t *id, int64_t *attempt, struct pool_bytes *spec);
int pool_next_record (struct pool_message *self, struct pool_record *record);
int pool_next_cancelled (struct pool_message *self, uint64_t *id, int64_t *attempt);

/*  Takes apart a spec; `arguments` then gives its arguments. WEFT_EPROTO. */
int pool_get_spec (struct pool_spec *self, struct pool_bytes bytes, struct pool_reader *arguments);
int pool_next_argument (struct pool_reader *arguments, struct pool_bytes *argument);

/*  Is it one well-formed msgpack object within the limits? WEFT_EPROTO says why not. */
int pool_scan (const void *data, size_t size);

#endif
